/**
 * A document as it was, without touching it. A copy of the document goes from one version to another, which costs what lies
 * between them; a new copy for each version (`forkAt`) takes the document there and back, and writes and reads all of it.
 */
import type { LoroDoc } from "loro-crdt";
import { emptyDocumentLike } from "../empty-document.ts";
import type { Version } from "./successor-state.ts";

/** Copies that are kept, of the documents that were asked for last: their memory is the price. */
const MAX_COPIES = 4;

const copies = new WeakMap<LoroDoc, LoroDoc>();
const originals = new WeakMap<LoroDoc, LoroDoc>();
/** The one that was used last comes last. */
const kept: Array<LoroDoc> = [];

/** The document that a copy is of; any other document itself. */
export const originalOf = (doc: LoroDoc): LoroDoc => originals.get(doc) ?? doc;

const copyOf = (doc: LoroDoc): LoroDoc => {
  const known = copies.get(doc);
  if (known !== undefined) {
    kept.splice(kept.indexOf(known), 1);
    kept.push(known);
    return known;
  }
  const made = emptyDocumentLike(doc);
  made.import(doc.export({ mode: "snapshot" }));
  // It stays detached at any version, the newest included, so nobody takes it for a document whose content only grows.
  made.detach();
  copies.set(doc, made);
  originals.set(made, doc);
  kept.push(made);
  if (kept.length > MAX_COPIES) {
    const oldest = kept.shift();
    const original = oldest && originals.get(oldest);
    if (original !== undefined) copies.delete(original);
    oldest?.free();
  }
  return made;
};

/** Gives back what is kept of a document that is about to be freed, and whose versions nobody asks for any more. */
export const forgetPast = (doc: LoroDoc): void => {
  const copy = copies.get(doc);
  if (copy === undefined) return;
  copies.delete(doc);
  kept.splice(kept.indexOf(copy), 1);
  copy.free();
};

const goTo = (copy: LoroDoc, version: Version, doc: LoroDoc): void => {
  try {
    copy.checkout(version);
  } catch {
    const known = copy.oplogVersion();
    copy.import(doc.export({ mode: "update", from: known }));
    known.free();
    copy.checkout(version);
  }
};

/**
 * Reads a document as it was at a version. Whatever `read` returns holds nothing of the document it is given, which moves on
 * afterwards. Throws Loro's error where the version is not here any more.
 */
export const readPast = <A>(doc: LoroDoc, version: Version, read: (past: LoroDoc) => A): A => {
  if (!originals.has(doc)) {
    const copy = copyOf(doc);
    goTo(copy, version, doc);
    return read(copy);
  }
  // Asked while a past version is being read: that reading goes on where it was.
  const before = doc.frontiers();
  try {
    goTo(doc, version, originalOf(doc));
    return read(doc);
  } finally {
    doc.checkout(before);
  }
};
