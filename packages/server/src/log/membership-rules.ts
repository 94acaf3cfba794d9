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
import type { KnownLink, LastEntry, Member, Membership } from "./log-state.ts";

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
  revoked: false,
});

const roleAt = ({ members }: Membership, device: DeviceId, counter: number): RoleName | undefined => {
  const member = members.get(device);
  if (member === undefined || !member.admitted) return undefined;
  return member.from <= counter && (member.to === undefined || counter <= member.to) ? member.role : undefined;
};

/** The role of a device whose interval is open. */
const openRole = ({ members }: Membership, device: DeviceId): RoleName | undefined => {
  const member = members.get(device);
  return member?.admitted === true && member.to === undefined ? member.role : undefined;
};

interface Step {
  readonly header: EntryHeader;
  readonly payload: MembershipPayload;
  readonly last: ReadonlyMap<DeviceId, LastEntry>;
  readonly verify: VerifySignature;
  /** The membership before the entry. */
  readonly before: Membership;
}

/**
 * The chain after one more entry, whose author's signature has been verified. What devices would pass over as having no
 * effect is refused here, so that what is stored means the same to everybody.
 */
export const applyMembership = (before: Membership, entry: Omit<Step, "before">): Verdict<Membership> => {
  const step: Step = { ...entry, before };
  const { header, payload } = step;
  if (payload.prev !== before.head) {
    return refused("membership-head", "The membership chain has moved on; pull and propose again.", {
      head: before.head,
    });
  }
  if (payload.records.length === 0) return refused("invalid", "A membership entry says something.");
  if (before.head === NO_MEMBERSHIP) {
    const [root, first, key] = payload.records;
    if (root?.type !== "root" || first?.type !== "admit" || key?.type !== "key-change") {
      return refused("invalid", "A chain begins with its root, its first device and its first key.");
    }
  }
  let membership = before;
  for (const [index, record] of payload.records.entries()) {
    if (record.type === "root" && (index > 0 || before.head !== NO_MEMBERSHIP)) {
      return refused("invalid", "The root is named once, at the chain's beginning.");
    }
    const verdict = applyRecord(membership, step, record);
    if ("refusal" in verdict) return verdict;
    membership = verdict.ok;
  }
  const isMember = [before, membership].some((state) => roleAt(state, header.device, header.counter) !== undefined);
  return isMember ? { ok: membership } : refused("not-a-member", "The author is no member at this counter.");
};

const applyRecord = (membership: Membership, step: Step, record: MembershipRecord): Verdict<Membership> => {
  const { workspace, device, counter } = step.header;
  if (record.type === "root") {
    const anchored = workspaceIdOfRootKey(idToBytes(record.rootKey)) === workspace;
    return anchored && record.rootKey === membership.rootKey
      ? { ok: membership }
      : refused("invalid", "The root key is not the workspace's.");
  }
  if (record.type === "admit") return admit(membership, step, record.certificate);
  const authorRole = roleAt(membership, device, counter);
  if (record.type === "revoke-device") return revokeDevice(membership, step, record, authorRole);
  if (authorRole !== "owner") return refused("role", "Only an owner changes links, keys, the root and the minimum.");
  switch (record.type) {
    case "key-change":
      return record.epoch === membership.keyEpoch + 1
        ? { ok: { ...membership, keyEpoch: record.epoch } }
        : refused("invalid", "A key change raises the epoch by one.", { expected: membership.keyEpoch + 1 });
    case "link":
      return addLink(membership, step, record);
    case "revoke-link": {
      const link = membership.links.get(record.link);
      if (link === undefined || !link.chained) return refused("invalid", "The link is not known.");
      return { ok: withLink(membership, { ...link, revoked: true }) };
    }
    case "rotate-root": {
      const bytes = rotateRootSigningBytes(workspace, record.rootKey, record.recoveryKey);
      return step.verify(membership.rootKey, bytes, record.signature)
        ? { ok: { ...membership, rootKey: record.rootKey } }
        : refused("signature", "The old root key did not sign its successor.");
    }
    case "minimum-version":
      return record.version > membership.minimumVersion
        ? { ok: { ...membership, minimumVersion: record.version } }
        : refused("invalid", "The minimum version only rises.", { expected: membership.minimumVersion + 1 });
    case "unknown":
      return { ok: membership };
  }
};

const withLink = (membership: Membership, link: KnownLink): Membership => ({
  ...membership,
  links: new Map(membership.links).set(link.link, link),
});

const withMember = (membership: Membership, member: Member): Membership => ({
  ...membership,
  members: new Map(membership.members).set(member.device, member),
});

const addLink = (
  membership: Membership,
  step: Step,
  record: Extract<MembershipRecord, { readonly type: "link" }>,
): Verdict<Membership> => {
  const { link, signingKey, role, maxUses } = record;
  if (link !== linkIdOfSigningKey(step.header.workspace, idToBytes(signingKey))) {
    return refused("invalid", "The link's id is not that of its key.");
  }
  const known = membership.links.get(link);
  if (known?.chained === true) return refused("invalid", "There is such a link already.");
  if (known !== undefined && (known.role !== role || known.maxUses !== maxUses)) {
    return refused("invalid", "The server was told of this link with other properties.");
  }
  if (record.epoch !== membership.keyEpoch) return refused("invalid", "A new link gets the current epoch's key.");
  const revoked = known?.revoked ?? false;
  return { ok: withLink(membership, { link, signingKey, role, maxUses, revoked, chained: true, uses: 0 }) };
};

/** The certificates that an entry admits devices by. */
const admittedBy = ({ records }: MembershipPayload): ReadonlyArray<Certificate> =>
  records.flatMap((record) => (record.type === "admit" ? [record.certificate.certificate] : []));

const certifiedBy = (payload: MembershipPayload, issuer: DeviceId): ReadonlyArray<Certificate> =>
  admittedBy(payload).filter(
    (certificate) => certificate.issuer.type === "device" && certificate.issuer.device === issuer,
  );

const revokes = ({ records }: MembershipPayload, device: DeviceId): boolean =>
  records.some((record) => record.type === "revoke-device" && record.device === device);

/** The device that takes the place of `device` in this entry, in its role, certified by it, while it leaves (rule 12). */
export const successorOf = (before: Membership, payload: MembershipPayload, device: DeviceId): DeviceId | undefined => {
  const [certificate, ...others] = certifiedBy(payload, device);
  if (certificate === undefined || others.length > 0 || !revokes(payload, device)) return undefined;
  const successor = certifiedDevice(certificate);
  return successor !== device && certificate.role === openRole(before, device) ? successor : undefined;
};

/**
 * Whether a device that is no owner may name this one (rule 12): in its own role, and either leaving in the same entry, or,
 * as a writer, in an entry that the successor writes and that admits nobody else.
 */
const mayFollow = (
  { header, payload, before }: Step,
  certificate: Certificate,
  issuerRole: RoleName,
  issuer: DeviceId,
): boolean => {
  const successor = certifiedDevice(certificate);
  if (successorOf(before, payload, issuer) === successor) return true;
  return (
    issuerRole === "writer" &&
    certificate.role === issuerRole &&
    header.device === successor &&
    admittedBy(payload).length === 1
  );
};

const admit = (
  membership: Membership,
  step: Step,
  { certificate, signature }: SignedCertificate,
): Verdict<Membership> => {
  const { header, before } = step;
  if (certificate.workspace !== header.workspace)
    return refused("invalid", "The certificate is for another workspace.");
  if (certificate.from < 1 || (certificate.to !== undefined && certificate.to < certificate.from)) {
    return refused("invalid", "The certificate's interval is empty.");
  }
  const device = certifiedDevice(certificate);
  const issuer = issuerOf(membership, before, certificate);
  if ("refusal" in issuer) return issuer;
  if (exceeds(certificate.role, issuer.ok.role)) return refused("role", "The certificate exceeds its issuer's role.");
  if (!step.verify(issuer.ok.key, certificateSigningBytes(certificate), signature)) {
    return refused("signature", "The certificate's signature does not verify.");
  }
  const issuedBy = certificate.issuer.type === "device" ? certificate.issuer.device : undefined;
  if (issuedBy !== undefined && issuer.ok.role !== "owner" && !mayFollow(step, certificate, issuer.ok.role, issuedBy)) {
    return refused("role", "Only an owner certifies devices; others name a successor for themselves, in their role.");
  }
  const authorIsOwner = roleAt(membership, header.device, header.counter) === "owner";
  if (header.device !== device && header.device !== issuedBy && !authorIsOwner) {
    return refused("role", "An admission is written by the admitted device or by an owner.");
  }
  const known = membership.members.get(device);
  if (known?.admitted === true) {
    if (certificate.from <= (known.to ?? known.from)) {
      return refused("not-a-member", "A new interval begins behind the old one.");
    }
    if (known.to === undefined && !exceeds(certificate.role, known.role)) {
      return refused("invalid", "The device is a member already, in no lower role.");
    }
  }
  const admitted = withMember(membership, memberOf(certificate, true));
  return {
    ok:
      issuer.ok.link === undefined
        ? admitted
        : withLink(admitted, { ...issuer.ok.link, uses: issuer.ok.link.uses + 1 }),
  };
};

interface IssuerAuthority {
  readonly key: Member["signingKey"];
  readonly role: RoleName;
  readonly link?: KnownLink;
}

const issuerOf = (membership: Membership, before: Membership, certificate: Certificate): Verdict<IssuerAuthority> => {
  const { issuer } = certificate;
  switch (issuer.type) {
    case "root":
      return { ok: { key: membership.rootKey, role: "owner" } };
    case "link": {
      const link = membership.links.get(issuer.link);
      if (link === undefined || !link.chained) return refused("invalid", "The link is not known.");
      const usedUp = link.maxUses > 0 && link.uses >= link.maxUses;
      if (link.revoked || usedUp) return refused("not-a-member", "The link was revoked or is used up.");
      return { ok: { key: link.signingKey, role: link.role, link } };
    }
    case "device": {
      // A successor's entry may revoke its predecessor in an earlier record: its role is that before the entry.
      const role = openRole(before, issuer.device) ?? openRole(membership, issuer.device);
      const member = membership.members.get(issuer.device);
      return role === undefined || member === undefined
        ? refused("not-a-member", "The issuer is not a member.")
        : { ok: { key: member.signingKey, role } };
    }
  }
};

const revokeDevice = (
  membership: Membership,
  step: Step,
  record: Extract<MembershipRecord, { readonly type: "revoke-device" }>,
  authorRole: RoleName | undefined,
): Verdict<Membership> => {
  const { header, payload, before } = step;
  const { device } = record;
  const leaving = device === header.device;
  const allowed = leaving || authorRole === "owner" || successorOf(before, payload, device) === header.device;
  if (!allowed) return refused("role", "Only an owner revokes other devices.");
  const member = membership.members.get(device);
  if (member === undefined || !member.admitted || member.revoked) {
    return refused("invalid", "The device is not a member.");
  }
  // Rule 19: the cut-off is what the server has, so that whether an entry counts does not depend on when it arrived.
  const last = leaving ? header.counter : (step.last.get(device)?.counter ?? 0);
  if (record.to !== last) {
    return refused("membership-head", "The device has written since; pull and propose again.", {
      head: membership.head,
      expected: last,
    });
  }
  // A cut-off only ever closes an interval: behind its end it changes nothing, before its begin it empties it.
  const to = Math.max(member.from - 1, Math.min(record.to, member.to ?? record.to));
  return { ok: withMember(membership, { ...member, to, revoked: true }) };
};
