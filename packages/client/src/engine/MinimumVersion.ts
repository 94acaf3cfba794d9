/**
 * The workspace's minimum version: raised by an owner's device in the membership chain, obeyed by every device whose app is
 * older (Promise 10). Only new edits are refused; what is stored already is sent and taken like everything else.
 */
import type { MembershipState } from "@cairn/crypto";
import { Effect } from "effect";
import { appOutdatedBy, appOutdatedError } from "../app-version.ts";
import type { CairnError } from "../errors.ts";
import { type OwnerWork, proposeAndSettle, requireOwner } from "./Proposals.ts";

/** Fails with `app-outdated` where an app of this version may make no new edits. */
export const requireCurrentApp = (
  version: number,
  { minimumVersion }: MembershipState,
): Effect.Effect<void, CairnError> => {
  const outdated = appOutdatedBy(version, minimumVersion);
  return outdated === undefined ? Effect.void : Effect.fail(appOutdatedError(outdated));
};

/** Raises the minimum, unless it is as high already. */
export const raiseMinimumVersion = Effect.fnUntraced(function* (work: OwnerWork, version: number) {
  yield* requireOwner(work.runtime);
  yield* proposeAndSettle(work, ({ minimumVersion }) =>
    Effect.succeed({ records: minimumVersion >= version ? [] : [{ type: "minimum-version", version }] }),
  );
});
