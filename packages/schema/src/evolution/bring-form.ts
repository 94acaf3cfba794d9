/** Edits of a newer form, taken from one state of a document to another one that lacks some of what they were made on. */
import { type Forms, bringForms, formsOf } from "../slots.ts";
import type { Place } from "../place.ts";
import { mergeViews, viewText } from "./merge-views.ts";
import { reconcileFields } from "./reconcile.ts";
import { type Change, convert, ignore, openSuccessor, readOlder, readSuccessor } from "./successor.ts";

/** What both forms of a change say in a place. */
export const readForms = (change: Change, place: Place): Forms => ({
  older: readOlder(change, place, ignore),
  newer: readSuccessor(change, place, [], ignore),
  within: formsOf(change.older, place),
});

/**
 * What was done to the newer form between two states, done here. What came from the older form is left to the place itself,
 * which carries over what its own older form says: a counter would count it twice.
 */
export const bringForm = (change: Change, place: Place, before: Forms, after: Forms): void => {
  bringForms(change.older, place, before.within, after.within);
  const converted = (form: Forms) => convert(change, form.older, ignore);
  const carried = mergeViews(change.newer, converted(before), converted(after), before.newer, place.doc);
  if (viewText(carried) === viewText(after.newer)) return;
  const present = readSuccessor(change, place, [], ignore);
  const merged = mergeViews(change.newer, carried, present, after.newer, place.doc);
  if (viewText(merged) === viewText(present)) return;
  reconcileFields(change.newer, openSuccessor(change, place), merged);
  place.doc.commit();
};
