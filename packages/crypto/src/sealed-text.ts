/**
 * Short texts inside the membership chain that only members can read: names of devices and labels of links.
 *
 * ```
 * sealed text = epoch(varint) nonce(12) ciphertext tag(16)
 * additional data = label(use) id(16)
 * ```
 */
import { ByteReader, ByteWriter, type DeviceId, idToBytes, label, type LinkId, MalformedBytes } from "@cairn/protocol";
import { openWithNonce, sealWithNonce } from "./authenticated-encryption.ts";
import type { Keyring } from "./epoch-keys.ts";
import { ContentTooLarge, SealBroken } from "./errors.ts";
import type { RandomSource } from "./random.ts";

/** What the text belongs to: it opens nowhere else. */
export type SealedTextUse =
  | { readonly use: "device-name"; readonly id: DeviceId }
  | { readonly use: "link-label"; readonly id: LinkId };

/** Bytes of UTF-8 in one sealed text. */
export const SEALED_TEXT_BYTES = 1024;

const context = (place: SealedTextUse): Uint8Array =>
  new ByteWriter(48).raw(label(place.use)).raw(idToBytes(place.id)).finish();

/** Seals a text under the keyring's newest epoch. Rejects with `ContentTooLarge` or `EpochKeyMissing`. */
export const sealText = async (
  keyring: Keyring,
  place: SealedTextUse,
  text: string,
  random: RandomSource,
): Promise<Uint8Array> => {
  const bytes = new TextEncoder().encode(text);
  if (bytes.length > SEALED_TEXT_BYTES)
    throw new ContentTooLarge({ code: "content-too-large", size: bytes.length, limit: SEALED_TEXT_BYTES });
  const epoch = keyring.newest;
  const key = await keyring.textKey(epoch);
  return new ByteWriter(bytes.length + 40)
    .varint(epoch)
    .raw(await sealWithNonce(key, bytes, context(place), random))
    .finish();
};

/** Opens a sealed text. Rejects with `SealBroken` or `EpochKeyMissing`. */
export const openText = async (keyring: Keyring, place: SealedTextUse, sealed: Uint8Array): Promise<string> => {
  const { epoch, rest } = readEpoch(sealed);
  const bytes = await openWithNonce(await keyring.textKey(epoch), rest, context(place));
  return new TextDecoder("utf-8", { ignoreBOM: true }).decode(bytes);
};

const readEpoch = (sealed: Uint8Array): { readonly epoch: number; readonly rest: Uint8Array } => {
  try {
    const reader = new ByteReader(sealed);
    return { epoch: reader.varint(), rest: reader.raw(reader.remaining) };
  } catch (error) {
    if (error instanceof MalformedBytes) throw new SealBroken({ code: "seal-form", reason: "not a sealed text" });
    throw error;
  }
};
