/** Writing what was decided, inside of the transaction that holds the workspace's row lock. */
import { type DeviceId, EntryKind, type GrantId, grantIdFromBytes, ID_BYTES, idToBytes, Role } from "@cairn/protocol";
import type { PgClient } from "@effect/sql-pg";
import { Effect } from "effect";
import type { SqlError } from "effect/sql";
import { randomBytes } from "node:crypto";
import type { Decision, LogState, Member } from "./log-state.ts";

/** Writes all of a decision and gives the grants that it withdraws. `now` is in milliseconds since 1970. */
export const writeDecision = Effect.fnUntraced(function* (
  sql: PgClient.PgClient,
  before: LogState,
  decision: Decision,
  now: number,
): Effect.fn.Return<ReadonlySet<GrantId>, SqlError.SqlError> {
  if (decision.rows.length === 0) return new Set();
  const workspace = idToBytes(before.workspace);
  const at = new Date(now);
  if (decision.next.membership !== before.membership) yield* writeMembership(sql, workspace, before, decision, at);
  yield* writeEntries(sql, workspace, decision, at);
  yield* writeRefs(sql, workspace, decision);
  for (const { seq, entry } of decision.rows) {
    if (entry.header.kind !== EntryKind.purge) continue;
    yield* sql`
      insert into purged_documents (workspace, document, seq, purged_at)
      values (${workspace}, ${idToBytes(entry.header.document)}, ${BigInt(seq)}, ${at}) on conflict do nothing`;
  }
  for (const [successor, predecessor] of decision.predecessorBySuccessor) {
    yield* passGrantOn(sql, workspace, predecessor, successor, at);
  }
  return decision.closed.size === 0 ? new Set() : yield* withdrawGrants(sql, workspace, decision.closed);
});

/** The rows, the authors' last entries and the workspace's head, in one statement. */
const writeEntries = (sql: PgClient.PgClient, workspace: Uint8Array, { rows, next }: Decision, at: Date) => {
  const lastByAuthor = new Map(
    rows.map(({ entry: { header }, hash }) => [header.device, { counter: header.counter, hash }]),
  );
  const authors = [...lastByAuthor.keys()];
  const lasts = [...lastByAuthor.values()];
  return sql`
    with new_entries as (
      insert into entries (workspace, seq, device, counter, document, kind, epoch, hash, chain, size, bytes, received_at)
      select ${workspace}, n.seq, n.device, n.counter, n.document, n.kind, n.epoch, n.hash, n.chain,
             length(n.bytes), n.bytes, ${at}
        from unnest(${rows.map(({ seq }) => BigInt(seq))}::int8[],
                    ${rows.map(({ entry }) => idToBytes(entry.header.device))}::bytea[],
                    ${rows.map(({ entry }) => BigInt(entry.header.counter))}::int8[],
                    ${rows.map(({ entry }) => idToBytes(entry.header.document))}::bytea[],
                    ${rows.map(({ entry }) => entry.header.kind)}::int4[],
                    ${rows.map(({ entry }) => BigInt(entry.header.epoch))}::int8[],
                    ${rows.map(({ hash }) => idToBytes(hash))}::bytea[],
                    ${rows.map(({ chain }) => idToBytes(chain))}::bytea[],
                    ${rows.map(({ entry }) => entry.bytes)}::bytea[])
             as n (seq, device, counter, document, kind, epoch, hash, chain, bytes)
    ), new_last as (
      update devices d set last = a.last, last_hash = a.hash
        from unnest(${authors.map(idToBytes)}::bytea[],
                    ${lasts.map(({ counter }) => BigInt(counter))}::int8[],
                    ${lasts.map(({ hash }) => idToBytes(hash))}::bytea[]) as a (device, last, hash)
       where d.workspace = ${workspace} and d.device = a.device
    )
    update workspaces
       set head = ${BigInt(next.head)}, chain = ${idToBytes(next.chain)}, entries_bytes = ${BigInt(next.entriesBytes)}
     where workspace = ${workspace}`;
};

const writeRefs = Effect.fnUntraced(function* (
  sql: PgClient.PgClient,
  workspace: Uint8Array,
  { rows }: Decision,
): Effect.fn.Return<void, SqlError.SqlError> {
  const refs = rows.flatMap(({ seq, entry }) => entry.header.refs.map((hash) => ({ seq, hash })));
  if (refs.length === 0) return;
  yield* sql`
    insert into entry_refs (workspace, hash, seq)
    select ${workspace}, r.hash, r.seq
      from unnest(${refs.map(({ hash }) => idToBytes(hash))}::bytea[],
                  ${refs.map(({ seq }) => BigInt(seq))}::int8[]) as r (hash, seq)`;
});

const writeMembership = Effect.fnUntraced(function* (
  sql: PgClient.PgClient,
  workspace: Uint8Array,
  before: LogState,
  { next: { membership } }: Decision,
  at: Date,
): Effect.fn.Return<void, SqlError.SqlError> {
  yield* sql`
    update workspaces
       set membership_head = ${idToBytes(membership.head)}, key_epoch = ${BigInt(membership.keyEpoch)},
           root_key = ${idToBytes(membership.rootKey)}, minimum_version = ${BigInt(membership.minimumVersion)}
     where workspace = ${workspace}`;
  for (const member of membership.members.values()) {
    if (before.membership.members.get(member.device) !== member) yield* writeMember(sql, workspace, member, at);
  }
  for (const link of membership.links.values()) {
    if (before.membership.links.get(link.link) === link) continue;
    yield* sql`
      insert into links (workspace, link, signing_key, role, max_uses, honoured, revoked, chained, chain_uses, created_at)
      values (${workspace}, ${idToBytes(link.link)}, ${idToBytes(link.signingKey)}, ${Role[link.role]},
              ${BigInt(link.maxUses)}, false, ${link.revoked}, ${link.chained}, ${BigInt(link.uses)}, ${at})
      on conflict (workspace, link) do update
         set revoked = excluded.revoked, chained = excluded.chained, chain_uses = excluded.chain_uses`;
  }
});

const writeMember = Effect.fnUntraced(function* (
  sql: PgClient.PgClient,
  workspace: Uint8Array,
  member: Member,
  at: Date,
): Effect.fn.Return<void, SqlError.SqlError> {
  const device = idToBytes(member.device);
  const role = Role[member.role];
  const agreementKey = member.agreementKey === undefined ? null : idToBytes(member.agreementKey);
  const to = member.to === undefined ? null : BigInt(member.to);
  yield* sql`
    insert into devices (workspace, device, signing_key, agreement_key, role, from_counter, to_counter, admitted, revoked, created_at)
    values (${workspace}, ${device}, ${idToBytes(member.signingKey)}, ${agreementKey}, ${role},
            ${BigInt(member.from)}, ${to}, ${member.admitted}, ${member.revoked}, ${at})
    on conflict (workspace, device) do update
       set agreement_key = excluded.agreement_key, role = excluded.role, from_counter = excluded.from_counter,
           to_counter = excluded.to_counter, admitted = excluded.admitted, revoked = excluded.revoked`;
  // The chain decides the role: what a session may do follows it.
  yield* sql`
    update grants set role = ${role}
     where workspace = ${workspace} and device = ${device} and not revoked and role <> ${role}`;
});

/** A successor comes in by the right of the device whose place it takes (rule 12). */
const passGrantOn = (
  sql: PgClient.PgClient,
  workspace: Uint8Array,
  predecessor: DeviceId,
  successor: DeviceId,
  at: Date,
) => sql`
  insert into grants (workspace, "grant", device, role, label, created_at, expires_at, link)
  select workspace, ${randomBytes(ID_BYTES)}, ${idToBytes(successor)}, role, label, ${at}, expires_at, link
    from grants where workspace = ${workspace} and device = ${idToBytes(predecessor)} and not revoked
  on conflict do nothing`;

/** Ends the grants of revoked devices, and raises the mark that every node polls (rule 23). */
const withdrawGrants = Effect.fnUntraced(function* (
  sql: PgClient.PgClient,
  workspace: Uint8Array,
  devices: ReadonlySet<DeviceId>,
): Effect.fn.Return<ReadonlySet<GrantId>, SqlError.SqlError> {
  const rows = yield* sql<{ readonly grant: Uint8Array }>`
    update grants set revoked = true
     where workspace = ${workspace} and device = any(${[...devices].map(idToBytes)}::bytea[]) and not revoked
    returning "grant"`;
  yield* raiseRevocationMark(sql);
  return new Set(rows.map(({ grant }) => grantIdFromBytes(grant)));
});

/** Under the row's lock, and so in commit order: whoever reads a mark sees every revocation up to it. */
export const raiseRevocationMark = (sql: PgClient.PgClient): Effect.Effect<void, SqlError.SqlError> =>
  Effect.asVoid(sql`update server set revocation_mark = revocation_mark + 1`);
