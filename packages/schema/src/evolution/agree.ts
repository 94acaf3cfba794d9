/**
 * What both of two descendants of a view did is done once, and what one deleted is away: said before their changes are merged, for
 * a merge of operations takes the same item added by both for two, and lets what was moved survive its deletion.
 *
 * Counters are left alone: two devices that count the same count twice.
 */
import type { Field, Fields } from "../field-kinds.ts";
import { canonicalJson, isPlainObject } from "../json.ts";
import { slotsOf } from "../slots.ts";
import { commonItems } from "./common-items.ts";
import { identityOf, sourcesOf } from "./reconcile-list.ts";
import { differenceOf, replaceAll } from "./text-difference.ts";

type View = Readonly<Record<string, unknown>>;

interface Sides<A> {
  readonly left: A;
  readonly right: A;
}

/** The two descendants, so changed that merging them does what both did once. */
export const agree = (fields: Fields, base: View, left: View, right: View): Sides<View> => {
  const sides = slotsOf(fields).map(({ name, field }) => {
    const agreed = agreeField(field, base[name], left[name], right[name]);
    return [name, agreed] as const;
  });
  return {
    left: Object.fromEntries(sides.map(([name, agreed]) => [name, agreed.left])),
    right: Object.fromEntries(sides.map(([name, agreed]) => [name, agreed.right])),
  };
};

const agreeField = (field: Field, base: unknown, left: unknown, right: unknown): Sides<unknown> => {
  switch (field.kind) {
    case "text":
      return typeof base === "string" && typeof left === "string" && typeof right === "string"
        ? { left, right: textWithoutShared(base, left, right) }
        : { left, right };
    case "richText":
      return isSame(left, right) ? { left, right: base } : { left, right };
    case "list":
    case "movableList":
      return agreeItems(listIn(base), listIn(left), listIn(right));
    case "records":
      return agreeRecords(field.fields, viewIn(base), viewIn(left), viewIn(right));
    case "tree": {
      const [before, one, other] = [idsIn(base), idsIn(left), idsIn(right)];
      return { left: nodesWithout(left, before, other), right: nodesWithout(right, before, one) };
    }
    case "plain":
    case "set":
    case "map":
    case "attachments":
    case "counter":
      // By key, where the same value twice is one; and amounts add up.
      return { left, right };
  }
};

const listIn = (value: unknown): ReadonlyArray<unknown> => (Array.isArray(value) ? value : []);
const viewIn = (value: unknown): View => (isPlainObject(value) ? value : {});
const isSame = (left: unknown, right: unknown): boolean => canonicalJson(left) === canonicalJson(right);

/** The right text without the replacements that the left one made as well. */
const textWithoutShared = (base: string, left: string, right: string): string => {
  if (left === base || right === base) return right;
  const done = new Set(differenceOf(base, left).map((one) => canonicalJson(one)));
  return replaceAll(
    base,
    differenceOf(base, right).filter((one) => !done.has(canonicalJson(one))),
  );
};

const agreeItems = (
  base: ReadonlyArray<unknown>,
  left: ReadonlyArray<unknown>,
  right: ReadonlyArray<unknown>,
): Sides<ReadonlyArray<unknown>> => {
  const [before, one, other] = [base.map(identityOf), left.map(identityOf), right.map(identityOf)];
  const [ofLeft, ofRight] = [sourcesOf(before, one), sourcesOf(before, other)];
  const [keptLeft, keptRight] = [new Set(ofLeft.values()), new Set(ofRight.values())];
  // Items that both have and the base has not: the same where they have one id, or stand in the same place.
  const added = new Map<number, number>();
  const byId = new Map<string, number>();
  for (const [index, identity] of one.entries()) {
    if (!ofLeft.has(index) && identity.startsWith("id ")) byId.set(identity, index);
  }
  for (const [index, identity] of other.entries()) {
    const twin = ofRight.has(index) ? undefined : byId.get(identity);
    if (twin !== undefined && !added.has(twin)) added.set(twin, index);
  }
  for (const [index, twin] of commonItems(one, other)) {
    if (!ofLeft.has(index) && !ofRight.has(twin) && !added.has(index)) added.set(index, twin);
  }
  const shared = new Set(added.values());
  const stays = (source: number | undefined, kept: ReadonlySet<number>): boolean =>
    source === undefined || kept.has(source);
  return {
    left: left.flatMap((item, index) => {
      const twin = added.get(index);
      return stays(ofLeft.get(index), keptRight) ? [twin === undefined ? item : right[twin]] : [];
    }),
    right: right.filter((_, index) => !shared.has(index) && stays(ofRight.get(index), keptLeft)),
  };
};

const agreeRecords = (fields: Fields, base: View, left: View, right: View): Sides<View> => {
  const agreed = { left: new Map<string, unknown>(), right: new Map<string, unknown>() };
  for (const key of new Set([...Object.keys(left), ...Object.keys(right)])) {
    const [inLeft, inRight] = [Object.hasOwn(left, key), Object.hasOwn(right, key)];
    if (Object.hasOwn(base, key) && !(inLeft && inRight)) continue;
    const record = Object.hasOwn(base, key) ? viewIn(base[key]) : {};
    const sides = inLeft && inRight ? agree(fields, record, viewIn(left[key]), viewIn(right[key])) : undefined;
    if (inLeft) agreed.left.set(key, sides === undefined ? left[key] : sides.left);
    if (inRight) agreed.right.set(key, sides === undefined ? right[key] : sides.right);
  }
  return { left: Object.fromEntries(agreed.left), right: Object.fromEntries(agreed.right) };
};

/** The ids of a tree's nodes. */
const idsIn = (nodes: unknown): ReadonlySet<string> => {
  const ids = new Set<string>();
  const visit = (node: unknown): void => {
    if (!isPlainObject(node)) return;
    if (typeof node["id"] === "string") ids.add(node["id"]);
    for (const child of listIn(node["children"])) visit(child);
  };
  for (const node of listIn(nodes)) visit(node);
  return ids;
};

/** Without the nodes that the other side deleted, and all below them. */
const nodesWithout = (nodes: unknown, base: ReadonlySet<string>, other: ReadonlySet<string>): ReadonlyArray<unknown> =>
  listIn(nodes).flatMap((node: unknown) => {
    if (!isPlainObject(node)) return [];
    const id = node["id"];
    if (typeof id === "string" && base.has(id) && !other.has(id)) return [];
    return [{ ...node, children: nodesWithout(node["children"], base, other) }];
  });
