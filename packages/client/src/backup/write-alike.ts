/**
 * Containers made to say what others say, by as few operations as that takes: from nothing, or from what the same containers
 * said at another version.
 *
 * Children of maps that were mergeable are mergeable again, so that two devices that write to them later still write to
 * the same ones (rule 16). Styles keep their ranges. Nodes of trees keep the ids that they are read under, as their keys.
 */
import type { Hash } from "@cairn/protocol";
import { NODE_KEY, nodePlaces } from "@cairn/schema";
import {
  type Container,
  isContainer,
  LoroCounter,
  type LoroDoc,
  LoroList,
  LoroMap,
  LoroMovableList,
  LoroText,
  LoroTree,
  type LoroTreeNode,
  type TreeID,
  type Value,
} from "loro-crdt";
import { isManifest, type Manifest } from "./attachments-in.ts";

/** UTF-16 units of a text that are inserted at once. */
const TEXT_UNITS = 128 * 1024;

/** Who writes, and what it costs. */
export interface Writing {
  /** Before so many bytes are written, which begin to refer to these chunks. */
  readonly spend: (bytes: number, refs?: ReadonlyArray<Hash>) => void;
  /** Where an attachment is from here on; undefined where it is not to be written. */
  readonly relocate: (manifest: Manifest) => Manifest | undefined;
}

/** Every root of a document as it is in another one, whatever version of it is checked out. Commits nothing. */
export const writeDocumentAlike = (source: LoroDoc, target: LoroDoc, writing: Writing): void => {
  const alike = new Alike(writing);
  const roots = Object.entries(source.getShallowValue());
  for (const [name, id] of roots) {
    const root = source.getContainerById(id);
    if (root !== undefined) alike.write(root, rootOf(target, name, root));
  }
  const ids = new Set(roots.map(([, id]) => id));
  for (const [name, id] of Object.entries(target.getShallowValue())) {
    const root = ids.has(id) ? undefined : target.getContainerById(id);
    if (root !== undefined) alike.write(rootOf(source, name, root), root);
  }
};

const rootOf = (doc: LoroDoc, name: string, like: Container): Container => {
  switch (like.kind()) {
    case "Text":
      return doc.getText(name);
    case "Map":
      return doc.getMap(name);
    case "List":
      return doc.getList(name);
    case "MovableList":
      return doc.getMovableList(name);
    case "Counter":
      return doc.getCounter(name);
    case "Tree":
      return doc.getTree(name);
  }
};

/** A container that is in no document yet. */
const detached = (like: Container): Container => {
  switch (like.kind()) {
    case "Text":
      return new LoroText();
    case "Map":
      return new LoroMap();
    case "List":
      return new LoroList();
    case "MovableList":
      return new LoroMovableList();
    case "Counter":
      return new LoroCounter();
    case "Tree":
      return new LoroTree();
  }
};

const mergeableChild = (map: LoroMap, key: string, like: Container): Container => {
  switch (like.kind()) {
    case "Text":
      return map.ensureMergeableText(key);
    case "Map":
      return map.ensureMergeableMap(key);
    case "List":
      return map.ensureMergeableList(key);
    case "MovableList":
      return map.ensureMergeableMovableList(key);
    case "Counter":
      return map.ensureMergeableCounter(key);
    case "Tree":
      return map.ensureMergeableTree(key);
  }
};

/** Mergeable children are named like roots; other children by the operation that made them. */
const isMergeable = (child: Container): boolean => child.id.startsWith("cid:root-");

type Attributes = Readonly<Record<string, Value>>;

/** A piece of text, from a position to before another one. */
interface Run {
  readonly start: number;
  readonly end: number;
  readonly attributes: Attributes;
}

class Alike {
  readonly #writing: Writing;

  constructor(writing: Writing) {
    this.#writing = writing;
  }

  write(source: Container, target: Container): void {
    if (source instanceof LoroText && target instanceof LoroText) this.#text(source, target);
    else if (source instanceof LoroMap && target instanceof LoroMap) this.#map(source, target);
    else if (source instanceof LoroList && target instanceof LoroList) this.#list(source, target);
    else if (source instanceof LoroMovableList && target instanceof LoroMovableList) this.#list(source, target);
    else if (source instanceof LoroCounter && target instanceof LoroCounter) this.#counter(source, target);
    else if (source instanceof LoroTree && target instanceof LoroTree) this.#tree(source, target);
  }

  #text(source: LoroText, target: LoroText): void {
    const [text, present] = [source.toString(), target.toString()];
    const { before, after } = commonEnds(text, present);
    if (present.length > before + after) target.delete(before, present.length - before - after);
    for (let start = before; start < text.length - after;) {
      let end = Math.min(text.length - after, start + TEXT_UNITS);
      // Half of a surrogate pair is no text.
      if (end < text.length && isPairAt(text, end)) end -= 1;
      this.#writing.spend((end - start) * 2);
      target.insert(start, text.slice(start, end));
      start = end;
    }
    this.#marks(runsOf(source), target);
  }

  /** Of texts that are the same. */
  #marks(wanted: ReadonlyArray<Run>, target: LoroText): void {
    const present = runsOf(target);
    let next = 0;
    for (const { start, end, attributes } of wanted) {
      const marked = new Set<string>();
      while (next < present.length) {
        const run = present[next];
        if (run === undefined || run.start >= end) break;
        const range = { start: Math.max(start, run.start), end: Math.min(end, run.end) };
        for (const key of Object.keys(run.attributes)) if (attributes[key] === undefined) target.unmark(range, key);
        for (const [key, value] of Object.entries(attributes)) if (!isSame(run.attributes[key], value)) marked.add(key);
        // The next run may begin in it.
        if (run.end > end) break;
        next += 1;
      }
      for (const key of marked) {
        const value = attributes[key];
        this.#writing.spend(64 + sizeOf(value));
        target.mark({ start, end }, key, value);
      }
    }
  }

  #map(source: LoroMap, target: LoroMap, keep: ReadonlyArray<string> = []): void {
    const entries = source.entries();
    const names = new Set([...entries.map(([key]) => key), ...keep]);
    for (const [key] of target.entries()) if (!names.has(key)) target.delete(key);
    for (const [key, value] of entries) {
      if (isContainer(value)) {
        this.write(value, this.#childIn(target, key, value));
        continue;
      }
      const relocated = isManifest(value) ? this.#writing.relocate(value) : undefined;
      if (isManifest(value) && relocated === undefined) continue;
      const written = relocated ?? value;
      if (isSame(target.get(key), written)) continue;
      const refs = relocated?.chunks.map(({ sealedHash }) => sealedHash) ?? [];
      this.#writing.spend(64 + key.length + sizeOf(value), refs);
      target.set(key, written);
    }
  }

  #childIn(target: LoroMap, key: string, like: Container): Container {
    const present = target.get(key);
    const isIt = isContainer(present) && present.kind() === like.kind() && isMergeable(present) === isMergeable(like);
    if (isIt) return present;
    this.#writing.spend(64 + key.length);
    return isMergeable(like) ? mergeableChild(target, key, like) : target.setContainer(key, detached(like));
  }

  #list(source: LoroList | LoroMovableList, target: LoroList | LoroMovableList): void {
    const [values, present] = [source.toArray(), target.toArray()];
    const { before, after } = commonEnds(values, present);
    if (present.length > before + after) target.delete(before, present.length - before - after);
    for (const [index, value] of values.entries()) {
      const isNew = index >= before && index < values.length - after;
      if (isContainer(value)) {
        if (isNew) this.#writing.spend(64);
        const kept = isNew ? undefined : target.get(index);
        this.write(value, isContainer(kept) ? kept : target.insertContainer(index, detached(value)));
      } else if (isNew) {
        this.#writing.spend(16 + sizeOf(value));
        target.insert(index, value);
      }
    }
  }

  #counter(source: LoroCounter, target: LoroCounter): void {
    if (source.value === target.value) return;
    this.#writing.spend(16);
    target.increment(source.value - target.value);
  }

  #tree(source: LoroTree, target: LoroTree): void {
    const ids = idsIn(source);
    const present = new Map([...idsIn(target)].map(([treeId, id]) => [id, treeId]));
    const kept = new Set<TreeID>();
    // Not by recursion: how deep a tree is was decided by whoever wrote it. Those above a node are where they belong before it.
    const waiting: Array<{ readonly nodes: ReadonlyArray<LoroTreeNode>; readonly parent: TreeID | undefined }> = [
      { nodes: source.roots(), parent: undefined },
    ];
    for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
      for (const [index, node] of next.nodes.entries()) {
        const id = ids.get(node.id) ?? node.id;
        const made = this.#nodeAt(target, present.get(id), next.parent, index);
        kept.add(made.id);
        this.#map(node.data, made.data, [NODE_KEY]);
        if (made.data.get(NODE_KEY) !== id) made.data.set(NODE_KEY, id);
        waiting.push({ nodes: node.children() ?? [], parent: made.id });
      }
    }
    for (const treeId of present.values()) if (!kept.has(treeId) && target.has(treeId)) target.delete(treeId);
  }

  #nodeAt(target: LoroTree, known: TreeID | undefined, parent: TreeID | undefined, index: number): LoroTreeNode {
    const node = known === undefined ? undefined : target.getNodeByID(known);
    if (known === undefined || node === undefined) {
      this.#writing.spend(64);
      return target.createNode(parent, index);
    }
    if (node.parent()?.id !== parent || node.index() !== index) {
      this.#writing.spend(64);
      target.move(known, parent, index);
    }
    return node;
  }
}

const idsIn = (tree: LoroTree): ReadonlyMap<TreeID, string> =>
  new Map(nodePlaces(tree).map(({ treeId, id }) => [treeId, id]));

const runsOf = (text: LoroText): ReadonlyArray<Run> => {
  const runs: Array<Run> = [];
  for (const { insert, attributes } of text.toDelta()) {
    const start = runs.at(-1)?.end ?? 0;
    const stated = Object.entries(attributes ?? {}).filter(([, value]) => value !== null && value !== undefined);
    const end = start + (typeof insert === "string" ? insert.length : 0);
    runs.push({ start, end, attributes: Object.fromEntries(stated) });
  }
  return runs;
};

const isPairAt = (text: string, position: number): boolean => (text.codePointAt(position - 1) ?? 0) > 0xffff;

/** How many items are the same at the beginning and at the end of both; of texts, whole characters. */
const commonEnds = <A extends string | ReadonlyArray<unknown>>(
  left: A,
  right: A,
): { readonly before: number; readonly after: number } => {
  const shorter = Math.min(left.length, right.length);
  const isSplit = (at: number, from: A): boolean =>
    typeof from === "string" && at > 0 && at < from.length && isPairAt(from, at);
  let before = 0;
  while (before < shorter && isAlike(left[before], right[before])) before += 1;
  while (before > 0 && (isSplit(before, left) || isSplit(before, right))) before -= 1;
  let after = 0;
  while (after < shorter - before && isAlike(left.at(-1 - after), right.at(-1 - after))) after += 1;
  while (after > 0 && (isSplit(left.length - after, left) || isSplit(right.length - after, right))) after -= 1;
  return { before, after };
};

/** Whether one item of a list can stay for the other. */
const isAlike = (left: unknown, right: unknown): boolean => {
  if (!isContainer(left) || !isContainer(right))
    return !isContainer(left) && !isContainer(right) && isSame(left, right);
  return left.kind() === right.kind() && isSame(plainOf(left), plainOf(right));
};

const plainOf = (container: Container): unknown =>
  container instanceof LoroCounter ? container.value : container.toJSON();

/** Plain values, as Loro gives them. */
const isSame = (left: unknown, right: unknown): boolean => {
  if (Object.is(left, right)) return true;
  if (typeof left !== "object" || typeof right !== "object" || left === null || right === null) return false;
  if (isContainer(left) || isContainer(right) || Array.isArray(left) !== Array.isArray(right)) return false;
  if (left instanceof Uint8Array !== right instanceof Uint8Array) return false;
  const members = new Map<string, unknown>(Object.entries(right));
  const own = Object.entries(left);
  return (
    own.length === members.size && own.every(([key, value]) => members.has(key) && isSame(value, members.get(key)))
  );
};

/** About how many bytes a plain value takes. */
const sizeOf = (value: unknown): number =>
  value instanceof Uint8Array ? value.length : (JSON.stringify(value)?.length ?? 0) * 2;
