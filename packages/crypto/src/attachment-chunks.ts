/**
 * Attachment chunks (rule 25): sealed deterministically under a key from the epoch's chunk secret and the hash of the
 * plain chunk, so that equal content is stored once per epoch and a resumed upload matches what is there already.
 *
 * ```
 * sealed chunk = version(1) AES-256-GCM(chunk, additional data = label workspace(16) epoch(8)) tag(16)
 * ```
 *
 * The key belongs to one content only, so the nonce is zeros. Whoever does not have the epoch's key cannot test what a
 * chunk contains; the server sees that two chunks of one epoch are equal, and how long they are.
 */
import { concatBytes, type Hash, hashFromBytes, idToBytes, label, ByteWriter } from "@cairn/protocol";
import { decrypt, encrypt, NONCE_BYTES, TAG_BYTES } from "./authenticated-encryption.ts";
import type { Keyring } from "./epoch-keys.ts";
import { ContentTooLarge, SealBroken } from "./errors.ts";
import { owned } from "./owned-bytes.ts";

/** Plain bytes of one chunk; only an attachment's last chunk has fewer. */
export const CHUNK_CONTENT_BYTES = 1024 * 1024;
/** What a sealed chunk has more than its content. */
export const CHUNK_OVERHEAD = 1 + TAG_BYTES;

/** What a document keeps of a chunk, to find and open it. */
export interface ChunkReference {
  readonly epoch: number;
  /** SHA-256 of the plain chunk. */
  readonly plainHash: Hash;
  /** SHA-256 of the sealed chunk: its address, and what the entry's `refs` name. */
  readonly sealedHash: Hash;
  /** Plain bytes. */
  readonly size: number;
}

const VERSION = 1;
const CHUNK_LABEL = label("chunk");
const ZERO_NONCE = new Uint8Array(NONCE_BYTES);

const digest = async (bytes: Uint8Array): Promise<Uint8Array> =>
  new Uint8Array(await globalThis.crypto.subtle.digest("SHA-256", owned(bytes)));

const contextOf = (keyring: Keyring, epoch: number): Uint8Array =>
  new ByteWriter(64).raw(CHUNK_LABEL).raw(idToBytes(keyring.workspace)).u64(epoch).finish();

/** Seals a chunk under an epoch. Rejects with `ContentTooLarge` above `CHUNK_CONTENT_BYTES`, or `EpochKeyMissing`. */
export const sealChunk = async (
  keyring: Keyring,
  epoch: number,
  content: Uint8Array,
): Promise<{ readonly reference: ChunkReference; readonly sealed: Uint8Array }> => {
  if (content.length > CHUNK_CONTENT_BYTES)
    throw new ContentTooLarge({
      code: "content-too-large",
      size: content.length,
      limit: CHUNK_CONTENT_BYTES,
    });
  const plainHash = await digest(content);
  const key = await keyring.chunkKey(epoch, plainHash);
  const sealed = concatBytes(
    Uint8Array.of(VERSION),
    await encrypt(key, ZERO_NONCE, content, contextOf(keyring, epoch)),
  );
  const reference = {
    epoch,
    plainHash: hashFromBytes(plainHash),
    sealedHash: hashFromBytes(await digest(sealed)),
    size: content.length,
  };
  return { reference, sealed };
};

/**
 * Opens a chunk and verifies that it is the one that the reference names. Rejects with `SealBroken` or
 * `EpochKeyMissing`.
 */
export const openChunk = async (
  keyring: Keyring,
  reference: ChunkReference,
  sealed: Uint8Array,
): Promise<Uint8Array> => {
  if (sealed[0] !== VERSION) throw new SealBroken({ code: "seal-form", reason: "the chunk has an unknown form" });
  const plainHash = idToBytes(reference.plainHash);
  const key = await keyring.chunkKey(reference.epoch, plainHash);
  const content = await decrypt(key, ZERO_NONCE, sealed.subarray(1), contextOf(keyring, reference.epoch));
  // A member who knows the key can seal anything under it: only the hash makes the content the one that was meant.
  if (content.length !== reference.size || hashFromBytes(await digest(content)) !== reference.plainHash)
    throw new SealBroken({ code: "seal-broken", reason: "the chunk is not the one that was referred to" });
  return content;
};
