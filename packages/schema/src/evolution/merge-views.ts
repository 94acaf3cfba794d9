/**
 * Two descendants of one view, merged as two devices would merge them: what both did to the base is done, in a document of
 * its own that nobody keeps. The same three views give the same result everywhere.
 */
import type { LoroDoc } from "loro-crdt";
import { emptyDocumentLike } from "../empty-document.ts";
import type { Field, Fields } from "../field-kinds.ts";
import { canonicalJson } from "../json.ts";
import type { Place } from "../place.ts";
import { readFields } from "../read.ts";
import { configureStyles } from "../rich-text.ts";
import { agree } from "./agree.ts";
import { reconcileFields } from "./reconcile.ts";

export type View = Readonly<Record<string, unknown>>;

/** The text that is the same for equal views. */
export const viewText = (view: View): string => canonicalJson(view);

const placeOf = (doc: LoroDoc): Place => ({ at: "record", doc, map: doc.getMap("view") });

// The peers of a document that lives for one merge: nothing of it is ever stored or sent (hazard L8 does not apply).
const BASE = "1";
const LEFT = "2";
const RIGHT = "3";

interface Merged {
  readonly texts: string;
  readonly view: View;
}

/** The last merges of some fields: a document is read often while something waits in it to be carried over. */
const merges = new WeakMap<Fields, Array<Merged>>();

const MAX_MERGES = 8;
/** UTF-16 code units of the views of a merge that is kept. */
const MAX_KEPT_TEXT = 200_000;

/**
 * Both sides' changes to the base: what both did once, and what one deleted away. Of two values of one register the right
 * side's stays: what was done by somebody who may have known the left side's value.
 *
 * @param like any document; it is not touched
 */
export const mergeViews = (fields: Fields, base: View, left: View, right: View, like: LoroDoc): View => {
  const [baseText, leftText, rightText] = [viewText(base), viewText(left), viewText(right)];
  if (leftText === baseText) return right;
  if (rightText === baseText) return left;
  // No canonical text has a line break, so three of them are told apart.
  const texts = `${baseText}\n${leftText}\n${rightText}`;
  const kept = merges.get(fields) ?? [];
  merges.set(fields, kept);
  const known = kept.find((merged) => merged.texts === texts);
  if (known !== undefined) return known.view;
  const view = merge(fields, base, left, right, like);
  if (texts.length <= MAX_KEPT_TEXT) kept.push({ texts, view });
  if (kept.length > MAX_MERGES) kept.shift();
  return view;
};

const merge = (fields: Fields, base: View, left: View, right: View, like: LoroDoc): View => {
  const ours = emptyDocumentLike(like);
  const theirs = emptyDocumentLike(like);
  const agreed = agree(fields, base, left, right);
  const scratch = replacing(fields);
  const write = (doc: LoroDoc, peer: `${number}`, view: View): void => {
    doc.setPeerId(peer);
    reconcileFields(scratch, placeOf(doc), view);
    doc.commit();
  };
  try {
    for (const doc of [ours, theirs]) configureStyles({ fields: scratch }, doc);
    write(ours, BASE, base);
    theirs.import(ours.export({ mode: "snapshot" }));
    const shared = ours.oplogVersion();
    const known = ours.opCount();
    write(ours, LEFT, agreed.left);
    // A clock that is ahead of all that the left side did: of two values of one register the right one stays.
    theirs.setPeerId(RIGHT);
    theirs.getText("clock").insert(0, " ".repeat(ours.opCount() - known + 1));
    write(theirs, RIGHT, agreed.right);
    ours.import(theirs.export({ mode: "update", from: shared }));
    shared.free();
    return readFields(scratch, placeOf(ours), [], () => {});
  } finally {
    ours.free();
    theirs.free();
  }
};

const replacingFields = new WeakMap<Fields, Fields>();

/** The same fields where an item of a list can be replaced: two that replace one do not make two of it. */
const replacing = (fields: Fields): Fields => {
  const known = replacingFields.get(fields);
  if (known !== undefined) return known;
  const made = Object.fromEntries(Object.entries(fields).map(([name, field]) => [name, replacingField(field)]));
  replacingFields.set(fields, made);
  return made;
};

const replacingField = (field: Field): Field => {
  if (field.kind === "list") return { ...field, kind: "movableList" };
  return field.kind === "records" || field.kind === "tree" ? { ...field, fields: replacing(field.fields) } : field;
};
