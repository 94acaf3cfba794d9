/**
 * The operations that make one view of a field another one: for fields whose containers say nothing of what changed,
 * because versions of the app store them in several forms.
 */
import type { LoroDoc } from "loro-crdt";

import { emptyDocumentLike } from "../empty-document.ts";
import type { Field, Fields } from "../field-kinds.ts";
import { type Json, canonicalJson, isJsonWithin, isPlainObject } from "../json.ts";
import { readFields } from "../read.ts";
import { type Slot, slotsOf } from "../slots.ts";
import { type PatchOperation, pathOf } from "./patch.ts";

/** Units (`isJsonWithin`) of one value. */
const MAX_UNITS = 4_000_000;

type View = Readonly<Record<string, unknown>>;
type Names = ReadonlyArray<string>;
type Operations = ReadonlyArray<PatchOperation>;

/** Whether a field, or one inside it, has another form in an earlier version of the schema. */
export const isEvolved = ({ origin, field }: Slot): boolean =>
  origin !== undefined ||
  ((field.kind === "records" || field.kind === "tree") && slotsOf(field.fields).some(isEvolved));

/**
 * What makes the second view of a field of the first one.
 *
 * @param like any document; it is not touched
 */
export const viewChanges = (field: Field, names: Names, before: unknown, after: unknown, like: LoroDoc): Operations => {
  if (canonicalJson(before) === canonicalJson(after)) return [];
  const path = pathOf(names);
  switch (field.kind) {
    case "plain":
    case "richText":
      return json(after).map((value) => ({ op: "set", path, value }));
    case "text":
      return typeof before === "string" && typeof after === "string" ? [spliceOf(path, before, after)] : [];
    case "counter":
      return [{ op: "increment", path, by: Number(after) - Number(before) }];
    case "list":
    case "movableList":
      return listChanges(path, json(before).flatMap(itemsOf), json(after).flatMap(itemsOf));
    case "set": {
      const [gone, come] = [new Set(json(before).flatMap(itemsOf)), new Set(json(after).flatMap(itemsOf))];
      return [
        { op: "remove" as const, path, values: [...gone.difference(come)] },
        { op: "insert" as const, path, values: [...come.difference(gone)] },
      ].filter(({ values }) => values.length > 0);
    }
    case "map":
    case "attachments": {
      const [from, to] = [membersOf(before), membersOf(after)];
      return [
        ...keysOnlyIn(from, to).map((key): PatchOperation => ({ op: "unset", path: pathOf([...names, key]) })),
        ...Object.entries(to)
          .filter(([key, value]) => !Object.hasOwn(from, key) || canonicalJson(from[key]) !== canonicalJson(value))
          .flatMap(([key, item]) =>
            json(item).map((value): PatchOperation => ({ op: "set", path: pathOf([...names, key]), value })),
          ),
      ];
    }
    case "records": {
      const [from, to] = [membersOf(before), membersOf(after)];
      return [
        ...keysOnlyIn(from, to).map((key): PatchOperation => ({ op: "unset", path: pathOf([...names, key]) })),
        ...Object.entries(to).flatMap(([key, record]) => {
          const here = [...names, key];
          return Object.hasOwn(from, key)
            ? fieldChanges(field.fields, here, membersOf(from[key]), membersOf(record), like)
            : madeAnew(field.fields, here, membersOf(record), like);
        }),
      ];
    }
    case "tree":
      return treeChanges(field.fields, names, nodesOf(before), nodesOf(after), like);
  }
};

const fieldChanges = (fields: Fields, names: Names, before: View, after: View, like: LoroDoc): Operations =>
  slotsOf(fields).flatMap(({ name, field }) => viewChanges(field, [...names, name], before[name], after[name], like));

/** A record or a node that was not there. */
const madeAnew = (fields: Fields, names: Names, after: View, like: LoroDoc): Operations => [
  { op: "set", path: pathOf(names), value: {} },
  ...fieldChanges(fields, names, blankView(fields, like), after, like),
];

/** What fields read as where nobody has written anything: an older form's default may be something else than the newer one's. */
const blankView = (fields: Fields, like: LoroDoc): View => {
  const doc = emptyDocumentLike(like);
  try {
    return readFields(fields, { at: "record", doc, map: doc.getMap("blank") }, [], () => {});
  } finally {
    doc.free();
  }
};

const json = (value: unknown): ReadonlyArray<Json> => (isJsonWithin(value, MAX_UNITS) ? [value] : []);

const itemsOf = (value: Json): ReadonlyArray<Json> => (isList(value) ? value : []);
const isList = (value: Json): value is ReadonlyArray<Json> => Array.isArray(value);

const membersOf = (value: unknown): View => (isPlainObject(value) ? value : {});

const keysOnlyIn = (from: View, to: View): Names => Object.keys(from).filter((key) => !Object.hasOwn(to, key));

const isInsidePair = (text: string, at: number): boolean =>
  /[\ud800-\udbff]/.test(text.charAt(at - 1)) && /[\udc00-\udfff]/.test(text.charAt(at));

const spliceOf = (path: PatchOperation["path"], before: string, after: string): PatchOperation => {
  const most = Math.min(before.length, after.length);
  let start = 0;
  while (start < most && before[start] === after[start]) start += 1;
  if (isInsidePair(before, start) || isInsidePair(after, start)) start -= 1;
  let end = 0;
  while (end < most - start && before[before.length - 1 - end] === after[after.length - 1 - end]) end += 1;
  if (isInsidePair(before, before.length - end) || isInsidePair(after, after.length - end)) end -= 1;
  return {
    op: "splice",
    path,
    at: start,
    delete: before.length - end - start,
    insert: after.slice(start, after.length - end),
  };
};

/** Items that stay at the beginning and at the end are left alone. */
const listChanges = (
  path: PatchOperation["path"],
  before: ReadonlyArray<Json>,
  after: ReadonlyArray<Json>,
): Operations => {
  const [from, to] = [before.map(canonicalJson), after.map(canonicalJson)];
  const most = Math.min(from.length, to.length);
  let start = 0;
  while (start < most && from[start] === to[start]) start += 1;
  let end = 0;
  while (end < most - start && from.at(-1 - end) === to.at(-1 - end)) end += 1;
  const count = from.length - end - start;
  const values = after.slice(start, after.length - end);
  return [
    ...(count > 0 ? [{ op: "remove", path, at: start, count } as const] : []),
    ...(values.length > 0 ? [{ op: "insert", path, at: start, values } as const] : []),
  ];
};

interface Node {
  readonly id: string;
  readonly parent: string | undefined;
  readonly at: number;
  readonly view: View;
}

/** All nodes, each before those below it. */
const nodesOf = (nodes: unknown, parent?: string): ReadonlyArray<Node> =>
  (Array.isArray(nodes) ? nodes : []).flatMap((node: unknown, at): ReadonlyArray<Node> => {
    const view = membersOf(node);
    const { id } = view;
    return typeof id === "string" ? [{ id, parent, at, view }, ...nodesOf(view["children"], id)] : [];
  });

const treeChanges = (
  fields: Fields,
  names: Names,
  before: ReadonlyArray<Node>,
  after: ReadonlyArray<Node>,
  like: LoroDoc,
): Operations => {
  const known = new Map(before.map((node) => [node.id, node]));
  const wanted = new Set(after.map(({ id }) => id));
  /** Where every node is while the operations are applied. */
  const parents = new Map(before.map(({ id, parent }) => [id, parent]));
  const children = new Map<string | undefined, Array<string>>();
  const below = (parent: string | undefined): Array<string> => {
    const found = children.get(parent) ?? [];
    children.set(parent, found);
    return found;
  };
  for (const { id, parent } of before) below(parent).push(id);

  const made: Array<PatchOperation> = [];
  const placed: Array<PatchOperation> = [];
  const written: Array<PatchOperation> = [];
  for (const { id, view } of after) {
    const here = [...names, id];
    const was = known.get(id);
    if (was === undefined) {
      made.push({ op: "set", path: pathOf(here), value: {} });
      parents.set(id, undefined);
      below(undefined).push(id);
    }
    written.push(...fieldChanges(fields, here, was?.view ?? blankView(fields, like), view, like));
  }
  // From the roots down: a node is put below one that has its place already.
  for (const { id, parent, at } of after) {
    if (parents.get(id) === parent && below(parent)[at] === id) continue;
    const siblings = below(parents.get(id));
    siblings.splice(siblings.indexOf(id), 1);
    below(parent).splice(at, 0, id);
    parents.set(id, parent);
    placed.push({ op: "place", path: pathOf([...names, id]), parent: parent ?? null, at });
  }
  const gone = before.filter(({ id }) => {
    const parent = parents.get(id);
    return !wanted.has(id) && (parent === undefined || wanted.has(parent));
  });
  return [
    ...made,
    ...placed,
    ...gone.map(({ id }): PatchOperation => ({ op: "unset", path: pathOf([...names, id]) })),
    ...written,
  ];
};
