/**
 * The rules of the membership chain, as a pure fold (rules 19 to 24). Signatures are checked by `membership-chain.ts`,
 * before the fold; which ones those are is said here too, by `requiredSignatures`.
 *
 * An entry acts as a whole: its records apply in order, each seeing what those before it did, and where one of them breaks
 * a rule, none has any effect. Such an entry stays a link of the chain: every reader skips it in the same way, and
 * what a faulty or hostile member writes cannot stop the chain.
 */
import {
  type Certificate,
  certificateSigningBytes,
  type DeviceId,
  type Entry,
  entrySigningBytes,
  type Hash,
  idToBytes,
  type LinkId,
  linkIdOfSigningKey,
  type MembershipPayload,
  type MembershipRecord,
  NO_DOCUMENT,
  NO_MEMBERSHIP,
  type PublicKey,
  type RoleName,
  rotateRootSigningBytes,
  workspaceIdOfRootKey,
} from "@cairn/protocol";
import { certifiedDevice, isAtMost, isWellFormedCertificate } from "./certificates.ts";
import {
  currentEpoch,
  currentRole,
  isLive,
  type KeyChange,
  type Member,
  type MemberLink,
  type MembershipState,
  roleAt,
} from "./membership-state.ts";

/** One entry of the chain with its payload decoded. */
export interface MembershipStep {
  readonly entry: Entry;
  readonly hash: Hash;
  readonly payload: MembershipPayload;
}

/** Why an entry of the chain has no effect. */
export type MembershipRefusalCode =
  | "signature"
  | "not-a-member"
  | "role"
  | "certificate"
  | "already-member"
  | "link-unknown"
  | "link-not-live"
  | "key-epoch"
  | "root"
  | "form";

export interface MembershipRefusal {
  readonly code: MembershipRefusalCode;
  readonly reason: string;
}

/** A signature that has to verify before the entry may be applied. */
export interface RequiredSignature {
  readonly publicKey: PublicKey;
  readonly signature: Uint8Array;
  readonly bytes: Uint8Array;
}

const refusal = (code: MembershipRefusalCode, reason: string): MembershipRefusal => ({ code, reason });

const admittedBy = (records: ReadonlyArray<MembershipRecord>): ReadonlyArray<Certificate> =>
  records.flatMap((record) => (record.type === "admit" ? [record.certificate.certificate] : []));

/**
 * Every signature of an entry: the author's over the entry, and those inside of its records. An id is the hash of its
 * key, so a key found by its id is the right one whoever names it.
 */
export const requiredSignatures = (
  state: MembershipState,
  { entry, payload }: MembershipStep,
): ReadonlyArray<RequiredSignature> | MembershipRefusal => {
  const keyOfDevice = (device: DeviceId): PublicKey | undefined =>
    state.devices.get(device)?.signingKey ??
    admittedBy(payload.records).find((certificate) => certifiedDevice(certificate) === device)?.signingKey;
  const keyOfLink = (link: LinkId): PublicKey | undefined => {
    const named = payload.records.find((record) => record.type === "link" && record.link === link);
    const key = state.links.get(link)?.signingKey ?? (named?.type === "link" ? named.signingKey : undefined);
    return key !== undefined && linkIdOfSigningKey(state.workspace, idToBytes(key)) === link ? key : undefined;
  };
  const keyOfIssuer = (issuer: Certificate["issuer"], root: PublicKey | undefined): PublicKey | undefined => {
    switch (issuer.type) {
      case "root":
        return root;
      case "device":
        return keyOfDevice(issuer.device);
      case "link":
        return keyOfLink(issuer.link);
    }
  };

  const authorKey = keyOfDevice(entry.header.device);
  if (authorKey === undefined) return refusal("not-a-member", "the author was never admitted");
  const required: Array<RequiredSignature> = [
    {
      publicKey: authorKey,
      signature: entry.signature,
      bytes: entrySigningBytes(entry.headerBytes, entry.payload),
    },
  ];
  let root = state.rootKey;
  for (const record of payload.records) {
    if (record.type === "root") root ??= record.rootKey;
    if (record.type === "admit") {
      const { certificate, signature } = record.certificate;
      const publicKey = keyOfIssuer(certificate.issuer, root);
      if (publicKey === undefined) return refusal("certificate", "the certificate's issuer is unknown");
      required.push({ publicKey, signature, bytes: certificateSigningBytes(certificate) });
    }
    if (record.type === "rotate-root") {
      if (root === undefined) return refusal("root", "there is no root to rotate");
      required.push({
        publicKey: root,
        signature: record.signature,
        bytes: rotateRootSigningBytes(state.workspace, record.rootKey, record.recoveryKey),
      });
      root = record.rootKey;
    }
  }
  return required;
};

/** What an entry came to. `state.head` moves in either case. */
export interface AppliedStep {
  readonly state: MembershipState;
  /** Set where the entry has no effect. */
  readonly refusal?: MembershipRefusal;
}

/**
 * Applies one entry whose signatures were verified, and whose `prev` is `state.head`: check both first, or use
 * `extendMembership`, which does.
 */
export const applyMembership = (state: MembershipState, step: MembershipStep): AppliedStep => {
  const refused = (why: MembershipRefusal): AppliedStep => ({
    state: { ...state, head: step.hash },
    refusal: why,
  });
  const { header } = step.entry;
  if (header.document !== NO_DOCUMENT || header.covers.length > 0 || header.refs.length > 0)
    return refused(refusal("form", "a membership entry is about no document and refers to nothing"));
  if (state.head === NO_MEMBERSHIP) {
    const [root, first, keys] = step.payload.records;
    if (root?.type !== "root" || first?.type !== "admit" || keys?.type !== "key-change")
      return refused(refusal("root", "a chain begins with its root, its first device and its first key"));
  }
  const draft: Draft = {
    ...state,
    head: step.hash,
    devices: new Map(state.devices),
    links: new Map(state.links),
    keyChanges: [...state.keyChanges],
    unknownRecords: [...state.unknownRecords],
  };
  for (const record of step.payload.records) {
    const why = applyRecord(state, draft, step, record);
    if (why !== undefined) return refused(why);
  }
  // Its author is a member at this counter, or it says nothing: a joining device's admission makes it one.
  return roleAt(draft, header.device, header.counter) === undefined &&
    roleAt(state, header.device, header.counter) === undefined
    ? refused(refusal("not-a-member", "the author is no member at this counter"))
    : { state: draft };
};

/** Folds entries whose signatures were verified and which are linked. */
export const foldMembership = (state: MembershipState, steps: Iterable<MembershipStep>): MembershipState => {
  let folded = state;
  for (const step of steps) folded = applyMembership(folded, step).state;
  return folded;
};

interface Draft extends MembershipState {
  rootKey: PublicKey | undefined;
  recoveryKey: PublicKey | undefined;
  minimumVersion: number;
  readonly devices: Map<DeviceId, Member>;
  readonly links: Map<LinkId, MemberLink>;
  readonly keyChanges: Array<KeyChange>;
  readonly unknownRecords: Array<Extract<MembershipRecord, { readonly type: "unknown" }>>;
}

type RecordOf<Type extends MembershipRecord["type"]> = Extract<MembershipRecord, { readonly type: Type }>;
type Outcome = MembershipRefusal | undefined;

const applyRecord = (
  before: MembershipState,
  draft: Draft,
  step: MembershipStep,
  record: MembershipRecord,
): Outcome => {
  const { device: author, counter } = step.entry.header;
  const authorRole = roleAt(draft, author, counter);
  if (record.type === "root") return applyRoot(draft, record);
  if (record.type === "admit") return applyAdmit(before, draft, step, record);
  if (record.type === "revoke-device") {
    const allowed = authorRole === "owner" || record.device === author || succeeds(before, step, record.device);
    return allowed ? applyRevokeDevice(draft, record) : refusal("role", "only an owner revokes other devices");
  }
  if (authorRole !== "owner") return refusal("role", "only an owner's device may say this");
  switch (record.type) {
    case "key-change":
      if (record.epoch !== currentEpoch(draft) + 1)
        return refusal("key-epoch", "epochs follow each other without gaps");
      draft.keyChanges.push({ epoch: record.epoch, keys: record.keys, previous: record.previous });
      return undefined;
    case "link":
      return applyLink(draft, record);
    case "revoke-link": {
      const link = draft.links.get(record.link);
      if (link === undefined) return refusal("link-unknown", "there is no such link");
      draft.links.set(record.link, { ...link, revoked: true });
      return undefined;
    }
    case "rotate-root":
      draft.rootKey = record.rootKey;
      draft.recoveryKey = record.recoveryKey;
      return undefined;
    case "minimum-version":
      // One that is not higher breaks no rule: readers that do not know the record act on what stands beside it, too.
      draft.minimumVersion = Math.max(draft.minimumVersion, record.version);
      return undefined;
    case "unknown":
      draft.unknownRecords.push(record);
      return undefined;
  }
};

const applyRoot = (draft: Draft, record: RecordOf<"root">): Outcome => {
  if (draft.rootKey !== undefined) return refusal("root", "a chain has one first root");
  if (workspaceIdOfRootKey(idToBytes(record.rootKey)) !== draft.workspace)
    return refusal("root", "the root is not this workspace's");
  draft.rootKey = record.rootKey;
  draft.recoveryKey = record.recoveryKey;
  return undefined;
};

/**
 * Whether the entry's author takes the place of `device`: admitted here, in the same role, by a certificate of that
 * device (rule 12). In a lower role it would be somebody whom an owner let in, and who may not revoke the owner.
 */
const succeeds = (before: MembershipState, { entry, payload }: MembershipStep, device: DeviceId): boolean =>
  admittedBy(payload.records).some(
    (certificate) =>
      certificate.issuer.type === "device" &&
      certificate.issuer.device === device &&
      certificate.role === currentRole(before, device) &&
      certifiedDevice(certificate) === entry.header.device,
  );

/**
 * Whether a device that is no owner may name this one (rule 12). A copy of a profile that takes a successor cannot know
 * whether the other copy goes on, so a writer's identity stays with whoever keeps it. The successor writes the entry itself,
 * and there is one of them in it. A reader's identity holds nothing to be told apart by: its successor takes its place.
 */
const mayFollow = (
  step: MembershipStep,
  role: RoleName,
  issuerRole: RoleName,
  successor: DeviceId,
  issuer: DeviceId,
): boolean =>
  role === issuerRole &&
  (isSuccession(step, issuer) ||
    (role === "writer" && step.entry.header.device === successor && admittedBy(step.payload.records).length === 1));

/** Whether this entry makes exactly one device the successor of `device`, and revokes `device`. */
const isSuccession = ({ payload }: MembershipStep, device: DeviceId): boolean =>
  payload.records.some((record) => record.type === "revoke-device" && record.device === device) &&
  admittedBy(payload.records).filter(({ issuer }) => issuer.type === "device" && issuer.device === device).length === 1;

const applyAdmit = (
  before: MembershipState,
  draft: Draft,
  step: MembershipStep,
  record: RecordOf<"admit">,
): Outcome => {
  const { certificate } = record.certificate;
  if (!isWellFormedCertificate(certificate, draft.workspace))
    return refusal("certificate", "the certificate is for another workspace or its keys are unusable");
  const { device: author, counter } = step.entry.header;
  const device = certifiedDevice(certificate);
  const authorIsOwner = roleAt(draft, author, counter) === "owner";
  const { issuer } = certificate;
  switch (issuer.type) {
    case "root":
      if (author !== device && !authorIsOwner)
        return refusal("role", "an admission is written by the admitted device or by an owner");
      break;
    case "device": {
      // A successor's entry may revoke its predecessor in an earlier record, so the issuer's role is that before the entry.
      const issuerRole = currentRole(before, issuer.device) ?? currentRole(draft, issuer.device);
      if (issuerRole === undefined) return refusal("certificate", "the issuer is no member");
      if (!isAtMost(certificate.role, issuerRole))
        return refusal("certificate", "a certificate never exceeds its issuer's role");
      if (issuerRole !== "owner" && !mayFollow(step, certificate.role, issuerRole, device, issuer.device))
        return refusal("role", "only an owner admits devices; others name a successor for themselves");
      if (author !== device && author !== issuer.device && !authorIsOwner)
        return refusal("role", "an admission is written by the admitted device or by an owner");
      break;
    }
    case "link": {
      const link = draft.links.get(issuer.link);
      if (link === undefined) return refusal("link-unknown", "there is no such link");
      if (!isLive(link)) return refusal("link-not-live", "the link was revoked or is used up");
      if (!isAtMost(certificate.role, link.role))
        return refusal("certificate", "a certificate never exceeds its issuer's role");
      if (author !== device && !authorIsOwner)
        return refusal("role", "an admission is written by the admitted device or by an owner");
      draft.links.set(issuer.link, { ...link, uses: link.uses + 1 });
      break;
    }
  }
  return admit(draft, device, record);
};

const admit = (draft: Draft, device: DeviceId, record: RecordOf<"admit">): Outcome => {
  const { certificate } = record.certificate;
  const known = draft.devices.get(device);
  const before = known?.grants.slice(0, -1) ?? [];
  const last = known?.grants.at(-1);
  if (last !== undefined) {
    if (certificate.from <= (last.to ?? last.from))
      return refusal("already-member", "the device is a member at these counters");
    // Who opens a link that lets it do more goes on under that role. To do less needs a cut-off that others can check.
    if (last.to === undefined && isAtMost(certificate.role, last.role))
      return refusal("already-member", "the device is a member already, in no lower role");
    before.push({ ...last, to: last.to ?? certificate.from - 1 });
  }
  draft.devices.set(device, {
    device,
    signingKey: certificate.signingKey,
    agreementKey: certificate.agreementKey,
    grants: [...before, { role: certificate.role, from: certificate.from, to: certificate.to }],
    revoked: false,
    sealedName: record.sealedName,
  });
  return undefined;
};

const applyRevokeDevice = (draft: Draft, record: RecordOf<"revoke-device">): Outcome => {
  const member = draft.devices.get(record.device);
  const last = member?.grants.at(-1);
  if (member === undefined || last === undefined || member.revoked)
    return refusal("not-a-member", "the device is no member");
  // A cut-off only ever closes an interval: one behind its end changes nothing of it, one before its begin empties it.
  const to = Math.max(last.from - 1, Math.min(record.to, last.to ?? record.to));
  draft.devices.set(record.device, {
    ...member,
    grants: [...member.grants.slice(0, -1), { ...last, to }],
    revoked: true,
  });
  return undefined;
};

const applyLink = (draft: Draft, record: RecordOf<"link">): Outcome => {
  if (linkIdOfSigningKey(draft.workspace, idToBytes(record.signingKey)) !== record.link)
    return refusal("form", "the link's id is not the hash of its key");
  if (draft.links.has(record.link)) return refusal("form", "there is such a link already");
  if (record.epoch !== currentEpoch(draft)) return refusal("key-epoch", "a new link gets the current epoch's key");
  draft.links.set(record.link, {
    link: record.link,
    signingKey: record.signingKey,
    agreementKey: record.agreementKey,
    role: record.role,
    maxUses: record.maxUses,
    uses: 0,
    revoked: false,
    epoch: record.epoch,
    sealedKey: record.sealedKey,
    sealedLabel: record.sealedLabel,
  });
  return undefined;
};
