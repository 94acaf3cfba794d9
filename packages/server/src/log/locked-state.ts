/** Reading what a commit is decided on, with the workspace's row locked by the first statement (rule 9). */
import {
  type DeviceId,
  deviceIdFromBytes,
  documentIdFromBytes,
  EntryKind,
  type GrantId,
  grantIdFromBytes,
  hashFromBytes,
  idToBytes,
  linkIdFromBytes,
  publicKeyFromBytes,
  type RoleName,
  type WorkspaceId,
} from "@cairn/protocol";
import type { PgClient } from "@effect/sql-pg";
import { Effect } from "effect";
import { toMillis, toNumber, toRole } from "../database/rows.ts";
import {
  identityKey,
  type KnownLink,
  type LastEntry,
  type LogState,
  type Member,
  type PreparedEntry,
} from "./log-state.ts";
import { certifiedDevice } from "./membership-rules.ts";

/** A grant as the commit sees it. */
export interface LockedGrant {
  readonly role: RoleName;
  readonly revoked: boolean;
  readonly expiresAt: number | undefined;
}

interface PushToLock {
  readonly pusher: { readonly grant: GrantId; readonly device: DeviceId };
  readonly entries: ReadonlyArray<PreparedEntry>;
}

interface WorkspaceRow {
  readonly root_key: Uint8Array;
  readonly head: bigint;
  readonly chain: Uint8Array;
  readonly membership_head: Uint8Array;
  readonly key_epoch: bigint;
  readonly minimum_version: bigint;
  readonly entries_bytes: bigint;
  readonly attachments_bytes: bigint;
}

interface DeviceRow {
  readonly device: Uint8Array;
  readonly signing_key: Uint8Array;
  readonly agreement_key: Uint8Array | null;
  readonly role: number;
  readonly from_counter: bigint;
  readonly to_counter: bigint | null;
  readonly admitted: boolean;
  readonly device_revoked: boolean;
  readonly last: bigint;
  readonly last_hash: Uint8Array | null;
  readonly grant: Uint8Array | null;
  readonly grant_role: number | null;
  readonly revoked: boolean | null;
  readonly expires_at: Date | null;
  /** Of the workspace: few have any, and then nobody has to look. */
  readonly has_purged: boolean;
}

/** Locks the workspace and reads what the pushes touch; undefined where there is no such workspace. `quotaBytes`: its room. */
export const lockLogState = Effect.fnUntraced(function* (
  sql: PgClient.PgClient,
  workspace: WorkspaceId,
  pushes: ReadonlyArray<PushToLock>,
  quotaBytes: number,
) {
  const id = idToBytes(workspace);
  const [row] = yield* sql<WorkspaceRow>`
    select root_key, head, chain, membership_head, key_epoch, minimum_version, entries_bytes, attachments_bytes
      from workspaces where workspace = ${id} for update`;
  if (row === undefined) return undefined;

  const prepared = pushes.flatMap(({ entries }) => entries);
  const deviceIds = [...devicesIn(pushes)].map(idToBytes);
  const grantIds = pushes.map(({ pusher }) => idToBytes(pusher.grant));
  const deviceRows = yield* sql<DeviceRow>`
    select d.device, d.signing_key, d.agreement_key, d.role, d.from_counter, d.to_counter, d.admitted, d.revoked as device_revoked, d.last, d.last_hash,
           g."grant", g.role as grant_role, g.revoked, g.expires_at,
           exists (select 1 from purged_documents p where p.workspace = d.workspace) as has_purged
      from devices d
      left join grants g on g.workspace = d.workspace and g.device = d.device and g."grant" = any(${grantIds}::bytea[])
     where d.workspace = ${id} and d.device = any(${deviceIds}::bytea[])`;
  const members = new Map<DeviceId, Member>();
  const last = new Map<DeviceId, LastEntry>();
  const grants = new Map<GrantId, LockedGrant>();
  for (const device of deviceRows) {
    const member = toMember(device);
    members.set(member.device, member);
    const hash = device.last_hash === null ? undefined : hashFromBytes(device.last_hash);
    last.set(member.device, { counter: toNumber(device.last), hash });
    if (device.grant !== null && device.grant_role !== null && device.revoked !== null) {
      grants.set(grantIdFromBytes(device.grant), {
        role: toRole(device.grant_role),
        revoked: device.revoked,
        expiresAt: device.expires_at === null ? undefined : toMillis(device.expires_at),
      });
    }
  }

  const isRepeated = ({ entry: { header } }: PreparedEntry) =>
    header.counter <= (last.get(header.device)?.counter ?? 0);
  const repeated = prepared.filter(isRepeated);
  const fresh = prepared.filter((entry) => !isRepeated(entry));
  const state: LogState = {
    workspace,
    head: toNumber(row.head),
    chain: hashFromBytes(row.chain),
    membership: {
      rootKey: publicKeyFromBytes(row.root_key),
      head: hashFromBytes(row.membership_head),
      keyEpoch: toNumber(row.key_epoch),
      minimumVersion: toNumber(row.minimum_version),
      members,
      links: yield* selectLinks(sql, id, fresh),
    },
    last,
    stored: yield* selectStored(sql, id, repeated),
    chunks: yield* selectChunks(sql, id, fresh),
    purged: deviceRows.some(({ has_purged }) => has_purged) ? yield* selectPurged(sql, id, fresh) : new Set(),
    entriesBytes: toNumber(row.entries_bytes),
    attachmentsBytes: toNumber(row.attachments_bytes),
    quotaBytes,
  };
  return { state, grants };
});

/** Every device that deciding these pushes asks about. */
const devicesIn = (pushes: ReadonlyArray<PushToLock>): ReadonlySet<DeviceId> => {
  const devices = new Set<DeviceId>();
  for (const { pusher, entries } of pushes) {
    devices.add(pusher.device);
    for (const { entry, membership } of entries) {
      devices.add(entry.header.device);
      for (const { device } of entry.header.covers) devices.add(device);
      for (const record of membership?.records ?? []) {
        if (record.type === "revoke-device") devices.add(record.device);
        if (record.type !== "admit") continue;
        const { certificate } = record.certificate;
        devices.add(certifiedDevice(certificate));
        if (certificate.issuer.type === "device") devices.add(certificate.issuer.device);
      }
    }
  }
  return devices;
};

const toMember = (row: DeviceRow): Member => ({
  device: deviceIdFromBytes(row.device),
  signingKey: publicKeyFromBytes(row.signing_key),
  agreementKey: row.agreement_key === null ? undefined : publicKeyFromBytes(row.agreement_key),
  role: toRole(row.role),
  from: toNumber(row.from_counter),
  to: row.to_counter === null ? undefined : toNumber(row.to_counter),
  admitted: row.admitted,
  revoked: row.device_revoked,
});

const selectStored = Effect.fnUntraced(function* (
  sql: PgClient.PgClient,
  workspace: Uint8Array,
  repeated: ReadonlyArray<PreparedEntry>,
) {
  const stored = new Map<string, { readonly seq: number; readonly hash: ReturnType<typeof hashFromBytes> }>();
  if (repeated.length === 0) return stored;
  const rows = yield* sql<{
    readonly device: Uint8Array;
    readonly counter: bigint;
    readonly seq: bigint;
    readonly hash: Uint8Array;
  }>`
    select e.device, e.counter, e.seq, e.hash
      from unnest(${repeated.map(({ entry }) => idToBytes(entry.header.device))}::bytea[],
                  ${repeated.map(({ entry }) => BigInt(entry.header.counter))}::int8[]) as asked (device, counter)
      join entries e on e.workspace = ${workspace} and e.device = asked.device and e.counter = asked.counter`;
  for (const { device, counter, seq, hash } of rows) {
    stored.set(identityKey(deviceIdFromBytes(device), toNumber(counter)), {
      seq: toNumber(seq),
      hash: hashFromBytes(hash),
    });
  }
  return stored;
});

const selectChunks = Effect.fnUntraced(function* (
  sql: PgClient.PgClient,
  workspace: Uint8Array,
  fresh: ReadonlyArray<PreparedEntry>,
) {
  const refs = new Set(fresh.flatMap(({ entry }) => entry.header.refs));
  if (refs.size === 0) return new Set<ReturnType<typeof hashFromBytes>>();
  const rows = yield* sql<{ readonly hash: Uint8Array }>`
    select hash from chunks where workspace = ${workspace} and hash = any(${[...refs].map(idToBytes)}::bytea[])`;
  return new Set(rows.map(({ hash }) => hashFromBytes(hash)));
});

const selectPurged = Effect.fnUntraced(function* (
  sql: PgClient.PgClient,
  workspace: Uint8Array,
  fresh: ReadonlyArray<PreparedEntry>,
) {
  const documents = new Set(
    fresh.flatMap(({ entry: { header } }) => (header.kind === EntryKind.membership ? [] : [header.document])),
  );
  if (documents.size === 0) return new Set<ReturnType<typeof documentIdFromBytes>>();
  const rows = yield* sql<{ readonly document: Uint8Array }>`
    select document from purged_documents
     where workspace = ${workspace} and document = any(${[...documents].map(idToBytes)}::bytea[])`;
  return new Set(rows.map(({ document }) => documentIdFromBytes(document)));
});

const selectLinks = Effect.fnUntraced(function* (
  sql: PgClient.PgClient,
  workspace: Uint8Array,
  fresh: ReadonlyArray<PreparedEntry>,
) {
  const ids = new Set(
    fresh.flatMap(({ membership }) =>
      (membership?.records ?? []).flatMap((record) => {
        if (record.type === "link" || record.type === "revoke-link") return [record.link];
        if (record.type !== "admit") return [];
        const { issuer } = record.certificate.certificate;
        return issuer.type === "link" ? [issuer.link] : [];
      }),
    ),
  );
  const links = new Map<KnownLink["link"], KnownLink>();
  if (ids.size === 0) return links;
  const rows = yield* sql<{
    readonly link: Uint8Array;
    readonly signing_key: Uint8Array;
    readonly role: number;
    readonly max_uses: bigint;
    readonly revoked: boolean;
    readonly chained: boolean;
    readonly chain_uses: bigint;
  }>`
    select link, signing_key, role, max_uses, revoked, chained, chain_uses from links
     where workspace = ${workspace} and link = any(${[...ids].map(idToBytes)}::bytea[])`;
  for (const row of rows) {
    const link = linkIdFromBytes(row.link);
    links.set(link, {
      link,
      signingKey: publicKeyFromBytes(row.signing_key),
      role: toRole(row.role),
      maxUses: toNumber(row.max_uses),
      revoked: row.revoked,
      chained: row.chained,
      uses: toNumber(row.chain_uses),
    });
  }
  return links;
});
