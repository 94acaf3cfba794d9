/** Ed25519 (RFC 8032). */
import type { PublicKey } from "@cairn/protocol";
import { cryptography } from "./cryptography.ts";
import { KeyInvalid, SignatureInvalid } from "./errors.ts";
import { SECRET_BYTES } from "./key-derivation.ts";

/** A key pair that signs. Storable in IndexedDB; the private key cannot be exported. */
export interface SigningKeys {
  readonly publicKey: PublicKey;
  readonly privateKey: CryptoKey;
}

/** The pair of a 32-byte seed. Throws `KeyInvalid` for another length. */
export const signingKeysFromSeed = async (seed: Uint8Array): Promise<SigningKeys> => {
  if (seed.length !== SECRET_BYTES)
    throw new KeyInvalid({ code: "key-length", reason: `a signing seed has ${SECRET_BYTES} bytes` });
  return cryptography().signingKeys(seed);
};

/** The 64-byte signature over `bytes`. */
export const sign = (keys: SigningKeys, bytes: Uint8Array): Promise<Uint8Array<ArrayBuffer>> =>
  cryptography().sign(keys, bytes);

/** Whether `signature` is `publicKey`'s over `bytes`. False, never an error, for keys and signatures that are none. */
export const isSignedBy = (publicKey: PublicKey, signature: Uint8Array, bytes: Uint8Array): Promise<boolean> =>
  cryptography().isSignedBy(publicKey, signature, bytes);

/** Throws `SignatureInvalid` unless `signature` is `publicKey`'s over `bytes`. */
export const verify = async (publicKey: PublicKey, signature: Uint8Array, bytes: Uint8Array): Promise<void> => {
  if (!(await isSignedBy(publicKey, signature, bytes))) throw new SignatureInvalid({ code: "signature-invalid" });
};

/**
 * Whether a public key is a canonical point of the prime-order group. Implementations agree on signatures of such keys
 * only; chains admit no others.
 */
export const isSoundSigningKey = (publicKey: PublicKey): boolean => cryptography().isSoundSigningKey(publicKey);
