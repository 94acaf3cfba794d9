/**
 * Cryptography that protects nothing, quick and the same in every run: signatures are hashes under the signer's secret and
 * verify under its public key alone, seals open only with their key and only in their place. Keys are found by their public
 * halves, so that nobody forges by accident what nobody could forge in earnest.
 */
import { type PublicKey, publicKeyFromBytes } from "@cairn/protocol";
import type { Cryptography } from "@cairn/crypto/cryptography";

const LANES = [0x9e3779b1, 0x85ebca77, 0xc2b2ae3d, 0x27d4eb2f] as const;

/** A hash of 32 bytes over parts and their lengths. */
const digest = (...parts: ReadonlyArray<Uint8Array>): Uint8Array<ArrayBuffer> => {
  let [a, b, c, d]: [number, number, number, number] = [...LANES];
  for (const part of parts) {
    const { length } = part;
    a = Math.imul(a ^ length, LANES[1]);
    for (let at = 0; at < length; at += 1) {
      const byte = part[at] ?? 0;
      a = Math.imul(a ^ byte, LANES[0]);
      b = (Math.imul(b ^ a, LANES[2]) + at) | 0;
    }
    c = Math.imul(c ^ (a >>> 13) ^ b, LANES[3]);
    d = Math.imul(d ^ (b >>> 11) ^ c, LANES[1]);
  }
  const result = new Uint8Array(32);
  const view = new DataView(result.buffer);
  for (let word = 0; word < 8; word += 1) {
    a = Math.imul(a ^ (d >>> 15), LANES[1]);
    b = Math.imul(b ^ (a >>> 13), LANES[2]);
    c = Math.imul(c ^ (b >>> 16), LANES[3]);
    d = Math.imul(d ^ (c >>> 14) ^ word, LANES[0]);
    view.setUint32(word * 4, a ^ b ^ c ^ d);
  }
  return result;
};

const text = (label: string): Uint8Array => new TextEncoder().encode(label);
const SIGNING = text("signing");
const AGREEMENT = text("agreement");
const SIGNATURE = text("signature");
const SEAL = text("seal");
const TAG = text("tag");
const DERIVE = text("derive");

/** The bytes behind a handle: nothing outside of this module looks into one. */
const materials = new WeakMap<object, Uint8Array>();

const handle = (material: Uint8Array): CryptoKey => {
  const key = {};
  materials.set(key, material);
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- a handle is opaque to everybody but this adapter
  return key as CryptoKey;
};

const materialOf = (key: CryptoKey): Uint8Array => {
  const material = materials.get(key);
  if (material === undefined) throw new TypeError("not a key of this adapter");
  return material;
};

/** `bytes` under a pad: applied twice, it is gone. */
const padded = (pad: Uint8Array, bytes: Uint8Array): Uint8Array<ArrayBuffer> => {
  const result = new Uint8Array(bytes.length);
  for (let at = 0; at < bytes.length; at += 1) result[at] = (bytes[at] ?? 0) ^ (pad[at & 31] ?? 0) ^ (at >> 5);
  return result;
};

const joined = (...parts: ReadonlyArray<Uint8Array>): Uint8Array<ArrayBuffer> => {
  const result = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    result.set(part, at);
    at += part.length;
  }
  return result;
};

const equal = (left: Uint8Array, right: Uint8Array): boolean =>
  left.length === right.length && left.every((byte, at) => byte === right[at]);

const TAG_BYTES = 16;
const SIGNATURE_BYTES = 64;

const seal = (key: Uint8Array, nonce: Uint8Array, plaintext: Uint8Array, place: Uint8Array) => {
  const body = padded(digest(SEAL, key, nonce), plaintext);
  return joined(body, digest(TAG, key, nonce, place, body).subarray(0, TAG_BYTES));
};

const open = (key: Uint8Array, nonce: Uint8Array, sealed: Uint8Array, place: Uint8Array): Uint8Array<ArrayBuffer> => {
  const body = sealed.subarray(0, -TAG_BYTES);
  const tag = digest(TAG, key, nonce, place, body).subarray(0, TAG_BYTES);
  if (sealed.length < TAG_BYTES || !equal(tag, sealed.subarray(-TAG_BYTES))) throw new Error("the seal is broken");
  return padded(digest(SEAL, key, nonce), body);
};

export interface SimulatedCryptography extends Cryptography {
  /** The server's way to verify what these devices sign. */
  readonly verify: (publicKey: PublicKey, bytes: Uint8Array, signature: Uint8Array) => boolean;
  /** Forgets every key. */
  readonly forgetKeys: () => void;
}

const makeSimulatedCryptography = (): SimulatedCryptography => {
  const signers = new Map<PublicKey, Uint8Array>();
  const recipients = new Map<PublicKey, Uint8Array>();

  const signature = (secret: Uint8Array, bytes: Uint8Array): Uint8Array<ArrayBuffer> => {
    const half = digest(SIGNATURE, secret, bytes);
    return joined(half, half);
  };
  const verify: SimulatedCryptography["verify"] = (publicKey, bytes, given) => {
    const secret = signers.get(publicKey);
    return secret !== undefined && given.length === SIGNATURE_BYTES && equal(signature(secret, bytes), given);
  };

  return {
    verify,
    forgetKeys: () => {
      signers.clear();
      recipients.clear();
    },
    signingKeys: async (seed) => {
      const publicKey = publicKeyFromBytes(digest(SIGNING, seed));
      signers.set(publicKey, seed.slice());
      return { publicKey, privateKey: handle(seed.slice()) };
    },
    sign: async (keys, bytes) => signature(materialOf(keys.privateKey), bytes),
    isSignedBy: async (publicKey, given, bytes) => verify(publicKey, bytes, given),
    isSoundSigningKey: (publicKey) => signers.has(publicKey),

    agreementKeys: async (seed) => {
      const publicKey = publicKeyFromBytes(digest(AGREEMENT, seed));
      recipients.set(publicKey, seed.slice());
      return { publicKey, privateKey: handle(seed.slice()) };
    },
    isSoundAgreementKey: (publicKey) => recipients.has(publicKey),
    sealToKey: async (recipient, secret, info, ekm) => {
      const key = recipients.get(recipient);
      if (key === undefined) throw new Error("nobody has this key");
      return joined(ekm, seal(key, ekm, secret, info));
    },
    openFromKey: async (recipient, sealed, info) =>
      open(materialOf(recipient.privateKey), sealed.subarray(0, 32), sealed.subarray(32), info),

    importSecret: async (secret) => handle(secret.slice()),
    deriveBytes: async (secret, salt, info, length) => digest(DERIVE, materialOf(secret), salt, info).slice(0, length),
    deriveSealKey: async (secret, salt, info) => handle(digest(DERIVE, materialOf(secret), salt, info)),

    encrypt: async (key, nonce, plaintext, additionalData) => seal(materialOf(key), nonce, plaintext, additionalData),
    decrypt: async (key, nonce, ciphertext, additionalData) => open(materialOf(key), nonce, ciphertext, additionalData),

    // The platform compresses on threads of its own, which a run's time does not wait for.
    compress: async () => undefined,
    decompress: async () => {
      throw new Error("nothing is compressed here");
    },
  };
};

/** The adapter of this process. Put it in place (`replaceCryptography`) before anything else uses cryptography. */
export const simulatedCryptography: SimulatedCryptography = makeSimulatedCryptography();
