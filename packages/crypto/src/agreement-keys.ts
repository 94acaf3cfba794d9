/**
 * X25519 (RFC 7748) and HPKE in base mode (RFC 9180) over DHKEM(X25519, HKDF-SHA256), HKDF-SHA256 and AES-256-GCM.
 * Secrets are sealed to a member's agreement key with it.
 */
import { Aes256Gcm, CipherSuite, DhkemX25519HkdfSha256, HkdfSha256 } from "@hpke/core";
import { x25519 } from "@noble/curves/ed25519.js";
import { concatBytes, idToBytes, type PublicKey, publicKeyFromBytes } from "@cairn/protocol";
import { failAs, KeyInvalid, SealBroken } from "./errors.ts";
import { SECRET_BYTES } from "./key-derivation.ts";
import { owned } from "./owned-bytes.ts";
import type { RandomSource } from "./random.ts";

/** A key pair to which secrets are sealed. Storable in IndexedDB; the private key cannot be exported. */
export interface AgreementKeys {
  readonly publicKey: PublicKey;
  readonly privateKey: CryptoKey;
}

const { subtle } = globalThis.crypto;

/** PrivateKeyInfo (RFC 8410) up to the 32 bytes of the private key. */
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
  0x6e,
  0x04,
  0x22,
  0x04,
  0x20,
);
const ENCAPSULATED_BYTES = 32;
const TAG_BYTES = 16;

const suite = new CipherSuite({
  kem: new DhkemX25519HkdfSha256(),
  kdf: new HkdfSha256(),
  aead: new Aes256Gcm(),
});

/** The pair of a 32-byte private key. Throws `KeyInvalid` for another length. */
export const agreementKeysFromSeed = async (seed: Uint8Array): Promise<AgreementKeys> => {
  if (seed.length !== SECRET_BYTES)
    throw new KeyInvalid({ code: "key-length", reason: `an agreement key has ${SECRET_BYTES} bytes` });
  const pkcs8 = concatBytes(PKCS8_PREFIX, seed);
  const privateKey = await subtle.importKey("pkcs8", pkcs8, { name: "X25519" }, false, ["deriveBits"]);
  pkcs8.fill(0);
  return { publicKey: publicKeyFromBytes(x25519.getPublicKey(seed)), privateKey };
};

const importPublic = (publicKey: PublicKey): Promise<CryptoKey> =>
  subtle.importKey("raw", owned(idToBytes(publicKey)), { name: "X25519" }, true, []);

/** Any private key does: a key of low order gives zeros with each. */
const PROBE = new Uint8Array(SECRET_BYTES).fill(1);

/** Whether a public key can agree on anything: keys of low order give zeros with everyone, and nothing seals to them. */
export const isSoundAgreementKey = (publicKey: PublicKey): boolean => {
  try {
    x25519.getSharedSecret(PROBE, idToBytes(publicKey));
    return true;
  } catch {
    return false;
  }
};

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
    async () => {
      const recipientPublicKey = await importPublic(recipient);
      const { enc, ct } = await suite.seal({ recipientPublicKey, info: owned(info), ekm }, owned(secret));
      return concatBytes(new Uint8Array(enc), new Uint8Array(ct));
    },
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
    async () => {
      if (sealed.length < ENCAPSULATED_BYTES + TAG_BYTES) throw new RangeError("too short");
      const opened = await suite.open(
        {
          recipientKey: {
            privateKey: recipient.privateKey,
            publicKey: await importPublic(recipient.publicKey),
          },
          enc: owned(sealed.slice(0, ENCAPSULATED_BYTES)),
          info: owned(info),
        },
        owned(sealed.slice(ENCAPSULATED_BYTES)),
      );
      return new Uint8Array(opened);
    },
    () =>
      new SealBroken({
        code: "seal-broken",
        reason: "The sealed key does not open with this device's key.",
      }),
  );
