/**
 * X25519 (RFC 7748) and HPKE in base mode (RFC 9180) over DHKEM(X25519, HKDF-SHA256), HKDF-SHA256 and AES-256-GCM.
 * Secrets are sealed to a member's agreement key with it.
 */
import type { PublicKey } from "@cairn/protocol";
import { cryptography } from "./cryptography.ts";
import { failAs, KeyInvalid, SealBroken } from "./errors.ts";
import { SECRET_BYTES } from "./key-derivation.ts";
import { owned } from "./owned-bytes.ts";
import type { RandomSource } from "./random.ts";

/** A key pair to which secrets are sealed. Storable in IndexedDB; the private key cannot be exported. */
export interface AgreementKeys {
  readonly publicKey: PublicKey;
  readonly privateKey: CryptoKey;
}

/** The pair of a 32-byte private key. Throws `KeyInvalid` for another length. */
export const agreementKeysFromSeed = async (seed: Uint8Array): Promise<AgreementKeys> => {
  if (seed.length !== SECRET_BYTES)
    throw new KeyInvalid({ code: "key-length", reason: `an agreement key has ${SECRET_BYTES} bytes` });
  return cryptography().agreementKeys(seed);
};

/** Whether a public key can agree on anything: keys of low order give zeros with everyone, and nothing seals to them. */
export const isSoundAgreementKey = (publicKey: PublicKey): boolean => cryptography().isSoundAgreementKey(publicKey);

/**
 * `encapsulated-key(32) ciphertext tag(16)`. `info` says for what and for whom, and has to be the same at opening.
 * Throws `KeyInvalid` (`key-unsafe`) for a recipient's key of low order.
 */
export const sealToKey = (
  recipient: PublicKey,
  secret: Uint8Array,
  info: Uint8Array,
  random: RandomSource,
): Promise<Uint8Array<ArrayBuffer>> => {
  // GenerateKeyPair is DeriveKeyPair over fresh random bytes (RFC 9180, 4): so the bytes can be the caller's. They are
  // drawn before anything is awaited: a seeded source gives the same seals in every run.
  const ekm = owned(random(SECRET_BYTES));
  return failAs(
    () => cryptography().sealToKey(recipient, secret, info, ekm),
    () => new KeyInvalid({ code: "key-unsafe", reason: "nothing can be sealed to this key" }),
  );
};

/** Opens what `sealToKey` sealed. Throws `SealBroken`. */
export const openFromKey = (
  recipient: AgreementKeys,
  sealed: Uint8Array,
  info: Uint8Array,
): Promise<Uint8Array<ArrayBuffer>> =>
  failAs(
    () => cryptography().openFromKey(recipient, sealed, info),
    () =>
      new SealBroken({
        code: "seal-broken",
        reason: "The sealed key does not open with this device's key.",
      }),
  );
