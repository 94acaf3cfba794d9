/**
 * The session with a server: a short-lived token made from the device's key, renewed before it expires (rule 23). The
 * founder of a workspace makes it known to the server first, with the root key.
 */
import { certifyByRoot, proveChallenge, rootKeysFromSecret } from "@cairn/crypto";
import {
  ChallengePurpose,
  decodeBase64Url,
  encodeBase64Url,
  encodeCertificate,
  type ServerDescription,
  type Session as SessionValue,
} from "@cairn/protocol";
import { Clock, Effect } from "effect";
import type { LocalStoreShape, StoreFailure } from "../store/LocalStore.ts";
import type { ServerCalls, TransportFailure } from "../transport/Transport.ts";
import { Unreachable } from "../transport/Transport.ts";
import { elapsedMillis } from "./elapsed.ts";
import type { WorkspaceContext } from "./WorkspaceContext.ts";
import * as Secrets from "./WorkspaceSecrets.ts";

/** A token is renewed this long before it expires. */
const RENEW_AHEAD_MILLIS = 60_000;

/** The nonce's bytes. A server that sends none that are base64url is not one. */
export const nonceBytes = (nonce: string): Effect.Effect<Uint8Array, Unreachable> => {
  const bytes = decodeBase64Url(nonce);
  return bytes === undefined ? Effect.fail(new Unreachable({ cause: "a nonce that is none" })) : Effect.succeed(bytes);
};

const NO_STATEMENT = new Uint8Array(0);

/** What the server hears of a device's name: nothing. Names are sealed in the chain (Promise 6). */
const NO_LABEL = "";

const renew = Effect.fnUntraced(function* (
  calls: ServerCalls,
  context: WorkspaceContext,
): Effect.fn.Return<SessionValue, TransportFailure> {
  const challenge = yield* calls.challenge;
  const nonce = yield* nonceBytes(challenge.nonce);
  const proof = yield* Effect.promise(() =>
    proveChallenge(
      {
        purpose: ChallengePurpose.session,
        server: challenge.server,
        origin: calls.origin,
        workspace: context.workspace,
        subject: context.device,
        statement: NO_STATEMENT,
        nonce,
      },
      context.keys.signing,
    ),
  );
  return yield* calls.renew(context.workspace, { device: context.device, proof });
});

const register = Effect.fnUntraced(function* (
  calls: ServerCalls,
  context: WorkspaceContext,
  rootSecret: Uint8Array,
  invite: string | undefined,
): Effect.fn.Return<SessionValue, TransportFailure> {
  const root = yield* Effect.promise(() => rootKeysFromSecret(rootSecret));
  const certificate = encodeCertificate(
    yield* Effect.promise(() => certifyByRoot(root, context.workspace, context.keys, 1)),
  );
  const challenge = yield* calls.challenge;
  const nonce = yield* nonceBytes(challenge.nonce);
  const proof = yield* Effect.promise(() =>
    proveChallenge(
      {
        purpose: ChallengePurpose.register,
        server: challenge.server,
        origin: calls.origin,
        workspace: context.workspace,
        subject: context.device,
        statement: certificate,
        nonce,
      },
      root.signing,
    ),
  );
  return yield* calls.register(context.workspace, {
    rootKey: root.signing.publicKey,
    certificate: encodeBase64Url(certificate),
    proof,
    label: NO_LABEL,
    ...(invite === undefined ? {} : { invite }),
  });
});

/** Keeps one valid session of a workspace with a server. */
export interface SessionKeeper {
  /** A token that is good for a while. */
  readonly current: Effect.Effect<SessionValue, TransportFailure | StoreFailure>;
  /** The server did not take the token: get another one next time. */
  readonly discard: Effect.Effect<void>;
  readonly description: Effect.Effect<ServerDescription, TransportFailure>;
}

export const makeSessionKeeper = (
  store: LocalStoreShape,
  calls: ServerCalls,
  context: WorkspaceContext,
): SessionKeeper => {
  let session: { readonly value: SessionValue; readonly renewAt: number } | undefined;
  let description: ServerDescription | undefined;

  const fresh = Effect.gen(function* () {
    const renewed = yield* renew(calls, context).pipe(
      Effect.catchTag("NotFound", (error) =>
        Effect.gen(function* () {
          const root = yield* Secrets.rootSecret(store, context.workspace);
          if (root === undefined || error.code !== "workspace-unknown") return yield* Effect.fail(error);
          return yield* register(calls, context, root, yield* Secrets.invite(store, calls.origin));
        }),
      ),
    );
    return renewed;
  });

  return {
    current: Effect.gen(function* () {
      const asked = yield* elapsedMillis;
      if (session !== undefined && asked < session.renewAt) return session.value;
      const now = yield* Clock.currentTimeMillis;
      const value = yield* fresh;
      // Only the span between two readings of this device's clock counts, never its agreement with the server's
      // (hazard 21): sessions last minutes, so half of the shortest sensible span is a safe guess of the rest.
      const description = yield* Effect.sync(() => value.expiresAt);
      const span = Math.min(Math.max(description - now - RENEW_AHEAD_MILLIS, 30_000), 240_000);
      session = { value, renewAt: asked + span };
      return value;
    }),
    discard: Effect.sync(() => {
      session = undefined;
    }),
    description: Effect.suspend(() =>
      description === undefined
        ? Effect.tap(calls.describe, (value) =>
            Effect.sync(() => {
              description = value;
            }),
          )
        : Effect.succeed(description),
    ),
  };
};
