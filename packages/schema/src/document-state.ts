/**
 * The engine's own state of a document, which every document has whatever its type: in a root map that no type can
 * declare. It is content like any other: replicated, merged, and undone by the same means.
 */
import type { LoroDoc } from "loro-crdt";

import { readAndFree } from "./place.ts";
import { STATE_ROOT } from "./roots.ts";

const DELETED = "deleted";
const CREATED_AT = "createdAt";
const TYPE = "type";
const SINGLETON = "singleton";

const stateOf = (doc: LoroDoc, key: string): unknown => readAndFree(doc.getMap(STATE_ROOT), (state) => state.get(key));

/** Whether the document is in the bin. */
export const isDeleted = (doc: LoroDoc): boolean => stateOf(doc, DELETED) === true;

/** Delete a document or bring it back: an edit, which can be undone and which the last writer decides. */
export const setDeleted = (doc: LoroDoc, deleted: boolean): void => {
  if (isDeleted(doc) !== deleted) readAndFree(doc.getMap(STATE_ROOT), (state) => state.set(DELETED, deleted));
};

/** Milliseconds since 1970, by the clock of the device that created the document; undefined where nobody said so. */
export const createdAt = (doc: LoroDoc): number | undefined => {
  const value = stateOf(doc, CREATED_AT);
  return typeof value === "number" && Number.isSafeInteger(value) && value >= 0 ? value : undefined;
};

/** The name of the document's type in the app's schema; undefined where nobody said so. */
export const documentTypeName = (doc: LoroDoc): string | undefined => {
  const value = stateOf(doc, TYPE);
  return typeof value === "string" ? value : undefined;
};

/** Under which key the document is the one of its type in a workspace; undefined where it is one of many. */
export const singletonKey = (doc: LoroDoc): string | undefined => {
  const value = stateOf(doc, SINGLETON);
  return typeof value === "string" ? value : undefined;
};

/** In a copy, which is one of many. The caller commits. */
export const forgetSingleton = (doc: LoroDoc): void => {
  if (stateOf(doc, SINGLETON) !== undefined) readAndFree(doc.getMap(STATE_ROOT), (state) => state.delete(SINGLETON));
};

/**
 * Say what a new document is. Not a genesis: nothing depends on it, two devices may do it for the same document, and
 * what is already there stays as it is.
 */
export const describeDocument = (
  doc: LoroDoc,
  description: {
    readonly type: string;
    /** Milliseconds since 1970. */
    readonly createdAt: number;
    /** Its key, where it is the only one. */
    readonly singleton?: string | undefined;
  },
): void => {
  readAndFree(doc.getMap(STATE_ROOT), (state) => {
    if (documentTypeName(doc) === undefined) state.set(TYPE, description.type);
    if (createdAt(doc) === undefined) state.set(CREATED_AT, description.createdAt);
    if (description.singleton !== undefined && singletonKey(doc) === undefined)
      state.set(SINGLETON, description.singleton);
  });
};
