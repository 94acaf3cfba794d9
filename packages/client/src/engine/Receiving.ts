/**
 * Receiving a page: verify, open and store what it brings, and move the cursor, in one transaction.
 *
 * Whether an entry counts is decided by its signature and the membership chain alone (rule 19). One that does not count,
 * or that this version does not understand, is kept in the log and not applied; what may be applied later is in `LateEntries`.
 */
import { decodeEntry, type DocumentId, type Entry, EntryKind, type Page } from "@cairn/protocol";
import { type OwnEntry, type PageOutcome, type Position, type ReceivedEntry, receivePage } from "@cairn/sync";
import { Clock, Data, Effect } from "effect";
import type { Fence, NewReceivedUpdate } from "../store/store-changes.ts";
import type { Fenced, LocalStoreShape, StoreFailure } from "../store/LocalStore.ts";
import type { LogRecord } from "../store/records.ts";
import type { EntryContent, StateMark } from "./entry-content.ts";
import { openContent, type Opened, updatesOf } from "./entry-opening.ts";
import { keepLateEntries, type LateEntry } from "./LateEntries.ts";
import { NamedEdits, unacknowledgedEdits } from "./UnacknowledgedEdits.ts";
import { extendContext, type WorkspaceContext } from "./WorkspaceContext.ts";

/** Entries of a page that are verified and opened at once. */
const OPENED_AT_ONCE = 32;

/** The page is not of the log that this device knows (rule 11). */
export class Diverged extends Data.TaggedError("Diverged")<{ readonly cursor: number }> {}

/**
 * This profile is a copy, or a copy of it is at work (rules 3 and 12): the server has an entry of this device that is not the
 * one that this store has made under its counter, or another copy has made anew what waits here.
 */
export class Cloned extends Data.TaggedError("Cloned")<{ readonly counter: number }> {}

/** The server sent a page that breaks the protocol. */
export class BadPage extends Data.TaggedError("BadPage")<{ readonly reason: string }> {}

export interface Received {
  readonly position: Position;
  readonly more: boolean;
  /** Documents that got updates. */
  readonly documents: ReadonlySet<DocumentId>;
  readonly membershipChanged: boolean;
  /** Own entries left the outbox by this: edits of their documents may follow now (rule 6). */
  readonly settled: boolean;
  /** The newest state mark of each document that came with one (rule 18). */
  readonly marks: ReadonlyMap<DocumentId, StateMark>;
  /** Entries that were kept and not applied, with the reason: for the log, never with content. */
  readonly unapplied: ReadonlyArray<{ readonly seq: number; readonly reason: string }>;
}

const openOne = (context: WorkspaceContext) => (received: ReceivedEntry) =>
  Effect.map(
    Effect.promise(() => openContent(context, received.entry)),
    (opened) => ({ received, opened }),
  );

const hasContent = (kind: number): boolean => kind === EntryKind.update || kind === EntryKind.snapshot;

/** Takes one page. Fails with `Diverged` or `BadPage` without having changed anything. */
export const receive = Effect.fnUntraced(function* (
  store: LocalStoreShape,
  context: WorkspaceContext,
  fence: Fence,
  position: Position,
  page: Page,
): Effect.fn.Return<Received, Diverged | BadPage | Cloned | Fenced | StoreFailure> {
  const outcome = receivePage(position, page);
  switch (outcome.type) {
    case "known":
      return nothing(position, page.head > position.cursor);
    case "gap":
      return yield* new BadPage({ reason: "a page leaves out entries" });
    case "malformed":
      return yield* new BadPage({ reason: outcome.reason });
    case "diverged":
      return yield* new Diverged({ cursor: position.cursor });
    case "advanced":
      break;
  }
  const named = ownEntries(context, outcome);
  const known = yield* ownRecords(store, context, named);
  const foreign = named.find(({ counter, hash }) => known.get(counter)?.hash !== hash);
  if (foreign !== undefined) return yield* new Cloned({ counter: foreign.counter });
  const updates: Array<NewReceivedUpdate> = [];
  const unapplied: Array<{ seq: number; reason: string }> = [];
  const late: Array<LateEntry> = [];
  const copies: Array<Copied> = [];
  const marks = new Map<DocumentId, StateMark>();
  const take = ({ received, opened }: { readonly received: ReceivedEntry; readonly opened: Opened }): void => {
    if (opened.type === "unapplied") {
      unapplied.push({ seq: received.seq, reason: opened.reason });
      const { device, counter } = received.entry.header;
      if (opened.mayChange) late.push({ device, counter });
      return;
    }
    updates.push(...updatesOf(received.entry, opened.content));
    const { madeAnew, appliedAgain } = opened.content;
    if (madeAnew !== undefined || appliedAgain !== undefined) copies.push({ received, content: opened.content });
    // A mark speaks of what was there then: what comes behind it in the page makes it one of the past.
    const { document } = received.entry.header;
    if (opened.content.mark === undefined) marks.delete(document);
    else marks.set(document, opened.content.mark);
  };
  let waiting: Array<ReceivedEntry> = [];
  /** Verifying and opening wait for threads of the platform: many at once, as long as the membership stays what it is. */
  const openWaiting = Effect.suspend(() => {
    const together = waiting;
    waiting = [];
    return Effect.forEach(together, openOne(context), { concurrency: OPENED_AT_ONCE }).pipe(
      Effect.map((found) => found.forEach(take)),
    );
  });
  // In the order of the log: the membership chain links own entries and those of others alike.
  const inOrder = [...outcome.entries, ...outcome.own].toSorted((left, right) => left.seq - right.seq);
  for (const received of inOrder) {
    if (!("entry" in received)) {
      // An own link of the chain, which the page names without its bytes: the log has them.
      const record = received.device === context.device ? known.get(received.counter) : undefined;
      if (record?.kind !== EntryKind.membership) continue;
      yield* openWaiting;
      yield* extendContext(store, context, decodeEntry(record.entry));
      continue;
    }
    if (received.entry.header.workspace !== context.workspace) {
      return yield* new BadPage({ reason: "an entry of another workspace" });
    }
    if (received.entry.header.kind === EntryKind.membership) {
      yield* openWaiting;
      yield* extendContext(store, context, received.entry);
    } else if (hasContent(received.entry.header.kind)) waiting.push(received);
  }
  yield* openWaiting;
  const own = outcome.entries.filter(({ entry }) => entry.header.device === context.device);
  const twin = yield* findTwin(store, context, copies, new Set(named.map(({ counter }) => counter)));
  if (twin !== undefined) return yield* new Cloned({ counter: twin.counter });
  yield* keepLateEntries(store, context.workspace, late);
  const now = yield* Clock.currentTimeMillis;
  yield* store.receive({
    workspace: context.workspace,
    fence,
    from: position.cursor,
    cursor: outcome.position.cursor,
    chain: outcome.position.chain,
    entries: outcome.entries.map(({ seq, hash, entry }) => ({
      seq,
      hash,
      device: entry.header.device,
      counter: entry.header.counter,
      kind: entry.header.kind,
      document: entry.header.document,
      entry: entry.bytes,
    })),
    updates,
    settled: [
      ...own.map(({ seq, entry }) => ({ counter: entry.header.counter, seq })),
      ...outcome.own.filter(({ device }) => device === context.device).map(({ seq, counter }) => ({ counter, seq })),
    ],
    at: now,
  });
  const membershipChanged = context.membership.head !== context.toldHead;
  context.toldHead = context.membership.head;
  return {
    position: outcome.position,
    more: outcome.more,
    documents: new Set(updates.map(({ document }) => document)),
    membershipChanged,
    settled: named.some(({ counter }) => known.get(counter)?.seq === undefined),
    marks,
    unapplied,
  };
});

/** An entry that names edits. */
interface Copied {
  readonly received: ReceivedEntry;
  readonly content: EntryContent;
}

/**
 * The first entry with edits that wait here too. Sent from here as well they would be in the document twice; in a succession
 * they give way to those of the other copy. `settled` are counters of this device that the same page acknowledges.
 */
const findTwin = Effect.fnUntraced(function* (
  store: LocalStoreShape,
  { workspace }: WorkspaceContext,
  copies: ReadonlyArray<Copied>,
  settled: ReadonlySet<number>,
): Effect.fn.Return<Entry["header"] | undefined, StoreFailure> {
  if (copies.length === 0) return undefined;
  const unacknowledged = yield* unacknowledgedEdits(store, workspace);
  for (const { received, content } of copies) {
    const { header } = received.entry;
    if (!unacknowledged.documents.has(header.document)) continue;
    const found = yield* unacknowledged.of(header.document, settled);
    const named = new NamedEdits([content]);
    if (found?.edits.some((edit) => named.hasSomeOf(edit)) === true) return header;
  }
  return undefined;
});

/** The own entries of a page, by ascending counter. */
const ownEntries = (
  { device }: WorkspaceContext,
  page: Extract<PageOutcome, { readonly type: "advanced" }>,
): ReadonlyArray<Pick<OwnEntry, "counter" | "hash">> =>
  [
    ...page.own.filter((entry) => entry.device === device),
    ...page.entries.flatMap(({ hash, entry: { header } }) =>
      header.device === device ? [{ counter: header.counter, hash }] : [],
    ),
  ].toSorted((left, right) => left.counter - right.counter);

/** What this store has under the counters of some own entries. */
const ownRecords = Effect.fnUntraced(function* (
  store: LocalStoreShape,
  { workspace, device }: WorkspaceContext,
  named: ReadonlyArray<{ readonly counter: number }>,
): Effect.fn.Return<ReadonlyMap<number, LogRecord>, StoreFailure> {
  const [first] = named;
  const last = named.at(-1);
  if (first === undefined || last === undefined) return new Map();
  const records = yield* store.logOf(workspace, device, first.counter, last.counter - first.counter + 1);
  return new Map(records.map((record) => [record.counter, record]));
});

const nothing = (position: Position, more: boolean): Received => ({
  position,
  more,
  documents: new Set(),
  membershipChanged: false,
  settled: false,
  marks: new Map(),
  unapplied: [],
});
