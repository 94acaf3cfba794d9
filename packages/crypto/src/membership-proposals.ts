/**
 * Writing the membership chain: records, and the entries that propose them. A proposal names the head that it follows;
 * where the server answers `membership-head`, extend the state and propose again (rule 20). Nothing here changes the
 * state or the keyring: both follow from the entry once it is in the chain.
 */
import {
  type DeviceId,
  type Entry,
  EntryKind,
  encodeMembership,
  type MembershipRecord,
  NO_DOCUMENT,
  PROTOCOL_VERSION,
  type RoleName,
  rotateRootSigningBytes,
  type SignedCertificate,
  type WorkspaceId,
} from "@cairn/protocol";
import { type AccessLink, generateLinkSecret, type LinkKeys, linkKeysFromSecret } from "./access-link.ts";
import { certifiedDevice, certifyDevice } from "./certificates.ts";
import { type DeviceKeys, deviceIdOf } from "./device-keys.ts";
import { signEntry } from "./entry-signature.ts";
import { sealEpochKey, sealPreviousEpochKey } from "./epoch-key-transfer.ts";
import { generateEpochKey, Keyring } from "./epoch-keys.ts";
import { currentEpoch, emptyMembership, keyRecipients, type MembershipState } from "./membership-state.ts";
import type { RandomSource } from "./random.ts";
import { type RootKeys, workspaceIdOf } from "./root-key.ts";
import { sealText } from "./sealed-text.ts";
import { sign, type SigningKeys } from "./signing-keys.ts";

type RecordOf<Type extends MembershipRecord["type"]> = Extract<MembershipRecord, { readonly type: Type }>;

/** Who writes an entry, and under which of its counters. */
export interface Proposer {
  readonly device: DeviceId;
  readonly counter: number;
  readonly signing: SigningKeys;
}

/** The signed entry that adds records to the chain, behind `state.head`. */
export const proposeMembership = (
  state: MembershipState,
  records: ReadonlyArray<MembershipRecord>,
  author: Proposer,
): Promise<Entry> =>
  signEntry(
    {
      version: PROTOCOL_VERSION,
      kind: EntryKind.membership,
      workspace: state.workspace,
      document: NO_DOCUMENT,
      device: author.device,
      counter: author.counter,
      epoch: 0,
      covers: [],
      refs: [],
      extensions: [],
    },
    encodeMembership({ prev: state.head, records }),
    author.signing,
  );

/** The record that admits a device; its name is sealed under the keyring's newest epoch. */
export const admitRecord = async (
  keyring: Keyring,
  certificate: SignedCertificate,
  name: string,
  random: RandomSource,
): Promise<RecordOf<"admit">> => ({
  type: "admit",
  certificate,
  sealedName: await sealText(
    keyring,
    { use: "device-name", id: certifiedDevice(certificate.certificate) },
    name,
    random,
  ),
});

/**
 * A new epoch's key, sealed to everyone in `state` but those who are `without`: put the records that revoke them before
 * this one. The key comes back with the record; every member finds it again by `unlockEpochs`.
 */
export const keyChangeRecord = async (
  state: MembershipState,
  keyring: Keyring,
  random: RandomSource,
  without: ReadonlySet<string> = new Set(),
): Promise<{ readonly record: RecordOf<"key-change">; readonly epoch: number; readonly key: Uint8Array }> => {
  const epoch = currentEpoch(state) + 1;
  const key = generateEpochKey(random);
  const extended = new Keyring(state.workspace, [...keyring.epochKeys, [epoch, key]]);
  const recipients = keyRecipients(state).filter(
    ({ recipient }) => recipient.type === "recovery" || !without.has(recipient.id),
  );
  const keys = await Promise.all(
    recipients.map(({ recipient, agreementKey }) => sealEpochKey(extended, epoch, recipient, agreementKey, random)),
  );
  const previous = await sealPreviousEpochKey(extended, epoch, random);
  return { record: { type: "key-change", epoch, keys, previous }, epoch, key };
};

/** Everything that founds a workspace. */
export interface FoundedWorkspace {
  readonly workspace: WorkspaceId;
  readonly device: DeviceId;
  /** Registering with a server sends it (`RegisterRequest.certificate`). */
  readonly certificate: SignedCertificate;
  /** The chain's first entry, the device's counter 1. */
  readonly genesis: Entry;
  /** Holds the first epoch's key. */
  readonly keyring: Keyring;
}

/** Founds a workspace: its root certifies the first device as an owner and makes the first key. */
export const foundWorkspace = async (input: {
  readonly root: RootKeys;
  readonly deviceKeys: DeviceKeys;
  readonly deviceName: string;
  readonly random: RandomSource;
}): Promise<FoundedWorkspace> => {
  const { root, deviceKeys, random } = input;
  const workspace = workspaceIdOf(root);
  const device = deviceIdOf(workspace, deviceKeys);
  const certificate = await certifyByRoot(root, workspace, deviceKeys, 1);
  const empty = emptyMembership(workspace);
  const key = generateEpochKey(random);
  const keyring = new Keyring(workspace, [[1, key]]);
  const keys = await Promise.all([
    sealEpochKey(keyring, 1, { type: "device", id: device }, deviceKeys.agreement.publicKey, random),
    sealEpochKey(keyring, 1, { type: "recovery" }, root.recovery.publicKey, random),
  ]);
  const genesis = await proposeMembership(
    empty,
    [
      { type: "root", rootKey: root.signing.publicKey, recoveryKey: root.recovery.publicKey },
      await admitRecord(keyring, certificate, input.deviceName, random),
      { type: "key-change", epoch: 1, keys, previous: new Uint8Array(0) },
    ],
    { device, counter: 1, signing: deviceKeys.signing },
  );
  return { workspace, device, certificate, genesis, keyring };
};

/** An owner's certificate from the root: for the first device, and for the one with which an owner comes back. */
export const certifyByRoot = (
  root: RootKeys,
  workspace: WorkspaceId,
  device: DeviceKeys,
  from: number,
): Promise<SignedCertificate> =>
  certifyDevice({
    workspace,
    device,
    role: "owner",
    from,
    issuer: { type: "root" },
    issuerKeys: root.signing,
  });

/** A certificate from a link, which a joining device makes for itself (`OpenLinkRequest.certificate`). */
export const certifyByLink = (
  link: LinkKeys,
  workspace: WorkspaceId,
  device: DeviceKeys,
  role: RoleName,
  from: number,
): Promise<SignedCertificate> =>
  certifyDevice({
    workspace,
    device,
    role,
    from,
    issuer: { type: "link", link: link.link },
    issuerKeys: link.signing,
  });

/** A new access link: the record for the chain, and what the URL says. */
export const createLink = async (input: {
  readonly state: MembershipState;
  readonly keyring: Keyring;
  readonly server: string;
  readonly role: RoleName;
  /** 0: any number of devices. */
  readonly maxUses: number;
  readonly label: string;
  readonly random: RandomSource;
}): Promise<{
  readonly record: RecordOf<"link">;
  readonly accessLink: AccessLink;
  readonly keys: LinkKeys;
}> => {
  const { state, keyring, random, role, maxUses } = input;
  const { workspace } = state;
  const secret = generateLinkSecret(random);
  const keys = await linkKeysFromSecret(workspace, secret);
  const epoch = currentEpoch(state);
  const { sealed } = await sealEpochKey(
    keyring,
    epoch,
    { type: "link", id: keys.link },
    keys.agreement.publicKey,
    random,
  );
  const record = {
    type: "link",
    link: keys.link,
    signingKey: keys.signing.publicKey,
    agreementKey: keys.agreement.publicKey,
    role,
    maxUses,
    epoch,
    sealedKey: sealed,
    sealedLabel: await sealText(keyring, { use: "link-label", id: keys.link }, input.label, random),
  } as const;
  return { record, accessLink: { server: input.server, workspace, link: keys.link, role, secret }, keys };
};

/** The record by which a root names its successor. */
export const rotateRootRecord = async (
  workspace: WorkspaceId,
  oldRoot: RootKeys,
  newRoot: RootKeys,
): Promise<RecordOf<"rotate-root">> => {
  const rootKey = newRoot.signing.publicKey;
  const recoveryKey = newRoot.recovery.publicKey;
  return {
    type: "rotate-root",
    rootKey,
    recoveryKey,
    signature: await sign(oldRoot.signing, rotateRootSigningBytes(workspace, rootKey, recoveryKey)),
  };
};
