/** AES-256-GCM (NIST SP 800-38D) with a 96-bit nonce and a 128-bit tag. */
import { concatBytes } from "@cairn/protocol";
import { cryptography } from "./cryptography.ts";
import { failAs, SealBroken } from "./errors.ts";
import type { RandomSource } from "./random.ts";

export const NONCE_BYTES = 12;
export const TAG_BYTES = 16;

const broken = (): SealBroken =>
  new SealBroken({
    code: "seal-broken",
    reason: "The seal does not open: another key, another place, or changed bytes.",
  });

/** Ciphertext and tag under a nonce that the caller never uses twice with this key. */
export const encrypt = (
  key: CryptoKey,
  nonce: Uint8Array,
  plaintext: Uint8Array,
  additionalData: Uint8Array,
): Promise<Uint8Array<ArrayBuffer>> => cryptography().encrypt(key, nonce, plaintext, additionalData);

/** The plaintext. Throws `SealBroken` where key, nonce, additional data or ciphertext are not those of the seal. */
export const decrypt = (
  key: CryptoKey,
  nonce: Uint8Array,
  ciphertext: Uint8Array,
  additionalData: Uint8Array,
): Promise<Uint8Array<ArrayBuffer>> =>
  failAs(() => cryptography().decrypt(key, nonce, ciphertext, additionalData), broken);

/** `nonce(12) ciphertext tag(16)` under a random nonce. */
export const sealWithNonce = async (
  key: CryptoKey,
  plaintext: Uint8Array,
  additionalData: Uint8Array,
  random: RandomSource,
): Promise<Uint8Array<ArrayBuffer>> => {
  const nonce = random(NONCE_BYTES);
  return concatBytes(nonce, await encrypt(key, nonce, plaintext, additionalData));
};

/** Opens what `sealWithNonce` sealed. Throws `SealBroken`. */
export const openWithNonce = async (
  key: CryptoKey,
  sealed: Uint8Array,
  additionalData: Uint8Array,
): Promise<Uint8Array<ArrayBuffer>> => {
  if (sealed.length < NONCE_BYTES + TAG_BYTES) throw broken();
  return decrypt(key, sealed.subarray(0, NONCE_BYTES), sealed.subarray(NONCE_BYTES), additionalData);
};
