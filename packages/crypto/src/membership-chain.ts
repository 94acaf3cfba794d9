/**
 * Reading the membership chain: decode, verify every signature, fold. The chain is linked by hashes and anchored in the
 * workspace's id, so that a server can withhold its end but cannot change, insert or leave out anything.
 */
import {
  decodeMembership,
  type Entry,
  entryHash,
  EntryKind,
  type Hash,
  hasCriticalExtension,
  MalformedBytes,
  NO_MEMBERSHIP,
  type WorkspaceId,
} from "@cairn/protocol";
import { MembershipChainBroken } from "./errors.ts";
import {
  type AppliedStep,
  applyMembership,
  type MembershipRefusal,
  type MembershipStep,
  requiredSignatures,
} from "./membership-fold.ts";
import { emptyMembership, type MembershipState } from "./membership-state.ts";
import { isSignedBy } from "./signing-keys.ts";

const broken = (code: MembershipChainBroken["code"], entry: Hash, reason: string): MembershipChainBroken =>
  new MembershipChainBroken({ code, entry, reason });

/** Decodes an entry as a step of the chain. Throws `MembershipChainBroken` where it is none of this workspace. */
export const toMembershipStep = (workspace: WorkspaceId, entry: Entry): MembershipStep => {
  const hash = entryHash(entry.bytes);
  if (entry.header.kind !== EntryKind.membership || entry.header.workspace !== workspace)
    throw broken("chain-not-membership", hash, "not a membership entry of this workspace");
  if (hasCriticalExtension(entry.header))
    throw broken("chain-unsupported", hash, "the chain has an entry of a newer version; update the app");
  try {
    return { entry, hash, payload: decodeMembership(entry.payload) };
  } catch (error) {
    if (error instanceof MalformedBytes)
      throw broken("chain-not-membership", hash, `no membership payload: ${error.message}`);
    throw error;
  }
};

const firstWrongSignature = async (
  state: MembershipState,
  step: MembershipStep,
): Promise<MembershipRefusal | undefined> => {
  const required = requiredSignatures(state, step);
  if (!("length" in required)) return required;
  const verified = await Promise.all(
    required.map(({ publicKey, signature, bytes }) => isSignedBy(publicKey, signature, bytes)),
  );
  return verified.every(Boolean)
    ? undefined
    : { code: "signature", reason: "a signature of the entry does not verify" };
};

/**
 * Verifies and applies the chain's next entry. `refusal` is set where the entry is a link of the chain without effect.
 *
 * Rejects with `MembershipChainBroken`: `chain-not-linked` (fetch what is missing; if nothing is, the server shows two
 * chains), `chain-genesis`, `chain-unsupported`, or `chain-not-membership` (the entry is no link: skip it).
 */
export const extendMembership = async (state: MembershipState, entry: Entry): Promise<AppliedStep> => {
  const step = toMembershipStep(state.workspace, entry);
  if (step.payload.prev !== state.head)
    throw broken("chain-not-linked", step.hash, "the entry does not follow the chain's head");
  const wrong = await firstWrongSignature(state, step);
  const applied =
    wrong === undefined ? applyMembership(state, step) : { state: { ...state, head: step.hash }, refusal: wrong };
  if (state.head === NO_MEMBERSHIP && applied.refusal !== undefined)
    throw broken("chain-genesis", step.hash, `the chain has no valid beginning: ${applied.refusal.reason}`);
  return applied;
};

/** Verifies and folds a chain from its first entry on, in order. Rejects as `extendMembership` does. */
export const verifyMembership = async (
  workspace: WorkspaceId,
  entries: Iterable<Entry>,
): Promise<{
  readonly state: MembershipState;
  /** Links of the chain without effect, with the reason. */
  readonly refusals: ReadonlyArray<{ readonly entry: Hash; readonly refusal: MembershipRefusal }>;
}> => {
  let state = emptyMembership(workspace);
  const refusals: Array<{ entry: Hash; refusal: MembershipRefusal }> = [];
  for (const entry of entries) {
    const applied = await extendMembership(state, entry);
    state = applied.state;
    if (applied.refusal !== undefined) refusals.push({ entry: state.head, refusal: applied.refusal });
  }
  return { state, refusals };
};
