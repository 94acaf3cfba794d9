/**
 * What a person can do about edits that the server will not take: try again, take them away, take them into a new
 * document, or give them up. Only these move a stream out of DEAD_LETTER. They need no leader: each is one transaction
 * that changes nothing where somebody else was faster.
 */
import { generateDocumentId } from "@cairn/crypto";
import {
  concatBytes,
  decodeEntry,
  type DocumentId,
  encodeBase64Url,
  EntryKind,
  type Hash,
  hashFromBytes,
  idToBytes,
  label,
} from "@cairn/protocol";
import { transition } from "@cairn/sync";
import { sha256 } from "@noble/hashes/sha2.js";
import { Clock, Effect } from "effect";
import type { PeerID } from "loro-crdt";
import type { ImporterShape } from "../documents/Importer.ts";
import { peerBelongsTo } from "../documents/peer-ids.ts";
import type { Rebased } from "../documents/rebase-document.ts";
import { updateRanges } from "../documents/update-ranges-later.ts";
import { CairnError } from "../errors.ts";
import type { Fenced, LocalStoreShape, StoreFailure } from "../store/LocalStore.ts";
import type { Rebuilding } from "../store/store-changes.ts";
import type { StreamRecord, UpdateRecord } from "../store/records.ts";
import type { DeadLetter, DeadLetterExport, DiscardPreview } from "../sync-api.ts";
import { openContent } from "./entry-opening.ts";
import { encodeFormerEdits, type FormerEdit } from "./former-edits.ts";
import { firstFormsIn } from "./UnacknowledgedEdits.ts";
import { reloadContext, type WorkspaceContext } from "./WorkspaceContext.ts";
import type { WorkspaceRuntime } from "./WorkspaceRuntime.ts";

const LOG_STEP = 500;
/** How often edits that are made or received meanwhile are taken in before the turn is given up. */
const MAX_RACES = 8;
const FORK_LABEL = label("forked-document");

/** What this works with. `peer` is newly leased, and nobody else's. */
export interface DeadLetterWork {
  readonly store: LocalStoreShape;
  readonly runtime: WorkspaceRuntime;
  readonly importer: ImporterShape;
}

type Failure = StoreFailure | Fenced | CairnError;

/** A dead letter with its edits. */
interface Found {
  readonly stream: StreamRecord;
  readonly type: string;
  readonly parked: ReadonlyArray<UpdateRecord>;
  readonly later: ReadonlyArray<UpdateRecord>;
}

const sizeOf = (updates: ReadonlyArray<UpdateRecord>): number =>
  updates.reduce((sum, { update }) => sum + update.length, 0);

const read = Effect.fnUntraced(function* (
  store: LocalStoreShape,
  stream: StreamRecord,
): Effect.fn.Return<Found, StoreFailure> {
  const { workspace, document, through } = stream;
  const pending = yield* store.pendingUpdates(workspace, document);
  return {
    stream,
    type: (yield* store.document(workspace, document))?.type ?? "",
    parked: pending.filter(({ id }) => id <= through),
    later: pending.filter(({ id }) => id > through),
  };
});

const find = Effect.fnUntraced(function* (
  { store, runtime }: DeadLetterWork,
  document: DocumentId,
): Effect.fn.Return<Found, StoreFailure | CairnError> {
  const streams = yield* store.streams(runtime.context.workspace);
  const stream = streams.find((candidate) => candidate.document === document && candidate.state === "DEAD_LETTER");
  if (stream === undefined) return yield* Effect.fail(new CairnError("dead-letter-unknown"));
  return yield* read(store, stream);
});

const toDeadLetter = ({ stream, type, parked, later }: Found): DeadLetter => ({
  document: stream.document,
  type,
  code: stream.code ?? "internal",
  message: stream.message ?? "",
  parkedAt: stream.since,
  edits: parked.length,
  bytes: sizeOf(parked),
  laterEdits: later.length,
  attempts: stream.attempts,
  history: stream.history,
});

export const listDeadLetters = Effect.fnUntraced(function* ({
  store,
  runtime,
}: DeadLetterWork): Effect.fn.Return<ReadonlyArray<DeadLetter>, StoreFailure> {
  const streams = yield* store.streams(runtime.context.workspace);
  const parked = streams.filter(({ state }) => state === "DEAD_LETTER");
  return (yield* Effect.forEach(parked, (stream) => read(store, stream))).map(toDeadLetter);
});

/** Somebody was faster: then there is nothing to decide any more. */
const unlessGone = <A>(effect: Effect.Effect<A, Failure>): Effect.Effect<A, StoreFailure | CairnError> =>
  Effect.catchTag(effect, "Fenced", () => Effect.fail(new CairnError("dead-letter-unknown")));

/** All of the document's edits wait again, with all attempts. */
export const retryDeadLetter = (work: DeadLetterWork, document: DocumentId) =>
  unlessGone(
    Effect.gen(function* () {
      const { stream } = yield* find(work, document);
      const decided = transition(stream, "retried");
      if (decided === undefined) return yield* Effect.fail(new CairnError("dead-letter-unknown"));
      const at = yield* Clock.currentTimeMillis;
      yield* work.store.moveStream(stream.workspace, document, { transition: decided, at });
      yield* work.runtime.status.moved(decided, { document, counter: undefined });
    }),
  );

type Acknowledged = Rebuilding["acknowledged"];

/** What the server has of a document, from the sealed log: everything else of it here may hold what is given up. */
const acknowledgedOf = Effect.fnUntraced(function* (
  store: LocalStoreShape,
  context: WorkspaceContext,
  document: DocumentId,
): Effect.fn.Return<Acknowledged, StoreFailure> {
  const waiting = new Set((yield* store.outgoingHeaders(context.workspace)).map(({ counter }) => counter));
  const found: Array<Acknowledged[number] & { readonly seq: number }> = [];
  let after: Parameters<LocalStoreShape["logPage"]>[1];
  for (;;) {
    const page = yield* store.logPage(context.workspace, after, LOG_STEP);
    for (const record of page) {
      const own = record.device === context.device;
      if (record.document !== document || (own && waiting.has(record.counter))) continue;
      if (record.kind !== EntryKind.update && record.kind !== EntryKind.snapshot) continue;
      const opened = yield* Effect.promise(() => openContent(context, decodeEntry(record.entry)));
      if (opened.type === "unapplied") continue;
      const { content } = opened;
      const { device, counter, seq = Number.MAX_SAFE_INTEGER } = record;
      const { type, time } = content;
      for (const update of content.updates) found.push({ document, type, time, update, device, counter, own, seq });
    }
    const last = page.at(-1);
    if (last === undefined) break;
    after = { device: last.device, counter: last.counter };
  }
  return found
    .toSorted((left, right) => left.seq - right.seq || left.counter - right.counter)
    .map(({ seq: _, ...rest }) => rest);
});

const forkDigest = (document: DocumentId): Hash => hashFromBytes(sha256(concatBytes(FORK_LABEL, idToBytes(document))));

/** The document without what is parked: as it is, or taken into a copy. Changes nothing. */
const rebase = Effect.fnUntraced(function* (
  { store, runtime, importer }: DeadLetterWork,
  found: Found,
  peer: PeerID,
  mode: "reapply" | "copy",
): Effect.fn.Return<
  { readonly rebased: Rebased; readonly acknowledged: Acknowledged; readonly through: number },
  StoreFailure | CairnError
> {
  const { workspace, document } = found.stream;
  // The document has more than the log here: that is not to be taken away with what is given up.
  const position = yield* store.position(workspace);
  if (position?.ahead !== undefined && position.cursor < position.ahead)
    return yield* Effect.fail(new CairnError("catching-up"));
  // Before the log is read: what is received meanwhile has a higher id.
  const through = (yield* store.openDocument(workspace, document))?.through ?? 0;
  // What another engine has received is opened with the chain and the keys that came with it.
  yield* reloadContext(store, runtime.context);
  const { device, record } = runtime.context;
  // Another tab has taken a new identity, and this one has not heard of it: what the old one writes would reach nobody (rule 12).
  if (record.device !== device || !peerBelongsTo(device, peer))
    return yield* Effect.fail(new CairnError("identity-changed"));
  const acknowledged = yield* acknowledgedOf(store, runtime.context, document);
  const answer = yield* importer
    .apply({
      workspace,
      document,
      type: found.type,
      known: 0,
      base: { snapshot: undefined },
      updates: acknowledged.map(({ update }, index) => ({ id: index + 1, update })),
      want: {
        rebase: {
          parked: found.parked.map(({ update }) => update),
          later: found.later.map(({ update }) => update),
          peer,
          mode,
          digest: forkDigest(document),
        },
      },
      patient: true,
    })
    .pipe(Effect.mapError((cause) => new CairnError("internal", "the document cannot be made anew", { cause })));
  yield* runtime.imports.forget(workspace, document);
  if (answer.type === "missing-base" || answer.rebased === undefined) {
    return yield* Effect.fail(new CairnError("internal", "the document cannot be made anew"));
  }
  return { rebased: answer.rebased, acknowledged, through };
});

/** Later edits that only a newer version of the app can apply again wait for one. */
const unlessNewer = ({ needsNewerApp }: Rebased): Effect.Effect<void, CairnError> =>
  needsNewerApp ? Effect.fail(new CairnError("edits-newer")) : Effect.void;

const toPreview = ({ stream, parked, later }: Found, rebased: Rebased): DiscardPreview => ({
  document: stream.document,
  edits: parked.length,
  bytes: sizeOf(parked),
  laterEdits: later.length,
  notReapplied: rebased.notReapplied,
  before: rebased.before,
  after: rebased.after,
});

export const previewDiscard = Effect.fnUntraced(function* (
  work: DeadLetterWork,
  document: DocumentId,
  peer: PeerID,
): Effect.fn.Return<DiscardPreview, StoreFailure | CairnError> {
  const found = yield* find(work, document);
  const { rebased } = yield* rebase(work, found, peer, "reapply");
  yield* unlessNewer(rebased);
  return toPreview(found, rebased);
});

/** The peers of this device that wrote what goes: nobody writes under them any more (rule 13). */
const peersOf = (context: WorkspaceContext, { parked, later }: Found): Effect.Effect<ReadonlyArray<PeerID>> =>
  Effect.promise(async () => {
    const { operationsOf } = await updateRanges();
    const peers = [...parked, ...later].flatMap(({ update }) => {
      const operations = operationsOf(context.device, update);
      return operations._tag === "Success" ? operations.success.map(({ peer }) => peer) : [];
    });
    return [...new Set(peers)].filter((each) => peerBelongsTo(context.device, each));
  });

const leaseOf = (peer: PeerID): number => Number(BigInt(peer) & 0xffffn);

/**
 * The leases under which a dead letter's edits were made. What is made anew without them needs another one, also where nobody
 * holds these any more: a copy of the store has other operations of the same names (hazard L4).
 */
export const leasesIn = Effect.fnUntraced(function* (
  work: DeadLetterWork,
  document: DocumentId,
): Effect.fn.Return<ReadonlySet<number>, StoreFailure | CairnError> {
  const peers = yield* peersOf(work.runtime.context, yield* find(work, document));
  return new Set(peers.map(leaseOf));
});

const asItIs = (edit: UpdateRecord): FormerEdit => ({
  update: edit.update,
  time: edit.time,
  firstForms: firstFormsIn(edit),
});

/** What was done, and under which peers nobody writes any more. */
export interface Rebuilt {
  readonly type: string;
  readonly preview: DiscardPreview;
  readonly peers: ReadonlyArray<PeerID>;
}

const rebuild = (
  work: DeadLetterWork,
  document: DocumentId,
  peer: PeerID,
  fork: DocumentId | undefined,
): Effect.Effect<Rebuilt, StoreFailure | CairnError> => {
  let refusedThrough: number | undefined;
  const attempt = Effect.gen(function* () {
    const { store, runtime } = work;
    const { context } = runtime;
    const found = yield* find(work, document);
    const { stream, type, parked, later } = found;
    // Somebody has tried again meanwhile, and more was refused: that is for a person to look at.
    refusedThrough ??= stream.through;
    if (refusedThrough !== stream.through) return yield* Effect.fail(new CairnError("dead-letter-unknown"));
    const { rebased, acknowledged, through } = yield* rebase(
      work,
      found,
      peer,
      fork === undefined ? "reapply" : "copy",
    );
    yield* unlessNewer(rebased);
    const discarded = transition(stream, "discarded");
    if (discarded === undefined) return yield* Effect.fail(new CairnError("dead-letter-unknown"));
    const time = yield* Clock.currentTimeMillis;
    const peers = yield* peersOf(context, found);
    const refs = later.flatMap((update) => update.refs);
    const edits: Rebuilding["edits"] =
      fork === undefined
        ? rebased.update === undefined
          ? []
          : [
              {
                workspace: context.workspace,
                document,
                type,
                update: rebased.update,
                time,
                refs,
                row: rebased.row,
                appliedAgain: later.flatMap(firstFormsIn),
                formerEdits: encodeFormerEdits({ givenUp: parked.map(asItIs), later: later.map(asItIs) }),
              },
            ]
        : (rebased.copy?.updates ?? []).map((copied) => ({
            workspace: context.workspace,
            document: fork,
            type,
            update: copied.update,
            time,
            refs: copied.refs,
            row: rebased.copy?.row,
          }));
    const retire = peers.map(leaseOf);
    yield* store.rebuildDocument({
      workspace: context.workspace,
      document,
      device: context.device,
      discarded,
      pending: [...parked, ...later].map(({ id }) => id),
      through,
      acknowledged,
      edits,
      row: rebased.row,
      retire,
    });
    context.record = {
      ...context.record,
      retiredLeases: [...new Set([...(context.record.retiredLeases ?? []), ...retire])],
    };
    yield* runtime.imports.forget(context.workspace, document);
    yield* runtime.status.moved(discarded, { document, counter: undefined, code: stream.code });
    return { type, preview: toPreview(found, rebased), peers };
  });
  // Edits may come while the document is read, from here and from others: it is read again.
  return unlessGone(
    Effect.retry(attempt, { times: MAX_RACES, while: (failure) => "_tag" in failure && failure._tag === "Fenced" }),
  );
};

/** Gives the refused edits up; the later ones are applied again where they can be. */
export const discardDeadLetter = (work: DeadLetterWork, document: DocumentId, peer: PeerID) =>
  rebuild(work, document, peer, undefined);

/** Takes the document as it is here into a new one; the old one goes back to what the server has. */
export const forkDeadLetter = Effect.fnUntraced(function* (
  work: DeadLetterWork,
  document: DocumentId,
  peer: PeerID,
): Effect.fn.Return<Rebuilt & { readonly fork: DocumentId }, StoreFailure | CairnError> {
  const fork = generateDocumentId(work.runtime.context.random);
  return { ...(yield* rebuild(work, document, peer, fork)), fork };
});

/** All of it as a file: readable, and with the edits as they are. */
export const exportDeadLetter = Effect.fnUntraced(function* (
  work: DeadLetterWork,
  document: DocumentId,
  peer: PeerID,
): Effect.fn.Return<DeadLetterExport, StoreFailure | CairnError> {
  const found = yield* find(work, document);
  const { rebased } = yield* rebase(work, found, peer, "reapply");
  const edits = [...found.parked, ...found.later];
  const text = {
    format: "cairn-dead-letter",
    version: 1,
    ...toDeadLetter(found),
    content: rebased.before,
    /** Left out where only a newer version of the app can say. */
    contentWithoutRefusedEdits: rebased.after,
    /** Loro updates in base64url, in order; the first `edits` of them were refused. */
    updates: edits.map(({ update }) => encodeBase64Url(update)),
  };
  return {
    fileName: `refused-edits-${document.slice(0, 8)}.json`,
    json: JSON.stringify(text, undefined, 2),
    updates: edits.map(({ update }) => update),
  };
});
