/**
 * Successors under other names, in changes that are made in another document under another peer.
 *
 * What a successor holds goes by its name: two of one name would be one, with all that either of them has.
 */
import type { ContainerID, Diff, MapDiff } from "loro-crdt";
import { isPlainObject } from "../json.ts";
import { SEEN, WINNER } from "./successor.ts";

/** Another name for a successor, or the same. */
export type NameOfSuccessor = (name: string) => string;

/** The id of a map in which a step keeps its successors. */
const STATE = /(?:root-|>)\$v\d[^>]*:Map$/u;
/** Such a map and the successor, in the id of that or of what is in it. */
const WITHIN = /([$>]\$v\d[^>]*>)([^>:]+)/gu;

/** A difference between two versions of a document, with other names for the successors in it. */
export const renameSuccessors = (
  difference: ReadonlyArray<[ContainerID, Diff]>,
  nameOf: NameOfSuccessor,
): Array<[ContainerID, Diff]> =>
  difference.map(([id, diff]) => [
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- an id in which one name is another one
    id.replaceAll(WITHIN, (_, state: string, name: string) => state + nameOf(name)) as ContainerID,
    diff.type === "map" ? renameIn(diff, STATE.test(id), nameOf) : diff,
  ]);

const renameIn = (diff: MapDiff, isState: boolean, nameOf: NameOfSuccessor): MapDiff => {
  const renamed = Object.entries(diff.updated).map(([key, value]): [string, typeof value] => {
    if (isState) return [nameOf(key), key === WINNER && typeof value === "string" ? nameOf(value) : value];
    return [key, key === SEEN && isPlainObject(value) ? withNames(value, nameOf) : value];
  });
  return { type: "map", updated: Object.fromEntries(renamed) };
};

const withNames = <A>(byName: Readonly<Record<string, A>>, nameOf: NameOfSuccessor): Record<string, A> =>
  Object.fromEntries(Object.entries(byName).map(([name, value]) => [nameOf(name), value]));
