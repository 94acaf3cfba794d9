/** Edits of a view within records, nodes and items that another view does not have: no merge does them there. */
import type { Field, Fields } from "../field-kinds.ts";
import { canonicalJson, isPlainObject } from "../json.ts";
import { type Path, slotsOf } from "../slots.ts";
import type { View } from "./merge-views.ts";
import { identityOf } from "./reconcile-list.ts";

/**
 * Where `edited` changed something of `base` that is within what `present` does not have, whoever took it away: names of
 * fields, keys of records and ids of nodes. What was added or deleted is none of it: a merge adds it, or has nothing to do.
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
      return unplacedWithin(field.fields, nodesIn(base), nodesIn(present), nodesIn(edited));
    case "list":
    case "movableList": {
      const [before, now, after] = [itemsIn(base), itemsIn(present), itemsIn(edited)];
      const isUnplaced = [...after].some(
        ([id, item]) => !now.has(id) && before.has(id) && !isSame(before.get(id), item),
      );
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
        typeof id === "string" ? [[id, { ...own, parent }], ...nodesIn(children, id)] : [],
      ),
  );

/** A list's items that have an id. Of the others none is changed: it is another one. */
const itemsIn = (items: unknown): ReadonlyMap<string, unknown> =>
  new Map(
    (Array.isArray(items) ? items : [])
      .map((item: unknown) => [identityOf(item), item] as const)
      .filter(([identity]) => identity.startsWith("id ")),
  );
