/**
 * The log on PostgreSQL.
 *
 * A push is one transaction: it locks the workspace's row first, so that the order of sequences is the order of commits
 * (Promise 3); reads what the batch touches; decides (`decide.ts`); writes all rows in one statement; and is published
 * after the commit. A page of a pull is one statement, and so one snapshot (rule 10).
 */
import {
  deviceIdFromBytes,
  emptyLogChain,
  hashFromBytes,
  idToBytes,
  LIMITS,
  type Page,
  type PageItem,
  publicKeyFromBytes,
  type WorkspaceId,
  workspaceIdFromBytes,
} from "@cairn/protocol";
import { PgClient } from "@effect/sql-pg";
import { Clock, Effect, Layer } from "effect";
import { ServerIdentity } from "../database/Database.ts";
import { toNumber } from "../database/rows.ts";
import { FanOut } from "../fan-out/FanOut.ts";
import { refuse, unavailableOnSqlError } from "../refusals.ts";
import { ServerSettings } from "../ServerSettings.ts";
import { SignatureVerifier } from "../signatures.ts";
import { decideGroup, makePush, type PreparedPush } from "./commit-group.ts";
import { EntryLog, type PullRequest } from "./EntryLog.ts";
import { lockLogState } from "./locked-state.ts";
import { writeDecision } from "./write-decision.ts";

/** What a reader's own entry takes in a page; no entry takes less. Bounds the rows that a page looks at. */
const BRIEF_ITEM = 64;

const make = Effect.gen(function* () {
  const sql = yield* PgClient.PgClient;
  const identity = yield* ServerIdentity;
  const fanOut = yield* FanOut;
  const verify = yield* SignatureVerifier;
  const settings = yield* ServerSettings;

  const commit = Effect.fnUntraced(function* (workspace: WorkspaceId, pushes: ReadonlyArray<PreparedPush>) {
    const now = yield* Clock.currentTimeMillis;
    const { answers, committed, revoked } = yield* sql.withTransaction(
      Effect.gen(function* () {
        const locked = yield* lockLogState(sql, workspace, pushes, settings.workspaceBytes);
        if (locked === undefined) return yield* refuse("workspace-unknown");
        const { decision, answers, committed } = decideGroup(locked, pushes, now, verify);
        const withdrawn = yield* writeDecision(sql, locked.state, decision, now);
        return { answers, committed, revoked: withdrawn };
      }),
    );
    if (committed.entries.length > 0) yield* fanOut.publish(workspace, committed);
    if (revoked.size > 0) yield* fanOut.publishRevoked(workspace, revoked);
    return answers;
  }, unavailableOnSqlError);

  const push = makePush(commit);

  const pull = Effect.fnUntraced(function* (request: PullRequest) {
    const rows = yield* selectPage(sql, request);
    const [first] = rows;
    if (first === undefined) return yield* refuse("workspace-unknown");
    const head = toNumber(first.head);
    const chainAtCursor =
      request.after === 0
        ? emptyLogChain(request.workspace)
        : first.chain_at_cursor === null
          ? undefined
          : hashFromBytes(first.chain_at_cursor);
    // Rule 11: a cursor that this log never gave, or gave with another history.
    if (chainAtCursor === undefined || (request.chain !== undefined && request.chain !== chainAtCursor)) {
      return yield* refuse("diverged");
    }
    const items = toItems(rows);
    const last = rows.at(-1);
    const page: Page =
      last === undefined || last.seq === null || last.chain === null
        ? { after: request.after, until: request.after, head, chain: chainAtCursor, items }
        : { after: request.after, until: toNumber(last.seq), head, chain: hashFromBytes(last.chain), items };
    return page;
  }, unavailableOnSqlError);

  const state = Effect.fnUntraced(function* (workspace: WorkspaceId) {
    const rows = yield* sql<StateRow>`
      select w.head, w.chain, w.membership_head, w.key_epoch, w.entries_bytes, w.attachments_bytes,
             d.device, d.last, d.last_hash, d.signing_key
        from workspaces w left join devices d on d.workspace = w.workspace
       where w.workspace = ${idToBytes(workspace)} order by d.device`;
    const [first] = rows;
    if (first === undefined) return yield* refuse("workspace-unknown");
    return {
      workspace,
      server: identity.server,
      serverEpoch: identity.epoch,
      head: toNumber(first.head),
      chain: hashFromBytes(first.chain),
      membershipHead: hashFromBytes(first.membership_head),
      keyEpoch: toNumber(first.key_epoch),
      usage: {
        entriesBytes: toNumber(first.entries_bytes),
        attachmentsBytes: toNumber(first.attachments_bytes),
        quotaBytes: settings.workspaceBytes,
      },
      devices: rows.flatMap(({ device, last, last_hash, signing_key }) =>
        device === null || last === null || signing_key === null
          ? []
          : [
              {
                device: deviceIdFromBytes(device),
                last: toNumber(last),
                hash: last_hash === null ? null : hashFromBytes(last_hash),
                signingKey: publicKeyFromBytes(signing_key),
              },
            ],
      ),
    };
  }, unavailableOnSqlError);

  const standing: EntryLog["Service"]["standing"] = Effect.fnUntraced(function* (workspace, device, at) {
    const [row] = yield* sql<StandingRow>`
      select w.head, w.chain, w.key_epoch, d.last, d.last_hash, d.signing_key,
             (select e.chain from entries e where e.workspace = w.workspace and e.seq = ${BigInt(at.cursor)}) as chain_at_cursor
        from workspaces w join devices d on d.workspace = w.workspace and d.device = ${idToBytes(device)}
       where w.workspace = ${idToBytes(workspace)}`;
    if (row === undefined) return yield* refuse("workspace-unknown");
    const chainAtCursor =
      at.cursor === 0
        ? emptyLogChain(workspace)
        : row.chain_at_cursor === null
          ? undefined
          : hashFromBytes(row.chain_at_cursor);
    return {
      head: toNumber(row.head),
      chain: hashFromBytes(row.chain),
      keyEpoch: toNumber(row.key_epoch),
      signingKey: publicKeyFromBytes(row.signing_key),
      last: toNumber(row.last),
      lastHash: row.last_hash === null ? null : hashFromBytes(row.last_hash),
      diverged: chainAtCursor !== at.chain,
    };
  }, unavailableOnSqlError);

  const heads: EntryLog["Service"]["heads"] = Effect.fnUntraced(function* (workspaces) {
    const rows = yield* sql<{ readonly workspace: Uint8Array; readonly head: bigint }>`
      select workspace, head from workspaces where workspace = any(${[...workspaces].map(idToBytes)}::bytea[])`;
    return new Map(rows.map(({ workspace, head }) => [workspaceIdFromBytes(workspace), toNumber(head)]));
  }, unavailableOnSqlError);

  return EntryLog.of({ push, pull, state, heads, standing });
});

export const layerPostgresEntryLog: Layer.Layer<
  EntryLog,
  never,
  PgClient.PgClient | ServerIdentity | ServerSettings | FanOut
> = Layer.effect(EntryLog, make);

interface StateRow {
  readonly head: bigint;
  readonly chain: Uint8Array;
  readonly membership_head: Uint8Array;
  readonly key_epoch: bigint;
  readonly entries_bytes: bigint;
  readonly attachments_bytes: bigint;
  readonly device: Uint8Array | null;
  readonly last: bigint | null;
  readonly last_hash: Uint8Array | null;
  readonly signing_key: Uint8Array | null;
}

interface StandingRow {
  readonly head: bigint;
  readonly chain: Uint8Array;
  readonly key_epoch: bigint;
  readonly last: bigint;
  readonly last_hash: Uint8Array | null;
  readonly signing_key: Uint8Array;
  readonly chain_at_cursor: Uint8Array | null;
}

interface PageRow {
  readonly head: bigint;
  readonly chain_at_cursor: Uint8Array | null;
  readonly seq: bigint | null;
  readonly device: Uint8Array | null;
  readonly counter: bigint | null;
  readonly hash: Uint8Array | null;
  readonly chain: Uint8Array | null;
  readonly own: boolean | null;
  readonly bytes: Uint8Array | null;
}

/** Rule 10: one page is one statement, so that head, chain and entries are of one moment. */
const selectPage = (sql: PgClient.PgClient, request: PullRequest) => {
  const workspace = idToBytes(request.workspace);
  const reader = request.own === "brief" ? idToBytes(request.reader) : new Uint8Array();
  const after = BigInt(request.after);
  const candidates = Math.min(LIMITS.pageItems, Math.ceil(request.maxBytes / BRIEF_ITEM) + 1);
  return sql<PageRow>`
    select w.head, a.chain as chain_at_cursor, e.seq, e.device, e.counter, e.hash, e.chain, e.own,
           case when e.own then null else e.bytes end as bytes
      from workspaces w
      left join entries a on a.workspace = w.workspace and a.seq = ${after}
      left join lateral (
        select * from (
          select c.seq, c.device, c.counter, c.hash, c.chain, c.bytes, c.device = ${reader} as own,
                 sum(case when c.device = ${reader} or c.bytes is null then ${BRIEF_ITEM} else c.size end)
                   over (order by c.seq) as total
            from (select * from entries
                   where workspace = ${workspace} and seq > ${after} order by seq limit ${candidates}) c) p
         where p.total <= ${BigInt(request.maxBytes)} or p.seq = ${after + 1n}) e on true
     where w.workspace = ${workspace}
     order by e.seq`;
};

const toItems = (rows: ReadonlyArray<PageRow>): ReadonlyArray<PageItem> => {
  const items: Array<PageItem> = [];
  for (const row of rows) {
    if (row.seq === null || row.device === null || row.counter === null || row.hash === null || row.chain === null)
      continue;
    const seq = toNumber(row.seq);
    if (row.own === true) {
      const device = deviceIdFromBytes(row.device);
      items.push({ type: "own", seq, device, counter: toNumber(row.counter), hash: hashFromBytes(row.hash) });
    } else if (row.bytes !== null) {
      items.push({ type: "entry", seq, entry: row.bytes });
    } else {
      const before = items.at(-1);
      const chain = hashFromBytes(row.chain);
      if (before?.type === "skipped") items[items.length - 1] = { ...before, until: seq, chain };
      else items.push({ type: "skipped", seq, until: seq, chain });
    }
  }
  return items;
};
