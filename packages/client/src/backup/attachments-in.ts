/**
 * The attachments that a document refers to, found by the form of their manifests: a backup knows nothing of the app's
 * declared types.
 */
import { Hash } from "@cairn/protocol";
import { AttachmentManifest } from "@cairn/schema";
import { Schema } from "effect";
import { type Container, isContainer, type LoroDoc } from "loro-crdt";
import type { ChunkLocation } from "../engine/EngineApi.ts";

/** A manifest with hashes that are hashes. */
export interface Manifest extends AttachmentManifest {
  readonly chunks: ReadonlyArray<{ readonly sealedHash: Hash; readonly plainHash: Hash }>;
}

const hasForm = Schema.is(AttachmentManifest);
const isHash = Schema.is(Hash);

/** A manifest is one plain value in a map. */
export const isManifest = (value: unknown): value is Manifest =>
  hasForm(value) && value.chunks.every(({ sealedHash, plainHash }) => isHash(sealedHash) && isHash(plainHash));

/** Every container of a document, parents before their children. */
export const containersOf = function* (doc: LoroDoc): Generator<Container> {
  for (const id of Object.values(doc.getShallowValue())) {
    const root = doc.getContainerById(id);
    if (root !== undefined) yield* withChildren(root);
  }
};

const withChildren = function* (container: Container): Generator<Container> {
  yield container;
  const children: ReadonlyArray<unknown> =
    container.kind() === "Tree"
      ? "getNodes" in container
        ? container.getNodes().map(({ data }) => data)
        : []
      : "values" in container
        ? container.values()
        : "toArray" in container
          ? container.toArray()
          : [];
  for (const child of children) if (isContainer(child)) yield* withChildren(child);
};

/** All manifests of a document, in the order of its containers. One that occurs twice is given twice. */
export const manifestsOf = (doc: LoroDoc): ReadonlyArray<Manifest> => {
  const found: Array<Manifest> = [];
  for (const container of containersOf(doc)) {
    if (!("values" in container)) continue;
    for (const value of container.values()) if (!isContainer(value) && isManifest(value)) found.push(value);
  }
  return found;
};

/** Where a manifest's chunks are. */
export const toLocations = (manifest: Manifest): ReadonlyArray<ChunkLocation> =>
  manifest.chunks.map(({ sealedHash, plainHash }, index) => ({
    epoch: manifest.epoch,
    sealedHash,
    plainHash,
    size: Math.min(manifest.chunkSize, manifest.size - index * manifest.chunkSize),
  }));
