/** Proofs that a key is there now: signatures over the challenges of the protocol (rule 23). */
import {
  type Challenge,
  challengeBytes,
  encodeBase64Url,
  type Proof,
  type PublicKey,
  signatureFromBytes,
} from "@cairn/protocol";
import { isSignedBy, sign, type SigningKeys } from "./signing-keys.ts";

/** The proof that a request or a `hello` frame carries. */
export const proveChallenge = async (challenge: Challenge, keys: SigningKeys): Promise<Proof> => ({
  origin: challenge.origin,
  nonce: encodeBase64Url(challenge.nonce),
  signature: signatureFromBytes(await sign(keys, challengeBytes(challenge))),
});

/** Whether `signature` proves the key for this challenge. */
export const isChallengeProvenBy = (
  challenge: Challenge,
  signature: Uint8Array,
  publicKey: PublicKey,
): Promise<boolean> => isSignedBy(publicKey, signature, challengeBytes(challenge));
