/** Every failure of the engine as a `CairnError`: what crosses to the page. */
import { AccessLinkInvalid, ContentTooLarge, EpochKeyMissing, KeyInvalid, RecoveryWordsInvalid } from "@cairn/crypto";
import { WireError } from "@cairn/protocol";
import { Cause, Effect, Schema } from "effect";
import { ImporterUnavailable } from "../documents/Importer.ts";
import { CairnError, type CairnErrorCode } from "../errors.ts";
import { Fenced, StoreFailure, type StoreFailureReason } from "../store/LocalStore.ts";
import { Unreachable } from "../transport/Transport.ts";
import { Halted } from "./Halted.ts";

const isWireError = Schema.is(WireError);

/** What a page made of what is no more so: it opens anew, and makes it anew. */
const staleCode = { retired: "identity-changed", rebuilt: "document-rebuilt" } as const;

/** The public code of what a store says. */
export const storageCode: Readonly<
  Record<Exclude<StoreFailureReason, keyof typeof staleCode>, CairnErrorCode & `storage-${string}`>
> = {
  full: "storage-full",
  interrupted: "storage-interrupted",
  blocked: "storage-blocked",
  newer: "storage-newer",
  lost: "storage-lost",
  unavailable: "storage-unavailable",
};

/** The public error of a failure. What is not known is `internal`, with the cause kept for developers. */
export const toCairnError = (failure: unknown): CairnError => {
  if (failure instanceof CairnError) return failure;
  if (failure instanceof StoreFailure) {
    const { reason } = failure;
    const code = reason === "retired" || reason === "rebuilt" ? staleCode[reason] : storageCode[reason];
    return new CairnError(code, undefined, { cause: failure.cause });
  }
  if (failure instanceof ImporterUnavailable) {
    const { cause } = failure;
    return cause instanceof CairnError ? cause : new CairnError("imports-unavailable", undefined, { cause });
  }
  if (failure instanceof Unreachable) return new CairnError("offline", undefined, { cause: failure.cause });
  if (failure instanceof Halted) return new CairnError(failure.code);
  if (failure instanceof AccessLinkInvalid) return new CairnError("link-malformed", failure.message);
  if (failure instanceof RecoveryWordsInvalid) return new CairnError("recovery-words", failure.message);
  if (failure instanceof EpochKeyMissing || failure instanceof KeyInvalid) {
    return new CairnError("keys-missing", undefined, { cause: failure });
  }
  if (failure instanceof ContentTooLarge) return new CairnError("too-large", failure.message);
  if (failure instanceof Fenced) return new CairnError("unavailable", "another tab took over; try again");
  if (isWireError(failure)) return new CairnError(failure.code, failure.message);
  return new CairnError("internal", undefined, { cause: failure });
};

/** Work with keys, or on bytes of others, that may refuse what it is given: a failure with a code, never a defect. */
export const attempt = <A>(work: () => Promise<A>): Effect.Effect<A, CairnError> =>
  Effect.tryPromise({ try: work, catch: toCairnError });

/** The public error of a cause: its first failure or defect. */
export const causeToCairnError = (cause: Cause.Cause<unknown>): CairnError =>
  Cause.hasInterruptsOnly(cause) ? new CairnError("closed") : toCairnError(Cause.squash(cause));
