/** The invitation that a server asks of those who bring it a workspace: kept with the secrets, sent to that server alone. */
import { Effect, Result } from "effect";
import type { CairnErrorCode } from "../errors.ts";
import type { LocalStoreShape, StoreFailure } from "../store/LocalStore.ts";
import type { TransportFailure } from "../transport/Transport.ts";
import type { WorkspaceRuntime } from "./WorkspaceRuntime.ts";
import * as Secrets from "./WorkspaceSecrets.ts";

/** Refusals that are over once the server has given a session, though the last conversation ended with one. */
const REGISTRATION: ReadonlySet<CairnErrorCode> = new Set(["invite-invalid", "registration-closed"]);

export const isOfRegistration = (code: CairnErrorCode): boolean => REGISTRATION.has(code);

/**
 * Keeps an invitation and goes to the server with it. Fails with what the server says to it; one that it refuses is
 * forgotten, one that it could not be asked about is kept and tried later.
 */
export const takeInvite = Effect.fnUntraced(function* (
  store: LocalStoreShape,
  origin: string,
  invite: string,
  runtimes: ReadonlyArray<WorkspaceRuntime>,
): Effect.fn.Return<void, StoreFailure | TransportFailure> {
  const before = yield* Secrets.invite(store, origin);
  yield* Secrets.saveInvite(store, origin, invite);
  for (const { context, driver } of runtimes) {
    // Who joined through a link was let in by its owner.
    if (!context.record.createdHere || context.record.server !== origin) continue;
    const session = yield* Effect.result(driver.sessions(origin).sessions.current);
    if (Result.isSuccess(session)) continue;
    if (session.failure._tag === "Forbidden" && session.failure.code === "invite-invalid") {
      yield* before === undefined ? Secrets.removeInvite(store, origin) : Secrets.saveInvite(store, origin, before);
    }
    return yield* Effect.fail(session.failure);
  }
});
