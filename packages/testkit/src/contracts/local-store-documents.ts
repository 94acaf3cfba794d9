/** Documents: opening, projecting, folding. */
import { checkQuery } from "@cairn/schema";
import { Effect } from "effect";
import { expect } from "vitest";
import {
  bytesOf,
  changeOf,
  DEVICE,
  documentOf,
  edit,
  FINGERPRINT,
  logEntry,
  NOTE,
  OTHER_NOTE,
  OTHER_WORKSPACE,
  outgoingEntry,
  PEER,
  positionRecord,
  receipt,
  receivedUpdate,
  shownBy,
  viewOf,
  WORKSPACE,
  workspaceRecord,
} from "./local-store-samples.ts";
import { type ContractSuite, expectNoChange, outcomeOf } from "./local-store-suite.ts";

const view = viewOf("merged");
const TYPES = new Map([["note", FINGERPRINT]]);

export const registerDocumentContract = (suite: ContractSuite): void => {
  suite.test("several documents are opened and shown in one step each", (store, fence) =>
    Effect.gen(function* () {
      const documents = Array.from({ length: 5 }, (_, index) => documentOf(index + 1));
      yield* store.receive(
        receipt(fence, 0, {
          entries: documents.map((document, index) => ({ ...logEntry(PEER, index + 1, index + 1), document })),
          updates: documents.map((document, index) => receivedUpdate(PEER, index + 1, document)),
        }),
      );
      const waiting = yield* store.unprojected(WORKSPACE, TYPES);
      expect(waiting.map(({ document }) => document).toSorted()).toEqual(documents.toSorted());
      const some = yield* store.unprojected(WORKSPACE, TYPES, { limit: 2 });
      expect(some.length).toBeGreaterThanOrEqual(2);
      expect(yield* store.countUnprojected(WORKSPACE, TYPES)).toBe(5);
      // What came last is what lists show first.
      expect(some[0]?.document).toBe(documents[4]);

      const asked = [documentOf(3), documentOf(99), documentOf(1)];
      const opened = yield* store.openDocuments(WORKSPACE, asked);
      expect(opened).toEqual([
        yield* store.openDocument(WORKSPACE, documentOf(3)),
        yield* store.openDocument(WORKSPACE, documentOf(1)),
      ]);
      expect(yield* store.openDocuments(OTHER_WORKSPACE, asked)).toEqual([]);

      yield* store.putProjections(WORKSPACE, [
        ...opened.map(({ record, through }) => ({ document: record.document, through, view })),
        { document: documentOf(99), through: 1, view },
        { document: documentOf(2), through: 0, view: undefined },
      ]);
      expect(yield* store.document(WORKSPACE, documentOf(3))).toMatchObject(shownBy(view));
      expect(yield* store.document(WORKSPACE, documentOf(1))).toMatchObject(shownBy(view));
      expect(yield* store.document(WORKSPACE, documentOf(2))).toMatchObject({ merging: true, projection: "" });
      expect(yield* store.document(WORKSPACE, documentOf(99))).toBeUndefined();
      const left = yield* store.unprojected(WORKSPACE, TYPES);
      expect(left.map(({ document }) => document).toSorted()).toEqual(
        [documentOf(2), documentOf(4), documentOf(5)].toSorted(),
      );
    }),
  );

  suite.test("received updates are to be projected until a projection holds them", (store, fence) =>
    Effect.gen(function* () {
      yield* store.appendUpdates([edit({ row: view })]);
      expect(yield* store.unprojected(WORKSPACE, TYPES)).toEqual([]);
      yield* store.receive(
        receipt(fence, 0, {
          entries: [logEntry(PEER, 1, 1), logEntry(PEER, 2, 2)],
          updates: [receivedUpdate(PEER, 1), receivedUpdate(PEER, 2)],
        }),
      );
      const [waiting] = yield* store.unprojected(WORKSPACE, TYPES);
      const through = (yield* store.openDocument(WORKSPACE, NOTE))?.through ?? 0;
      expect(waiting).toEqual({ document: NOTE, type: "note", through });
      expect(yield* store.unprojected(OTHER_WORKSPACE, TYPES)).toEqual([]);

      // The import takes too long: the row says so, and the work is still to be done.
      yield* store.putProjections(WORKSPACE, [{ document: NOTE, through, view: undefined }]);
      expect(yield* store.document(WORKSPACE, NOTE)).toMatchObject({ merging: true, fields: { title: "merged" } });
      expect(yield* store.unprojected(WORKSPACE, TYPES)).toEqual([waiting]);

      yield* store.putProjections(WORKSPACE, [{ document: NOTE, through: through - 1, view }]);
      expect(yield* store.document(WORKSPACE, NOTE)).toMatchObject({ ...shownBy(view), merging: false });
      expect(yield* store.unprojected(WORKSPACE, TYPES)).toEqual([waiting]);

      yield* store.putProjections(WORKSPACE, [{ document: NOTE, through, view }]);
      expect(yield* store.unprojected(WORKSPACE, TYPES)).toEqual([]);
      yield* store.putProjections(WORKSPACE, [{ document: OTHER_NOTE, through, view }]);
      expect(yield* store.document(WORKSPACE, OTHER_NOTE)).toBeUndefined();
    }),
  );

  suite.test("a projection older than a local edit does not pass for the newest", (store, fence) =>
    Effect.gen(function* () {
      const update = { entries: [logEntry(PEER, 1, 1)], updates: [receivedUpdate(PEER, 1)] };
      yield* store.receive(receipt(fence, 0, update));
      const through = (yield* store.openDocument(WORKSPACE, NOTE))?.through ?? 0;
      const [id = 0] = yield* store.appendUpdates([edit({ row: viewOf("newer") })]);
      yield* store.putProjections(WORKSPACE, [{ document: NOTE, through, view }]);
      expect(yield* store.unprojected(WORKSPACE, TYPES)).toEqual([{ document: NOTE, type: "note", through: id }]);
      yield* store.putProjections(WORKSPACE, [{ document: NOTE, through: id, view }]);
      expect(yield* store.unprojected(WORKSPACE, TYPES)).toEqual([]);
    }),
  );

  suite.test("a row may come without its words: they follow, and what it shows is there at once", (store) =>
    Effect.gen(function* () {
      const wordless = viewOf("shown");
      const projection = wordless.projection && { ...wordless.projection, searchText: undefined };
      yield* store.appendUpdates([edit({ row: view })]);
      const [id = 0] = yield* store.appendUpdates([edit({ row: { ...wordless, projection } })]);
      expect(yield* store.document(WORKSPACE, NOTE)).toMatchObject({ fields: { title: "shown" } });
      expect(yield* store.unprojected(WORKSPACE, TYPES)).toEqual([{ document: NOTE, type: "note", through: id }]);
      const count = (search: string) =>
        store.count(
          { workspace: WORKSPACE, type: "note", fingerprint: FINGERPRINT },
          checkQuery({ fields: {} }, { search }),
        );
      expect([yield* count("merged"), yield* count("shown")]).toEqual([1, 0]);
      yield* store.putProjections(WORKSPACE, [{ document: NOTE, through: id, view: wordless }]);
      expect([yield* count("merged"), yield* count("shown")]).toEqual([0, 1]);
      expect(yield* store.unprojected(WORKSPACE, TYPES)).toEqual([]);
    }),
  );

  suite.test("a snapshot takes the place of exactly the updates it names", (store, fence) =>
    Effect.gen(function* () {
      const ids = yield* store.appendUpdates([edit({ document: OTHER_NOTE }), edit(), edit(), edit()]);
      const [other = 0, first = 0, second = 0, third = 0] = ids;
      yield* store.freeze(WORKSPACE, fence, [outgoingEntry(1, [first, second, third])]);
      yield* store.settle(WORKSPACE, fence, [{ counter: 1, seq: 1 }], 1);
      const snapshot = { workspace: WORKSPACE, document: NOTE, through: third, snapshot: bytesOf(42) };
      yield* expectNoChange(
        store,
        WORKSPACE,
        [NOTE, OTHER_NOTE],
        store.fold(snapshot, [first, third, other]),
        "fenced",
      );
      // What is newer than the snapshot is passed over.
      yield* store.fold(snapshot, [first, third, third + 1]);

      const opened = yield* store.openDocument(WORKSPACE, NOTE);
      expect(opened).toMatchObject({ snapshot: bytesOf(42), through: third });
      expect(opened?.updates.map(({ id }) => id)).toEqual([second]);
      expect((yield* store.openDocument(WORKSPACE, OTHER_NOTE))?.updates).toHaveLength(1);
      expect(yield* store.logOf(WORKSPACE, DEVICE, 1, 10)).toHaveLength(1);

      // A reader that had everything needs nothing; one that had less needs the snapshot.
      expect(yield* store.updatesAfter(WORKSPACE, NOTE, third)).toEqual({
        snapshot: undefined,
        updates: [],
        through: third,
        merging: false,
      });
      expect(yield* store.updatesAfter(WORKSPACE, NOTE, second)).toEqual({
        snapshot: bytesOf(42),
        updates: [],
        through: third,
        merging: false,
      });
      const [fourth = 0] = yield* store.appendUpdates([edit()]);
      expect(fourth).toBeGreaterThan(third);
      const newer = yield* store.updatesAfter(WORKSPACE, NOTE, third);
      expect(newer).toMatchObject({ snapshot: undefined, updates: [{ id: fourth }], through: fourth });
    }),
  );

  suite.test("ids are never given again, not even those of folded updates", (store, fence) =>
    Effect.gen(function* () {
      yield* store.receive(receipt(fence, 0, { entries: [logEntry(PEER, 1, 1)], updates: [receivedUpdate(PEER, 1)] }));
      const through = (yield* store.openDocument(WORKSPACE, NOTE))?.through ?? 0;
      yield* store.fold({ workspace: WORKSPACE, document: NOTE, through, snapshot: bytesOf(1) }, [through]);
      expect((yield* store.appendUpdates([edit()]))[0]).toBeGreaterThan(through);
    }),
  );

  suite.test("an older snapshot never replaces a newer one", (store, fence) =>
    Effect.gen(function* () {
      const counters = [1, 2, 3];
      yield* store.receive(
        receipt(fence, 0, {
          entries: counters.map((counter) => logEntry(PEER, counter, counter)),
          updates: counters.map((counter) => receivedUpdate(PEER, counter)),
        }),
      );
      const ids = (yield* store.openDocument(WORKSPACE, NOTE))?.updates.map(({ id }) => id) ?? [];
      const [first = 0, second = 0, third = 0] = ids;
      const snapshot = { workspace: WORKSPACE, document: NOTE, through: third, snapshot: bytesOf(3) };
      yield* store.fold(snapshot, [first, second, third]);
      const older = store.fold({ ...snapshot, through: second, snapshot: bytesOf(2) }, [first, second]);
      yield* expectNoChange(store, WORKSPACE, [NOTE], older, "fenced");
      const unknown = store.fold({ ...snapshot, document: OTHER_NOTE }, []);
      yield* expectNoChange(store, WORKSPACE, [NOTE, OTHER_NOTE], unknown, "fenced");
      expect(yield* outcomeOf(store.fold({ ...snapshot, snapshot: bytesOf(4) }, []))).toBe("done");
    }),
  );

  suite.test("a snapshot of what has been made anew since is refused (hazard 15)", (store, fence) =>
    Effect.gen(function* () {
      yield* store.receive(receipt(fence, 0, { entries: [logEntry(PEER, 1, 1)], updates: [receivedUpdate(PEER, 1)] }));
      const [received = 0] = (yield* store.openDocument(WORKSPACE, NOTE))?.updates.map(({ id }) => id) ?? [];
      const [given = 0] = yield* store.appendUpdates([edit()]);
      const before = { workspace: WORKSPACE, document: NOTE, through: given, snapshot: bytesOf(1) };
      yield* store.moveStream(WORKSPACE, NOTE, changeOf("unsendable", "PENDING"));
      yield* store.rebuildDocument({
        workspace: WORKSPACE,
        document: NOTE,
        device: DEVICE,
        discarded: changeOf("discarded", "DEAD_LETTER").transition,
        pending: [given],
        through: given,
        acknowledged: [{ ...receivedUpdate(PEER, 1), own: false }],
        edits: [],
        row: viewOf("anew"),
        retire: [],
      });
      for (const replaced of [[received], []]) {
        yield* expectNoChange(store, WORKSPACE, [NOTE], store.fold(before, replaced), "fenced");
      }
    }),
  );

  suite.test("folding keeps what may have to be sent again", (store, fence) =>
    Effect.gen(function* () {
      const ids = yield* store.appendUpdates([edit(), edit(), edit(), edit()]);
      const [parked = 0, waiting = 0, settled = 0, pending = 0] = ids;
      yield* store.freeze(WORKSPACE, fence, [
        outgoingEntry(1, [parked]),
        outgoingEntry(2, [waiting]),
        outgoingEntry(3, [settled]),
      ]);
      yield* store.moveOutgoing(WORKSPACE, fence, [{ ...changeOf("never"), counter: 1 }]);
      yield* store.replaceOutgoing(WORKSPACE, fence, outgoingEntry(1, []), changeOf("voided", "FATAL_ERROR"));
      yield* store.settle(
        WORKSPACE,
        fence,
        [1, 3].map((counter) => ({ counter, seq: counter })),
        1,
      );
      yield* store.fold({ workspace: WORKSPACE, document: NOTE, through: pending, snapshot: bytesOf(1) }, ids);
      const opened = yield* store.openDocument(WORKSPACE, NOTE);
      expect(opened?.updates.map(({ id }) => id)).toEqual([parked, waiting, pending]);

      yield* store.replaceOutgoing(WORKSPACE, fence, outgoingEntry(2, []), changeOf("outdated"));
      expect((yield* store.pendingUpdates(WORKSPACE, NOTE)).map(({ id }) => id)).toEqual([parked, waiting, pending]);
    }),
  );

  suite.test("rows of all types are paged in the order of ids", (store) =>
    Effect.gen(function* () {
      yield* store.addWorkspace(workspaceRecord(OTHER_WORKSPACE), positionRecord(OTHER_WORKSPACE), []);
      yield* store.appendUpdates([
        edit({ row: view }),
        edit({ document: OTHER_NOTE, type: "task" }),
        edit({ workspace: OTHER_WORKSPACE }),
      ]);
      const all = [yield* store.document(WORKSPACE, NOTE), yield* store.document(WORKSPACE, OTHER_NOTE)].flatMap(
        (record) => record ?? [],
      );
      const [first, second] = all.toSorted((left, right) => (left.document < right.document ? -1 : 1));
      expect(yield* store.documentPage(WORKSPACE, undefined, 10)).toEqual([first, second]);
      expect(yield* store.documentPage(WORKSPACE, undefined, 1)).toEqual([first]);
      expect(yield* store.documentPage(WORKSPACE, first?.document, 10)).toEqual([second]);
      expect(yield* store.documentPage(WORKSPACE, second?.document, 10)).toEqual([]);
    }),
  );

  suite.test(
    "edits without a row leave their document to be projected; a row on the last one shows all of a call",
    (store) =>
      Effect.gen(function* () {
        const [first = 0] = yield* store.appendUpdates([edit()]);
        expect(yield* store.unprojected(WORKSPACE, TYPES)).toEqual([{ document: NOTE, type: "note", through: first }]);
        yield* store.putProjections(WORKSPACE, [{ document: NOTE, through: first, view }]);
        expect(yield* store.unprojected(WORKSPACE, TYPES)).toEqual([]);
        yield* store.appendUpdates([edit(), edit({ document: OTHER_NOTE, row: view }), edit({ row: view })]);
        expect(yield* store.unprojected(WORKSPACE, TYPES)).toEqual([]);
        const [, raw = 0] = yield* store.appendUpdates([edit({ row: view }), edit()]);
        expect(yield* store.unprojected(WORKSPACE, TYPES)).toEqual([{ document: NOTE, type: "note", through: raw }]);
        // The row of another call cannot speak for it.
        const [shown = 0] = yield* store.appendUpdates([edit({ row: view })]);
        expect(yield* store.unprojected(WORKSPACE, TYPES)).toEqual([{ document: NOTE, type: "note", through: shown }]);
      }),
  );

  suite.test(
    "whoever does not know a type leaves its rows alone, to be made by somebody who does (hazard 23)",
    (store) =>
      Effect.gen(function* () {
        const unknown = { deleted: true, createdAt: 6, projection: undefined };
        const [first = 0] = yield* store.appendUpdates([edit({ row: view })]);
        yield* store.appendUpdates([edit({ row: unknown })]);
        const row = { ...shownBy(view), deleted: true, createdAt: 6 };
        expect(yield* store.document(WORKSPACE, NOTE)).toMatchObject(row);
        expect(yield* store.unprojected(WORKSPACE, new Map())).toEqual([]);
        const through = first + 1;
        expect(yield* store.unprojected(WORKSPACE, TYPES)).toEqual([{ document: NOTE, type: "note", through }]);
        yield* store.putProjections(WORKSPACE, [{ document: NOTE, through, view: unknown }]);
        expect(yield* store.document(WORKSPACE, NOTE)).toMatchObject(row);
        expect(yield* store.unprojected(WORKSPACE, TYPES)).toEqual([{ document: NOTE, type: "note", through }]);
        yield* store.putProjections(WORKSPACE, [{ document: NOTE, through, view: viewOf("known") }]);
        expect(yield* store.unprojected(WORKSPACE, TYPES)).toEqual([]);
      }),
  );

  suite.test("rows that were made by another declaration are to be made anew", (store) =>
    Effect.gen(function* () {
      const [first = 0, second = 0] = yield* store.appendUpdates([
        edit({ row: view }),
        edit({ document: OTHER_NOTE, type: "task", row: view }),
      ]);
      const changed = new Map([
        ["note", "another"],
        ["task", FINGERPRINT],
      ]);
      expect(yield* store.outdated(WORKSPACE, TYPES)).toEqual([]);
      expect(yield* store.outdated(WORKSPACE, changed)).toEqual([NOTE]);
      expect(yield* store.outdated(OTHER_WORKSPACE, changed)).toEqual([]);
      expect(yield* store.unprojected(WORKSPACE, changed)).toEqual([]);
      expect(yield* store.countUnprojected(WORKSPACE, changed)).toBe(0);
      expect(yield* store.unprojected(WORKSPACE, changed, { only: [NOTE, OTHER_NOTE, documentOf(99)] })).toEqual([
        { document: NOTE, type: "note", through: first },
      ]);
      const both = new Map([...changed, ["task", "another"]]);
      const only = yield* store.outdated(WORKSPACE, both);
      expect(only.toSorted()).toEqual([NOTE, OTHER_NOTE].toSorted());
      expect(yield* store.unprojected(WORKSPACE, both, { only: [NOTE, OTHER_NOTE] })).toEqual(
        expect.arrayContaining([
          { document: NOTE, type: "note", through: first },
          { document: OTHER_NOTE, type: "task", through: second },
        ]),
      );
      // What has come since is another matter.
      yield* store.appendUpdates([edit()]);
      expect(yield* store.outdated(WORKSPACE, both)).toEqual([OTHER_NOTE]);
      expect((yield* store.unprojected(WORKSPACE, both)).map(({ document }) => document)).toEqual([NOTE]);
    }),
  );

  suite.test("of the rows of another declaration, those of the newest edited documents come first", (store) =>
    Effect.gen(function* () {
      const changed = new Map([["note", "another"]]);
      const times = [30, 10, 50, 20, 40];
      const documents = times.map((_, index) => documentOf(index + 1));
      const deleted = { ...view, deleted: true };
      yield* store.appendUpdates(
        documents.map((document, index) =>
          edit({ document, time: times[index] ?? 0, row: index === 4 ? deleted : view }),
        ),
      );
      const newestFirst = [3, 1, 4, 2, 5].map(documentOf);
      expect(yield* store.outdated(WORKSPACE, changed)).toEqual(newestFirst);
      const [row] = yield* store.unprojected(WORKSPACE, changed, { only: newestFirst.slice(0, 1) });
      const { document = NOTE, through = 0 } = row ?? {};
      const projection = view.projection && { ...view.projection, fingerprint: "another" };
      yield* store.putProjections(WORKSPACE, [{ document, through, view: { ...view, projection } }]);
      expect(yield* store.outdated(WORKSPACE, changed)).toEqual(newestFirst.slice(1));
    }),
  );
};
