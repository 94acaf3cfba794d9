/** Getting the epoch keys that the chain holds for a device, a link or the recovery key. */
import { type DeviceId, equalBytes, idToBytes, type LinkId } from "@cairn/protocol";
import type { AgreementKeys } from "./agreement-keys.ts";
import { type KeyRecipient, openEpochKey, openPreviousEpochKey } from "./epoch-key-transfer.ts";
import type { Keyring } from "./epoch-keys.ts";
import { SealBroken } from "./errors.ts";
import type { KeyChange, MembershipState } from "./membership-state.ts";

/** Who opens keys, and with what. */
export type KeyHolder =
  | { readonly type: "device"; readonly id: DeviceId; readonly keys: AgreementKeys }
  | { readonly type: "link"; readonly id: LinkId; readonly keys: AgreementKeys }
  | { readonly type: "recovery"; readonly keys: AgreementKeys };

const recipientOf = (holder: KeyHolder): KeyRecipient => {
  switch (holder.type) {
    case "device":
      return { type: "device", id: holder.id };
    case "link":
      return { type: "link", id: holder.id };
    case "recovery":
      return { type: "recovery" };
  }
};

/** The bytes that are sealed to the holder for an epoch, as the key change or the link's record has them. */
const sealedFor = (state: MembershipState, change: KeyChange, holder: KeyHolder): ReadonlyArray<Uint8Array> => {
  const fromChange = change.keys
    .filter(
      ({ recipient, id }) =>
        recipient === holder.type && (holder.type === "recovery" || equalBytes(id, idToBytes(holder.id))),
    )
    .map(({ sealed }) => sealed);
  const link = holder.type === "link" ? state.links.get(holder.id) : undefined;
  return link?.epoch === change.epoch ? [...fromChange, link.sealedKey] : fromChange;
};

/** The first of several seals that opens. */
const firstOpened = async (attempts: ReadonlyArray<() => Promise<Uint8Array>>): Promise<Uint8Array | undefined> => {
  for (const attempt of attempts) {
    try {
      return await attempt();
    } catch (error) {
      if (!(error instanceof SealBroken)) throw error;
    }
  }
  return undefined;
};

/**
 * Adds to the keyring every epoch key that the holder can reach: those sealed to it, and from each the one before.
 * Answers the epochs that it cannot read, such as those after its removal.
 */
export const unlockEpochs = async (
  state: MembershipState,
  keyring: Keyring,
  holder: KeyHolder,
): Promise<ReadonlyArray<number>> => {
  const missing: Array<number> = [];
  for (let index = state.keyChanges.length - 1; index >= 0; index -= 1) {
    const change = state.keyChanges[index];
    if (change === undefined || keyring.has(change.epoch)) continue;
    const { epoch } = change;
    const next = state.keyChanges[index + 1];
    const attempts = sealedFor(state, change, holder).map(
      (sealed) => () => openEpochKey(state.workspace, epoch, recipientOf(holder), sealed, holder.keys),
    );
    if (next !== undefined && keyring.has(next.epoch))
      attempts.push(() => openPreviousEpochKey(keyring, next.epoch, next.previous));
    const key = await firstOpened(attempts);
    if (key === undefined) missing.push(epoch);
    else keyring.add(epoch, key);
  }
  return missing.toReversed();
};
