/** Patches out of changes: what happened to a document between two of its versions, in the words of its type. */
import type { JsonDiff, LoroDoc } from "loro-crdt";

import { jsonDifference } from "../difference.ts";
import { type DocumentType, PLAIN_ROOT } from "../document-type.ts";
import type { Field, Fields } from "../field-kinds.ts";
import { type Json, canonicalJson, isJsonWithin } from "../json.ts";
import { TEXT } from "../place.ts";
import { REMOVED_KEY, readField } from "../read.ts";
import { runsOf } from "../rich-text.ts";
import { type Slot, slotsOf } from "../slots.ts";
import { richTextOperations } from "./derive-rich-text.ts";
import { type Groves, grovesOf, nodeIdIn, treeOperations } from "./derive-tree.ts";
import { type AnyPatch, type PatchOperation, pathOf } from "./patch.ts";
import { isEvolved, viewChanges } from "./view-changes.ts";

/** A version of a document, as Loro's `frontiers()` gives it. */
export type Version = ReturnType<LoroDoc["frontiers"]>;

/** Units (`isJsonWithin`) of one value. */
const MAX_UNITS = 4_000_000;

/** Where a container of a document is in its type. */
type Found =
  | { readonly type: "fields"; readonly names: ReadonlyArray<string>; readonly fields: Fields }
  | { readonly type: "field"; readonly names: ReadonlyArray<string>; readonly field: Field };

/**
 * The patch that makes the later version of an earlier one, as far as the type declares what changed: texts, lists, counters
 * and records as operations on them, plain fields as they are written. An item that was moved is removed and inserted. A
 * field that an earlier version of the schema stores in another form is compared as it reads before and after.
 */
export const derivePatch = (type: DocumentType, doc: LoroDoc, from: Version, to: Version): AnyPatch => {
  const forks: Array<LoroDoc> = [];
  const at = (version: Version): LoroDoc => {
    if (canonicalJson(version) === canonicalJson(doc.frontiers())) return doc;
    const fork = doc.forkAt(version);
    forks.push(fork);
    return fork;
  };
  const before = once(() => at(from));
  const after = once(() => at(to));
  try {
    return derive(type, doc, from, to, {
      before,
      after,
      trees: once(() => grovesOf(after())),
      treesBefore: once(() => grovesOf(before())),
    });
  } finally {
    // Hazard L9.
    for (const fork of forks) fork.free();
  }
};

/** What is looked at when the changes alone do not say it. */
interface Versions {
  readonly before: () => LoroDoc;
  /** The document at the later version. */
  readonly after: () => LoroDoc;
  readonly trees: () => Groves;
  readonly treesBefore: () => Groves;
}

const once = <A extends object>(make: () => A): (() => A) => {
  let made: A | undefined;
  return () => (made ??= make());
};

const derive = (type: DocumentType, doc: LoroDoc, from: Version, to: Version, versions: Versions): AnyPatch => {
  const first: Array<PatchOperation> = [];
  const made: Array<PatchOperation> = [];
  const rest: Array<PatchOperation> = [];
  const gone: Array<ReadonlyArray<string>> = [];
  const isWithin = (names: ReadonlyArray<string>): boolean =>
    gone.some((record) => record.every((name, index) => names[index] === name));
  const changes = jsonDifference(doc, from, to).flatMap(([id, diff]) => {
    const path = doc.getPathToContainer(id);
    const found = path === undefined ? undefined : locate(type.fields, path.map(String), versions);
    return found === undefined ? [] : [{ id, found, diff }];
  });
  for (const { found, diff } of changes) {
    if (found.type !== "fields" || found.names.length === 0 || diff.type !== "map") continue;
    if (!Object.hasOwn(diff.updated, REMOVED_KEY)) continue;
    if (diff.updated[REMOVED_KEY] === true) gone.push(found.names);
    else made.push({ op: "set", path: pathOf(found.names), value: {} });
  }
  for (const { id, found, diff } of changes) {
    if (isWithin(found.names)) continue;
    if (found.type === "field" && diff.type === "tree") {
      const tree = treeOperations(found.names, diff.diff, versions.treesBefore, versions.trees());
      first.push(...tree.removed);
      made.push(...tree.made);
      rest.push(...tree.placed);
      continue;
    }
    if (found.type === "field" && found.field.kind === "richText" && diff.type === "text") {
      const text = versions.after().getContainerById(id);
      const now = text !== undefined && TEXT.is(text) ? runsOf(found.field.styles, text, [], () => {}) : [];
      rest.push(...richTextOperations(found.field, pathOf(found.names), diff.diff, now));
      continue;
    }
    for (const operation of operationsOf(found, diff)) {
      const isRecord = found.type === "field" && found.field.kind === "records";
      (isRecord ? made : rest).push(operation);
    }
  }
  // Records come into being from the outermost to the innermost.
  made.sort((left, right) => left.path.length - right.path.length);
  const outermost = gone.filter((names) => !gone.some((other) => other !== names && isBeginning(other, names)));
  return [
    ...first,
    ...made,
    ...rest,
    ...outermost.map((names): PatchOperation => ({ op: "unset", path: pathOf(names) })),
    ...evolvedChanges(type, versions),
  ];
};

/** Of fields with several forms: which of them somebody wrote to says nothing of what the type shows. */
const evolvedChanges = (type: DocumentType, { before, after }: Versions): AnyPatch => {
  const slots = slotsOf(type.fields).filter(isEvolved);
  if (slots.length === 0) return [];
  const read = (slot: Slot, doc: LoroDoc): unknown => readField(slot, { at: "document", doc }, [slot.name], () => {});
  return slots.flatMap((slot) =>
    viewChanges(slot.field, [slot.name], read(slot, before()), read(slot, after()), after()),
  );
};

const isBeginning = (beginning: ReadonlyArray<string>, names: ReadonlyArray<string>): boolean =>
  beginning.length < names.length && beginning.every((name, index) => names[index] === name);

const locate = (fields: Fields, path: ReadonlyArray<string>, versions: Versions): Found | undefined => {
  if (path.length === 1 && path[0] === PLAIN_ROOT) return { type: "fields", names: [], fields };
  return locateIn(fields, path, [], versions);
};

const locateIn = (
  fields: Fields,
  [physical, key, ...rest]: ReadonlyArray<string>,
  before: ReadonlyArray<string>,
  versions: Versions,
): Found | undefined => {
  const slot = slotsOf(fields).find(
    (candidate) => candidate.physical === physical && candidate.field.kind !== "plain" && !isEvolved(candidate),
  );
  if (slot === undefined) return undefined;
  const names = [...before, slot.name];
  if (key === undefined) return { type: "field", names, field: slot.field };
  if (slot.field.kind !== "records" && slot.field.kind !== "tree") return undefined;
  const inRecord = [...names, slot.field.kind === "tree" ? nodeIdIn(versions.trees(), key) : key];
  return rest.length === 0
    ? { type: "fields", names: inRecord, fields: slot.field.fields }
    : locateIn(slot.field.fields, rest, inRecord, versions);
};

const json = (value: unknown): ReadonlyArray<Json> => (isJsonWithin(value, MAX_UNITS) ? [value] : []);

const operationsOf = (found: Found, diff: JsonDiff): ReadonlyArray<PatchOperation> => {
  const path = pathOf(found.names);
  if (diff.type === "counter") return [{ op: "increment", path, by: diff.increment }];
  if (diff.type === "text") return splices(path, diff.diff);
  if (diff.type === "list") return listChanges(path, diff.diff);
  if (diff.type !== "map") return [];
  return Object.entries(diff.updated).flatMap(
    ([key, value]: readonly [string, unknown]): ReadonlyArray<PatchOperation> => {
      if (found.type === "fields") {
        const slot = slotsOf(found.fields).find(
          ({ physical, field, origin }) => physical === key && field.kind === "plain" && origin === undefined,
        );
        return slot === undefined ? [] : keyChange([...found.names, slot.name], value);
      }
      // oxlint-disable-next-line typescript/switch-exhaustiveness-check -- all others that hold a map hold plain values
      switch (found.field.kind) {
        case "set":
          return [value === true ? { op: "insert", path, values: [key] } : { op: "remove", path, values: [key] }];
        case "records":
          return value === undefined ? [] : [{ op: "set", path: pathOf([...found.names, key]), value: {} }];
        default:
          return keyChange([...found.names, key], value);
      }
    },
  );
};

const keyChange = (names: ReadonlyArray<string>, value: unknown): ReadonlyArray<PatchOperation> =>
  value === undefined
    ? [{ op: "unset", path: pathOf(names) }]
    : json(value).map((item) => ({ op: "set", path: pathOf(names), value: item }));

interface Delta<A> {
  readonly insert?: A | undefined;
  readonly delete?: number | undefined;
  readonly retain?: number | undefined;
}

const splices = (path: PatchOperation["path"], deltas: ReadonlyArray<Delta<string>>): ReadonlyArray<PatchOperation> => {
  const found: Array<PatchOperation> = [];
  let at = 0;
  for (const delta of deltas) {
    if (delta.insert !== undefined) found.push({ op: "splice", path, at, insert: delta.insert });
    else if (delta.delete !== undefined) found.push({ op: "splice", path, at, delete: delta.delete });
    at += delta.insert?.length ?? delta.retain ?? 0;
  }
  return found;
};

const listChanges = (
  path: PatchOperation["path"],
  deltas: ReadonlyArray<Delta<ReadonlyArray<unknown>>>,
): ReadonlyArray<PatchOperation> => {
  const found: Array<PatchOperation> = [];
  let at = 0;
  for (const delta of deltas) {
    if (delta.insert !== undefined) found.push({ op: "insert", path, at, values: delta.insert.flatMap(json) });
    else if (delta.delete !== undefined) found.push({ op: "remove", path, at, count: delta.delete });
    at += delta.insert?.length ?? delta.retain ?? 0;
  }
  return found;
};
