/** Signing entries, and the way from content to an entry and back. */
import {
  assembleEntry,
  encodeHeader,
  type Entry,
  type EntryHeader,
  entrySigningBytes,
  type PublicKey,
} from "@cairn/protocol";
import type { Sealing } from "./sealed-payload.ts";
import { isSignedBy, sign, type SigningKeys, verify } from "./signing-keys.ts";

/** Signs a header and its payload: an entry whose payload is not sealed (membership, void, purge). */
export const signEntry = async (header: EntryHeader, payload: Uint8Array, author: SigningKeys): Promise<Entry> =>
  assembleEntry(header, payload, await sign(author, entrySigningBytes(encodeHeader(header), payload)));

/** Whether the entry is signed by this key. */
export const isEntrySignedBy = (entry: Entry, author: PublicKey): Promise<boolean> =>
  isSignedBy(author, entry.signature, entrySigningBytes(entry.headerBytes, entry.payload));

/** Rejects with `SignatureInvalid` unless the entry is signed by this key. */
export const verifyEntry = (entry: Entry, author: PublicKey): Promise<void> =>
  verify(author, entry.signature, entrySigningBytes(entry.headerBytes, entry.payload));

/**
 * Seals content and signs the entry. Rejects with `EpochKeyMissing` or `ContentTooLarge`; throws `RangeError` where the
 * entry would be larger than `LIMITS.entryBytes`.
 */
export const sealEntry = async (input: {
  readonly header: EntryHeader;
  readonly content: Uint8Array;
  readonly sealing: Sealing;
  readonly author: SigningKeys;
}): Promise<Entry> => {
  const headerBytes = encodeHeader(input.header);
  const payload = await input.sealing.seal(input.header, headerBytes, input.content);
  return signEntry(input.header, payload, input.author);
};

/**
 * Verifies the author's signature and opens the content. Rejects with `SignatureInvalid`, `EpochKeyMissing` or
 * `SealBroken`. Whether the author may write such an entry is the membership chain's matter (`authorityOf`).
 */
export const openEntry = async (entry: Entry, sealing: Sealing, author: PublicKey): Promise<Uint8Array> => {
  await verifyEntry(entry, author);
  return sealing.open(entry.header, entry.headerBytes, entry.payload);
};
