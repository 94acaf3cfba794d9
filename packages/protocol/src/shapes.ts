/** The JSON shapes that the HTTP API and the live frames share. Times are milliseconds since 1970 by the server's clock. */
import { Schema } from "effect";
import {
  boundedBase64Url,
  DeviceId,
  GrantId,
  Hash,
  LinkId,
  PublicKey,
  ServerId,
  Signature,
  WorkspaceId,
} from "./ids.ts";
import { LIMITS } from "./limits.ts";

const Count = Schema.Int.check(Schema.isGreaterThanOrEqualTo(0));
const Time = Schema.Finite;

/** A label that a person gives; the server can read it, so apps put nothing private there. */
export const Label = Schema.String.check(Schema.isMaxLength(80));
export const RoleSchema = Schema.Literals(["owner", "writer", "reader"]);
/** `master`: an owner's device. `access`: anyone who was let in. */
export const TokenKind = Schema.Literals(["master", "access"]);
export type TokenKind = typeof TokenKind.Type;
export const Scope = Schema.Literals(["read", "read-write"]);
export type Scope = typeof Scope.Type;
export const Nonce = boundedBase64Url(96);
/** The origin that the client believes to talk to. */
export const Origin = Schema.String.check(Schema.isMaxLength(300));

/** What a server says of itself. */
export const ServerDescription = Schema.Struct({
  server: ServerId,
  /** Raised by whoever restores a backup on purpose (rule 11 notices the others). */
  epoch: Count,
  protocol: Schema.Struct({ current: Count, oldest: Count }),
  registration: Schema.Literals(["open", "invite", "closed"]),
  limits: Schema.Struct({
    entryBytes: Count,
    batchBytes: Count,
    batchEntries: Count,
    pageBytes: Count,
    chunkBytes: Count,
    /** One attachment, all chunks together. */
    attachmentBytes: Count,
    /** One workspace; 0 for no limit. */
    workspaceBytes: Count,
  }),
  /** How long devices keep what only they can re-supply after a restored backup (rule 11). */
  backupHorizonSeconds: Count,
  /** For people: where the server wants links to point to. */
  publicUrl: Schema.optional(Schema.String.check(Schema.isMaxLength(300))),
});
export type ServerDescription = typeof ServerDescription.Type;

/** A nonce to sign, good until `expiresAt`. */
export const ChallengeResponse = Schema.Struct({ server: ServerId, nonce: Nonce, expiresAt: Time });
export type ChallengeResponse = typeof ChallengeResponse.Type;

/** A signature over `challengeBytes`, with what the server needs to build them. */
export const Proof = Schema.Struct({ origin: Origin, nonce: Nonce, signature: Signature });
export type Proof = typeof Proof.Type;

/** A token and what it is good for. */
export const Session = Schema.Struct({
  token: Schema.String.check(Schema.isMaxLength(4096)),
  expiresAt: Time,
  grant: GrantId,
  kind: TokenKind,
  scope: Scope,
  role: RoleSchema,
});
export type Session = typeof Session.Type;

/** The lasting right of a device, from which sessions are made (rule 23). */
export const Grant = Schema.Struct({
  grant: GrantId,
  device: DeviceId,
  kind: TokenKind,
  scope: Scope,
  role: RoleSchema,
  label: Label,
  status: Schema.Literals(["active", "revoked"]),
  createdAt: Time,
  expiresAt: Schema.NullOr(Time),
  lastSeenAt: Schema.NullOr(Time),
  /** The link that it was opened with, if any. */
  link: Schema.NullOr(LinkId),
});
export type Grant = typeof Grant.Type;

export const RegisterRequest = Schema.Struct({
  rootKey: PublicKey,
  /** The device's certificate, signed by the root key (`encodeCertificate`). */
  certificate: boundedBase64Url(256),
  /** By the root key; purpose `register`, subject the device, statement the certificate. */
  proof: Proof,
  label: Label,
  invite: Schema.optional(Schema.String.check(Schema.isMaxLength(200))),
});

export const WorkspaceState = Schema.Struct({
  workspace: WorkspaceId,
  server: ServerId,
  serverEpoch: Count,
  head: Count,
  /** The running hash at `head`. */
  chain: Hash,
  membershipHead: Hash,
  keyEpoch: Count,
  usage: Schema.Struct({ entriesBytes: Count, attachmentsBytes: Count, quotaBytes: Count }),
  /** What the server has of each author: how two logs compare (rules 2 and 11). */
  devices: Schema.Array(
    Schema.Struct({
      device: DeviceId,
      last: Count,
      hash: Schema.NullOr(Hash),
      signingKey: PublicKey,
    }),
  ),
});
export type WorkspaceState = typeof WorkspaceState.Type;

export const RenewRequest = Schema.Struct({
  device: DeviceId,
  /** By the device's key; purpose `session`, subject the device, empty statement. */
  proof: Proof,
});

export const IssueRequest = Schema.Struct({
  /** The key of the device that the grant is for. */
  signingKey: PublicKey,
  scope: Scope,
  label: Label,
  /** Null: until revoked. */
  expiresAt: Schema.NullOr(Time),
});

/** A workspace's name as a link's maker sealed it (`docs/protocol.md`, Access links). */
export const SealedLinkName = boundedBase64Url(LIMITS.sealedLinkNameBytes);

export const CreateLinkRequest = Schema.Struct({
  link: LinkId,
  signingKey: PublicKey,
  role: Schema.Literals(["writer", "reader"]),
  /** 0: any number of devices. */
  maxUses: Count,
  expiresAt: Schema.NullOr(Time),
  /** What the workspace is called, sealed under a key of the link's secret; opaque to the server. */
  sealedName: Schema.optional(SealedLinkName),
});

export const LinkState = Schema.Struct({
  link: LinkId,
  role: RoleSchema,
  status: Schema.Literals(["live", "revoked", "expired", "used-up"]),
  uses: Count,
  maxUses: Count,
  createdAt: Time,
  expiresAt: Schema.NullOr(Time),
});
export type LinkState = typeof LinkState.Type;

/** What a server says of a link to anyone who knows its id, before anything is joined. */
export const LinkDescription = Schema.Struct({
  role: RoleSchema,
  status: Schema.Literals(["live", "revoked", "expired", "used-up"]),
  expiresAt: Schema.NullOr(Time),
  /** Null where the link's maker gave none. */
  sealedName: Schema.NullOr(SealedLinkName),
});
export type LinkDescription = typeof LinkDescription.Type;

export const OpenLinkRequest = Schema.Struct({
  /** The joining device's certificate, signed by the link's key. */
  certificate: boundedBase64Url(256),
  /** By the link's key; purpose `openLink`, subject the joining device, statement the certificate. */
  proof: Proof,
  label: Label,
});

export const ChunkState = Schema.Struct({ hash: Hash, size: Count });
