/**
 * The source of the next version: the file of the newest one, with its whole declaration, an empty list of steps, and its
 * names moved on. Everything else in the file is carried over as it is written.
 */
import { type CallExpression, type ObjectExpression, type Program, parseSync, Visitor } from "oxc-parser";

interface Edit {
  readonly start: number;
  readonly end: number;
  readonly text: string;
}

/** What an index says about the version that it exports. */
export interface Exported {
  /** As the version's file exports it. */
  readonly name: string;
  /** The version's file, as the index imports it. */
  readonly from: string;
}

const apply = (source: string, edits: ReadonlyArray<Edit>): string => {
  const unique = new Map(edits.map((edit) => [edit.start, edit]));
  return [...unique.values()]
    .toSorted((left, right) => right.start - left.start)
    .reduce((text, { start, end, text: by }) => text.slice(0, start) + by + text.slice(end), source);
};

const parse = (file: string, source: string) => {
  const { program, errors } = parseSync(file, source);
  return errors.length === 0 ? program : undefined;
};

/** The names that a module imports or passes on from other files of the app, and what it exports as its schema. */
export const exportedBy = (file: string, source: string): Exported | undefined => {
  const program = parse(file, source);
  if (program === undefined) return undefined;
  const imported = new Map<string, Exported>();
  let exported: string | undefined;
  let found: Exported | undefined;
  for (const statement of program.body) {
    if (statement.type === "ImportDeclaration") {
      for (const specifier of statement.specifiers) {
        if (specifier.type !== "ImportSpecifier" || specifier.imported.type !== "Identifier") continue;
        imported.set(specifier.local.name, { name: specifier.imported.name, from: statement.source.value });
      }
    } else if (statement.type === "ExportNamedDeclaration" && statement.source !== null) {
      for (const { local, exported: as } of statement.specifiers) {
        const name = as.type === "Literal" ? as.value : as.name;
        if (local.type === "Literal" || (name !== "schema" && name !== "default")) continue;
        found = { name: local.name, from: statement.source.value };
      }
    } else if (statement.type === "ExportNamedDeclaration" && statement.declaration?.type === "VariableDeclaration") {
      for (const { id, init } of statement.declaration.declarations) {
        if (id.type === "Identifier" && id.name === "schema" && init?.type === "Identifier") exported = init.name;
      }
    } else if (statement.type === "ExportDefaultDeclaration" && statement.declaration.type === "Identifier") {
      exported ??= statement.declaration.name;
    }
  }
  return found ?? (exported === undefined ? undefined : imported.get(exported));
};

/** A name with the next number: `v2` becomes `v3`. */
export const nextName = (name: string, next: number): string =>
  /\d+$/.test(name) ? name.replace(/\d+$/, String(next)) : `${name}V${next}`;

/** A file with the next number: `./v2.ts` becomes `./v3.ts`. */
export const nextFile = (path: string, next: number): string =>
  path.replace(/(\d*)(\.[a-z]+)$/, (_, digits: string, extension: string) =>
    digits === "" ? `-v${next}${extension}` : `${next}${extension}`,
  );

/** The index, exporting the next version. */
export const nextIndex = (file: string, source: string, { name, from }: Exported, next: number): string | undefined => {
  const program = parse(file, source);
  if (program === undefined) return undefined;
  const edits: Array<Edit> = [];
  new Visitor({
    Identifier: (node) => {
      if (node.name === name) edits.push({ start: node.start, end: node.end, text: nextName(name, next) });
    },
    Literal: (node) => {
      if (node.value === from) {
        edits.push({ start: node.start, end: node.end, text: JSON.stringify(nextFile(from, next)) });
      }
    },
  }).visit(program);
  return apply(source, edits);
};

interface Name {
  readonly name: string;
  readonly start: number;
  readonly end: number;
}

interface Declaration {
  readonly call: CallExpression;
  readonly callee: string;
  readonly said: ObjectExpression;
}

const declarationOf = (call: CallExpression): Declaration | undefined => {
  const { callee } = call;
  if (callee.type !== "Identifier" || !["defineSchema", "evolveSchema"].includes(callee.name)) return undefined;
  const said = call.arguments.at(-1);
  return said?.type === "ObjectExpression" ? { call, callee: callee.name, said } : undefined;
};

const memberOf = (said: ObjectExpression, name: string) =>
  said.properties.flatMap((property) =>
    property.type === "Property" && property.key.type === "Identifier" && property.key.name === name ? [property] : [],
  )[0];

export interface NextVersion {
  readonly version: number;
  readonly source: string;
}

/**
 * The file of the version after the one that a file declares. Undefined where it does not declare `name` by a call of
 * `defineSchema` or `evolveSchema` with an object that says `version: 2`.
 *
 * @param from the version's file, as its neighbours import it
 */
export const nextVersion = (file: string, source: string, { name, from }: Exported): NextVersion | undefined => {
  const program = parse(file, source);
  if (program === undefined) return undefined;
  const declarations: Array<Declaration | undefined> = [];
  const names: Array<Name> = [];
  new Visitor({
    Identifier: (node) => void names.push(node),
    VariableDeclarator: ({ id, init }) => {
      if (id.type === "Identifier" && id.name === name && init?.type === "CallExpression")
        declarations.push(declarationOf(init));
    },
  }).visit(program);
  const [found] = declarations;
  if (found === undefined) return undefined;
  const { call, callee, said } = found;
  const number = memberOf(said, "version")?.value;
  if (number?.type !== "Literal" || typeof number.value !== "number") return undefined;
  const version = number.value + 1;
  const edits: Array<Edit> = [{ start: number.start, end: number.end, text: String(version) }];
  for (const { name: used, start, end } of names) {
    if (used === name) edits.push({ start, end, text: nextName(name, version) });
    else if (used === "defineSchema") edits.push({ start, end, text: "evolveSchema" });
  }
  const [first] = call.arguments;
  if (callee === "defineSchema" || first === undefined || first === said) {
    edits.push({ start: said.start, end: said.start, text: `${name}, ` });
  } else {
    edits.push({ start: first.start, end: first.end, text: name });
  }
  const steps = memberOf(said, "steps");
  if (steps !== undefined) edits.push({ start: steps.value.start, end: steps.value.end, text: "() => []" });
  else {
    const { end } = said.properties.at(-1) ?? said;
    edits.push({ start: end, end, text: ", steps: () => []" });
  }
  edits.push(importEdit(program, first, names, `import { ${name} } from ${JSON.stringify(from)};`));
  return { version, source: apply(source, edits) };
};

/** Imports the version before: in place of the one before that, where nothing else needs that one. */
const importEdit = (
  program: Program,
  base: CallExpression["arguments"][number] | undefined,
  names: ReadonlyArray<Name>,
  text: string,
): Edit => {
  const imports = program.body.filter((statement) => statement.type === "ImportDeclaration");
  if (base?.type === "Identifier") {
    const places = new Set(names.filter(({ name }) => name === base.name).map(({ start }) => start));
    const only = imports.find(({ specifiers }) => specifiers.length === 1 && specifiers[0]?.local.name === base.name);
    // Where it is imported, and where the newer one begins with it.
    if (only !== undefined && places.size === 2) return { start: only.start, end: only.end, text };
  }
  const last = imports.at(-1);
  return last === undefined
    ? { start: 0, end: 0, text: `${text}\n` }
    : { start: last.end, end: last.end, text: `\n${text}` };
};
