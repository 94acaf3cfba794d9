/**
 * Authors for tests of the server: keys and signatures by `node:crypto` over the byte strings of the protocol. Nothing
 * is sealed, because the server looks at no payload but those of membership entries.
 */
import {
  assembleEntry,
  type Certificate,
  ChallengePurpose,
  certificateSigningBytes,
  challengeBytes,
  type ChallengePurpose as Purpose,
  decodeBase64Url,
  type DeviceId,
  deviceIdOfSigningKey,
  type DocumentId,
  documentIdFromBytes,
  encodeBase64Url,
  encodeCertificate,
  encodeHeader,
  encodeMembership,
  type Entry,
  type EntryHeader,
  EntryKind,
  entryHash,
  entrySigningBytes,
  type Hash,
  type LinkId,
  linkIdOfSigningKey,
  type MembershipRecord,
  NO_DOCUMENT,
  NO_MEMBERSHIP,
  PROTOCOL_VERSION,
  type PublicKey,
  publicKeyFromBytes,
  type RoleName,
  type ServerId,
  type SignedCertificate,
  signatureFromBytes,
  type WorkspaceId,
  workspaceIdOfRootKey,
} from "@cairn/protocol";
import { generateKeyPairSync, randomBytes, sign } from "node:crypto";

/** An Ed25519 key pair that signs in this process. */
export interface SigningPair {
  readonly publicKey: PublicKey;
  readonly sign: (bytes: Uint8Array) => Uint8Array;
}

export const makeSigningPair = (): SigningPair => {
  const { publicKey, privateKey } = generateKeyPairSync("ed25519");
  const { x } = publicKey.export({ format: "jwk" });
  return {
    publicKey: publicKeyFromBytes(decodeBase64Url(x ?? "") ?? new Uint8Array()),
    sign: (bytes) => new Uint8Array(sign(null, bytes, privateKey)),
  };
};

const agreementKey = (): PublicKey => {
  const { x } = generateKeyPairSync("x25519").publicKey.export({ format: "jwk" });
  return publicKeyFromBytes(decodeBase64Url(x ?? "") ?? new Uint8Array());
};

/** A document's id. */
export const randomDocument = (): DocumentId => documentIdFromBytes(randomBytes(16));

/** A workspace's root, as its owner holds it. */
export interface TestRoot {
  readonly workspace: WorkspaceId;
  readonly pair: SigningPair;
  readonly recoveryKey: PublicKey;
}

export const makeRoot = (): TestRoot => {
  const pair = makeSigningPair();
  const workspace = workspaceIdOfRootKey(decodeBase64Url(pair.publicKey) ?? new Uint8Array());
  return { workspace, pair, recoveryKey: agreementKey() };
};

/** A link's secret half. */
export interface TestLink {
  readonly link: LinkId;
  readonly pair: SigningPair;
}

export const makeLink = (workspace: WorkspaceId): TestLink => {
  const pair = makeSigningPair();
  return { pair, link: linkIdOfSigningKey(workspace, decodeBase64Url(pair.publicKey) ?? new Uint8Array()) };
};

/** One installation: it signs entries, and counts them. */
export class TestDevice {
  readonly workspace: WorkspaceId;
  readonly pair: SigningPair;
  readonly agreementKey: PublicKey;
  readonly device: DeviceId;
  /** The counter of the last entry that it authored. */
  counter = 0;

  constructor(workspace: WorkspaceId) {
    this.workspace = workspace;
    this.pair = makeSigningPair();
    this.agreementKey = agreementKey();
    this.device = deviceIdOfSigningKey(workspace, decodeBase64Url(this.pair.publicKey) ?? new Uint8Array());
  }

  /** An entry under the next counter, unless `header` says otherwise. */
  author(header: Partial<EntryHeader> = {}, payload: Uint8Array = randomBytes(64)): Entry {
    const counter = header.counter ?? this.counter + 1;
    this.counter = Math.max(this.counter, counter);
    return signEntry(this.pair, { ...this.defaults, counter, ...header }, payload);
  }

  /** A membership entry under the next counter. */
  propose(prev: Hash, records: ReadonlyArray<MembershipRecord>, header: Partial<EntryHeader> = {}): Entry {
    return this.author(
      { kind: EntryKind.membership, document: NO_DOCUMENT, epoch: 0, ...header },
      encodeMembership({ prev, records }),
    );
  }

  get defaults(): EntryHeader {
    return {
      version: PROTOCOL_VERSION,
      kind: EntryKind.update,
      workspace: this.workspace,
      document: randomDocument(),
      device: this.device,
      counter: this.counter + 1,
      epoch: 1,
      covers: [],
      refs: [],
      extensions: [],
    };
  }
}

/** An entry with its author's signature. */
export const signEntry = (pair: SigningPair, header: EntryHeader, payload: Uint8Array): Entry =>
  assembleEntry(header, payload, pair.sign(entrySigningBytes(encodeHeader(header), payload)));

/** A certificate for a device, signed by its issuer. */
export const certify = (
  device: TestDevice,
  role: RoleName,
  issuer: Certificate["issuer"],
  pair: SigningPair,
  interval: { readonly from?: number; readonly to?: number } = {},
): SignedCertificate => {
  const certificate: Certificate = {
    workspace: device.workspace,
    signingKey: device.pair.publicKey,
    agreementKey: device.agreementKey,
    role,
    from: interval.from ?? 1,
    to: interval.to,
    issuer,
  };
  return { certificate, signature: pair.sign(certificateSigningBytes(certificate)) };
};

/** The chain's first entry: root, the first owner and the first key. */
export const genesis = (root: TestRoot, owner: TestDevice): Entry =>
  owner.propose(NO_MEMBERSHIP, [
    { type: "root", rootKey: root.pair.publicKey, recoveryKey: root.recoveryKey },
    {
      type: "admit",
      certificate: certify(owner, "owner", { type: "root" }, root.pair),
      sealedName: new Uint8Array(),
    },
    { type: "key-change", epoch: 1, keys: [], previous: new Uint8Array() },
  ]);

/** The record by which a link becomes known to the chain. */
export const linkRecord = (
  link: TestLink,
  role: RoleName,
  maxUses = 0,
): Extract<MembershipRecord, { readonly type: "link" }> => ({
  type: "link",
  link: link.link,
  signingKey: link.pair.publicKey,
  agreementKey: agreementKey(),
  role,
  maxUses,
  epoch: 1,
  sealedKey: new Uint8Array(),
  sealedLabel: new Uint8Array(),
});

/** The entry by which a device that came through a link admits itself (rule 20). */
export const admission = (device: TestDevice, prev: Hash, role: RoleName, link: TestLink): Entry =>
  device.propose(prev, [
    {
      type: "admit",
      certificate: certify(device, role, { type: "link", link: link.link }, link.pair),
      sealedName: new Uint8Array(),
    },
  ]);

/** The hash of an entry. */
export const hashOf = (entry: Entry): Hash => entryHash(entry.bytes);

/** What a proof is made of. */
export interface ProofRequest {
  readonly purpose: Purpose;
  readonly server: ServerId;
  readonly origin: string;
  readonly workspace: WorkspaceId;
  readonly subject: DeviceId | LinkId;
  readonly statement?: Uint8Array;
  readonly nonce: string;
}

/** A proof of a key over a server's challenge, as the API takes it. */
export const prove = (pair: SigningPair, request: ProofRequest) => {
  const nonce = decodeBase64Url(request.nonce) ?? new Uint8Array();
  const bytes = challengeBytes({ ...request, statement: request.statement ?? new Uint8Array(), nonce });
  return { origin: request.origin, nonce: request.nonce, signature: signatureFromBytes(pair.sign(bytes)) };
};

/** A certificate as JSON bodies carry it. */
export const certificateText = (certificate: SignedCertificate): string =>
  encodeBase64Url(encodeCertificate(certificate));

export { ChallengePurpose, encodeCertificate };
