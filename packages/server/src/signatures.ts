/** Ed25519 with the platform's own cryptography: the server verifies, and never signs. */
import { idToBytes, type PublicKey } from "@cairn/protocol";
import { Context } from "effect";
import { createPublicKey, type KeyObject, verify } from "node:crypto";

/** Whether `signature` is the key's signature over `bytes` (RFC 8032). False also for bytes that are no key. */
export type VerifySignature = (key: PublicKey, bytes: Uint8Array, signature: Uint8Array) => boolean;

/** Keys are prepared once; a preparation costs about as much as a verification. */
const PREPARED_KEYS = 4096;
const prepared = new Map<PublicKey, KeyObject | undefined>();

const prepare = (key: PublicKey): KeyObject | undefined => {
  if (prepared.has(key)) return prepared.get(key);
  let made: KeyObject | undefined;
  try {
    made = createPublicKey({ format: "jwk", key: { kty: "OKP", crv: "Ed25519", x: key } });
  } catch {
    made = undefined;
  }
  if (prepared.size >= PREPARED_KEYS) prepared.clear();
  prepared.set(key, made);
  return made;
};

/** All-zero and other low-order points sign for everybody; OpenSSL takes them, so they are refused here. */
const isSmallOrder = (key: PublicKey): boolean => smallOrderPoints.has(Buffer.from(idToBytes(key)).toString("hex"));

const smallOrderPoints: ReadonlySet<string> = new Set([
  "0000000000000000000000000000000000000000000000000000000000000000",
  "0000000000000000000000000000000000000000000000000000000000000080",
  "0100000000000000000000000000000000000000000000000000000000000000",
  "0100000000000000000000000000000000000000000000000000000000000080",
  "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
  "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc85",
  "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
  "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa",
  "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
  "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
  "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
  "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
  "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
  "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
]);

export const verifySignature: VerifySignature = (key, bytes, signature) => {
  const keyObject = isSmallOrder(key) ? undefined : prepare(key);
  return keyObject !== undefined && verify(null, bytes, keyObject, signature);
};

/** How signatures are verified: as above, unless a simulator, whose devices sign in another way, says otherwise. */
export const SignatureVerifier = Context.Reference<VerifySignature>("cairn/server/SignatureVerifier", {
  defaultValue: () => verifySignature,
});
