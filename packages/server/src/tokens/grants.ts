/** Grants as rows. The callers hold the workspace's row lock wherever they write. */
import {
  type DeviceId,
  deviceIdFromBytes,
  type Grant,
  type GrantId,
  grantIdFromBytes,
  idToBytes,
  type LinkId,
  linkIdFromBytes,
  type PublicKey,
  Role,
  type RoleName,
  type Scope,
  type TokenKind,
  type WorkspaceId,
} from "@cairn/protocol";
import type { PgClient } from "@effect/sql-pg";
import { Effect } from "effect";
import type { SqlError } from "effect/sql";
import { randomBytes } from "node:crypto";
import { toMillis, toRole } from "../database/rows.ts";

export interface GrantRow {
  readonly grant: Uint8Array;
  readonly device: Uint8Array;
  readonly role: number;
  readonly label: string;
  readonly revoked: boolean;
  readonly created_at: Date;
  readonly expires_at: Date | null;
  readonly last_seen_at: Date | null;
  readonly link: Uint8Array | null;
}

export const kindOf = (role: RoleName): TokenKind => (role === "owner" ? "master" : "access");
export const scopeOf = (role: RoleName): Scope => (role === "reader" ? "read" : "read-write");

export const toGrant = (row: GrantRow): Grant => {
  const role = toRole(row.role);
  return {
    grant: grantIdFromBytes(row.grant),
    device: deviceIdFromBytes(row.device),
    kind: kindOf(role),
    scope: scopeOf(role),
    role,
    label: row.label,
    status: row.revoked ? "revoked" : "active",
    createdAt: toMillis(row.created_at),
    expiresAt: row.expires_at === null ? null : toMillis(row.expires_at),
    lastSeenAt: row.last_seen_at === null ? null : toMillis(row.last_seen_at),
    link: row.link === null ? null : linkIdFromBytes(row.link),
  };
};

/** The grants of a device, the active one first. */
export const selectGrants = (
  sql: PgClient.PgClient,
  workspace: WorkspaceId,
  device: DeviceId,
): Effect.Effect<ReadonlyArray<Grant>, SqlError.SqlError> =>
  Effect.map(
    sql<GrantRow>`
      select "grant", device, role, label, revoked, created_at, expires_at, last_seen_at, link from grants
       where workspace = ${idToBytes(workspace)} and device = ${idToBytes(device)}
       order by revoked, created_at desc`,
    (rows) => rows.map(toGrant),
  );

export interface NewGrant {
  readonly workspace: WorkspaceId;
  readonly device: DeviceId;
  readonly role: RoleName;
  readonly label: string;
  readonly expiresAt: number | null;
  readonly link: LinkId | undefined;
}

export const insertGrant = Effect.fnUntraced(function* (
  sql: PgClient.PgClient,
  grant: NewGrant,
  now: number,
): Effect.fn.Return<Grant, SqlError.SqlError> {
  const id: GrantId = grantIdFromBytes(randomBytes(16));
  const rows = yield* sql<GrantRow>`
    insert into grants (workspace, "grant", device, role, label, created_at, expires_at, link)
    values (${idToBytes(grant.workspace)}, ${idToBytes(id)}, ${idToBytes(grant.device)}, ${Role[grant.role]},
            ${grant.label}, ${new Date(now)}, ${grant.expiresAt === null ? null : new Date(grant.expiresAt)},
            ${grant.link === undefined ? null : idToBytes(grant.link)})
    returning "grant", device, role, label, revoked, created_at, expires_at, last_seen_at, link`;
  const [row] = rows;
  if (row === undefined) return yield* Effect.die("an insert returns its row");
  return toGrant(row);
});

/** Raises the role of a grant, as a certificate of more allows. */
export const setGrantRole = (
  sql: PgClient.PgClient,
  workspace: WorkspaceId,
  grant: Grant,
  role: RoleName,
): Effect.Effect<Grant, SqlError.SqlError> =>
  Effect.as(
    sql`update grants set role = ${Role[role]} where workspace = ${idToBytes(workspace)} and "grant" = ${idToBytes(grant.grant)}`,
    { ...grant, role, kind: kindOf(role), scope: scopeOf(role) },
  );

/** A device that a certificate, or an owner's word, makes known before the chain has its admission. */
export interface NewDevice {
  readonly workspace: WorkspaceId;
  readonly device: DeviceId;
  readonly signingKey: PublicKey;
  readonly agreementKey: PublicKey | undefined;
  readonly role: RoleName;
  readonly from: number;
}

/** Registers a device unless it is known. False where the chain has closed its interval: it was revoked. */
export const registerDevice = Effect.fnUntraced(function* (
  sql: PgClient.PgClient,
  device: NewDevice,
  now: number,
): Effect.fn.Return<boolean, SqlError.SqlError> {
  const agreementKey = device.agreementKey === undefined ? null : idToBytes(device.agreementKey);
  const [row] = yield* sql<{ readonly revoked: boolean }>`
    insert into devices (workspace, device, signing_key, agreement_key, role, from_counter, created_at)
    values (${idToBytes(device.workspace)}, ${idToBytes(device.device)}, ${idToBytes(device.signingKey)}, ${agreementKey},
            ${Role[device.role]}, ${BigInt(device.from)}, ${new Date(now)})
    on conflict (workspace, device) do update
       set agreement_key = coalesce(devices.agreement_key, excluded.agreement_key),
           role = case when devices.admitted then devices.role else excluded.role end
    returning revoked`;
  return row?.revoked !== true;
});
