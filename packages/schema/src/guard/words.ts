/** What changed between two versions, in words for people and for a changelog. */
import type { DocumentSchema } from "../document-type.ts";
import { describeStorage } from "../evolution/describe.ts";
import type { Step } from "../evolution/step.ts";
import type { Field, Fields } from "../field-kinds.ts";
import { isPlainObject } from "../json.ts";
import { textOf } from "./laws.ts";
import { renamed, versionsOf } from "./versions.ts";

export interface VersionChanges {
  readonly version: number;
  /** Sentences, without a period. */
  readonly changes: ReadonlyArray<string>;
}

/** The changes of every version after `from`, up to and with `to`. */
export const changesBetween = (schema: DocumentSchema, from: number, to: number): ReadonlyArray<VersionChanges> =>
  versionsOf(schema)
    .filter(({ version }) => version > from && version <= to)
    .map((version) => ({ version: version.version, changes: changesOf(version) }));

const changesOf = (schema: DocumentSchema): ReadonlyArray<string> => {
  const { older, steps = [] } = schema;
  if (older === undefined) {
    return Object.entries(schema.documents).map(
      ([name, type]) => `${name}: a type with ${listed(fieldsInWords(type.fields))}`,
    );
  }
  return [...steps.map((step) => stepInWords(schema, older, step)), ...optionsInWords(schema, older, steps)];
};

const listed = (parts: ReadonlyArray<string>): string =>
  parts.length < 2 ? (parts[0] ?? "no fields") : `${parts.slice(0, -1).join(", ")} and ${parts.at(-1)}`;

const fieldsInWords = (fields: Fields): ReadonlyArray<string> =>
  Object.entries(fields).map(([name, field]) => `${name} (${kindInWords(field)})`);

const fieldAt = (schema: DocumentSchema, path: string, name: string): Field | undefined => {
  const [type = "", ...names] = path.split(".");
  let fields = schema.documents[type]?.fields;
  for (const inner of names) {
    const field = fields?.[inner];
    fields = field?.kind === "records" || field?.kind === "tree" ? field.fields : undefined;
  }
  return fields?.[name];
};

const named = (schema: DocumentSchema, path: string, names: ReadonlyArray<string>): string =>
  listed(
    names.map((name) => {
      const field = fieldAt(schema, path, name);
      return field === undefined ? name : `${name} (${kindInWords(field)})`;
    }),
  );

const stepInWords = (schema: DocumentSchema, older: DocumentSchema, step: Step): string => {
  switch (step.step) {
    case "addType":
      return `${step.type}: a new type with ${listed(fieldsInWords(schema.documents[step.type]?.fields ?? {}))}`;
    case "removeType":
      return `${step.type}: the type is hidden; its documents stay`;
    case "deprecateType":
      return `${step.type}: no new documents of the type are made`;
    case "add": {
      const field = fieldAt(schema, step.path, step.name);
      const reads = field?.kind === "plain" ? `, ${textOf(field.default)} where nobody wrote it` : "";
      return `${step.path}: new field ${named(schema, step.path, [step.name])}${reads}`;
    }
    case "remove":
      return `${step.path}: ${named(older, step.path, [step.name])} is hidden; what is in it stays`;
    case "rename":
      return `${step.path}: ${step.from} is called ${step.to}`;
    case "convert":
    case "split":
    case "merge":
      return `${step.path}: ${named(older, step.path, step.from)} ${step.from.length > 1 ? "become" : "becomes"} ${named(schema, step.path, step.to)}, and older apps keep writing the older form`;
    case "extract":
      return `${step.path}: ${named(older, step.path, step.from)} ${step.from.length > 1 ? "move" : "moves"} to documents of the type ${step.into}, as ${named(schema, step.into, step.to)}; older apps do not see what is written there`;
    case "change":
      return `${step.path}: ${named(older, step.path, step.from)} ${step.from.length > 1 ? "become" : "becomes"} ${named(schema, step.path, step.to)}; older apps do not see what is written from here on`;
  }
};

/** What a field holds. */
const kindInWords = (field: Field): string => {
  switch (field.kind) {
    case "plain":
      return field.target === undefined ? valuesInWords(field) : referenceInWords("reference", field.target.type);
    case "set":
      return field.target === undefined ? "set" : referenceInWords("references", field.target.type);
    case "movableList":
      return "movable list";
    case "richText":
      return "rich text";
    case "records":
    case "tree":
      return `${field.kind} of ${listed(fieldsInWords(field.fields))}`;
    case "text":
    case "list":
    case "map":
    case "counter":
    case "attachments":
      return field.kind;
  }
};

const referenceInWords = (word: string, type: string | undefined): string =>
  type === undefined ? `${word} to any document` : `${word} to ${type}`;

const valuesInWords = (field: Field): string => {
  const described = describeStorage(field);
  const values = isPlainObject(described) ? described["values"] : undefined;
  const type = isPlainObject(values) ? values["type"] : undefined;
  return typeof type === "string" ? type : "value";
};

const OPTIONS = [
  ["list", "is listed", "is not listed any more"],
  ["search", "is found by search", "is not found by search any more"],
  ["filterable", "can be filtered by", "cannot be filtered by any more"],
  ["indexed", "has an index", "has no index any more"],
] as const;

/** Kept fields that lists, filters and searches see otherwise than before. */
const optionsInWords = (
  schema: DocumentSchema,
  older: DocumentSchema,
  steps: ReadonlyArray<Step>,
): ReadonlyArray<string> => {
  const nameOf = renamed(steps);
  return Object.entries(older.documents).flatMap(([type, { fields }]) =>
    Object.entries(fields).flatMap(([name, before]) => {
      const after = schema.documents[type]?.fields[nameOf(type, name)];
      if (after === undefined || after.kind !== before.kind) return [];
      return OPTIONS.flatMap(([option, on, off]) =>
        textOf(before[option]) === textOf(after[option])
          ? []
          : [`${type}: ${nameOf(type, name)} ${after[option] === false ? off : on}`],
      );
    }),
  );
};
