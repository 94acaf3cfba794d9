/**
 * WebCrypto. Private keys live as `CryptoKey`s that cannot be exported; IndexedDB stores key pairs as they are, by
 * structured clone. WebCrypto cannot turn a seed into its public key, so that one step is noble's.
 */
import { Aes256Gcm, CipherSuite, DhkemX25519HkdfSha256, HkdfSha256 } from "@hpke/core";
import { ed25519, x25519 } from "@noble/curves/ed25519.js";
import { concatBytes, idToBytes, type PublicKey, publicKeyFromBytes } from "@cairn/protocol";
import { BoundedCache } from "./bounded-cache.ts";
import { compress, decompress } from "./compression.ts";
import type { Cryptography } from "./cryptography.ts";
import { owned } from "./owned-bytes.ts";

const { subtle } = globalThis.crypto;

/** PrivateKeyInfo (RFC 8410) up to the 32 bytes of the seed. */
const ED25519_PKCS8 = Uint8Array.of(
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

/** PrivateKeyInfo (RFC 8410) up to the 32 bytes of the private key. */
const X25519_PKCS8 = Uint8Array.of(
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

const SECRET_BYTES = 32;
const ENCAPSULATED_BYTES = 32;
const TAG_BYTES = 16;
const VERIFY_KEYS = 256;

const verifyKeys = new BoundedCache<PublicKey, Promise<CryptoKey>>(VERIFY_KEYS);

const suite = new CipherSuite({
  kem: new DhkemX25519HkdfSha256(),
  kdf: new HkdfSha256(),
  aead: new Aes256Gcm(),
});

const importAgreementKey = (publicKey: PublicKey): Promise<CryptoKey> =>
  subtle.importKey("raw", owned(idToBytes(publicKey)), { name: "X25519" }, true, []);

/** Any private key does: a key of low order gives zeros with each. */
const PROBE = new Uint8Array(SECRET_BYTES).fill(1);

const hkdf = (salt: Uint8Array, info: Uint8Array) => ({
  name: "HKDF",
  hash: "SHA-256",
  salt: owned(salt),
  info: owned(info),
});

const aesGcm = (nonce: Uint8Array, additionalData: Uint8Array) => ({
  name: "AES-GCM",
  iv: owned(nonce),
  additionalData: owned(additionalData),
});

export const webCryptography: Cryptography = {
  signingKeys: async (seed) => {
    const pkcs8 = concatBytes(ED25519_PKCS8, seed);
    const privateKey = await subtle.importKey("pkcs8", pkcs8, { name: "Ed25519" }, false, ["sign"]);
    pkcs8.fill(0);
    return { publicKey: publicKeyFromBytes(ed25519.getPublicKey(seed)), privateKey };
  },
  sign: async (keys, bytes) => new Uint8Array(await subtle.sign({ name: "Ed25519" }, keys.privateKey, owned(bytes))),
  isSignedBy: async (publicKey, signature, bytes) => {
    try {
      const key = await verifyKeys.getOrMake(publicKey, () =>
        subtle.importKey("raw", owned(idToBytes(publicKey)), { name: "Ed25519" }, false, ["verify"]),
      );
      return await subtle.verify({ name: "Ed25519" }, key, owned(signature), owned(bytes));
    } catch {
      verifyKeys.delete(publicKey);
      return false;
    }
  },
  isSoundSigningKey: (publicKey) => {
    try {
      const point = ed25519.Point.fromBytes(idToBytes(publicKey), false);
      return !point.isSmallOrder() && point.isTorsionFree();
    } catch {
      return false;
    }
  },

  agreementKeys: async (seed) => {
    const pkcs8 = concatBytes(X25519_PKCS8, seed);
    const privateKey = await subtle.importKey("pkcs8", pkcs8, { name: "X25519" }, false, ["deriveBits"]);
    pkcs8.fill(0);
    return { publicKey: publicKeyFromBytes(x25519.getPublicKey(seed)), privateKey };
  },
  isSoundAgreementKey: (publicKey) => {
    try {
      x25519.getSharedSecret(PROBE, idToBytes(publicKey));
      return true;
    } catch {
      return false;
    }
  },
  sealToKey: async (recipient, secret, info, ekm) => {
    const recipientPublicKey = await importAgreementKey(recipient);
    const { enc, ct } = await suite.seal({ recipientPublicKey, info: owned(info), ekm: owned(ekm) }, owned(secret));
    return concatBytes(new Uint8Array(enc), new Uint8Array(ct));
  },
  openFromKey: async (recipient, sealed, info) => {
    if (sealed.length < ENCAPSULATED_BYTES + TAG_BYTES) throw new RangeError("too short");
    const opened = await suite.open(
      {
        recipientKey: {
          privateKey: recipient.privateKey,
          publicKey: await importAgreementKey(recipient.publicKey),
        },
        enc: owned(sealed.slice(0, ENCAPSULATED_BYTES)),
        info: owned(info),
      },
      owned(sealed.slice(ENCAPSULATED_BYTES)),
    );
    return new Uint8Array(opened);
  },

  importSecret: async (secret) => subtle.importKey("raw", owned(secret), "HKDF", false, ["deriveBits", "deriveKey"]),
  deriveBytes: async (secret, salt, info, length) =>
    new Uint8Array(await subtle.deriveBits(hkdf(salt, info), secret, length * 8)),
  deriveSealKey: (secret, salt, info) =>
    subtle.deriveKey(hkdf(salt, info), secret, { name: "AES-GCM", length: 256 }, false, ["encrypt", "decrypt"]),

  encrypt: async (key, nonce, plaintext, additionalData) =>
    new Uint8Array(await subtle.encrypt(aesGcm(nonce, additionalData), key, owned(plaintext))),
  decrypt: async (key, nonce, ciphertext, additionalData) =>
    new Uint8Array(await subtle.decrypt(aesGcm(nonce, additionalData), key, owned(ciphertext))),

  compress,
  decompress,
};
