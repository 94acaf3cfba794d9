/** Edits of a view within records, nodes and items that another view does not have: no merge does them there. */
import type { Field, Fields } from "../field-kinds.ts";
import { canonicalJson, isPlainObject } from "../json.ts";
import { type Path, slotsOf } from "../slots.ts";
import type { View } from "./merge-views.ts";
import { identityOf } from "./reconcile-list.ts";

/**
 * Where `edited` changed something of `base` that is within what `present` does not have, whoever took it away: names of
 * fields, keys of records and ids of nodes. What was added elsewhere or deleted is none of it: a merge adds it, or has nothing
 * to do.
 */
export const unplacedEdits = (fields: Fields, base: View, present: View, edited: View): ReadonlyArray<Path> =>
  slotsOf(fields).flatMap(({ name, field }) =>
    unplacedIn(field, base[name], present[name], edited[name]).map((path) => [name, ...path]),
  );

const unplacedIn = (field: Field, base: unknown, present: unknown, edited: unknown): ReadonlyArray<Path> => {
  switch (field.kind) {
    case "records":
      return unplacedWithin(field.fields, recordsIn(base), recordsIn(present), recordsIn(edited));
    case "tree":
      return unplacedNodes(field.fields, nodesIn(base), nodesIn(present), nodesIn(edited));
    case "list":
    case "movableList": {
      const [before, now, after] = [itemsIn(base), itemsIn(present), itemsIn(edited)];
      const isUnplaced = [...after].some(([id, items]) => {
        const known = before.get(id) ?? [];
        const isChanged = items.some((item) => !known.some((one) => isSame(one, item)));
        return isChanged && (now.get(id) ?? []).length < known.length;
      });
      return isUnplaced ? [[]] : [];
    }
    case "plain":
    case "text":
    case "richText":
    case "set":
    case "map":
    case "attachments":
    case "counter":
      return [];
  }
};

type Views = ReadonlyMap<string, View>;

const unplacedWithin = (fields: Fields, base: Views, present: Views, edited: Views): ReadonlyArray<Path> =>
  [...edited].flatMap(([key, after]): ReadonlyArray<Path> => {
    const [before, now] = [base.get(key), present.get(key)];
    if (before === undefined || isSame(before, after)) return [];
    if (now === undefined) return [[key]];
    return unplacedEdits(fields, before, now, after).map((path) => [key, ...path]);
  });

/** As of records. And what was made or moved below a node that is not there: the one is not made, and the other stays where it is. */
const unplacedNodes = (fields: Fields, base: Views, present: Views, edited: Views): ReadonlyArray<Path> => {
  const within = unplacedWithin(fields, base, present, edited);
  const named = new Set(within.map(([node]) => node));
  const parentOf = (views: Views, id: string): string => {
    const parent = views.get(id)?.[PARENT];
    return typeof parent === "string" ? parent : "";
  };
  const isBelowMissing = (id: string): boolean => {
    const parent = parentOf(edited, id);
    if (parent === "") return false;
    return base.has(parent) ? !present.has(parent) : isBelowMissing(parent);
  };
  const below = [...edited.keys()].filter(
    (id) => !named.has(id) && (!base.has(id) || parentOf(base, id) !== parentOf(edited, id)) && isBelowMissing(id),
  );
  return [...within, ...below.map((id) => [id])];
};

/** Beside the fields of a node, none of which can begin with this sign. */
const PARENT = "$parent";

const isSame = (left: unknown, right: unknown): boolean => canonicalJson(left) === canonicalJson(right);

const recordsIn = (value: unknown): Views =>
  new Map(Object.entries(isPlainObject(value) ? value : {}).filter((entry) => isView(entry)));

const isView = (entry: readonly [string, unknown]): entry is [string, View] => isPlainObject(entry[1]);

/** A tree's nodes by their ids, each with what it is below instead of what is below it. */
const nodesIn = (nodes: unknown, parent = ""): Views =>
  new Map(
    (Array.isArray(nodes) ? nodes : [])
      .filter(isPlainObject)
      .flatMap(({ id, children, ...own }): Array<[string, View]> =>
        typeof id === "string" ? [[id, { ...own, [PARENT]: parent }], ...nodesIn(children, id)] : [],
      ),
  );

/** A list's items that have an id, which several may have. Of the others none is changed: it is another one. */
const itemsIn = (items: unknown): ReadonlyMap<string, ReadonlyArray<unknown>> => {
  const found = new Map<string, ReadonlyArray<unknown>>();
  for (const item of Array.isArray(items) ? items : []) {
    const identity = identityOf(item);
    if (identity.startsWith("id ")) found.set(identity, [...(found.get(identity) ?? []), item]);
  }
  return found;
};
