/** What the membership chain says, up to some entry of it: who is a device, in which role, and which keys there are. */
import {
  type DeviceId,
  EntryKind,
  type EntryHeader,
  type Hash,
  type LinkId,
  type MembershipRecord,
  NO_MEMBERSHIP,
  type PublicKey,
  type RoleName,
  type SealedKey,
  type WorkspaceId,
} from "@cairn/protocol";
import type { KeyRecipient } from "./epoch-key-transfer.ts";

/** A role for an interval of a device's counters, both ends included. */
export interface MemberGrant {
  readonly role: RoleName;
  readonly from: number;
  /** Undefined while it is open. */
  readonly to: number | undefined;
}

/** A device that was admitted at some time. */
export interface Member {
  readonly device: DeviceId;
  readonly signingKey: PublicKey;
  readonly agreementKey: PublicKey;
  /** In order; a change of role closes one and opens the next. */
  readonly grants: ReadonlyArray<MemberGrant>;
  /** A revoked device gets no new keys. */
  readonly revoked: boolean;
  /** Opens with `openText`. */
  readonly sealedName: Uint8Array;
}

/** An access link that the chain knows. */
export interface MemberLink {
  readonly link: LinkId;
  readonly signingKey: PublicKey;
  readonly agreementKey: PublicKey;
  readonly role: RoleName;
  /** 0: any number. */
  readonly maxUses: number;
  readonly uses: number;
  readonly revoked: boolean;
  readonly epoch: number;
  readonly sealedKey: Uint8Array;
  readonly sealedLabel: Uint8Array;
}

/** The keys that one key change brought. */
export interface KeyChange {
  readonly epoch: number;
  readonly keys: ReadonlyArray<SealedKey>;
  readonly previous: Uint8Array;
}

/** The chain, folded. */
export interface MembershipState {
  readonly workspace: WorkspaceId;
  /** Hash of the chain's last entry: the `prev` of the next one. */
  readonly head: Hash;
  /** Undefined before the first entry. */
  readonly rootKey: PublicKey | undefined;
  readonly recoveryKey: PublicKey | undefined;
  readonly devices: ReadonlyMap<DeviceId, Member>;
  readonly links: ReadonlyMap<LinkId, MemberLink>;
  /** In ascending order of epochs, from 1 without gaps. */
  readonly keyChanges: ReadonlyArray<KeyChange>;
  /** The lowest version of the app's schema that may write; 1 until an owner raises it, and never lower again. */
  readonly minimumVersion: number;
  /** Records of later versions, kept and not acted upon. */
  readonly unknownRecords: ReadonlyArray<Extract<MembershipRecord, { readonly type: "unknown" }>>;
}

/** The chain before its first entry. */
export const emptyMembership = (workspace: WorkspaceId): MembershipState => ({
  workspace,
  head: NO_MEMBERSHIP,
  rootKey: undefined,
  recoveryKey: undefined,
  devices: new Map(),
  links: new Map(),
  keyChanges: [],
  minimumVersion: 1,
  unknownRecords: [],
});

/** The epoch under which new entries are sealed; 0 before the first key. */
export const currentEpoch = (state: MembershipState): number => state.keyChanges.at(-1)?.epoch ?? 0;

/** The role that a device has at one of its counters. */
export const roleAt = (state: MembershipState, device: DeviceId, counter: number): RoleName | undefined =>
  state.devices.get(device)?.grants.find(({ from, to }) => from <= counter && (to === undefined || counter <= to))
    ?.role;

/** The role of a device whose grant is open; undefined where it was revoked, left, or was admitted for a time only. */
export const currentRole = (state: MembershipState, device: DeviceId): RoleName | undefined => {
  const grant = state.devices.get(device)?.grants.at(-1);
  return grant?.to === undefined ? grant?.role : undefined;
};

/** Whether an entry counts, and why not. */
export type Authority =
  | { readonly counts: true; readonly role: RoleName }
  | { readonly counts: false; readonly reason: "not-a-member" | "outside-interval" | "role" };

/**
 * Whether the entry with this header counts: a pure function of header and chain, never of sequence or arrival (rule 19).
 * Its signature has to be verified as well (Promise 9).
 *
 * Of membership entries this says that the author is a member; what it may say there is the fold's matter. A `void` has
 * no content, so any member may give up a counter with one.
 */
export const authorityOf = (
  state: MembershipState,
  header: Pick<EntryHeader, "kind" | "device" | "counter">,
): Authority => {
  if (!state.devices.has(header.device)) return { counts: false, reason: "not-a-member" };
  const role = roleAt(state, header.device, header.counter);
  if (role === undefined) return { counts: false, reason: "outside-interval" };
  const allowed =
    header.kind === EntryKind.membership || header.kind === EntryKind.void
      ? true
      : header.kind === EntryKind.purge
        ? role === "owner"
        : role !== "reader";
  return allowed ? { counts: true, role } : { counts: false, reason: "role" };
};

/** Whether a link lets one more device in, as far as the chain says; expiry is the server's matter (rule 22). */
export const isLive = (link: MemberLink): boolean => !link.revoked && (link.maxUses === 0 || link.uses < link.maxUses);

/** To whom the key of a new epoch has to be sealed: live devices and links, and the recovery key (rule 22). */
export const keyRecipients = (
  state: MembershipState,
): ReadonlyArray<{ readonly recipient: KeyRecipient; readonly agreementKey: PublicKey }> => [
  ...[...state.devices.values()]
    .filter((member) => !member.revoked)
    .map(({ device, agreementKey }) => ({
      recipient: { type: "device", id: device } as const,
      agreementKey,
    })),
  ...[...state.links.values()].filter(isLive).map(({ link, agreementKey }) => ({
    recipient: { type: "link", id: link } as const,
    agreementKey,
  })),
  ...(state.recoveryKey === undefined
    ? []
    : [{ recipient: { type: "recovery" } as const, agreementKey: state.recoveryKey }]),
];
