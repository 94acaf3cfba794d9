/** Digests of documents in backups: of a state, of a content, and the ids that derive from them. */
import {
  concatBytes,
  type DocumentId,
  documentIdFromBytes,
  type Hash,
  hashFromBytes,
  ID_BYTES,
  idToBytes,
  label,
} from "@cairn/protocol";
import {
  canonicalContentWithNodes,
  canonicalJson,
  isJsonWithin,
  type Json,
  NODE_KEY,
  nodePlaces,
  type NodePlace,
  STATE_ROOT,
  stateDigestInput,
} from "@cairn/schema";
import { sha256 } from "@noble/hashes/sha2.js";
import { type LoroDoc, LoroTree } from "loro-crdt";
import { containersOf, isManifest } from "./attachments-in.ts";

const RESTORED_LABEL = label("restored-document");
/** In the engine's own root map: which states of backups this document was made from. */
export const RESTORED_KEY = "restored";

const digest = async (bytes: Uint8Array<ArrayBuffer>): Promise<Hash> =>
  hashFromBytes(new Uint8Array(await globalThis.crypto.subtle.digest("SHA-256", bytes)));

/** SHA-256 of a document's content and version (rule 18). */
export const stateDigest = (doc: LoroDoc): Promise<Hash> => digest(stateDigestInput(doc));

/**
 * Canonical text of what a document says, whoever said it: without versions, without where its attachments' chunks are
 * stored, and without the marks of restoring.
 */
export const contentText = (doc: LoroDoc): string => {
  const parsed: unknown = JSON.parse(canonicalContentWithNodes(doc));
  const content = isObject(parsed) ? parsed : {};
  const { [STATE_ROOT]: own, ...others } = content;
  const { [RESTORED_KEY]: _, ...said } = isObject(own) && isObject(own["content"]) ? own["content"] : {};
  return canonicalJson(comparable({ others, said }, placesIn(doc)));
};

/** Where each node of each tree stands, and the id that it is read under, which a copy keeps. */
const placesIn = (doc: LoroDoc): ReadonlyMap<string, NodePlace> =>
  new Map(
    [...containersOf(doc)]
      .filter((container) => container instanceof LoroTree)
      .flatMap((tree) => nodePlaces(tree).map((place) => [place.treeId, place])),
  );

/** A node as the digest of a state says it. */
const isNode = (
  value: Readonly<Record<string, unknown>>,
): value is {
  readonly id: string;
  readonly parent: string | null;
  readonly position: unknown;
  readonly data: Readonly<Record<string, unknown>>;
} => typeof value["id"] === "string" && "parent" in value && "position" in value && isObject(value["data"]);

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === "object" && value !== null && !Array.isArray(value);

const comparable = (value: unknown, places: ReadonlyMap<string, NodePlace>): unknown => {
  if (Array.isArray(value)) return value.map((item: unknown) => comparable(item, places));
  if (!isObject(value)) return value;
  if (isManifest(value)) return { ...value, epoch: 0, chunks: value.chunks.map(({ plainHash }) => plainHash) };
  if (value["kind"] === "Tree" && Array.isArray(value["content"])) return comparableTree(value["content"], places);
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, comparable(item, places)]));
};

const comparableTree = (nodes: ReadonlyArray<unknown>, places: ReadonlyMap<string, NodePlace>): unknown =>
  Object.fromEntries(
    nodes.flatMap((node) => {
      if (!isObject(node) || !isNode(node)) return [];
      const place = places.get(node.id);
      const parent = node.parent === null ? null : (places.get(node.parent)?.id ?? node.parent);
      const { [NODE_KEY]: _, ...data } = node.data;
      return [[place?.id ?? node.id, { parent, index: place?.index ?? null, data: comparable(data, places) }]];
    }),
  );

/** The states of backups that a document was made from. */
export const restoredFrom = (doc: LoroDoc): ReadonlyArray<string> => {
  const value: unknown = doc.getMap(STATE_ROOT).get(RESTORED_KEY);
  return isJsonWithin(value, 10_000) && Array.isArray(value)
    ? value.filter((item: Json): item is string => typeof item === "string")
    : [];
};

/** The document in which a state is restored beside one that is here already: the same for every attempt. */
export const besideId = (document: DocumentId, state: Hash): DocumentId =>
  documentIdFromBytes(sha256(concatBytes(RESTORED_LABEL, idToBytes(document), idToBytes(state))).subarray(0, ID_BYTES));
