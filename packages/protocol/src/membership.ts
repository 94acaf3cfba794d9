/**
 * The membership chain (rules 19 to 24): who is a device of the workspace, in which role, and which keys there are.
 *
 * It is made of entries of kind `membership`. Their payload is readable, because the server enforces it too; names and
 * keys inside are sealed.
 *
 * ```
 * payload     = version(1) prev(32) count(varint) { type(1) length(varint) body }
 * certificate = version(1) workspace(16) signing-key(32) agreement-key(32) role(1) from(varint) to(varint)
 *               issuer-type(1) issuer(16) signature(64)
 * ```
 *
 * `prev` is the hash of the chain's entry before, zeros for the first. A record of an unknown type is kept; a reader
 * that meets one acts on the records that it knows.
 */
import { ByteReader, ByteWriter, concatBytes, MalformedBytes } from "./bytes.ts";
import {
  type DeviceId,
  deviceIdFromBytes,
  type Hash,
  HASH_BYTES,
  hashFromBytes,
  ID_BYTES,
  idToBytes,
  label,
  linkIdFromBytes,
  type LinkId,
  PUBLIC_KEY_BYTES,
  type PublicKey,
  publicKeyFromBytes,
  SIGNATURE_BYTES,
  type WorkspaceId,
  workspaceIdFromBytes,
} from "./ids.ts";
import { LIMITS } from "./limits.ts";

/** What a member may do. An owner also changes membership. A certificate never exceeds its issuer's role. */
export const Role = { owner: 1, writer: 2, reader: 3 } as const;
export type RoleName = keyof typeof Role;

const roleNames: ReadonlyMap<number, RoleName> = new Map([
  [Role.owner, "owner"],
  [Role.writer, "writer"],
  [Role.reader, "reader"],
]);

/** Who vouches for a device. */
export const Issuer = { root: 1, device: 2, link: 3 } as const;
export type IssuerType = keyof typeof Issuer;

const issuerTypes: ReadonlyMap<number, IssuerType> = new Map([
  [Issuer.root, "root"],
  [Issuer.device, "device"],
  [Issuer.link, "link"],
]);

/** A statement by root, an owner's device or a link's key: this device, in this role, for these counters. */
export interface Certificate {
  readonly workspace: WorkspaceId;
  /** Ed25519: its hash is the device's id. */
  readonly signingKey: PublicKey;
  /** X25519: keys are sealed to it. */
  readonly agreementKey: PublicKey;
  readonly role: RoleName;
  /** The first counter that counts. */
  readonly from: number;
  /** The last counter that counts, or undefined while it is open. */
  readonly to: number | undefined;
  readonly issuer:
    | { readonly type: "root" }
    | { readonly type: "device"; readonly device: DeviceId }
    | { readonly type: "link"; readonly link: LinkId };
}

/** A certificate and its issuer's signature over `certificateSigningBytes`. */
export interface SignedCertificate {
  readonly certificate: Certificate;
  readonly signature: Uint8Array;
}

/** For whom an epoch key is sealed: a device's, a link's or a recovery key's agreement key (HPKE, RFC 9180). */
export interface SealedKey {
  readonly recipient: "device" | "link" | "recovery";
  /** The device's or link's id; zeros for recovery. */
  readonly id: Uint8Array;
  /** The encapsulated key, then the ciphertext. */
  readonly sealed: Uint8Array;
}

/** One statement of the chain. */
export type MembershipRecord =
  | {
      readonly type: "root";
      readonly rootKey: PublicKey;
      /** X25519: every epoch key is sealed to it too, so that whoever holds the root gets back in. */
      readonly recoveryKey: PublicKey;
    }
  | {
      readonly type: "admit";
      readonly certificate: SignedCertificate;
      readonly sealedName: Uint8Array;
    }
  | {
      readonly type: "key-change";
      readonly epoch: number;
      readonly keys: ReadonlyArray<SealedKey>;
      /** The previous epoch's key, sealed under the new one; empty for the first epoch. */
      readonly previous: Uint8Array;
    }
  | {
      readonly type: "link";
      readonly link: LinkId;
      readonly signingKey: PublicKey;
      readonly agreementKey: PublicKey;
      readonly role: RoleName;
      /** How many devices may join through it; 0 for any number. Devices enforce it by chain order (rule 22). */
      readonly maxUses: number;
      /** The epoch key of this moment, sealed to the link. */
      readonly epoch: number;
      readonly sealedKey: Uint8Array;
      readonly sealedLabel: Uint8Array;
    }
  | { readonly type: "revoke-device"; readonly device: DeviceId; readonly to: number }
  | { readonly type: "revoke-link"; readonly link: LinkId }
  | {
      readonly type: "rotate-root";
      readonly rootKey: PublicKey;
      readonly recoveryKey: PublicKey;
      /** By the old root key over `rotateRootSigningBytes`. */
      readonly signature: Uint8Array;
    }
  | {
      /** Apps whose documents' schema has a lower version write nothing new here; what they have is still taken. */
      readonly type: "minimum-version";
      readonly version: number;
    }
  | { readonly type: "unknown"; readonly code: number; readonly body: Uint8Array };

/** The payload of one membership entry. */
export interface MembershipPayload {
  /** Hash of the chain's entry before. */
  readonly prev: Hash;
  readonly records: ReadonlyArray<MembershipRecord>;
}

/** The `prev` of a chain's first entry. */
export const NO_MEMBERSHIP: Hash = hashFromBytes(new Uint8Array(HASH_BYTES));

const FORMAT = 1;
const CERTIFICATE_LABEL = label("certificate");
const ROTATE_LABEL = label("rotate-root");
const MAX_SEALED_KEY = 256;
const MAX_SEALED_TEXT = 2048;
const CERTIFICATE_MAX = 256;
/** The first byte of a record. */
export const RECORD_CODES = {
  root: 1,
  admit: 2,
  "key-change": 3,
  link: 4,
  "revoke-device": 5,
  "revoke-link": 6,
  "rotate-root": 7,
  "minimum-version": 8,
} as const;
/** Types of which readers have always known that a body of another form makes the payload malformed. */
const strictCodes: ReadonlySet<number> = new Set(
  Object.values(RECORD_CODES).filter((code) => code !== RECORD_CODES["minimum-version"]),
);
const RECIPIENTS = ["device", "link", "recovery"] as const;

const writeCertificate = (writer: ByteWriter, certificate: Certificate): ByteWriter => {
  writer.u8(FORMAT).raw(idToBytes(certificate.workspace));
  writer.raw(idToBytes(certificate.signingKey)).raw(idToBytes(certificate.agreementKey));
  writer
    .u8(Role[certificate.role])
    .varint(certificate.from)
    .varint(certificate.to ?? 0);
  writer.u8(Issuer[certificate.issuer.type]);
  switch (certificate.issuer.type) {
    case "root":
      return writer.raw(new Uint8Array(ID_BYTES));
    case "device":
      return writer.raw(idToBytes(certificate.issuer.device));
    case "link":
      return writer.raw(idToBytes(certificate.issuer.link));
  }
};

/** The bytes that a certificate's issuer signs. */
export const certificateSigningBytes = (certificate: Certificate): Uint8Array<ArrayBuffer> =>
  writeCertificate(new ByteWriter().raw(CERTIFICATE_LABEL), certificate).finish();

/** The bytes that the old root key signs to name its successor and the recovery key that comes with it. */
export const rotateRootSigningBytes = (
  workspace: WorkspaceId,
  newRootKey: PublicKey,
  newRecoveryKey: PublicKey,
): Uint8Array<ArrayBuffer> =>
  concatBytes(ROTATE_LABEL, idToBytes(workspace), idToBytes(newRootKey), idToBytes(newRecoveryKey));

/** A certificate with its signature. */
export const encodeCertificate = (signed: SignedCertificate): Uint8Array<ArrayBuffer> =>
  writeCertificate(new ByteWriter(), signed.certificate).raw(signed.signature).finish();

const readRole = (reader: ByteReader): RoleName => roleNames.get(reader.u8()) ?? reader.fail("unknown role");

/** Decodes a certificate that fills `bytes`. Throws `MalformedBytes`. The signature is not checked. */
export const decodeCertificate = (bytes: Uint8Array): SignedCertificate => {
  const reader = new ByteReader(bytes);
  if (reader.u8() !== FORMAT) reader.fail("unknown certificate version");
  const workspace = workspaceIdFromBytes(reader.raw(ID_BYTES));
  const signingKey = publicKeyFromBytes(reader.raw(PUBLIC_KEY_BYTES));
  const agreementKey = publicKeyFromBytes(reader.raw(PUBLIC_KEY_BYTES));
  const role = readRole(reader);
  const from = reader.varint();
  const to = reader.varint();
  const issuerType = issuerTypes.get(reader.u8()) ?? reader.fail("unknown issuer");
  const issuerId = reader.raw(ID_BYTES);
  const issuer: Certificate["issuer"] =
    issuerType === "root"
      ? { type: "root" }
      : issuerType === "device"
        ? { type: "device", device: deviceIdFromBytes(issuerId) }
        : { type: "link", link: linkIdFromBytes(issuerId) };
  if (issuerType === "root" && issuerId.some((byte) => byte !== 0)) reader.fail("root has no issuer id");
  const signature = reader.raw(SIGNATURE_BYTES);
  reader.end();
  const certificate = {
    workspace,
    signingKey,
    agreementKey,
    role,
    from,
    to: to === 0 ? undefined : to,
    issuer,
  };
  return { certificate, signature };
};

/** Throws `RangeError` where there are more than `max`: no reader would accept them. */
const atMost = (bytes: Uint8Array, max: number): Uint8Array => {
  if (bytes.length > max) throw new RangeError(`${bytes.length} sealed bytes are more than ${max}`);
  return bytes;
};

const recordBody = (record: MembershipRecord): Uint8Array => {
  const writer = new ByteWriter();
  switch (record.type) {
    case "root":
      return writer.raw(idToBytes(record.rootKey)).raw(idToBytes(record.recoveryKey)).finish();
    case "admit":
      return writer
        .bytes(encodeCertificate(record.certificate))
        .bytes(atMost(record.sealedName, MAX_SEALED_TEXT))
        .finish();
    case "key-change":
      if (record.keys.length > LIMITS.keyRecipients) throw new RangeError("too many recipients of a key change");
      writer.varint(record.epoch).varint(record.keys.length);
      for (const key of record.keys)
        writer.u8(RECIPIENTS.indexOf(key.recipient)).raw(key.id).bytes(atMost(key.sealed, MAX_SEALED_KEY));
      return writer.bytes(atMost(record.previous, MAX_SEALED_KEY)).finish();
    case "link":
      writer.raw(idToBytes(record.link)).raw(idToBytes(record.signingKey)).raw(idToBytes(record.agreementKey));
      writer.u8(Role[record.role]).varint(record.maxUses).varint(record.epoch);
      return writer
        .bytes(atMost(record.sealedKey, MAX_SEALED_KEY))
        .bytes(atMost(record.sealedLabel, MAX_SEALED_TEXT))
        .finish();
    case "revoke-device":
      return writer.raw(idToBytes(record.device)).varint(record.to).finish();
    case "revoke-link":
      return idToBytes(record.link);
    case "rotate-root":
      return writer.raw(idToBytes(record.rootKey)).raw(idToBytes(record.recoveryKey)).raw(record.signature).finish();
    case "minimum-version":
      return writer.varint(record.version).finish();
    case "unknown":
      return record.body;
  }
};

/**
 * To older readers this type is unknown, and its body may be anything: one that is no version is unknown here too, so that
 * the entry is a link of the chain to both or to neither.
 */
const readMinimumVersion = (body: Uint8Array): MembershipRecord => {
  try {
    const reader = new ByteReader(body);
    const version = reader.varint();
    reader.end();
    return { type: "minimum-version", version };
  } catch (error) {
    if (error instanceof MalformedBytes) return { type: "unknown", code: RECORD_CODES["minimum-version"], body };
    throw error;
  }
};

/** Whether a reader takes a record of this type and body for one that it does not know. */
const readsAsUnknown = (code: number, body: Uint8Array): boolean =>
  code === RECORD_CODES["minimum-version"] ? readMinimumVersion(body).type === "unknown" : !strictCodes.has(code);

const readSealedKeys = (reader: ByteReader): ReadonlyArray<SealedKey> => {
  const count = reader.varint(LIMITS.keyRecipients);
  const keys: Array<SealedKey> = [];
  for (let index = 0; index < count; index += 1) {
    const recipient = RECIPIENTS[reader.u8()] ?? reader.fail("unknown recipient");
    keys.push({ recipient, id: reader.raw(ID_BYTES), sealed: reader.bytes(MAX_SEALED_KEY) });
  }
  return keys;
};

const readRecord = (code: number, body: Uint8Array): MembershipRecord => {
  if (code === RECORD_CODES["minimum-version"]) return readMinimumVersion(body);
  const reader = new ByteReader(body);
  const record = ((): MembershipRecord => {
    switch (code) {
      case RECORD_CODES.root:
        return {
          type: "root",
          rootKey: publicKeyFromBytes(reader.raw(PUBLIC_KEY_BYTES)),
          recoveryKey: publicKeyFromBytes(reader.raw(PUBLIC_KEY_BYTES)),
        };
      case RECORD_CODES.admit:
        return {
          type: "admit",
          certificate: decodeCertificate(reader.bytes(CERTIFICATE_MAX)),
          sealedName: reader.bytes(MAX_SEALED_TEXT),
        };
      case RECORD_CODES["key-change"]:
        return {
          type: "key-change",
          epoch: reader.varint(),
          keys: readSealedKeys(reader),
          previous: reader.bytes(MAX_SEALED_KEY),
        };
      case RECORD_CODES.link:
        return {
          type: "link",
          link: linkIdFromBytes(reader.raw(ID_BYTES)),
          signingKey: publicKeyFromBytes(reader.raw(PUBLIC_KEY_BYTES)),
          agreementKey: publicKeyFromBytes(reader.raw(PUBLIC_KEY_BYTES)),
          role: readRole(reader),
          maxUses: reader.varint(),
          epoch: reader.varint(),
          sealedKey: reader.bytes(MAX_SEALED_KEY),
          sealedLabel: reader.bytes(MAX_SEALED_TEXT),
        };
      case RECORD_CODES["revoke-device"]:
        return {
          type: "revoke-device",
          device: deviceIdFromBytes(reader.raw(ID_BYTES)),
          to: reader.varint(),
        };
      case RECORD_CODES["revoke-link"]:
        return { type: "revoke-link", link: linkIdFromBytes(reader.raw(ID_BYTES)) };
      case RECORD_CODES["rotate-root"]:
        return {
          type: "rotate-root",
          rootKey: publicKeyFromBytes(reader.raw(PUBLIC_KEY_BYTES)),
          recoveryKey: publicKeyFromBytes(reader.raw(PUBLIC_KEY_BYTES)),
          signature: reader.raw(SIGNATURE_BYTES),
        };
      default:
        return { type: "unknown", code, body: reader.raw(body.length) };
    }
  })();
  reader.end();
  return record;
};

/** The payload of a membership entry. Throws `RangeError` for one that no reader would accept. */
export const encodeMembership = (payload: MembershipPayload): Uint8Array<ArrayBuffer> => {
  if (payload.records.length > LIMITS.membershipRecords) throw new RangeError("too many records in a membership entry");
  const writer = new ByteWriter().u8(FORMAT).raw(idToBytes(payload.prev)).varint(payload.records.length);
  for (const record of payload.records) {
    if (record.type === "unknown" && !readsAsUnknown(record.code, record.body))
      throw new RangeError(`record type ${record.code} is not unknown`);
    const body = recordBody(record);
    if (body.length > LIMITS.membershipRecordBytes)
      throw new RangeError(`a ${record.type} record of ${body.length} bytes`);
    writer.u8(record.type === "unknown" ? record.code : RECORD_CODES[record.type]).bytes(body);
  }
  return writer.finish();
};

/** Decodes the payload of a membership entry. Throws `MalformedBytes`. No signature is checked. */
export const decodeMembership = (bytes: Uint8Array): MembershipPayload => {
  const reader = new ByteReader(bytes);
  if (reader.u8() !== FORMAT) throw new MalformedBytes({ reason: "unknown membership version", offset: 0 });
  const prev = hashFromBytes(reader.raw(HASH_BYTES));
  const count = reader.varint(LIMITS.membershipRecords);
  const records: Array<MembershipRecord> = [];
  for (let index = 0; index < count; index += 1) {
    records.push(readRecord(reader.u8(), reader.bytes(LIMITS.membershipRecordBytes)));
  }
  reader.end();
  return { prev, records };
};
