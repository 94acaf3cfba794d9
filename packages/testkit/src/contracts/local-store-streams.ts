/** States of entries and of documents' streams: stored as they were decided, and kept. */
import { EntryKind, NO_DOCUMENT } from "@cairn/protocol";
import { checkQuery, defineDocument, field } from "@cairn/schema";
import { freezing } from "@cairn/sync";
import { Effect } from "effect";
import { expect } from "vitest";
import {
  bytesOf,
  changeOf,
  DEVICE,
  documentOf,
  edit,
  FINGERPRINT,
  hashOf,
  NOTE,
  OTHER_NOTE,
  outgoingEntry,
  PEER,
  receivedUpdate,
  WORKSPACE,
  shownBy,
  viewOf,
} from "./local-store-samples.ts";
import { type ContractSuite, expectNoChange, populated } from "./local-store-suite.ts";

const voidOf = (counter: number) =>
  outgoingEntry(counter, [], { kind: EntryKind.void, document: NO_DOCUMENT, entry: bytesOf(6), hash: hashOf(6) });

const TITLED = defineDocument({
  fields: { title: field.string({ default: "", index: true, filterable: true, search: true }) },
});

const REASON = { code: "invalid", message: "the entry breaks a rule of its kind" };

export const registerStreamContract = (suite: ContractSuite): void => {
  suite.testSessions("the state of an entry is stored as it was decided, and found again", (session) =>
    Effect.gen(function* () {
      yield* session(
        populated((store, fence) =>
          Effect.gen(function* () {
            const ids = yield* store.appendUpdates([edit(), edit({ document: OTHER_NOTE })]);
            yield* store.freeze(WORKSPACE, fence, [
              outgoingEntry(1, ids.slice(0, 1), { frozen: freezing(2) }),
              outgoingEntry(2, ids.slice(1), { document: OTHER_NOTE }),
              outgoingEntry(3, [], { document: documentOf(9) }),
            ]);
            yield* store.moveOutgoing(WORKSPACE, fence, [
              { ...changeOf("unanswered", "IN_FLIGHT", { attempts: 2 }), counter: 1 },
              { ...changeOf("refused", "IN_FLIGHT", { ...REASON }), counter: 2 },
              // It stands elsewhere, and this one has gone: both are left as they are.
              { ...changeOf("sent", "RETRYABLE_ERROR"), counter: 3 },
              { ...changeOf("never"), counter: 77 },
            ]);
          }),
        ),
      );
      yield* session((store) =>
        Effect.gen(function* () {
          expect(yield* store.outgoingHeaders(WORKSPACE)).toEqual([
            expect.objectContaining({ counter: 1, document: NOTE, state: "RETRYABLE_ERROR", attempts: 2, bytes: 2 }),
            expect.objectContaining({ counter: 2, document: OTHER_NOTE, state: "RETRYABLE_ERROR", attempts: 1 }),
            expect.objectContaining({ counter: 3, state: "IN_FLIGHT", attempts: 0 }),
          ]);
          // Comings and goings of the network are no trouble of a document; a refusal is.
          expect(yield* store.streams(WORKSPACE)).toMatchObject([
            { document: OTHER_NOTE, state: "PENDING", attempts: 1, ...REASON, history: [{ event: "refused" }] },
          ]);
          const fence = yield* store.claimLeadership;
          yield* store.settle(WORKSPACE, fence, [{ counter: 2, seq: 1 }], 1);
          expect(yield* store.streams(WORKSPACE)).toEqual([]);
        }),
      );
    }),
  );

  suite.test(
    "hazard 15: refused edits are parked with their reason, before the later ones of their document",
    (store, fence) =>
      Effect.gen(function* () {
        const ids = yield* store.appendUpdates([edit(), edit(), edit({ document: OTHER_NOTE })]);
        const [refused = 0, later = 0] = ids;
        yield* store.freeze(WORKSPACE, fence, [outgoingEntry(1, [refused])]);
        const tooEarly = store.replaceOutgoing(WORKSPACE, fence, voidOf(1), changeOf("voided", "FATAL_ERROR"));
        yield* expectNoChange(store, WORKSPACE, [NOTE], tooEarly, "fenced");
        yield* store.moveOutgoing(WORKSPACE, fence, [{ ...changeOf("never", "IN_FLIGHT", REASON), counter: 1 }]);
        expect(yield* store.outgoingHeaders(WORKSPACE)).toMatchObject([{ counter: 1, state: "FATAL_ERROR" }]);
        yield* store.replaceOutgoing(WORKSPACE, fence, voidOf(1), changeOf("voided", "FATAL_ERROR", { at: 9 }));

        expect(yield* store.streams(WORKSPACE)).toEqual([
          {
            workspace: WORKSPACE,
            document: NOTE,
            state: "DEAD_LETTER",
            attempts: 0,
            ...REASON,
            since: 9,
            through: refused,
            history: [
              expect.objectContaining({ at: 8, event: "never", from: "IN_FLIGHT", to: "FATAL_ERROR", counter: 1 }),
              expect.objectContaining({ at: 9, event: "voided", from: "FATAL_ERROR", to: "DEAD_LETTER", counter: 1 }),
            ],
          },
        ]);
        expect((yield* store.pendingUpdates(WORKSPACE, NOTE)).map(({ id }) => id)).toEqual([refused, later]);
        expect(yield* store.outgoingHeaders(WORKSPACE)).toMatchObject([{ counter: 1, kind: EntryKind.void }]);

        // The void's acknowledgement is not the edits'.
        yield* store.settle(WORKSPACE, fence, [{ counter: 1, seq: 1 }], 1);
        expect(yield* store.streams(WORKSPACE)).toMatchObject([{ state: "DEAD_LETTER" }]);
        yield* store.moveStream(WORKSPACE, NOTE, changeOf("retried", "DEAD_LETTER", { at: 11 }));
        expect(yield* store.streams(WORKSPACE)).toMatchObject([
          { state: "PENDING", attempts: 0, since: 11, history: [{}, {}, { event: "retried", to: "PENDING" }] },
        ]);
        const again = store.moveStream(WORKSPACE, NOTE, changeOf("retried", "DEAD_LETTER"));
        yield* expectNoChange(store, WORKSPACE, [NOTE], again, "fenced");
        const nothing = store.moveStream(WORKSPACE, documentOf(9), changeOf("unsendable", "PENDING"));
        yield* expectNoChange(store, WORKSPACE, [NOTE], nothing, "fenced");
      }),
  );

  suite.test("what no entry can hold is parked before it takes a counter", (store) =>
    Effect.gen(function* () {
      const [first = 0] = yield* store.appendUpdates([edit(), edit()]);
      const change = { ...changeOf("unsendable", "PENDING", { code: "too-large" }), through: first };
      yield* store.moveStream(WORKSPACE, NOTE, change);
      expect(yield* store.streams(WORKSPACE)).toMatchObject([{ state: "DEAD_LETTER", through: first }]);
      expect((yield* store.position(WORKSPACE))?.nextCounter).toBe(1);
    }),
  );

  suite.test("a stream remembers a bounded history, the newest of it", (store, fence) =>
    Effect.gen(function* () {
      const [id = 0] = yield* store.appendUpdates([edit()]);
      yield* store.freeze(WORKSPACE, fence, [outgoingEntry(1, [id])]);
      for (let attempts = 0; attempts < 40; attempts += 1) {
        const from = attempts === 0 ? "IN_FLIGHT" : "RETRYABLE_ERROR";
        const { transition, ...rest } = changeOf("refused", from, { attempts: 0, at: attempts });
        yield* store.moveOutgoing(WORKSPACE, fence, [{ transition, ...rest, counter: 1 }]);
      }
      const [stream] = yield* store.streams(WORKSPACE);
      expect(stream?.history).toHaveLength(32);
      expect(stream?.history.at(-1)?.at).toBe(39);
    }),
  );

  suite.test("an update that is too large gives way to its pieces, and later ones follow them", (store, fence) =>
    Effect.gen(function* () {
      const [before = 0, large = 0, after = 0] = yield* store.appendUpdates([
        edit({ update: bytesOf(1) }),
        edit({ update: bytesOf(2, 2, 2), refs: [hashOf(3)], time: 2_100 }),
        edit({ update: bytesOf(4) }),
      ]);
      yield* store.splitPending(WORKSPACE, fence, NOTE, large, [bytesOf(2), bytesOf(3, 3)]);
      const pending = yield* store.pendingUpdates(WORKSPACE, NOTE);
      expect(pending.map(({ update, refs, time }) => [[...update], refs, time])).toEqual([
        [[1], [], 2_000],
        [[2], [hashOf(3)], 2_100],
        [[3, 3], [], 2_100],
        [[4], [], 2_000],
      ]);
      expect(pending[0]?.id).toBe(before);
      expect(pending[1]?.id).toBeGreaterThan(after);
      expect(yield* store.pendingDocuments(WORKSPACE)).toEqual([
        { document: NOTE, updates: 4, bytes: 5, oldest: 2_000 },
      ]);
      // Whoever has seen what was there sees the pieces as newer.
      expect((yield* store.updatesAfter(WORKSPACE, NOTE, after)).updates).toHaveLength(3);
      const gone = store.splitPending(WORKSPACE, fence, NOTE, large, [bytesOf(1)]);
      yield* expectNoChange(store, WORKSPACE, [NOTE], gone, "fenced");
      const stale = store.splitPending(WORKSPACE, fence - 1, NOTE, before, [bytesOf(1)]);
      yield* expectNoChange(store, WORKSPACE, [NOTE], stale, "fenced");
    }),
  );

  suite.test(
    "a document is made anew without what was given up, and its leases are not given out again",
    (store, fence) =>
      Effect.gen(function* () {
        const ids = yield* store.appendUpdates([edit(), edit(), edit({ document: OTHER_NOTE })]);
        const row = viewOf("anew", { createdAt: 7 });
        const rebuilding = {
          workspace: WORKSPACE,
          document: NOTE,
          device: DEVICE,
          discarded: changeOf("discarded", "DEAD_LETTER").transition,
          pending: ids.slice(0, 2),
          through: ids[1] ?? 0,
          acknowledged: [
            { ...receivedUpdate(PEER, 1), own: false },
            { ...receivedUpdate(DEVICE, 1), own: true },
          ],
          edits: [
            { ...edit({ update: bytesOf(8), row }), appliedAgain: [hashOf(3)], formerEdits: bytesOf(1, 2) },
            edit({ update: bytesOf(9), document: documentOf(7), row }),
          ],
          row,
          retire: [0, 3],
        };
        yield* expectNoChange(store, WORKSPACE, [NOTE], store.rebuildDocument(rebuilding), "fenced");
        yield* store.moveStream(WORKSPACE, NOTE, changeOf("unsendable", "PENDING"));
        const fewer = store.rebuildDocument({ ...rebuilding, pending: ids.slice(0, 1) });
        yield* expectNoChange(store, WORKSPACE, [NOTE], fewer, "fenced");
        // What another identity has made would reach nobody.
        const another = store.rebuildDocument({ ...rebuilding, device: PEER });
        yield* expectNoChange(store, WORKSPACE, [NOTE], another, "fenced");
        // What was received since the log was read would be gone.
        const older = store.rebuildDocument({ ...rebuilding, through: (ids[1] ?? 0) - 1 });
        yield* expectNoChange(store, WORKSPACE, [NOTE], older, "fenced");
        yield* store.rebuildDocument(rebuilding);

        const opened = yield* store.openDocument(WORKSPACE, NOTE);
        expect(opened?.record).toMatchObject({ ...shownBy(row), type: "note" });
        expect(opened?.snapshot).toBeUndefined();
        expect(opened?.updates.map(({ state, device, counter }) => [state, device, counter])).toEqual([
          ["received", PEER, 1],
          ["frozen", DEVICE, 1],
          ["pending", undefined, undefined],
        ]);
        expect(opened?.updates[0]?.id).toBeGreaterThan(ids.at(-1) ?? 0);
        expect(yield* store.pendingDocuments(WORKSPACE)).toHaveLength(3);
        expect(yield* store.pendingUpdates(WORKSPACE, NOTE)).toMatchObject([
          { update: bytesOf(8), appliedAgain: [hashOf(3)], formerEdits: bytesOf(1, 2) },
        ]);
        expect(yield* store.streams(WORKSPACE)).toEqual([]);
        expect((yield* store.workspaces)[0]?.retiredLeases).toEqual([0, 3]);
        const unprojected = yield* store.unprojected(WORKSPACE, new Map([["note", FINGERPRINT]]));
        expect(unprojected.map(({ document }) => document)).toEqual([OTHER_NOTE]);

        // What another tab writes who opened it before depends on what is gone; what follows from now on does not.
        expect(opened?.rebuilds).toBe(1);
        expect((yield* store.openDocument(WORKSPACE, OTHER_NOTE))?.rebuilds).toBe(0);
        const late = store.appendUpdates([edit({ document: OTHER_NOTE }), edit({ rebuilds: 0 })]);
        yield* expectNoChange(store, WORKSPACE, [NOTE, OTHER_NOTE], late, "rebuilt");
        yield* store.appendUpdates([edit({ document: OTHER_NOTE, rebuilds: 0 })]);

        // Not while an entry of it is on its way.
        const [own = 0] = (yield* store.pendingUpdates(WORKSPACE, NOTE)).map(({ id }) => id);
        yield* store.freeze(WORKSPACE, fence, [outgoingEntry(1, [own])]);
        const [newest = 0] = yield* store.appendUpdates([edit()]);
        yield* store.moveStream(WORKSPACE, NOTE, changeOf("unsendable", "PENDING"));
        const early = store.rebuildDocument({ ...rebuilding, pending: [newest], through: newest });
        yield* expectNoChange(store, WORKSPACE, [NOTE], early, "fenced");
      }),
  );

  suite.test("a document of which nothing is left after giving up is gone, and can be made again", (store) =>
    Effect.gen(function* () {
      const row = viewOf("given up", { createdAt: 7 });
      // The newest document, in whose place a store may put the next one.
      yield* store.appendUpdates([edit({ document: OTHER_NOTE })]);
      const [id = 0] = yield* store.appendUpdates([edit({ row })]);
      yield* store.moveStream(WORKSPACE, NOTE, changeOf("unsendable", "PENDING"));
      yield* store.rebuildDocument({
        workspace: WORKSPACE,
        document: NOTE,
        device: DEVICE,
        discarded: changeOf("discarded", "DEAD_LETTER").transition,
        pending: [id],
        through: id,
        acknowledged: [],
        edits: [],
        row: viewOf("empty"),
        retire: [0],
      });
      expect(yield* store.openDocument(WORKSPACE, NOTE)).toBeUndefined();
      expect(yield* store.document(WORKSPACE, NOTE)).toBeUndefined();
      expect(yield* store.streams(WORKSPACE)).toEqual([]);
      const listed = (yield* store.documentPage(WORKSPACE, undefined, 10)).map(({ document }) => document);
      expect(listed).toEqual([OTHER_NOTE]);

      // Nothing finds it any more, nor what is made in its place, by what it said.
      yield* store.appendUpdates([edit({ document: documentOf(7), row: viewOf("another") })]);
      const rows = { workspace: WORKSPACE, type: "note", fingerprint: FINGERPRINT };
      const found = (given: unknown) => store.query(rows, checkQuery(TITLED, given));
      expect((yield* found({ search: "given" })).rows).toEqual([]);
      expect((yield* found({ where: { title: { eq: "given up" } } })).rows).toEqual([]);
      expect((yield* found({ search: "another" })).rows.map(({ document }) => document)).toEqual([documentOf(7)]);
      expect(yield* store.countUnprojected(WORKSPACE, new Map([["note", FINGERPRINT]]))).toBe(1);

      expect((yield* store.workspaces)[0]?.rebuilds).toEqual({ [NOTE]: 1 });
      yield* expectNoChange(store, WORKSPACE, [OTHER_NOTE], store.appendUpdates([edit({ rebuilds: 0 })]), "rebuilt");
      yield* store.appendUpdates([edit({ rebuilds: 1, row })]);
      expect((yield* store.openDocument(WORKSPACE, NOTE))?.record).toMatchObject(shownBy(row));
    }),
  );

  suite.testSessions("a person's pause is kept", (session) =>
    Effect.gen(function* () {
      yield* session(populated((store) => store.updateWorkspace(WORKSPACE, { paused: true })));
      yield* session((store) =>
        Effect.gen(function* () {
          expect((yield* store.workspaces)[0]?.paused).toBe(true);
          yield* store.updateWorkspace(WORKSPACE, { role: "reader" });
          expect((yield* store.workspaces)[0]).toMatchObject({ paused: true, role: "reader" });
          yield* store.updateWorkspace(WORKSPACE, { paused: undefined });
          expect((yield* store.workspaces)[0]?.paused).toBeUndefined();
        }),
      );
    }),
  );
};
