/**
 * The sealed payload of an entry.
 *
 * ```
 * payload   = nonce(12) AES-256-GCM(plaintext, additional data = the header's bytes) tag(16)
 * plaintext = compression(1) content          0: as it is; 1: raw DEFLATE
 * ```
 *
 * The header is the additional data, so no field of it can be changed or swapped without breaking the seal.
 */
import { concatBytes, type EntryHeader } from "@cairn/protocol";
import { NONCE_BYTES, openWithNonce, sealWithNonce, TAG_BYTES } from "./authenticated-encryption.ts";
import { cryptography } from "./cryptography.ts";
import type { Keyring } from "./epoch-keys.ts";
import { ContentTooLarge, SealBroken } from "./errors.ts";
import type { RandomSource } from "./random.ts";

/** How content becomes a payload and back. The one that ships is `makeSealing`. */
export interface Sealing {
  /** Rejects with `EpochKeyMissing` or `ContentTooLarge`. */
  readonly seal: (header: EntryHeader, headerBytes: Uint8Array, content: Uint8Array) => Promise<Uint8Array>;
  /** Rejects with `EpochKeyMissing` or `SealBroken`. */
  readonly open: (header: EntryHeader, headerBytes: Uint8Array, payload: Uint8Array) => Promise<Uint8Array>;
}

/** The largest content of one entry, decompressed: what one small entry can make a reader hold in memory. */
export const CONTENT_BYTES_MAX = 32 * 1024 * 1024;
/** Content below this size is not compressed. */
export const COMPRESSION_THRESHOLD = 4 * 1024;
/** What a payload has more than its content where that is not compressed. */
export const SEAL_OVERHEAD = NONCE_BYTES + TAG_BYTES + 1;

const PLAIN = Uint8Array.of(0);
const DEFLATED = Uint8Array.of(1);

const toPlaintext = async (content: Uint8Array): Promise<Uint8Array> => {
  if (content.length > CONTENT_BYTES_MAX)
    throw new ContentTooLarge({
      code: "content-too-large",
      size: content.length,
      limit: CONTENT_BYTES_MAX,
    });
  const compressed = content.length < COMPRESSION_THRESHOLD ? undefined : await cryptography().compress(content);
  return compressed === undefined ? concatBytes(PLAIN, content) : concatBytes(DEFLATED, compressed);
};

const fromPlaintext = async (plaintext: Uint8Array): Promise<Uint8Array> => {
  const [compression] = plaintext;
  const body = plaintext.subarray(1);
  if (compression === PLAIN[0]) return body;
  if (compression !== DEFLATED[0])
    throw new SealBroken({ code: "seal-form", reason: "the content is packed in an unknown way" });
  const content = await cryptography()
    .decompress(body, CONTENT_BYTES_MAX)
    .catch(() => {
      throw new SealBroken({ code: "seal-form", reason: "the content does not decompress" });
    });
  if (content !== undefined) return content;
  throw new SealBroken({
    code: "content-too-large",
    reason: `the content is larger than ${CONTENT_BYTES_MAX} bytes`,
  });
};

/** Seals and opens with the keys of a keyring. */
export const makeSealing = (keyring: Keyring, random: RandomSource): Sealing => ({
  seal: async (header, headerBytes, content) => {
    const key = await keyring.entryKey(header.epoch, header.document, header.device);
    return sealWithNonce(key, await toPlaintext(content), headerBytes, random);
  },
  open: async (header, headerBytes, payload) => {
    const key = await keyring.entryKey(header.epoch, header.document, header.device);
    return fromPlaintext(await openWithNonce(key, payload, headerBytes));
  },
});
