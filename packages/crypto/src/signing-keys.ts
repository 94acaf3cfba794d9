/**
 * Ed25519 (RFC 8032). Private keys live as `CryptoKey`s that cannot be exported; IndexedDB stores a `SigningKeys` record
 * as it is, by structured clone. WebCrypto cannot turn a seed into its public key, so that one step is noble's.
 */
import { ed25519 } from "@noble/curves/ed25519.js";
import { concatBytes, idToBytes, type PublicKey, publicKeyFromBytes } from "@cairn/protocol";
import { BoundedCache } from "./bounded-cache.ts";
import { KeyInvalid, SignatureInvalid } from "./errors.ts";
import { SECRET_BYTES } from "./key-derivation.ts";
import { owned } from "./owned-bytes.ts";

/** A key pair that signs. */
export interface SigningKeys {
  readonly publicKey: PublicKey;
  readonly privateKey: CryptoKey;
}

const { subtle } = globalThis.crypto;

/** PrivateKeyInfo (RFC 8410) up to the 32 bytes of the seed. */
const PKCS8_PREFIX = Uint8Array.of(
  0x30,
  0x2e,
  0x02,
  0x01,
  0x00,
  0x30,
  0x05,
  0x06,
  0x03,
  0x2b,
  0x65,
  0x70,
  0x04,
  0x22,
  0x04,
  0x20,
);
const VERIFY_KEYS = 256;

/** The pair of a 32-byte seed. Throws `KeyInvalid` for another length. */
export const signingKeysFromSeed = async (seed: Uint8Array): Promise<SigningKeys> => {
  if (seed.length !== SECRET_BYTES)
    throw new KeyInvalid({ code: "key-length", reason: `a signing seed has ${SECRET_BYTES} bytes` });
  const pkcs8 = concatBytes(PKCS8_PREFIX, seed);
  const privateKey = await subtle.importKey("pkcs8", pkcs8, { name: "Ed25519" }, false, ["sign"]);
  pkcs8.fill(0);
  return { publicKey: publicKeyFromBytes(ed25519.getPublicKey(seed)), privateKey };
};

/** The 64-byte signature over `bytes`. */
export const sign = async (keys: SigningKeys, bytes: Uint8Array): Promise<Uint8Array<ArrayBuffer>> =>
  new Uint8Array(await subtle.sign({ name: "Ed25519" }, keys.privateKey, owned(bytes)));

const verifyKeys = new BoundedCache<PublicKey, Promise<CryptoKey>>(VERIFY_KEYS);

/** Whether `signature` is `publicKey`'s over `bytes`. False, never an error, for keys and signatures that are none. */
export const isSignedBy = async (publicKey: PublicKey, signature: Uint8Array, bytes: Uint8Array): Promise<boolean> => {
  try {
    const key = await verifyKeys.getOrMake(publicKey, () =>
      subtle.importKey("raw", owned(idToBytes(publicKey)), { name: "Ed25519" }, false, ["verify"]),
    );
    return await subtle.verify({ name: "Ed25519" }, key, owned(signature), owned(bytes));
  } catch {
    verifyKeys.delete(publicKey);
    return false;
  }
};

/** Throws `SignatureInvalid` unless `signature` is `publicKey`'s over `bytes`. */
export const verify = async (publicKey: PublicKey, signature: Uint8Array, bytes: Uint8Array): Promise<void> => {
  if (!(await isSignedBy(publicKey, signature, bytes))) throw new SignatureInvalid({ code: "signature-invalid" });
};

/**
 * Whether a public key is a canonical point of the prime-order group. Implementations agree on signatures of such keys
 * only; chains admit no others.
 */
export const isSoundSigningKey = (publicKey: PublicKey): boolean => {
  try {
    const point = ed25519.Point.fromBytes(idToBytes(publicKey), false);
    return !point.isSmallOrder() && point.isTorsionFree();
  } catch {
    return false;
  }
};
