/**
 * The rules of the membership chain (rules 19 to 22), as the server enforces them. Pure: an entry either turns one
 * `Membership` into the next, or is refused as a whole.
 */
import {
  type Certificate,
  certificateSigningBytes,
  type DeviceId,
  deviceIdOfSigningKey,
  type EntryHeader,
  type Hash,
  idToBytes,
  linkIdOfSigningKey,
  type MembershipPayload,
  type MembershipRecord,
  NO_MEMBERSHIP,
  type RefusalCode,
  Role,
  type RoleName,
  rotateRootSigningBytes,
  type SignedCertificate,
  workspaceIdOfRootKey,
} from "@cairn/protocol";
import type { VerifySignature } from "../signatures.ts";
import type { LastEntry, Member, Membership } from "./log-state.ts";

/** Why an entry is not taken. */
export interface Refusal {
  readonly code: RefusalCode;
  readonly message: string;
  readonly expected?: number;
  readonly missing?: ReadonlyArray<Hash>;
  readonly head?: Hash;
}

export type Verdict<A> = { readonly ok: A } | { readonly refusal: Refusal };

const refused = (code: RefusalCode, message: string, details: Omit<Refusal, "code" | "message"> = {}) => ({
  refusal: { code, message, ...details },
});

/** Whether `role` is more than `bound`: a certificate never exceeds its issuer's role (rule 22). */
export const exceeds = (role: RoleName, bound: RoleName): boolean => Role[role] < Role[bound];

/** The device that a certificate is for. */
export const certifiedDevice = (certificate: Certificate): DeviceId =>
  deviceIdOfSigningKey(certificate.workspace, idToBytes(certificate.signingKey));

/** The certificate by which a membership entry admits its own author, if it does (rule 20). */
export const selfAdmission = (device: DeviceId, payload: MembershipPayload): SignedCertificate | undefined => {
  for (const record of payload.records) {
    if (record.type === "admit" && certifiedDevice(record.certificate.certificate) === device)
      return record.certificate;
  }
  return undefined;
};

/** The member that a certificate makes. */
export const memberOf = (certificate: Certificate, admitted: boolean): Member => ({
  device: certifiedDevice(certificate),
  signingKey: certificate.signingKey,
  agreementKey: certificate.agreementKey,
  role: certificate.role,
  from: certificate.from,
  to: certificate.to,
  admitted,
});

const isOwner = (member: Member | undefined): boolean =>
  member !== undefined && member.admitted && member.role === "owner" && member.to === undefined;

interface Step {
  readonly header: EntryHeader;
  readonly payload: MembershipPayload;
  readonly last: ReadonlyMap<DeviceId, LastEntry>;
  readonly verify: VerifySignature;
}

/** The chain after one more entry. Its author's signature has been verified. */
export const applyMembership = (before: Membership, step: Step): Verdict<Membership> => {
  const { header, payload } = step;
  if (payload.prev !== before.head) {
    return refused("membership-head", "The membership chain has moved on; pull and propose again.", {
      head: before.head,
    });
  }
  const first = payload.records[0];
  if (first === undefined) return refused("invalid", "A membership entry says something.");
  if ((before.head === NO_MEMBERSHIP) !== (first.type === "root")) {
    return refused("invalid", "The chain's first entry, and no other, begins with the root.");
  }
  let membership = before;
  for (const [index, record] of payload.records.entries()) {
    if (record.type === "root" && index > 0) return refused("invalid", "The root is named once.");
    const verdict = applyRecord(membership, step, record);
    if ("refusal" in verdict) return verdict;
    membership = verdict.ok;
  }
  if (membership.members.get(header.device)?.admitted !== true) {
    return refused("not-a-member", "The chain does not have the author's admission.");
  }
  return { ok: membership };
};

const applyRecord = (membership: Membership, step: Step, record: MembershipRecord): Verdict<Membership> => {
  const author = membership.members.get(step.header.device);
  if (record.type === "root") {
    const anchored = workspaceIdOfRootKey(idToBytes(record.rootKey)) === step.header.workspace;
    return anchored && record.rootKey === membership.rootKey
      ? { ok: membership }
      : refused("invalid", "The root key is not the workspace's.");
  }
  if (record.type === "admit") return admit(membership, step, record.certificate);
  if (record.type === "revoke-device") return revokeDevice(membership, step, record, author);
  if (!isOwner(author)) return refused("role", "Only an owner changes links, keys and the root.");
  switch (record.type) {
    case "key-change":
      return record.epoch === membership.keyEpoch + 1
        ? { ok: { ...membership, keyEpoch: record.epoch } }
        : refused("invalid", "A key change raises the epoch by one.", { expected: membership.keyEpoch + 1 });
    case "link":
      return addLink(membership, step, record);
    case "revoke-link": {
      const link = membership.links.get(record.link);
      if (link === undefined) return refused("invalid", "The link is not known.");
      return { ok: { ...membership, links: new Map(membership.links).set(link.link, { ...link, revoked: true }) } };
    }
    case "rotate-root": {
      const bytes = rotateRootSigningBytes(step.header.workspace, record.rootKey, record.recoveryKey);
      return step.verify(membership.rootKey, bytes, record.signature)
        ? { ok: { ...membership, rootKey: record.rootKey } }
        : refused("signature", "The old root key did not sign its successor.");
    }
    case "unknown":
      return { ok: membership };
  }
};

const addLink = (
  membership: Membership,
  step: Step,
  record: Extract<MembershipRecord, { readonly type: "link" }>,
): Verdict<Membership> => {
  if (record.link !== linkIdOfSigningKey(step.header.workspace, idToBytes(record.signingKey))) {
    return refused("invalid", "The link's id is not that of its key.");
  }
  const known = membership.links.get(record.link);
  if (known !== undefined) {
    const same = known.role === record.role && known.maxUses === record.maxUses;
    return same ? { ok: membership } : refused("invalid", "A link of this id exists with other properties.");
  }
  const { link, signingKey, role, maxUses } = record;
  const links = new Map(membership.links).set(link, { link, signingKey, role, maxUses, revoked: false });
  return { ok: { ...membership, links } };
};

const admit = (
  membership: Membership,
  step: Step,
  { certificate, signature }: SignedCertificate,
): Verdict<Membership> => {
  const { header } = step;
  if (certificate.workspace !== header.workspace)
    return refused("invalid", "The certificate is for another workspace.");
  const device = certifiedDevice(certificate);
  const issuer = issuerOf(membership, certificate);
  if ("refusal" in issuer) return issuer;
  if (exceeds(certificate.role, issuer.ok.role)) return refused("role", "The certificate exceeds its issuer's role.");
  if (!step.verify(issuer.ok.key, certificateSigningBytes(certificate), signature)) {
    return refused("signature", "The certificate's signature does not verify.");
  }
  const author = membership.members.get(header.device);
  // Rule 12: a device retires by certifying one successor of equal role, in the entry in which it leaves.
  const succession =
    certificate.issuer.type === "device" && certificate.issuer.device === header.device && leavesIn(step);
  const byOwnAuthority =
    certificate.issuer.type === "device" && !isOwner(membership.members.get(certificate.issuer.device));
  if (byOwnAuthority && !succession) return refused("role", "Only an owner certifies other devices.");
  if (device !== header.device && !isOwner(author) && !succession) {
    return refused("role", "Only an owner admits other devices.");
  }
  const existing = membership.members.get(device);
  if (existing?.to !== undefined && (certificate.from <= existing.to || device === header.device)) {
    return refused("not-a-member", "The device was revoked; a new interval begins behind the old one.");
  }
  if (certificate.from < 1) return refused("invalid", "Counters begin at 1.");
  return { ok: { ...membership, members: new Map(membership.members).set(device, memberOf(certificate, true)) } };
};

const leavesIn = (step: Step): boolean =>
  step.payload.records.some((record) => record.type === "revoke-device" && record.device === step.header.device);

const issuerOf = (
  membership: Membership,
  certificate: Certificate,
): Verdict<{ readonly key: Member["signingKey"]; readonly role: RoleName }> => {
  switch (certificate.issuer.type) {
    case "root":
      return { ok: { key: membership.rootKey, role: "owner" } };
    case "link": {
      const link = membership.links.get(certificate.issuer.link);
      if (link === undefined) return refused("invalid", "The link is not known.");
      if (link.revoked) return refused("not-a-member", "The link was revoked.");
      return { ok: { key: link.signingKey, role: link.role } };
    }
    case "device": {
      const member = membership.members.get(certificate.issuer.device);
      if (member === undefined || !member.admitted || member.to !== undefined) {
        return refused("not-a-member", "The issuer is not a member.");
      }
      return { ok: { key: member.signingKey, role: member.role } };
    }
  }
};

const revokeDevice = (
  membership: Membership,
  step: Step,
  record: Extract<MembershipRecord, { readonly type: "revoke-device" }>,
  author: Member | undefined,
): Verdict<Membership> => {
  const leaving = record.device === step.header.device;
  if (!leaving && !isOwner(author)) return refused("role", "Only an owner revokes other devices.");
  const member = membership.members.get(record.device);
  if (member === undefined || member.to !== undefined) {
    return refused("invalid", "The device is not a member.");
  }
  // Rule 19: the cut-off is what the server has, so that whether an entry counts does not depend on when it arrived.
  const last = leaving ? step.header.counter : (step.last.get(record.device)?.counter ?? 0);
  if (record.to !== last) {
    return refused("membership-head", "The device has written since; pull and propose again.", {
      head: membership.head,
      expected: last,
    });
  }
  const members = new Map(membership.members).set(record.device, { ...member, to: record.to });
  return { ok: { ...membership, members } };
};
