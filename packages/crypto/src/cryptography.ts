/**
 * The cryptography that this package is made of. One adapter ships, WebCrypto's (`web-cryptography.ts`), and nothing has
 * to be done to use it. A simulator, which needs every step to be quick and the same in every run, puts another one in its
 * place before anything was signed or sealed; afterwards nobody can, so that no running app can be made weaker.
 */
import type { PublicKey } from "@cairn/protocol";
import type { AgreementKeys } from "./agreement-keys.ts";
import type { SigningKeys } from "./signing-keys.ts";
import { webCryptography } from "./web-cryptography.ts";

export interface Cryptography {
  // Signatures: Ed25519 (RFC 8032)
  /** The pair of a seed of 32 bytes. */
  readonly signingKeys: (seed: Uint8Array) => Promise<SigningKeys>;
  readonly sign: (keys: SigningKeys, bytes: Uint8Array) => Promise<Uint8Array<ArrayBuffer>>;
  /** False, never an error, for keys and signatures that are none. */
  readonly isSignedBy: (publicKey: PublicKey, signature: Uint8Array, bytes: Uint8Array) => Promise<boolean>;
  readonly isSoundSigningKey: (publicKey: PublicKey) => boolean;

  // Sealing to a key: X25519 (RFC 7748) and HPKE (RFC 9180)
  /** The pair of a private key of 32 bytes. */
  readonly agreementKeys: (seed: Uint8Array) => Promise<AgreementKeys>;
  readonly isSoundAgreementKey: (publicKey: PublicKey) => boolean;
  /** `ekm` are 32 random bytes. Rejects for keys of low order. */
  readonly sealToKey: (
    recipient: PublicKey,
    secret: Uint8Array,
    info: Uint8Array,
    ekm: Uint8Array,
  ) => Promise<Uint8Array<ArrayBuffer>>;
  /** Rejects for whatever was not sealed to this key with this `info`. */
  readonly openFromKey: (
    recipient: AgreementKeys,
    sealed: Uint8Array,
    info: Uint8Array,
  ) => Promise<Uint8Array<ArrayBuffer>>;

  // Derivation: HKDF-SHA256 (RFC 5869)
  readonly importSecret: (secret: Uint8Array) => Promise<CryptoKey>;
  readonly deriveBytes: (
    secret: CryptoKey,
    salt: Uint8Array,
    info: Uint8Array,
    length: number,
  ) => Promise<Uint8Array<ArrayBuffer>>;
  readonly deriveSealKey: (secret: CryptoKey, salt: Uint8Array, info: Uint8Array) => Promise<CryptoKey>;

  // Sealing under a key: AES-256-GCM (NIST SP 800-38D)
  readonly encrypt: (
    key: CryptoKey,
    nonce: Uint8Array,
    plaintext: Uint8Array,
    additionalData: Uint8Array,
  ) => Promise<Uint8Array<ArrayBuffer>>;
  /** Rejects where key, nonce, additional data or ciphertext are not those of the seal. */
  readonly decrypt: (
    key: CryptoKey,
    nonce: Uint8Array,
    ciphertext: Uint8Array,
    additionalData: Uint8Array,
  ) => Promise<Uint8Array<ArrayBuffer>>;

  // Packing what gets sealed: raw DEFLATE (RFC 1951)
  /** The compressed bytes, or undefined where they would be no shorter. */
  readonly compress: (bytes: Uint8Array) => Promise<Uint8Array | undefined>;
  /** The decompressed bytes, or undefined where there are more than `limit`. Rejects for bytes that are not DEFLATE. */
  readonly decompress: (bytes: Uint8Array, limit: number) => Promise<Uint8Array | undefined>;
}

let chosen: Cryptography | undefined;

/** The adapter in use. The first call decides which one that is, for good. */
export const cryptography = (): Cryptography => (chosen ??= webCryptography);

/**
 * Puts another adapter in WebCrypto's place, for the whole process: for simulators and nothing else.
 *
 * @throws Error once any cryptography was used.
 */
export const replaceCryptography = (adapter: Cryptography): void => {
  if (chosen === adapter) return;
  if (chosen !== undefined) throw new Error("cryptography is in use already: it cannot be replaced any more");
  chosen = adapter;
};
