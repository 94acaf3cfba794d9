/**
 * The bytes whose SHA-256 tells replicas of equal version apart when their content silently diverged (equal version
 * vectors prove nothing after a peer id was used twice).
 */
import type { Container, LoroDoc } from "loro-crdt";
import { isContainer } from "./container.ts";
import { isContributions, valuesSaid } from "./evolution/extraction.ts";
import { COVERS, CREATED } from "./evolution/successor-state.ts";
import { canonicalJson, isPlainObject } from "./json.ts";
import { isEmptyRoot } from "./read.ts";

/**
 * UTF-8 of the canonical JSON of a document's content and version. Covers every root, declared or not; reads the state
 * as it is and commits nothing. The caller hashes it. Costs time and memory in proportion to the content.
 *
 * Roots without content are left out, because a replica lists a root as soon as it was asked for. Two roots of one name
 * and different kinds cannot be declared; of such a pair only the one that Loro lists is covered.
 */
export const stateDigestInput = (doc: LoroDoc): Uint8Array<ArrayBuffer> => {
  const version = Object.fromEntries([...doc.version().toJSON()].filter(([, counter]) => counter > 0));
  return new TextEncoder().encode(canonicalJson({ content: contentOfRoots(doc), version }));
};

/**
 * Canonical JSON of a document's content alone: equal where two documents say the same, by whatever operations. So without the
 * versions that successors name, and those that sources said something at.
 */
export const canonicalContent = (doc: LoroDoc): string =>
  canonicalJson(
    Object.fromEntries(
      Object.entries(contentOfRoots(doc, isNoVersion)).map(([name, root]) => [
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

type Chosen = (key: string) => boolean;
const isNoVersion: Chosen = (key) => key !== COVERS && key !== CREATED;
const any: Chosen = () => true;

const contentOfRoots = (doc: LoroDoc, chosen = any): Readonly<Record<string, RootContent>> =>
  Object.fromEntries(
    Object.entries(doc.getShallowValue()).flatMap(([name, id]) => {
      const root = doc.getContainerById(id);
      return root === undefined || isEmptyRoot(root)
        ? []
        : [[name, { kind: root.kind(), content: contentOf(root, chosen) }] as const];
    }),
  );

/** Deeper content is hidden from the digest; no type can declare it. */
const MAX_DEPTH = 100;

const contentOf = (container: Container, chosen: Chosen, depth = 0): unknown => {
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
              .flatMap(([key, value]) => (chosen(key) ? [[wellFormed(key), valueOf(value, chosen, depth)]] : [])),
          )
        : null;
    case "List":
    case "MovableList":
      return "toArray" in container ? container.toArray().map((value) => valueOf(value, chosen, depth)) : null;
    case "Tree":
      return "getNodes" in container
        ? container
            .getNodes()
            .map((node) => ({
              id: node.id,
              parent: node.parent()?.id ?? null,
              position: node.fractionalIndex() ?? null,
              data: contentOf(node.data, chosen, depth + 1),
            }))
            .toSorted((left, right) => (left.id < right.id ? -1 : 1))
        : null;
  }
};

const valueOf = (value: unknown, chosen: Chosen, depth: number): unknown =>
  isContainer(value) ? { kind: value.kind(), content: contentOf(value, chosen, depth + 1) } : sayable(value, depth);

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
