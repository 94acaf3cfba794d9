/** Changes that break no law and still surprise: what people lose sight of, and what concurrent edits do to it. */
import type { DocumentSchema } from "../document-type.ts";
import { isStoredAlike } from "../evolution/describe.ts";
import type { AcceptableFinding, Step } from "../evolution/step.ts";
import { emptyView, isView } from "../evolution/view-shape.ts";
import type { Field, Fields } from "../field-kinds.ts";
import { isPlainObject } from "../json.ts";
import type { Finding } from "./finding.ts";
import { type LawOptions, areViews, newerValues, olderValues, shown, textOf } from "./laws.ts";
import { randomFrom } from "./random.ts";
import { drawView } from "./values.ts";
import { type Formula, type Values, formulasOf, pathOf, renamed } from "./versions.ts";

/** What to think about before this version is released. */
export const checkSafety = (schema: DocumentSchema, options: LawOptions): ReadonlyArray<Finding> => [
  ...checkRemovals(schema),
  ...formulasOf(schema).flatMap((formula) =>
    // To combine is to lose what tells the parts apart.
    formula.step === "combine"
      ? []
      : [...checkDefaults(formula), ...checkLosses(formula, options), ...checkIdentity(formula)],
  ),
];

const checkRemovals = (schema: DocumentSchema): ReadonlyArray<Finding> => {
  const { older, steps = [], version } = schema;
  if (older === undefined) return [];
  return steps.flatMap((step): ReadonlyArray<Finding> => {
    if (step.step === "removeType") {
      if (older.documents[step.type]?.deprecated === true) return [];
      return [
        {
          severity: "warning",
          code: "schema/removed",
          version,
          path: step.type,
          message: `the type goes without having been deprecated: apps of version ${older.version} go on making documents that nobody with version ${version} sees`,
          advice: `Declare it with deprecated: true and step.deprecateType("${step.type}") first, and remove it a version later.`,
        },
      ];
    }
    if (step.step !== "remove") return [];
    const path = `${step.path}.${step.name}`;
    const like = addedLike(schema, step.path, step.name);
    if (like !== undefined) {
      return [
        {
          severity: "warning",
          code: "schema/looks-renamed",
          version,
          path,
          message: `the field goes and "${like}", which holds the same, comes`,
          advice: `If it is the same under another name, say step.rename("${step.path}", { from: "${step.name}", to: "${like}" }): as it stands, what is in it is out of sight.`,
        },
      ];
    }
    return [
      {
        severity: "note",
        code: "schema/removed",
        version,
        path,
        message: `what is in the field is out of sight in version ${version}; apps of version ${older.version} go on reading and writing it`,
        advice: "Nothing is deleted. Where content shall move into another field, say step.merge(…) or step.change(…).",
      },
    ];
  });
};

const placeAt = (schema: DocumentSchema, path: string): Fields | undefined => {
  const [type = "", ...names] = path.split(".");
  let fields = schema.documents[type]?.fields;
  for (const name of names) {
    const field = fields?.[name];
    fields = field?.kind === "records" || field?.kind === "tree" ? field.fields : undefined;
  }
  return fields;
};

/** A field that the version adds beside one that it removes, and that is stored in the same way. */
const addedLike = (schema: DocumentSchema, path: string, name: string): string | undefined => {
  const gone = schema.older && placeAt(schema.older, path)?.[name];
  return (schema.steps ?? []).flatMap((step) => {
    if (step.step !== "add" || step.path !== path || gone === undefined) return [];
    const come = placeAt(schema, path)?.[step.name];
    return come !== undefined && isStoredAlike(gone, come) ? [step.name] : [];
  })[0];
};

const attempt = (fields: Fields, run: () => unknown): Values | undefined => {
  try {
    const made = run();
    return areViews(fields, made) ? made : undefined;
  } catch {
    return undefined;
  }
};

/** What nobody wrote reads as `up` of the older default, and not as the newer field's own. */
const checkDefaults = (formula: Formula): ReadonlyArray<Finding> => {
  const empty = Object.fromEntries(Object.entries(formula.older).map(([name, field]) => [name, emptyView(field)]));
  const made = attempt(formula.newer, () => formula.up(empty));
  if (made === undefined) return [];
  return Object.entries(formula.newer).flatMap(([name, field]): ReadonlyArray<Finding> => {
    const declared = textOf(emptyView(field));
    const reads = textOf(made[name]);
    if (declared === reads) return [];
    const what = field.kind === "plain" ? `not the declared default ${declared}` : "not empty";
    return [
      {
        severity: "warning",
        code: "schema/default-differs",
        version: formula.version,
        path: `${formula.path}.${name}`,
        message: `${formula.step}: in a document that nobody wrote it in, it reads as ${reads}, ${what}: up makes it of ${shown(empty)}`,
        advice: "New documents have it too. Let up make the default of the default, or declare what it makes.",
      },
    ];
  });
};

/** Values that become one. */
const checkLosses = (formula: Formula, options: LawOptions): ReadonlyArray<Finding> => {
  const finding = (message: string, advice: string): ReadonlyArray<Finding> => [
    {
      severity: "note",
      code: "schema/loses",
      version: formula.version,
      path: pathOf(formula),
      message: `${formula.step}: ${message}`,
      advice,
    },
  ];
  const shortest = (values: ReadonlyArray<Values>): ReadonlyArray<Values> =>
    values.toSorted((left, right) => textOf(left).length - textOf(right).length);
  const { down } = formula;
  if (down !== undefined) {
    for (const newer of shortest(newerValues(formula, options))) {
      const older = attempt(formula.older, () => down(structuredClone(newer)));
      const back = older && attempt(formula.newer, () => formula.up(structuredClone(older)));
      if (older === undefined || back === undefined || areEqual(formula.newer, back, newer)) continue;
      return finding(
        `several newer values have one older form: ${shown(newer)} and ${shown(back)} are both ${shown(older)} there`,
        "Which one it was stays, until an older app writes another value.",
      );
    }
    return [];
  }
  const seen = new Map<string, Values>();
  for (const older of shortest(olderValues(formula, options))) {
    const made = attempt(formula.newer, () => formula.up(structuredClone(older)));
    if (made === undefined) continue;
    const text = Object.keys(formula.newer)
      .map((name) => textOf(made[name]))
      .join("\n");
    const other = seen.get(text);
    if (other !== undefined) {
      return finding(
        `up makes ${shown(made)} of ${shown(other)} and of ${shown(older)} alike`,
        "What tells them apart is not in the newer form. It stays in the older one, which older apps show.",
      );
    }
    seen.set(text, older);
  }
  return [];
};

const areEqual = (fields: Fields, left: Values, right: Values): boolean =>
  Object.keys(fields).every((name) => textOf(left[name]) === textOf(right[name]));

/** A view's parts, as text, by the names that tell them apart; undefined where it has none. */
const partsIn = (field: Field, view: unknown): ReadonlyArray<readonly [string, string]> | undefined => {
  switch (field.kind) {
    case "records":
    case "map":
      return isPlainObject(view) ? Object.entries(view).map(([key, part]) => [key, textOf(part)] as const) : undefined;
    case "tree":
      return Array.isArray(view)
        ? view.flatMap((node: unknown) =>
            isPlainObject(node) && typeof node["id"] === "string"
              ? [[node["id"], textOf({ ...node, children: [] })] as const, ...(partsIn(field, node["children"]) ?? [])]
              : [],
          )
        : undefined;
    case "list":
    case "movableList": {
      if (!Array.isArray(view)) return undefined;
      const parts = view.flatMap((item: unknown) => {
        const id = isPlainObject(item) ? (item["id"] ?? item["key"]) : undefined;
        return typeof id === "string" ? [[id, textOf(item)] as const] : [];
      });
      return parts.length === view.length ? parts : undefined;
    }
    case "plain":
    case "text":
    case "richText":
    case "set":
    case "counter":
    case "attachments":
      return undefined;
  }
};

/** Three values that are a list of a, b and c, of b and c, and of b twice: for lists, and for texts with a separator. */
const threesomes = (field: Field): ReadonlyArray<readonly [unknown, unknown, unknown]> => {
  if (field.kind === "list" || field.kind === "movableList") {
    const random = randomFrom(1);
    const draw = drawView(field, 1);
    const items = new Map<string, unknown>();
    for (let tries = 0; tries < 60 && items.size < 3; tries += 1) {
      const drawn = draw(random);
      for (const item of Array.isArray(drawn) ? (drawn as ReadonlyArray<unknown>) : []) items.set(textOf(item), item);
    }
    const [first, second, third] = items.values();
    return items.size < 3
      ? []
      : [
          [
            [first, second, third],
            [second, third],
            [second, second],
          ],
        ];
  }
  if (field.kind !== "text" && field.kind !== "plain") return [];
  return ["\n", ", ", ";", " "].map(
    (separator) =>
      [
        ["one", "two", "three"].join(separator),
        ["two", "three"].join(separator),
        ["two", "two"].join(separator),
      ] as const,
  );
};

/** How a change tells items apart, which decides what concurrent edits of older and newer apps do to them. */
const checkIdentity = (formula: Formula): ReadonlyArray<Finding> => {
  if (formula.down !== undefined) return [];
  const { version, step, accept } = formula;
  /** What doubles or loses items is an error, unless the step says that it is meant. */
  const severityOf = (code: AcceptableFinding): Finding["severity"] => (accept.includes(code) ? "note" : "error");
  const otherwise = (code: AcceptableFinding): string =>
    accept.includes(code) ? "" : ` Where it is meant, say so in the step: accept: ["${code}"].`;
  const found = new Map<string, Finding>();
  const report = (
    severity: Finding["severity"],
    code: Finding["code"],
    name: string,
    message: string,
    advice: string,
  ) =>
    found.set(code, {
      severity,
      code,
      version,
      path: `${formula.path}.${name}`,
      message: `${step}: ${message}`,
      advice,
    });
  const empty = Object.fromEntries(Object.entries(formula.older).map(([name, field]) => [name, emptyView(field)]));
  for (const [from, source] of Object.entries(formula.older)) {
    for (const triple of threesomes(source)) {
      if (!triple.every((value) => isView(source, value))) continue;
      const [whole, tail, twice] = triple.map((value) =>
        attempt(formula.newer, () => formula.up(structuredClone({ ...empty, [from]: value }))),
      );
      for (const [name, field] of Object.entries(formula.newer)) {
        const [all, rest, both] = [whole, tail, twice].map((made) => made && partsIn(field, made[name]));
        if (all === undefined || rest === undefined) {
          if (isList(source) && isList(field) && Array.isArray(whole?.[name]) && whole[name].length > 1) {
            report(
              "note",
              "schema/identity-by-content",
              name,
              "the items have no id, so that what an older app edits later is matched by content",
              "An item that is changed there counts as one removed and one added. Give items an id where that matters.",
            );
          }
          continue;
        }
        const parts = new Map(all);
        const ids = (some: typeof all): string => some.map(([id]) => id).join(", ");
        // A part is the same one whatever stands in front of it.
        if (all.length === 3 && rest.length === 2 && !rest.every(([id, part]) => parts.get(id) === part)) {
          report(
            severityOf("schema/identity-by-position"),
            "schema/identity-by-position",
            name,
            `ids depend on the position: of ${shown({ whole: triple[0] })} up makes the ids ${ids(all)}, without the first item ${ids(rest)}`,
            `An older app that inserts in front would make every later item another one. Derive ids from the item's content.${otherwise("schema/identity-by-position")}`,
          );
        }
        if (rest.length === 2 && both !== undefined && new Map(both).size < 2) {
          report(
            severityOf("schema/drops-duplicates"),
            "schema/drops-duplicates",
            name,
            `two equal items are told apart by nothing: up makes ${shown({ made: twice?.[name] })} of ${shown({ twice: triple[2] })}`,
            `One of them is lost where parts are kept by id. Number equal items among themselves (two, two-2), if both are meant.${otherwise("schema/drops-duplicates")}`,
          );
        }
      }
    }
  }
  return [...found.values()];
};

const isList = (field: Field): boolean => field.kind === "list" || field.kind === "movableList";

/** Fields that are stored as before, and refuse what the version before admits. */
export const checkKept = (schema: DocumentSchema, options: LawOptions): ReadonlyArray<Finding> => {
  const { older, steps = [], version } = schema;
  if (older === undefined) return [];
  const nameOf = renamed(steps);
  const within = (path: string, before: Fields, after: Fields): ReadonlyArray<Finding> =>
    Object.entries(before).flatMap(([name, field]): ReadonlyArray<Finding> => {
      const kept = isTaken(steps, path, name) ? undefined : after[nameOf(path, name)];
      if (kept === undefined) return [];
      if (field.kind === "records" || field.kind === "tree") {
        return kept.kind === field.kind ? within(`${path}.${name}`, field.fields, kept.fields) : [];
      }
      const random = randomFrom(options.seed);
      const draw = drawView(field, options.seed);
      for (let run = 0; run < options.runs; run += 1) {
        const value = draw(random);
        if (!isView(field, value) || isView(kept, value)) continue;
        return [
          {
            severity: "error",
            code: "schema/narrower",
            version,
            path: `${path}.${nameOf(path, name)}`,
            message: `the field refuses ${shown({ value })}, which version ${older.version} admits and stores in the same place`,
            advice:
              "Keep admitting it and check what people type instead; or give the value another form, by step.convert(…) or step.change(…).",
          },
        ];
      }
      return [];
    });
  return Object.entries(older.documents).flatMap(([name, type]) => {
    const after = schema.documents[name];
    return after === undefined ? [] : within(name, type.fields, after.fields);
  });
};

const isTaken = (steps: ReadonlyArray<Step>, path: string, name: string): boolean =>
  steps.some(
    (step) =>
      "path" in step &&
      step.path === path &&
      (step.step === "remove" ? step.name === name : "up" in step && step.from.includes(name)),
  );
