/**
 * Edits of one document as new operations in another one that stands where they began (rule 12): as the difference that
 * they make, one part after the other.
 */
import { renameVersions } from "@cairn/schema";
import type { ContainerID, Diff, LoroDoc, OpId } from "loro-crdt";
import { Counterparts } from "./counterparts.ts";
import type { IsShared } from "./tree-changes.ts";

/** Edits that become one update. */
export interface Part {
  /** Of the first and the last of them, in the order of the edits. */
  readonly first: number;
  readonly last: number;
}

/** Edits in parts: each of the last `single` by itself, earlier ones together up to the next end. */
export const partsOf = (
  edits: ReadonlyArray<{ readonly id: number }>,
  begin: number,
  ends: ReadonlySet<number>,
  single: number,
): ReadonlyArray<Part> => {
  const parts: Array<Part> = [];
  let first = begin;
  for (let index = begin; index < edits.length; index += 1) {
    const isEnd = index >= edits.length - Math.max(1, single) || ends.has(edits[index]?.id ?? 0);
    if (!isEnd) continue;
    parts.push({ first, last: index });
    first = index + 1;
  }
  return parts;
};

/** Where a document stands before the first edit, and after each. */
export type Versions = ReadonlyArray<OpId[]>;

/** A version within an edit that the document itself names: its successors do (decision 17). */
export interface Moment {
  /** Of the edit. */
  readonly edit: number;
  /** The edit's last operation then. */
  readonly at: OpId;
  readonly version: OpId[];
  /** The edit's operations up to then. */
  readonly update: Uint8Array;
}

/** What leads from one version of a document to another one. */
export type Difference = (before: OpId[], after: OpId[]) => Array<[ContainerID, Diff]>;

/** Applies each part's difference and commits; what came of it is told before the next one. */
export const remakeParts = (
  difference: Difference,
  versions: Versions,
  parts: ReadonlyArray<Part>,
  to: LoroDoc,
  made: (part: Part) => void,
): void => {
  for (const part of parts) {
    to.applyDiff(difference(versions[part.first] ?? [], versions[part.last + 1] ?? []));
    to.commit();
    made(part);
  }
};

/** Where each moment came to be in another document, by the operation that it is at. */
export type Names = Map<string, OpId[]>;
export const nameOf = ({ peer, counter }: OpId): string => `${counter}@${peer}`;

/** Differences of one document, applied to another one that stands where they began. */
export class Follower {
  readonly #difference: Difference;
  readonly #to: LoroDoc;
  /** Stands where the next difference begins. */
  readonly #walking: LoroDoc;
  readonly #isShared: IsShared;

  /** @param isShared says of which operations both have the same */
  constructor(difference: Difference, to: LoroDoc, walking: LoroDoc, isShared: IsShared) {
    this.#difference = difference;
    this.#to = to;
    this.#walking = walking;
    this.#isShared = isShared;
  }

  /**
   * Applies what changed, and commits. A container that an earlier difference made has another id here, and is found by its
   * place. Throws where there is no such place.
   */
  follow(before: OpId[], after: OpId[], updates: ReadonlyArray<Uint8Array>): void {
    const difference = this.#difference(before, after);
    this.#to.applyDiff(new Counterparts(this.#walking, this.#to, this.#isShared).place(difference));
    this.#to.commit();
    for (const update of updates) this.#walking.import(update);
  }
}

/**
 * As `remakeParts`, one moment after the other, so that each of them is a version of `to`, too.
 *
 * @param names of earlier moments in `to`; those of the parts are added
 */
export const remakeStepwise = (
  follower: Follower,
  versions: Versions,
  moments: ReadonlyArray<Moment>,
  parts: ReadonlyArray<Part>,
  to: LoroDoc,
  updates: ReadonlyArray<Uint8Array>,
  names: Names,
  made: (part: Part) => void,
): void => {
  for (const part of parts) {
    let reached = versions[part.first] ?? [];
    for (const { edit, at, version, update } of moments) {
      if (edit < part.first || edit > part.last) continue;
      follower.follow(reached, version, [...updates.slice(part.first, edit), update]);
      names.set(nameOf(at), to.frontiers());
      reached = version;
    }
    follower.follow(reached, versions[part.last + 1] ?? [], updates.slice(part.first, part.last + 1));
    if (names.size > 0) renameVersions(to, (version) => namedIn(version, names));
    to.commit();
    made(part);
  }
};

const namedIn = (version: ReadonlyArray<OpId>, names: Names): OpId[] | undefined => {
  for (const id of version) {
    const name = names.get(nameOf(id));
    if (name !== undefined) return name;
  }
  return undefined;
};
