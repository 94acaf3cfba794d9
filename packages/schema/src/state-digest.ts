/**
 * The bytes whose SHA-256 tells replicas of equal version apart when their content silently diverged (equal version
 * vectors prove nothing after a peer id was used twice).
 */
import type { Container, LoroDoc, LoroTree, TreeID } from "loro-crdt";
import { isContainer } from "./container.ts";
import { isContributions, valuesSaid } from "./evolution/extraction.ts";
import { COVERS, CREATED } from "./evolution/successor-state.ts";
import { canonicalJson, isPlainObject } from "./json.ts";
import { isEmptyRoot } from "./read.ts";
import { nodesInOrder } from "./node-order.ts";

/**
 * UTF-8 of the canonical JSON of a document's content and version. Covers every root, declared or not; reads the state
 * as it is and commits nothing. The caller hashes it. Costs time and memory in proportion to the content.
 *
 * Roots without content are left out, because a replica lists a root as soon as it was asked for. Two roots of one name
 * and different kinds cannot be declared; of such a pair only the one that Loro lists is covered.
 */
export const stateDigestInput = (doc: LoroDoc): Uint8Array<ArrayBuffer> => {
  const version = Object.fromEntries([...doc.version().toJSON()].filter(([, counter]) => counter > 0));
  return new TextEncoder().encode(canonicalJson({ content: contentOfRoots(doc, exact), version }));
};

/**
 * Canonical JSON of a document's content alone: equal where two documents say the same, by whatever operations. So without the
 * versions that successors name, and those that sources said something at, and with nodes of trees in their order instead of under
 * the names that their operations gave them.
 */
export const canonicalContent = (doc: LoroDoc): string =>
  contentAlone(doc, { isSaid: isNoVersion, nodes: orderedNodes });

/** The same with the names of nodes. */
export const canonicalContentWithNodes = (doc: LoroDoc): string =>
  contentAlone(doc, { isSaid: isNoVersion, nodes: namedNodes });

const contentAlone = (doc: LoroDoc, reading: Reading): string =>
  canonicalJson(
    Object.fromEntries(
      Object.entries(contentOfRoots(doc, reading)).map(([name, root]) => [
        name,
        isContributions(name) ? withoutReaches(root) : root,
      ]),
    ),
  );

const withoutReaches = ({ kind, content }: RootContent): RootContent => ({
  kind,
  content: isPlainObject(content)
    ? Object.fromEntries(Object.entries(content).map(([source, said]) => [source, valuesSaid(said)]))
    : content,
});

interface RootContent {
  readonly kind: string;
  readonly content: unknown;
}

/** What of a document is said, and how. */
interface Reading {
  /** Whether what a map has under a key is. */
  readonly isSaid: (key: string) => boolean;
  readonly nodes: (tree: LoroTree, dataOf: (data: Container) => unknown) => unknown;
}

const isNoVersion = (key: string): boolean => key !== COVERS && key !== CREATED;

const namedNodes: Reading["nodes"] = (tree, dataOf) =>
  tree
    .getNodes()
    .map((node) => ({
      id: node.id,
      parent: node.parent()?.id ?? null,
      position: node.fractionalIndex() ?? null,
      data: dataOf(node.data),
    }))
    .toSorted((left, right) => (left.id < right.id ? -1 : 1));

const orderedNodes: Reading["nodes"] = (tree, dataOf) => {
  const nodes = nodesInOrder(tree);
  const places = new Map(nodes.map(({ id }, index) => [id, index]));
  const placeOf = (id: TreeID | undefined) => (id === undefined ? null : (places.get(id) ?? null));
  return nodes.map((node) => ({
    parent: placeOf(node.parent()?.id),
    position: node.fractionalIndex() ?? null,
    data: dataOf(node.data),
  }));
};

const exact: Reading = { isSaid: () => true, nodes: namedNodes };

const contentOfRoots = (doc: LoroDoc, reading: Reading): Readonly<Record<string, RootContent>> =>
  Object.fromEntries(
    Object.entries(doc.getShallowValue()).flatMap(([name, id]) => {
      const root = doc.getContainerById(id);
      return root === undefined || isEmptyRoot(root)
        ? []
        : [[name, { kind: root.kind(), content: contentOf(root, reading) }] as const];
    }),
  );

/** Deeper content is hidden from the digest; no type can declare it. */
const MAX_DEPTH = 100;

const contentOf = (container: Container, reading: Reading, depth = 0): unknown => {
  if (depth > MAX_DEPTH) return { $tooDeep: true };
  switch (container.kind()) {
    case "Text":
      return "toDelta" in container ? textContent(container.toDelta()) : null;
    case "Counter":
      return "increment" in container ? sayable(container.value) : null;
    case "Map":
      return "entries" in container
        ? Object.fromEntries(
            container
              .entries()
              .flatMap(([key, value]) =>
                reading.isSaid(key) ? [[wellFormed(key), valueOf(value, reading, depth)]] : [],
              ),
          )
        : null;
    case "List":
    case "MovableList":
      return "toArray" in container ? container.toArray().map((value) => valueOf(value, reading, depth)) : null;
    case "Tree":
      return "getNodes" in container ? reading.nodes(container, (data) => contentOf(data, reading, depth + 1)) : null;
  }
};

const valueOf = (value: unknown, reading: Reading, depth: number): unknown =>
  isContainer(value) ? { kind: value.kind(), content: contentOf(value, reading, depth + 1) } : sayable(value, depth);

/** Plain text as one string; styled text as runs, joined where Loro happened to split runs of equal style. */
const textContent = (delta: ReadonlyArray<{ readonly insert?: unknown; readonly attributes?: unknown }>): unknown => {
  const runs: Array<{ text: string; style: string }> = [];
  for (const part of delta) {
    const text = typeof part.insert === "string" ? part.insert : "";
    const style = part.attributes === undefined ? "{}" : canonicalJson(sayable(part.attributes));
    const last = runs.at(-1);
    if (last !== undefined && last.style === style) last.text += text;
    else runs.push({ text, style });
  }
  return runs.every((run) => run.style === "{}") ? runs.map((run) => run.text).join("") : runs;
};

/** What JSON cannot say, in words that it can. */
const sayable = (value: unknown, depth = 0): unknown => {
  if (depth > MAX_DEPTH) return { $tooDeep: true };
  if (value === null || typeof value === "boolean") return value;
  if (typeof value === "string") return wellFormed(value);
  if (typeof value === "number") return Number.isFinite(value) ? value : { $number: String(value) };
  if (value instanceof Uint8Array)
    return { $bytes: Array.from(value, (byte) => byte.toString(16).padStart(2, "0")).join("") };
  if (Array.isArray(value)) return value.map((item) => sayable(item, depth + 1));
  // Not only plain ones: a map with the key `__proto__` comes out of Loro with another prototype, and without that key.
  if (typeof value === "object") {
    return Object.fromEntries(Object.entries(value).map(([key, item]) => [wellFormed(key), sayable(item, depth + 1)]));
  }
  return { $unknown: typeof value };
};

const wellFormed = (text: string): string => text.toWellFormed();
