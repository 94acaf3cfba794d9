/**
 * Nonces to sign, without keeping any: a nonce is its own expiry and randomness under a seal that only servers with these
 * keys can make. A proof is good for one purpose, workspace, subject and statement at one origin, and for a minute.
 */
import {
  type Challenge,
  challengeBytes,
  type ChallengeResponse,
  decodeBase64Url,
  encodeBase64Url,
  type ErrorOf,
  idToBytes,
  type Proof,
  type PublicKey,
} from "@cairn/protocol";
import { Clock, Context, Effect, Layer } from "effect";
import { createHmac, timingSafeEqual } from "node:crypto";
import { ServerIdentity } from "../database/Database.ts";
import { refuse } from "../refusals.ts";
import { ServerSettings } from "../ServerSettings.ts";
import { RandomBytes } from "../random-bytes.ts";
import { SignatureVerifier } from "../signatures.ts";
import { TokenKeys } from "./TokenKeys.ts";

/** How long a nonce may be signed, in milliseconds. */
export const CHALLENGE_MILLIS = 60_000;
const EXPIRY_BYTES = 8;
const RANDOM_BYTES = 16;
const SEAL_BYTES = 32;

/** What a proof is about, besides the server, the origin and the nonce. */
export type ProofSubject = Pick<Challenge, "purpose" | "workspace" | "subject" | "statement">;

export interface ChallengesShape {
  readonly make: Effect.Effect<ChallengeResponse>;
  /** Succeeds where `key` signed this at one of this server's origins while the nonce was good. */
  readonly check: (
    key: PublicKey,
    subject: ProofSubject,
    proof: typeof Proof.Type,
  ) => Effect.Effect<void, ErrorOf<"proof-invalid">>;
}

export class Challenges extends Context.Service<Challenges, ChallengesShape>()("cairn/server/Challenges") {
  static readonly layer: Layer.Layer<Challenges, never, ServerIdentity | TokenKeys | ServerSettings> = Layer.effect(
    Challenges,
    Effect.gen(function* () {
      const { server } = yield* ServerIdentity;
      const keys = yield* TokenKeys;
      const settings = yield* ServerSettings;
      const randomBytes = yield* RandomBytes;
      const verifySignature = yield* SignatureVerifier;

      const make = Effect.map(Clock.currentTimeMillis, (now) => {
        const expiresAt = now + CHALLENGE_MILLIS;
        const body = Buffer.alloc(EXPIRY_BYTES + RANDOM_BYTES);
        body.writeBigUInt64BE(BigInt(expiresAt));
        body.set(randomBytes(RANDOM_BYTES), EXPIRY_BYTES);
        const nonce = Buffer.concat([body, seal(keys.challengeKeys[0], body)]);
        return { server, nonce: encodeBase64Url(nonce), expiresAt };
      });

      const expiryOf = (nonce: Uint8Array): number | undefined => {
        if (nonce.length !== EXPIRY_BYTES + RANDOM_BYTES + SEAL_BYTES) return undefined;
        const body = nonce.subarray(0, EXPIRY_BYTES + RANDOM_BYTES);
        const sealed = nonce.subarray(EXPIRY_BYTES + RANDOM_BYTES);
        if (!keys.challengeKeys.some((key) => timingSafeEqual(seal(key, body), sealed))) return undefined;
        return Number(Buffer.from(body).readBigUInt64BE());
      };

      const check: ChallengesShape["check"] = Effect.fnUntraced(function* (key, subject, proof) {
        const nonce = decodeBase64Url(proof.nonce);
        const expiresAt = nonce === undefined ? undefined : expiryOf(nonce);
        if (nonce === undefined || expiresAt === undefined) return yield* refuse("proof-invalid");
        if (expiresAt < (yield* Clock.currentTimeMillis)) return yield* refuse("challenge-expired");
        if (!settings.origins().has(proof.origin)) {
          return yield* refuse("proof-invalid", {
            message:
              "The proof names an origin that is not this server's. Behind a proxy, set CAIRN_PUBLIC_URL to the address that people use.",
          });
        }
        const bytes = challengeBytes({ ...subject, server, origin: proof.origin, nonce });
        if (!verifySignature(key, bytes, idToBytes(proof.signature))) return yield* refuse("proof-invalid");
      });

      return Challenges.of({ make, check });
    }),
  );
}

const seal = (key: Uint8Array, body: Uint8Array): Buffer => createHmac("sha256", key).update(body).digest();
