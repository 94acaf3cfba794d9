/** The log in memory. What a push does is decided by the same pure functions as on PostgreSQL. */
import {
  type DeviceId,
  emptyLogChain,
  EntryKind,
  type Grant,
  type GrantId,
  grantIdFromBytes,
  ID_BYTES,
  LIMITS,
  type Page,
  type PageItem,
  type WorkspaceId,
} from "@cairn/protocol";
import { EntryLog, FanOut, identityKey, type LastEntry, type LogState, ServerSettings } from "@cairn/server";
import {
  type Answer,
  decideGroup,
  kindOf,
  type LockedGrant,
  makePush,
  type PreparedPush,
  RandomBytes,
  refuse,
  scopeOf,
  SignatureVerifier,
} from "@cairn/server/adapters";
import { Clock, Effect, Layer } from "effect";
import { DatabaseConnection, type MemoryConnection, type StoredDevice, type StoredLog } from "./MemoryDatabase.ts";

type Decision = ReturnType<typeof decideGroup>["decision"];

/** What a reader's own entry takes in a page; no entry takes less. */
const BRIEF_ITEM = 64;

const toState = (log: StoredLog, pushes: ReadonlyArray<PreparedPush>, quotaBytes: number): LogState => {
  const last = new Map<DeviceId, LastEntry>();
  for (const { device, last: counter, lastHash } of log.devices.values()) last.set(device, { counter, hash: lastHash });
  const stored = new Map<string, { readonly seq: number; readonly hash: LogState["chain"] }>();
  for (const { entries } of pushes) {
    for (const { entry } of entries) {
      const key = identityKey(entry.header.device, entry.header.counter);
      const row = log.entries[(log.seqByIdentity.get(key) ?? 0) - 1];
      if (row !== undefined) stored.set(key, { seq: row.seq, hash: row.hash });
    }
  }
  return {
    workspace: log.workspace,
    head: log.head,
    chain: log.chain,
    membership: {
      rootKey: log.rootKey,
      head: log.membershipHead,
      keyEpoch: log.keyEpoch,
      minimumVersion: log.minimumVersion,
      members: log.devices,
      links: new Map([...log.links].map(([id, link]) => [id, { ...link, uses: link.chainUses }])),
    },
    last,
    stored,
    chunks: new Set(log.chunks.keys()),
    purged: log.purged,
    entriesBytes: log.entriesBytes,
    attachmentsBytes: log.attachmentsBytes,
    quotaBytes,
  };
};

const lockedGrants = (log: StoredLog): ReadonlyMap<GrantId, LockedGrant> =>
  new Map(
    [...log.grants.values()].map(({ grant, role, status, expiresAt }) => [
      grant,
      { role, revoked: status === "revoked", expiresAt: expiresAt ?? undefined },
    ]),
  );

const setRole = (log: StoredLog, device: DeviceId, role: Grant["role"]): void => {
  for (const grant of log.grants.values()) {
    if (grant.device !== device || grant.status === "revoked" || grant.role === role) continue;
    log.grants.set(grant.grant, { ...grant, role, kind: kindOf(role), scope: scopeOf(role) });
  }
};

const writeMembership = (log: StoredLog, before: LogState, { next }: Decision, now: number): void => {
  log.membershipHead = next.membership.head;
  log.keyEpoch = next.membership.keyEpoch;
  log.minimumVersion = next.membership.minimumVersion;
  log.rootKey = next.membership.rootKey;
  for (const member of next.membership.members.values()) {
    if (before.membership.members.get(member.device) === member) continue;
    const known = log.devices.get(member.device);
    const { device, agreementKey, role, from, to, admitted, revoked } = member;
    const row: StoredDevice = {
      device,
      signingKey: known?.signingKey ?? member.signingKey,
      agreementKey,
      role,
      from,
      to,
      admitted,
      revoked,
      last: known?.last ?? 0,
      lastHash: known?.lastHash,
    };
    log.devices.set(device, row);
    setRole(log, device, role);
  }
  for (const link of next.membership.links.values()) {
    if (before.membership.links.get(link.link) === link) continue;
    const known = log.links.get(link.link);
    const { revoked, chained, uses } = link;
    log.links.set(link.link, {
      link: link.link,
      signingKey: known?.signingKey ?? link.signingKey,
      role: known?.role ?? link.role,
      maxUses: known?.maxUses ?? link.maxUses,
      honoured: known?.honoured ?? false,
      createdAt: known?.createdAt ?? now,
      expiresAt: known?.expiresAt ?? null,
      sealedName: known?.sealedName,
      usedBy: known?.usedBy ?? new Set(),
      revoked,
      chained,
      chainUses: uses,
    });
  }
};

/** Writes all of a decision and gives the grants that it withdraws. */
const writeDecision = (
  connection: MemoryConnection,
  log: StoredLog,
  before: LogState,
  decision: Decision,
  now: number,
  randomBytes: (length: number) => Uint8Array,
): ReadonlySet<GrantId> => {
  if (decision.rows.length === 0) return new Set();
  if (decision.next.membership !== before.membership) writeMembership(log, before, decision, now);
  for (const { seq, chain, hash, entry } of decision.rows) {
    const { device, counter, kind, document } = entry.header;
    log.entries[seq - 1] = { seq, device, counter, hash, chain, bytes: entry.bytes };
    log.seqByIdentity.set(identityKey(device, counter), seq);
    const author = log.devices.get(device);
    if (author !== undefined) log.devices.set(device, { ...author, last: counter, lastHash: hash });
    if (kind === EntryKind.purge) log.purged.add(document);
  }
  log.head = decision.next.head;
  log.chain = decision.next.chain;
  log.entriesBytes = decision.next.entriesBytes;
  for (const [successor, predecessor] of decision.predecessorBySuccessor) {
    const taken = [...log.grants.values()].some(({ device, status }) => device === successor && status === "active");
    for (const grant of log.grants.values()) {
      if (taken || grant.device !== predecessor || grant.status === "revoked") continue;
      const id = grantIdFromBytes(randomBytes(ID_BYTES));
      log.grants.set(id, { ...grant, grant: id, device: successor, createdAt: now, lastSeenAt: null });
    }
  }
  const withdrawn = new Set<GrantId>();
  for (const grant of log.grants.values()) {
    if (!decision.closed.has(grant.device) || grant.status === "revoked") continue;
    log.grants.set(grant.grant, { ...grant, status: "revoked" });
    withdrawn.add(grant.grant);
  }
  if (decision.closed.size > 0) connection.database.revocationMark += 1n;
  return withdrawn;
};

const chainAt = (log: StoredLog, cursor: number): LogState["chain"] | undefined =>
  cursor === 0 ? emptyLogChain(log.workspace) : log.entries[cursor - 1]?.chain;

const make = Effect.gen(function* () {
  const connection = yield* DatabaseConnection;
  const fanOut = yield* FanOut;
  const verify = yield* SignatureVerifier;
  const randomBytes = yield* RandomBytes;
  const { workspaceBytes: quotaBytes } = yield* ServerSettings;

  const commit = Effect.fnUntraced(function* (workspace: WorkspaceId, pushes: ReadonlyArray<PreparedPush>) {
    const now = yield* Clock.currentTimeMillis;
    let withdrawn: ReadonlySet<GrantId> = new Set();
    const { answers, committed } = yield* connection.transaction(
      workspace,
      Effect.fnUntraced(function* (log) {
        if (log === undefined) return yield* refuse("workspace-unknown");
        const state = toState(log, pushes, quotaBytes);
        const { decision, ...decided } = decideGroup({ state, grants: lockedGrants(log) }, pushes, now, verify);
        return {
          value: decided,
          write: () => {
            withdrawn = writeDecision(connection, log, state, decision, now, randomBytes);
          },
        };
      }),
    );
    if (committed.entries.length > 0) yield* fanOut.publish(workspace, committed);
    if (withdrawn.size > 0) yield* fanOut.publishRevoked(workspace, withdrawn);
    return answers satisfies ReadonlyArray<Answer>;
  });

  const find = (workspace: WorkspaceId) =>
    Effect.suspend(() => {
      const log = connection.log(workspace);
      return log === undefined ? refuse("workspace-unknown") : Effect.succeed(log);
    });

  return EntryLog.of({
    push: makePush(commit),

    pull: Effect.fnUntraced(function* (request) {
      const log = yield* find(request.workspace);
      const chainAtCursor = chainAt(log, request.after);
      // Rule 11: a cursor that this log never gave, or gave with another history.
      if (chainAtCursor === undefined || (request.chain !== undefined && request.chain !== chainAtCursor)) {
        return yield* refuse("diverged");
      }
      const candidates = Math.min(LIMITS.pageItems, Math.ceil(request.maxBytes / BRIEF_ITEM) + 1);
      const items: Array<PageItem> = [];
      let total = 0;
      let chain = chainAtCursor;
      for (const row of log.entries.slice(request.after, request.after + candidates)) {
        const own = request.own === "brief" && row.device === request.reader;
        total += own ? BRIEF_ITEM : row.bytes.length;
        if (items.length > 0 && total > request.maxBytes) break;
        const { seq, device, counter, hash, bytes } = row;
        items.push(own ? { type: "own", seq, device, counter, hash } : { type: "entry", seq, entry: bytes });
        ({ chain } = row);
      }
      const page: Page = {
        after: request.after,
        until: request.after + items.length,
        head: log.head,
        chain,
        items,
      };
      return page;
    }),

    state: Effect.fnUntraced(function* (workspace) {
      const log = yield* find(workspace);
      const { entriesBytes, attachmentsBytes } = log;
      return {
        workspace,
        server: connection.database.server,
        serverEpoch: connection.database.epoch,
        head: log.head,
        chain: log.chain,
        membershipHead: log.membershipHead,
        keyEpoch: log.keyEpoch,
        usage: { entriesBytes, attachmentsBytes, quotaBytes },
        devices: [...log.devices.values()].map(({ device, last, lastHash, signingKey }) => ({
          device,
          last,
          hash: lastHash ?? null,
          signingKey,
        })),
      };
    }),

    heads: (workspaces) =>
      Effect.sync(
        () =>
          new Map(
            [...workspaces].flatMap((workspace): ReadonlyArray<[WorkspaceId, number]> => {
              const log = connection.log(workspace);
              return log === undefined ? [] : [[workspace, log.head]];
            }),
          ),
      ),

    standing: Effect.fnUntraced(function* (workspace, device, at) {
      const log = yield* find(workspace);
      const row = log.devices.get(device);
      if (row === undefined) return yield* refuse("workspace-unknown");
      return {
        head: log.head,
        chain: log.chain,
        keyEpoch: log.keyEpoch,
        signingKey: row.signingKey,
        last: row.last,
        lastHash: row.lastHash ?? null,
        diverged: chainAt(log, at.cursor) !== at.chain,
      };
    }),
  });
});

export const layerMemoryEntryLog: Layer.Layer<EntryLog, never, DatabaseConnection | FanOut | ServerSettings> =
  Layer.effect(EntryLog, make);
