/** Applying patches: tried on a copy first, so that a document is changed by all operations or by none. */
import type { LoroDoc, LoroText } from "loro-crdt";

import { editDocument, type EditorOf, type ListWriter, type MovableListWriter } from "../edit.ts";
import { SchemaWriteError } from "../errors.ts";
import type { Fields } from "../field-kinds.ts";
import type { RichTextWriter, Styles } from "../rich-text.ts";
import type { TreeWriter } from "../tree-writer.ts";
import { type Json, isJsonWithin, isPlainObject } from "../json.ts";
import { type DocumentType, slotsOf } from "../slots.ts";
import {
  type AnyPatch,
  PATCH_LIMITS,
  PatchInvalid,
  type PatchOf,
  type PatchOperation,
  type PatchProblemCode,
  namesOf,
} from "./patch.ts";
import { applyToRichText, applyToText } from "./apply-to-text.ts";
import { isEvolved } from "./view-changes.ts";
import { Refused, notAllowed, refuse, whole } from "./refused.ts";

/** Units (`isJsonWithin`) of one operation. */
const MAX_UNITS = 4_000_000;

/**
 * Applies a patch to a document: all of it belongs to the current transaction, which the caller commits. Throws
 * `PatchInvalid`, and then nothing was changed. Costs a copy of the document, unless there is only one operation, on a field
 * at the top that no other version stores in another form, that cannot fail halfway.
 */
export const applyPatch = <Fs extends Fields>(type: DocumentType<Fs>, doc: LoroDoc, patch: PatchOf<Fs>): void =>
  applyAnyPatch(type, doc, patch);

/** The same for a patch from outside, of which nothing is known. */
export const applyAnyPatch = (type: DocumentType, doc: LoroDoc, patch: unknown): void => {
  const operations: AnyPatch = checkForm(patch);
  if (
    operations.length > 1 ||
    operations.some(({ op, path }) => op === "set" || op === "unset" || namesOf(path).length > 1) ||
    // Writing to such a field may make a successor before it is refused.
    operations.some(({ path }) =>
      slotsOf(type.fields).some((slot) => slot.name === namesOf(path)[0] && isEvolved(slot)),
    )
  ) {
    const copy = doc.fork();
    try {
      applyAll(type, copy, operations);
    } finally {
      copy.free();
    }
  }
  applyAll(type, doc, operations);
};

const OPERATIONS: ReadonlySet<unknown> = new Set([
  "set",
  "unset",
  "increment",
  "insert",
  "remove",
  "move",
  "splice",
  "mark",
  "place",
]);

/** A patch from anywhere. */
const checkForm = (patch: unknown): AnyPatch => {
  const fail = (code: PatchProblemCode, index: number, reason: string): never => {
    throw new PatchInvalid({ code, index, path: [], reason });
  };
  if (!Array.isArray(patch)) return fail("patch/malformed", 0, "a patch is a list of operations");
  if (patch.length > PATCH_LIMITS.operations) {
    return fail(
      "patch/too-large",
      PATCH_LIMITS.operations,
      `a patch has at most ${PATCH_LIMITS.operations} operations`,
    );
  }
  for (const [index, operation] of patch.entries()) {
    const given: unknown = operation;
    if (!isPlainObject(given) || !OPERATIONS.has(given["op"]))
      fail("patch/malformed", index, "there is no such operation");
    else {
      const { path } = given;
      const isNames = Array.isArray(path) && path.every((name) => typeof name === "string");
      if (typeof path !== "string" && !isNames) fail("patch/malformed", index, "a path is a text or a list of names");
    }
  }
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- op and path were checked, the rest is where it is used
  return patch as AnyPatch;
};

const applyAll = (type: DocumentType, doc: LoroDoc, operations: AnyPatch): void => {
  const editor = editDocument(type, doc);
  for (const [index, operation] of operations.entries()) {
    const path = namesOf(operation.path);
    try {
      if (path.length > PATCH_LIMITS.names) refuse("patch/too-large", `a path has at most ${PATCH_LIMITS.names} names`);
      applyOne(type.fields, editor, path, operation);
    } catch (error) {
      if (error instanceof Refused) throw new PatchInvalid({ code: error.code, index, path, reason: error.message });
      if (!(error instanceof SchemaWriteError)) throw error;
      const code = CODES[error.code];
      throw new PatchInvalid({ code, index, path, reason: error.reason });
    }
  }
};

const CODES = {
  "schema/invalid-value": "patch/invalid-value",
  "schema/out-of-range": "patch/out-of-range",
  "schema/slot-occupied": "patch/slot-occupied",
  "schema/conversion-failed": "patch/invalid-value",
} as const;

/** Whether an operation makes the record that it goes through. */
const makes = ({ op }: PatchOperation): boolean =>
  op === "set" || op === "insert" || op === "increment" || op === "splice";

const applyOne = (
  fields: Fields,
  editor: EditorOf<Fields>,
  path: ReadonlyArray<string>,
  operation: PatchOperation,
): void => {
  const [name = "", ...rest] = path;
  const slot = slotsOf(fields).find((candidate) => candidate.name === name);
  if (slot === undefined) return refuse("patch/unknown-field", `there is no field "${name.slice(0, 100)}"`);
  const { field } = slot;
  const writer: unknown = editor[name];
  switch (field.kind) {
    case "plain":
      return applyToPlain(as<PlainAccess>(writer), rest, operation);
    case "richText":
      if (rest.length > 0) return refuse("patch/unknown-field", "a text has no members");
      return applyToRichText(field, as<RichTextWriter<Styles>>(writer), operation);
    case "tree":
      return applyToTree(field.fields, as<TreeWriter<Fields>>(writer), rest, operation);
    case "records":
      return applyToRecords(field.fields, as<RecordsAccess>(writer), rest, operation);
    case "map":
    case "attachments":
      return applyToMap(as<MapAccess>(writer), rest, operation);
    case "text":
      if (rest.length > 0) return refuse("patch/unknown-field", "a text has no members");
      return applyToText(as<LoroText>(writer), operation);
    case "counter":
      if (rest.length > 0) return refuse("patch/unknown-field", "a counter has no members");
      return applyToCounter(as<CounterAccess>(writer), operation);
    case "set":
      if (rest.length > 0) return refuse("patch/unknown-field", "a set has no members");
      return applyToSet(as<SetAccess>(writer), operation);
    case "list":
    case "movableList":
      if (rest.length > 0) return refuse("patch/unknown-field", "a list has no members");
      return applyToList(as<ListAccess>(writer), operation);
  }
};

interface PlainAccess {
  readonly get: () => Json;
  readonly set: (value: Json) => void;
  readonly reset: () => void;
}
interface RecordsAccess {
  readonly get: () => Readonly<Record<string, unknown>>;
  readonly ensure: (key: string) => EditorOf<Fields>;
  readonly edit: (key: string) => EditorOf<Fields> | undefined;
  readonly remove: (key: string) => void;
}
interface MapAccess {
  readonly get: () => Readonly<Record<string, Json>>;
  readonly set: (key: string, value: Json) => void;
  readonly delete: (key: string) => void;
}
interface CounterAccess {
  readonly get: () => number;
  readonly add: (amount: number) => void;
}
interface SetAccess {
  readonly get: () => ReadonlyArray<string>;
  readonly add: (item: string) => void;
  readonly remove: (item: string) => void;
}
type ListAccess = ListWriter<Json> & Partial<Pick<MovableListWriter<Json>, "move">>;

// oxlint-disable-next-line typescript/no-unsafe-type-assertion, typescript/no-unnecessary-type-parameters -- a field's writer is that of its kind (`edit.ts`)
const as = <A>(writer: unknown): A => writer as A;

const list = (value: unknown): ReadonlyArray<Json> => {
  const given: Json = isJsonWithin(value, MAX_UNITS) ? value : null;
  return isList(given) ? given : refuse("patch/malformed", "a list of JSON values is expected");
};

const isList = (value: Json | undefined): value is ReadonlyArray<Json> => Array.isArray(value);

const applyToPlain = (writer: PlainAccess, rest: ReadonlyArray<string>, operation: PatchOperation): void => {
  if (rest.length === 0 && operation.op === "unset") return writer.reset();
  writer.set(changed(writer.get(), rest, operation));
};

const applyToMap = (writer: MapAccess, rest: ReadonlyArray<string>, operation: PatchOperation): void => {
  const [key, ...within] = rest;
  const before = writer.get();
  if (key !== undefined) {
    if (within.length === 0 && operation.op === "unset") return writer.delete(key);
    return writer.set(key, changed(Object.hasOwn(before, key) ? before[key] : undefined, within, operation));
  }
  if (operation.op !== "set" && operation.op !== "unset") return notAllowed(operation, "a map");
  const value = operation.op === "set" ? operation.value : {};
  if (!isPlainObject(value)) return refuse("patch/invalid-value", "an object is expected");
  for (const name of Object.keys(before)) if (!Object.hasOwn(value, name)) writer.delete(name);
  for (const [name, item] of Object.entries(value)) {
    writer.set(name, isJsonWithin(item, MAX_UNITS) ? item : refuse("patch/invalid-value", "JSON is expected"));
  }
};

const applyToRecords = (
  fields: Fields,
  writer: RecordsAccess,
  rest: ReadonlyArray<string>,
  operation: PatchOperation,
): void => {
  const [key, ...within] = rest;
  if (key === undefined) {
    if (operation.op !== "unset") return notAllowed(operation, "records");
    for (const name of Object.keys(writer.get())) writer.remove(name);
    return;
  }
  if (within.length > 0) {
    const record = makes(operation) ? writer.ensure(key) : writer.edit(key);
    if (record === undefined) return refuse("patch/out-of-range", `there is no record "${key.slice(0, 100)}"`);
    return applyOne(fields, record, within, operation);
  }
  if (operation.op === "unset") return writer.remove(key);
  if (operation.op !== "set") return notAllowed(operation, "a record");
  if (!isPlainObject(operation.value)) return refuse("patch/invalid-value", "an object is expected");
  setFields(fields, writer.ensure(key), operation.value);
};

/** Sets the given fields of a record or a node, and of the records in it. */
const setFields = (fields: Fields, record: EditorOf<Fields>, given: Readonly<Record<string, unknown>>): void => {
  for (const [name, value] of Object.entries(given)) {
    if (!isJsonWithin(value, MAX_UNITS)) return refuse("patch/invalid-value", "JSON is expected");
    const inner = slotsOf(fields).find((candidate) => candidate.name === name);
    if (inner?.field.kind === "records" && isPlainObject(value)) {
      for (const [innerKey, item] of Object.entries(value)) {
        applyOne(fields, record, [name, innerKey], { op: "set", path: [name, innerKey], value: item });
      }
    } else applyOne(fields, record, [name], { op: "set", path: [name], value });
  }
};

const applyToTree = (
  fields: Fields,
  writer: TreeWriter<Fields>,
  rest: ReadonlyArray<string>,
  operation: PatchOperation,
): void => {
  const [id, ...within] = rest;
  if (id === undefined) {
    if (operation.op !== "unset") return notAllowed(operation, "a tree");
    return writer.get().forEach((node) => writer.delete(node.id));
  }
  const missing = (): never => refuse("patch/out-of-range", `there is no node "${id.slice(0, 100)}"`);
  if (within.length > 0) return applyOne(fields, writer.edit(id) ?? missing(), within, operation);
  // oxlint-disable-next-line typescript/switch-exhaustiveness-check -- all others are not allowed here
  switch (operation.op) {
    case "unset":
      return writer.delete(id);
    case "place": {
      const { parent, at } = operation;
      if (parent !== null && typeof parent !== "string") return refuse("patch/malformed", '"parent" is an id or null');
      return writer.move(id, parent ?? undefined, at === undefined ? undefined : whole(at, "at"));
    }
    case "set": {
      if (!isPlainObject(operation.value)) return refuse("patch/invalid-value", "an object is expected");
      const known = writer.edit(id) ?? writer.edit(writer.create(undefined, undefined, { key: id }));
      return setFields(fields, known ?? missing(), operation.value);
    }
    default:
      return notAllowed(operation, "a node");
  }
};

const applyToCounter = (counter: CounterAccess, operation: PatchOperation): void => {
  if (operation.op === "increment") counter.add(operation.by);
  else if (operation.op === "unset") counter.add(-counter.get());
  else notAllowed(operation, "a counter");
};

const applyToSet = (writer: SetAccess, operation: PatchOperation): void => {
  const items = (values: unknown): ReadonlyArray<string> =>
    list(values).map((item) => (typeof item === "string" ? item : refuse("patch/invalid-value", "a text is expected")));
  // oxlint-disable-next-line typescript/switch-exhaustiveness-check -- all others are not allowed here
  switch (operation.op) {
    case "insert":
      return items(operation.values).forEach(writer.add);
    case "remove":
      return items("values" in operation ? operation.values : undefined).forEach(writer.remove);
    case "set":
    case "unset": {
      const wanted = new Set(operation.op === "set" ? items(operation.value) : []);
      const before = new Set(writer.get());
      before.difference(wanted).forEach(writer.remove);
      wanted.difference(before).forEach(writer.add);
      return;
    }
    default:
      return notAllowed(operation, "a set");
  }
};

/** Positions in the list as it is read, as positions in its container, which may hold items that do not fit. */
const applyToList = (writer: ListAccess, operation: PatchOperation): void => {
  const entries = writer.entries();
  const place = (at: number): number =>
    entries[at]?.position ?? refuse("patch/out-of-range", `the list has ${entries.length} items`);
  const remove = (at: number, count: number): void => {
    if (at + count > entries.length) refuse("patch/out-of-range", `the list has ${entries.length} items`);
    for (let index = at + count - 1; index >= at; index -= 1) writer.delete(place(index));
  };
  // oxlint-disable-next-line typescript/switch-exhaustiveness-check -- all others are not allowed here
  switch (operation.op) {
    case "insert": {
      const at = whole(operation.at ?? entries.length, "at");
      if (at === entries.length) return writer.push(...list(operation.values));
      return writer.insert(place(at), ...list(operation.values));
    }
    case "remove":
      if (!("at" in operation)) return refuse("patch/malformed", '"at" is a whole number');
      return remove(whole(operation.at, "at"), whole(operation.count ?? 1, "count"));
    case "move":
      if (writer.move === undefined) return notAllowed(operation, "a list that is not movable");
      return writer.move(place(whole(operation.from, "from")), place(whole(operation.to, "to")));
    case "set":
      remove(0, entries.length);
      return writer.push(...list(operation.value));
    case "unset":
      return remove(0, entries.length);
    default:
      return notAllowed(operation, "a list");
  }
};

/** A plain value after an operation on a part of it. */
const changed = (value: Json | undefined, path: ReadonlyArray<string>, operation: PatchOperation): Json => {
  const [name, ...rest] = path;
  if (name !== undefined) {
    if (!isPlainObject(value))
      return refuse("patch/out-of-range", `there is no object to hold "${name.slice(0, 100)}"`);
    const members = new Map(Object.entries(value));
    if (rest.length === 0 && operation.op === "unset") members.delete(name);
    else members.set(name, changed(members.get(name), rest, operation));
    return Object.fromEntries(members);
  }
  // oxlint-disable-next-line typescript/switch-exhaustiveness-check -- all others are not allowed here
  switch (operation.op) {
    case "set":
      return isJsonWithin(operation.value, MAX_UNITS)
        ? operation.value
        : refuse("patch/invalid-value", "JSON is expected");
    case "increment":
      return typeof value === "number" && typeof operation.by === "number"
        ? value + operation.by
        : refuse("patch/operation-not-allowed", "only numbers are incremented");
    case "insert":
    case "remove":
    case "move":
      return changedList(value, operation);
    default:
      return notAllowed(operation, "a plain value");
  }
};

const changedList = (
  value: Json | undefined,
  operation: Extract<PatchOperation, { readonly op: "insert" | "remove" | "move" }>,
): Json => {
  if (!Array.isArray(value)) return notAllowed(operation, "what is not a list");
  const items: Array<Json> = [...list(value)];
  const within = (position: number, most: number): number =>
    position <= most ? position : refuse("patch/out-of-range", `the list has ${items.length} items`);
  if (operation.op === "insert") {
    items.splice(within(whole(operation.at ?? items.length, "at"), items.length), 0, ...list(operation.values));
  } else if (operation.op === "move") {
    const [moved] = items.splice(within(whole(operation.from, "from"), items.length - 1), 1);
    if (moved !== undefined) items.splice(within(whole(operation.to, "to"), items.length), 0, moved);
  } else if ("at" in operation) {
    const at = whole(operation.at, "at");
    const count = whole(operation.count ?? 1, "count");
    within(at + count, items.length);
    items.splice(at, count);
  } else return refuse("patch/malformed", '"at" is a whole number');
  return items;
};
