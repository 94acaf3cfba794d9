/**
 * How epoch keys travel inside the membership chain: sealed by HPKE to every member device, live link and recovery key,
 * and the previous epoch's key sealed under the new one, so that one key opens all that came before.
 */
import {
  ByteWriter,
  type DeviceId,
  ID_BYTES,
  idToBytes,
  label,
  type LinkId,
  type PublicKey,
  type SealedKey,
  type WorkspaceId,
} from "@cairn/protocol";
import { type AgreementKeys, openFromKey, sealToKey } from "./agreement-keys.ts";
import { openWithNonce, sealWithNonce } from "./authenticated-encryption.ts";
import type { Keyring } from "./epoch-keys.ts";
import { SealBroken } from "./errors.ts";
import { SECRET_BYTES } from "./key-derivation.ts";
import type { RandomSource } from "./random.ts";

/** For whom an epoch key is sealed. */
export type KeyRecipient =
  | { readonly type: "device"; readonly id: DeviceId }
  | { readonly type: "link"; readonly id: LinkId }
  | { readonly type: "recovery" };

const EPOCH_KEY_LABEL = label("epoch-key");
const PREVIOUS_LABEL = label("previous-epoch-key");
const RECIPIENT_CODES = { device: 0, link: 1, recovery: 2 } as const;

const recipientId = (recipient: KeyRecipient): Uint8Array =>
  recipient.type === "recovery" ? new Uint8Array(ID_BYTES) : idToBytes(recipient.id);

/** HPKE's `info`: label, workspace(16), epoch(8, big-endian), recipient(1), id(16). */
export const epochKeyInfo = (workspace: WorkspaceId, epoch: number, recipient: KeyRecipient): Uint8Array =>
  new ByteWriter(96)
    .raw(EPOCH_KEY_LABEL)
    .raw(idToBytes(workspace))
    .u64(epoch)
    .u8(RECIPIENT_CODES[recipient.type])
    .raw(recipientId(recipient))
    .finish();

/** Seals an epoch's key to a recipient. Rejects with `EpochKeyMissing`, or `KeyInvalid` for an unsafe agreement key. */
export const sealEpochKey = async (
  keyring: Keyring,
  epoch: number,
  recipient: KeyRecipient,
  agreementKey: PublicKey,
  random: RandomSource,
): Promise<SealedKey> => ({
  recipient: recipient.type,
  id: recipientId(recipient),
  sealed: await sealToKey(
    agreementKey,
    keyring.epochKey(epoch),
    epochKeyInfo(keyring.workspace, epoch, recipient),
    random,
  ),
});

/** Opens an epoch's key. Rejects with `SealBroken`: the seal is for another workspace, epoch, recipient or key. */
export const openEpochKey = async (
  workspace: WorkspaceId,
  epoch: number,
  recipient: KeyRecipient,
  sealed: Uint8Array,
  keys: AgreementKeys,
): Promise<Uint8Array> => ofKeyLength(await openFromKey(keys, sealed, epochKeyInfo(workspace, epoch, recipient)));

const previousContext = (workspace: WorkspaceId, epoch: number): Uint8Array =>
  new ByteWriter(64).raw(PREVIOUS_LABEL).raw(idToBytes(workspace)).u64(epoch).finish();

/**
 * The key of epoch `epoch - 1` sealed under that of `epoch`; empty for the first epoch. Rejects with `EpochKeyMissing`
 * unless the keyring has both.
 */
export const sealPreviousEpochKey = async (
  keyring: Keyring,
  epoch: number,
  random: RandomSource,
): Promise<Uint8Array> =>
  epoch <= 1
    ? new Uint8Array(0)
    : sealWithNonce(
        await keyring.previousEpochKey(epoch),
        keyring.epochKey(epoch - 1),
        previousContext(keyring.workspace, epoch),
        random,
      );

/** The key of epoch `epoch - 1`, sealed under that of `epoch`. Rejects with `SealBroken` or `EpochKeyMissing`. */
export const openPreviousEpochKey = async (
  keyring: Keyring,
  epoch: number,
  previous: Uint8Array,
): Promise<Uint8Array> =>
  ofKeyLength(
    await openWithNonce(await keyring.previousEpochKey(epoch), previous, previousContext(keyring.workspace, epoch)),
  );

const ofKeyLength = (key: Uint8Array): Uint8Array => {
  if (key.length === SECRET_BYTES) return key;
  throw new SealBroken({ code: "seal-form", reason: "what was sealed is no epoch key" });
};
