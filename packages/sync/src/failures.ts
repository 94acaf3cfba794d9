/**
 * What a failed call means: for the workspace, and for the entries that were under way. Pure and total over every error of
 * the wire and over everything else that can go wrong.
 *
 * | what failed | the workspace | entries of the push |
 * | --- | --- | --- |
 * | no network, no answer, an answer that makes no sense | OFFLINE, tried again with backoff | sent again, unchanged |
 * | 429, 5xx, anything unknown | BACKING_OFF, not before `Retry-After` | sent again, unchanged |
 * | 401 | WAITING_FOR_TOKEN: a new session is made from the device's key | sent again, unchanged |
 * | 403, 404, 410, 426 and the like | STOPPED with the reason | kept as they are |
 * | 409 `diverged` | compares versions and supplies what is missing | kept as they are |
 * | 400, 413, 415 to a push of several | goes on with smaller batches | sent again, unchanged |
 * | 413 to a push of one | goes on | its edits are split, or parked |
 * | 400, 415 to a push of one | goes on | an attempt is used up |
 * | 507 | QUOTA: looks again when there may be room | their edits wait |
 *
 * None of them uses up an attempt, except what the server says of one entry alone (rule 30).
 */
import type { ErrorAction, ErrorCode } from "@cairn/protocol";

/** An error of the wire, as far as this cares. */
export interface KnownFailure {
  readonly code: ErrorCode;
  readonly action: ErrorAction;
  readonly retryAfter?: number | undefined;
}

export type FailureClass =
  /** Not an error: the server cannot be reached. */
  | { readonly type: "offline" }
  /** It will pass. */
  | { readonly type: "wait"; readonly retryAfterSeconds: number | undefined }
  | { readonly type: "token" }
  /** Somebody has to do something. `recheck`: it may have passed without this device hearing of it, so look soon. */
  | { readonly type: "stopped"; readonly code: ErrorCode; readonly recheck: boolean }
  | { readonly type: "no-room" }
  | { readonly type: "diverged" }
  /** The push as a whole; whether one entry is to blame shows when it is alone. */
  | { readonly type: "batch"; readonly code: ErrorCode; readonly tooLarge: boolean };

/** The longest wait that a server can ask for. */
export const MAX_RETRY_AFTER_SECONDS = 3_600;

const patience = (seconds: number | undefined): number | undefined =>
  seconds === undefined || !(seconds > 0) ? undefined : Math.min(seconds, MAX_RETRY_AFTER_SECONDS);

/**
 * Classifies a failure.
 *
 * @param failure the wire's error, or undefined where there was no answer, or none that makes sense
 * @param pushing the failed call carried entries
 */
export const classifyFailure = (failure: KnownFailure | undefined, pushing: boolean): FailureClass => {
  if (failure === undefined) return { type: "offline" };
  const { code } = failure;
  switch (code) {
    case "rate-limited":
    case "internal":
    case "unavailable":
    case "challenge-expired":
    case "chunk-unknown":
      return { type: "wait", retryAfterSeconds: patience(failure.retryAfter) };
    case "token-missing":
    case "token-invalid":
    case "token-expired":
      return { type: "token" };
    case "quota-exceeded":
      return { type: "no-room" };
    case "diverged":
      return { type: "diverged" };
    case "malformed":
    case "unsupported-media-type":
    case "too-large":
      return pushing
        ? { type: "batch", code, tooLarge: code === "too-large" }
        : { type: "stopped", code, recheck: false };
    case "grant-unknown":
    case "workspace-unknown":
      // A server that came back from an older backup may not know this device until an owner has healed it.
      return { type: "stopped", code, recheck: true };
    case "proof-invalid":
    case "revoked":
    case "grant-expired":
    case "read-only":
    case "master-required":
    case "wrong-workspace":
    case "wrong-device":
    case "registration-closed":
    case "invite-invalid":
    case "origin-not-allowed":
    case "not-found":
    case "link-unknown":
    case "method-not-allowed":
    case "workspace-conflict":
    case "link-conflict":
    case "chunk-mismatch":
    case "link-expired":
    case "link-revoked":
    case "link-used-up":
    case "unsupported-protocol":
      return { type: "stopped", code, recheck: false };
    default:
      return unknownCode(code);
  }
};

/** A code of a newer server: unknown is retryable (hazard 16). The type says that there is none left out above. */
const unknownCode = (_code: never): FailureClass => ({ type: "wait", retryAfterSeconds: undefined });
