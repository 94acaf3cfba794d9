/**
 * Edits of one document as new operations in another one that stands where they began (rule 12): as the difference that
 * they make, one part after the other.
 */
import {
  type Container,
  type ContainerID,
  type Diff,
  isContainer,
  type LoroDoc,
  LoroList,
  LoroMap,
  LoroMovableList,
  type OpId,
} from "loro-crdt";

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

/** Applies each part's difference and commits; what came of it is told before the next one. */
export const remakeParts = (
  from: LoroDoc,
  versions: Versions,
  parts: ReadonlyArray<Part>,
  to: LoroDoc,
  made: (part: Part) => void,
): void => {
  for (const part of parts) {
    to.applyDiff(from.diff(versions[part.first] ?? [], versions[part.last + 1] ?? [], false));
    to.commit();
    made(part);
  }
};

/**
 * As `remakeParts`, also where an edit changes a container that an earlier one made: made anew it has another id, and is found
 * by its place. `walking` stands where the first part begins and is brought along. Throws where there is no such place.
 */
export const remakeStepwise = (
  from: LoroDoc,
  versions: Versions,
  parts: ReadonlyArray<Part>,
  to: LoroDoc,
  walking: { readonly doc: LoroDoc; readonly updates: ReadonlyArray<Uint8Array> },
  made: (part: Part) => void,
): void => {
  for (const part of parts) {
    const difference = from.diff(versions[part.first] ?? [], versions[part.last + 1] ?? [], false);
    to.applyDiff(difference.map(([id, diff]): [ContainerID, Diff] => [placeIn(walking.doc, id, to), diff]));
    to.commit();
    for (const update of walking.updates.slice(part.first, part.last + 1)) walking.doc.import(update);
    made(part);
  }
};

/** The id of the container that is in `to` where `id` is in `from`; of one that is not in `from` yet, `id` itself. */
const placeIn = (from: LoroDoc, id: ContainerID, to: LoroDoc): ContainerID => {
  if (id.startsWith("cid:root-")) return id;
  const container = from.getContainerById(id);
  return container === undefined ? id : counterpart(container, to).id;
};

const counterpart = (container: Container, to: LoroDoc): Container => {
  const parent = container.parent();
  const found =
    parent === undefined ? to.getContainerById(container.id) : childAt(parent, container.id, counterpart(parent, to));
  if (found === undefined) throw new Error("a container has no counterpart");
  return found;
};

const childAt = (parent: Container, id: ContainerID, other: Container): Container | undefined => {
  const isIt = (value: unknown): boolean => isContainer(value) && value.id === id;
  let value: unknown;
  if (parent instanceof LoroMap && other instanceof LoroMap) {
    const found = parent.entries().find(([, child]) => isIt(child));
    value = found === undefined ? undefined : other.get(found[0]);
  } else if (
    (parent instanceof LoroList && other instanceof LoroList) ||
    (parent instanceof LoroMovableList && other instanceof LoroMovableList)
  ) {
    const index = parent.toArray().findIndex(isIt);
    value = index < 0 ? undefined : other.get(index);
  }
  return isContainer(value) ? value : undefined;
};
