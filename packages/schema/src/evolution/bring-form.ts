/** Edits of a newer form, taken from one state of a document to another one that lacks some of what they were made on. */
import type { Fields } from "../field-kinds.ts";
import { isPlainObject } from "../json.ts";
import type { Place } from "../place.ts";
import { type Forms, type Path, bringForms, formsOf } from "../slots.ts";
import { type View, mergeViews, viewText } from "./merge-views.ts";
import { reconcileFields } from "./reconcile.ts";
import { type Change, convert, ignore, openSuccessor, readOlder, readSuccessor } from "./successor.ts";
import { unplacedEdits } from "./unplaced-edits.ts";

/** What both forms of a change say in a place. */
export const readForms = (change: Change, place: Place): Forms => ({
  older: readOlder(change, place, ignore),
  newer: readSuccessor(change, place, [], ignore),
  within: formsOf(change.older, place),
});

/**
 * What was done to the newer form between two states, done here. What came from the older form is left to the place itself,
 * which carries over what its own older form says: a counter would count it twice. Returns as `Origin.bring`.
 */
export const bringForm = (change: Change, place: Place, before: Forms, after: Forms): ReadonlyArray<Path> => {
  // For people it is the field as a whole: they may not know it in its older form.
  const unplaced = bringForms(change.older, place, before.within, after.within).map((): Path => []);
  const converted = (form: Forms) => convert(change, form.older, ignore);
  const carried = mergeViews(change.newer, converted(before), converted(after), before.newer, place.doc);
  if (viewText(carried) === viewText(after.newer)) return unplaced;
  const present = readSuccessor(change, place, [], ignore);
  unplaced.push(...unplacedEdits(change.newer, carried, present, after.newer));
  const [base, edited] = withoutMissingNodes(change.newer, present, carried, after.newer);
  const merged = mergeViews(change.newer, base, present, edited, place.doc);
  if (viewText(merged) === viewText(present)) return unplaced;
  reconcileFields(change.newer, openSuccessor(change, place), merged);
  place.doc.commit();
  return unplaced;
};

/**
 * Two views without the nodes of trees that the first one has and `present` does not. What was moved below such a node is where
 * the node was: a merge would take it away together with the node.
 */
const withoutMissingNodes = (fields: Fields, present: View, base: View, edited: View): readonly [View, View] => {
  const trees = Object.entries(fields).flatMap(([name, { kind }]) => (kind === "tree" ? [name] : []));
  const without = (view: View): View => ({
    ...view,
    ...Object.fromEntries(
      trees.map((name) => {
        const here = new Set(idsOf(present[name]));
        const missing = new Set(idsOf(base[name]).filter((id) => !here.has(id)));
        return [name, lifted(view[name], missing, here)];
      }),
    ),
  });
  return trees.length === 0 ? [base, edited] : [without(base), without(edited)];
};

const nodesIn = (nodes: unknown): ReadonlyArray<View> => (Array.isArray(nodes) ? nodes.filter(isPlainObject) : []);

const idsOf = (nodes: unknown): ReadonlyArray<unknown> =>
  nodesIn(nodes).flatMap((node) => [node["id"], ...idsOf(node["children"])]);

/** The nodes without the missing ones: of what is below those, what is here goes up. */
const lifted = (nodes: unknown, missing: ReadonlySet<unknown>, here: ReadonlySet<unknown>): ReadonlyArray<View> =>
  nodesIn(nodes).flatMap((node) => {
    const children = lifted(node["children"], missing, here);
    return missing.has(node["id"]) ? children.filter(({ id }) => here.has(id)) : [{ ...node, children }];
  });
