/**
 * HKDF-SHA256 (RFC 5869) with a label for each use. One secret never serves two purposes: the label is the first part of
 * `info` and ends with a zero byte, so that no label begins another.
 */
import { concatBytes, label } from "@cairn/protocol";
import { cryptography } from "./cryptography.ts";
import { KeyInvalid } from "./errors.ts";

/** Length of every secret and every derived key. */
export const SECRET_BYTES = 32;

/** Every label that goes into HKDF. `docs/protocol.md` lists them; a change is a change of the protocol. */
export const KDF_LABELS = {
  /** Person's seed to the root secret of the home workspace. */
  homeRoot: label("home-root"),
  /** Root secret to the seed of the root's Ed25519 pair. */
  rootSigning: label("root-signing"),
  /** Root secret to the private key of the recovery X25519 pair. */
  rootRecovery: label("root-recovery"),
  /** Link secret to the seed of the link's Ed25519 pair. */
  linkSigning: label("link-signing"),
  /** Link secret to the private key of the link's X25519 pair. */
  linkAgreement: label("link-agreement"),
  /** Link secret to the AES key that seals the workspace's name for those who have not joined. */
  linkName: label("link-name"),
  /** Epoch key to the AES key of one device's entries on one document. */
  entryKey: label("entry-key"),
  /** Epoch key to the AES key of names and labels. */
  textKey: label("text-key"),
  /** Epoch key to the AES key that seals the previous epoch's key. */
  previousEpoch: label("previous-epoch"),
  /** Epoch key to the secret from which chunk keys come. */
  chunkSecret: label("chunk-secret"),
  /** Chunk secret to the AES key of one chunk. */
  chunkKey: label("chunk-key"),
  /** First epoch's key to ids of documents of which a workspace has one. */
  singletonDocument: label("singleton-document"),
} as const;

/** A secret as an HKDF key that cannot be exported. Throws `KeyInvalid` unless it has 32 bytes. */
export const importSecret = async (secret: Uint8Array): Promise<CryptoKey> => {
  if (secret.length !== SECRET_BYTES)
    throw new KeyInvalid({ code: "key-length", reason: `a secret has ${SECRET_BYTES} bytes` });
  return cryptography().importSecret(secret);
};

/** `length` bytes from a secret. `info` begins with a label. */
export const deriveBytes = (
  secret: CryptoKey,
  salt: Uint8Array,
  info: ReadonlyArray<Uint8Array>,
  length: number = SECRET_BYTES,
): Promise<Uint8Array<ArrayBuffer>> => cryptography().deriveBytes(secret, salt, concatBytes(...info), length);

/** An AES-256-GCM key from a secret; it cannot be exported. `info` begins with a label. */
export const deriveSealKey = (
  secret: CryptoKey,
  salt: Uint8Array,
  info: ReadonlyArray<Uint8Array>,
): Promise<CryptoKey> => cryptography().deriveSealKey(secret, salt, concatBytes(...info));
