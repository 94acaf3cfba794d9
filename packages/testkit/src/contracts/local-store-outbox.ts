/** Local edits and their way out: pending, frozen, acknowledged, refused. */
import { EntryKind, NO_DOCUMENT } from "@cairn/protocol";
import { Effect } from "effect";
import { expect } from "vitest";
import { freezing } from "@cairn/sync";
import {
  bytesOf,
  changeOf,
  DEVICE,
  edit,
  hashOf,
  NOTE,
  OTHER_NOTE,
  OTHER_WORKSPACE,
  outgoingEntry,
  workspaceOf,
  WORKSPACE,
  shownBy,
  viewOf,
} from "./local-store-samples.ts";
import { type ContractSuite, expectNoChange, observe, outcomeOf } from "./local-store-suite.ts";

export const registerOutboxContract = (suite: ContractSuite): void => {
  suite.test("edits are kept in order, as pending, and their documents appear", (store) =>
    Effect.gen(function* () {
      const first = yield* store.appendUpdates([edit({ time: 2_000 }), edit({ document: OTHER_NOTE, time: 1_500 })]);
      const row = viewOf("A", { deleted: true, createdAt: 7 });
      const update = bytesOf(4, 5);
      const second = yield* store.appendUpdates([edit({ update, time: 1_900, refs: [hashOf(1), hashOf(2)], row })]);
      const ids = [...first, ...second];
      expect(ids).toEqual([...ids].toSorted((left, right) => left - right));
      expect(new Set(ids).size).toBe(3);

      expect(yield* store.pendingUpdates(WORKSPACE, NOTE)).toEqual([
        {
          id: ids[0],
          workspace: WORKSPACE,
          document: NOTE,
          type: "note",
          update: bytesOf(1, 2, 3),
          state: "pending",
          device: undefined,
          counter: undefined,
          time: 2_000,
          refs: [],
        },
        {
          id: ids[2],
          workspace: WORKSPACE,
          document: NOTE,
          type: "note",
          update,
          state: "pending",
          device: undefined,
          counter: undefined,
          time: 1_900,
          refs: [hashOf(1), hashOf(2)],
        },
      ]);
      expect(yield* store.document(WORKSPACE, NOTE)).toEqual({
        workspace: WORKSPACE,
        document: NOTE,
        type: "note",
        ...shownBy(row),
        updatedAt: 2_000,
        merging: false,
      });
      expect(yield* store.document(WORKSPACE, OTHER_NOTE)).toMatchObject({ fields: {}, createdAt: 1_500 });
      const pending = yield* store.pendingDocuments(WORKSPACE);
      expect(pending).toHaveLength(2);
      expect(pending).toContainEqual({ document: NOTE, updates: 2, bytes: 5, oldest: 2_000 });
      expect(pending).toContainEqual({ document: OTHER_NOTE, updates: 1, bytes: 3, oldest: 1_500 });
      expect(yield* store.appendUpdates([])).toEqual([]);
    }),
  );

  suite.test("an edit without a row keeps what the row shows", (store) =>
    Effect.gen(function* () {
      const row = viewOf("A", { createdAt: 7 });
      yield* store.appendUpdates([edit({ row }), edit({ time: 9_000 })]);
      yield* store.appendUpdates([edit({ time: 8_000 })]);
      expect(yield* store.document(WORKSPACE, NOTE)).toMatchObject({ ...shownBy(row), updatedAt: 9_000 });
    }),
  );

  suite.test("concurrent callers get their own ids, and one caller's bad edit harms nobody else", (store) =>
    Effect.gen(function* () {
      const elsewhere = { workspace: workspaceOf(99) };
      // Neither JSON nor the structured clone can hold these fields.
      const fields = { big: 1n, code: () => undefined };
      const projection = { fingerprint: "", fields, indexed: [], searchText: "" };
      const unstorable = { row: { deleted: false, createdAt: 0, projection } };
      const calls = Array.from({ length: 50 }, (_, number) =>
        number % 10 === 3
          ? outcomeOf(store.appendUpdates([edit(), edit(number === 13 ? unstorable : elsewhere)]))
          : Effect.map(
              store.appendUpdates([edit({ update: bytesOf(number) }), edit({ update: bytesOf(number) })]),
              String,
            ),
      );
      const results = yield* Effect.all(calls, { concurrency: "unbounded" });
      expect(results.filter((result) => result === "unavailable")).toHaveLength(5);
      const pending = yield* store.pendingUpdates(WORKSPACE, NOTE);
      expect(pending).toHaveLength(90);
      for (const [number, result] of results.entries()) {
        if (result === "unavailable") continue;
        const mine = pending.filter(({ update }) => update[0] === number).map(({ id }) => id);
        expect(String(mine)).toBe(result);
      }
      expect(yield* store.pendingDocuments(WORKSPACE)).toEqual([
        { document: NOTE, updates: 90, bytes: 90, oldest: 2_000 },
      ]);
    }),
  );

  suite.test("freezing takes counters, fills outbox and log, and freezes exactly its updates", (store, fence) =>
    Effect.gen(function* () {
      const [first = 0, second = 0, third = 0, other = 0] = yield* store.appendUpdates([
        edit({ time: 1 }),
        edit({ time: 2 }),
        edit({ time: 3, update: bytesOf(1) }),
        edit({ document: OTHER_NOTE }),
      ]);
      const membership = outgoingEntry(1, [], { document: NO_DOCUMENT, kind: EntryKind.membership });
      const update = outgoingEntry(2, [first, second], { refs: [hashOf(1)] });
      const onOther = outgoingEntry(3, [other], { document: OTHER_NOTE });
      yield* store.freeze(WORKSPACE, fence, [membership, update]);
      yield* store.freeze(WORKSPACE, fence, [onOther]);

      expect((yield* store.position(WORKSPACE))?.nextCounter).toBe(4);
      const { updates: _, device: __, frozen: ___, ...frozen } = update;
      const outgoing = yield* store.outgoing(WORKSPACE, 10);
      expect(outgoing.map(({ counter }) => counter)).toEqual([1, 2, 3]);
      expect(outgoing[1]).toEqual({ ...frozen, workspace: WORKSPACE, state: "IN_FLIGHT", attempts: 0 });
      expect((yield* store.outgoing(WORKSPACE, 2)).map(({ counter }) => counter)).toEqual([1, 2]);
      const unacknowledged = yield* store.unacknowledged(WORKSPACE);
      expect(unacknowledged.pending).toEqual([{ document: NOTE, updates: 1, bytes: 1, oldest: 3 }]);
      expect(unacknowledged.outgoing).toEqual(yield* store.outgoingHeaders(WORKSPACE));
      expect(unacknowledged.outgoing.map(({ document }) => document)).toEqual([NO_DOCUMENT, NOTE, OTHER_NOTE]);
      expect(unacknowledged.outgoing.map(({ bytes }) => bytes)).toEqual([2, 2, 2]);
      expect(unacknowledged.nextCounter).toBe(4);
      expect(yield* store.unacknowledged(OTHER_WORKSPACE)).toEqual({
        pending: [],
        outgoing: [],
        streams: [],
        nextCounter: 1,
      });
      expect((yield* store.logOf(WORKSPACE, DEVICE, 2, 1))[0]).toEqual({
        workspace: WORKSPACE,
        device: DEVICE,
        counter: 2,
        seq: undefined,
        kind: EntryKind.update,
        document: NOTE,
        hash: update.hash,
        entry: update.entry,
      });
      expect(yield* store.versions(WORKSPACE)).toEqual(new Map([[DEVICE, 3]]));
      expect(
        (yield* store.openDocument(WORKSPACE, NOTE))?.updates.map(({ id, state, device, counter }) => [
          id,
          state,
          device,
          counter,
        ]),
      ).toEqual([
        [first, "frozen", DEVICE, 2],
        [second, "frozen", DEVICE, 2],
        [third, "pending", undefined, undefined],
      ]);
      expect(yield* store.pendingDocuments(WORKSPACE)).toEqual([{ document: NOTE, updates: 1, bytes: 1, oldest: 3 }]);
    }),
  );

  suite.test("freezing changes nothing unless counters and updates fit (rule 1)", (store, fence) =>
    Effect.gen(function* () {
      const [id = 0, other = 0] = yield* store.appendUpdates([edit(), edit({ document: OTHER_NOTE })]);
      const refused = (...entries: ReadonlyArray<ReturnType<typeof outgoingEntry>>) =>
        expectNoChange(store, WORKSPACE, [NOTE, OTHER_NOTE], store.freeze(WORKSPACE, fence, entries), "fenced");
      yield* refused(outgoingEntry(2, [id]));
      yield* refused(outgoingEntry(0, [id]));
      yield* refused(outgoingEntry(1, []), outgoingEntry(3, [id]));
      yield* refused(outgoingEntry(1, [id]), outgoingEntry(1, []));
      yield* refused(outgoingEntry(1, [id]), outgoingEntry(2, [id]));
      yield* refused(outgoingEntry(1, [id, id + 1_000]));
      yield* refused(outgoingEntry(1, [id, other]));
      yield* expectNoChange(
        store,
        OTHER_WORKSPACE,
        [],
        store.freeze(OTHER_WORKSPACE, fence, [outgoingEntry(1, [])]),
        "fenced",
      );
      yield* store.freeze(WORKSPACE, fence, [outgoingEntry(1, [id])]);
      yield* refused(outgoingEntry(2, [id]));
    }),
  );

  suite.test(
    "hazard 14: acknowledging clears exactly the acknowledged counters; edits made meanwhile stay",
    (store, fence) =>
      Effect.gen(function* () {
        const ids = yield* store.appendUpdates([edit(), edit({ document: OTHER_NOTE })]);
        yield* store.freeze(WORKSPACE, fence, [
          outgoingEntry(1, ids.slice(0, 1)),
          outgoingEntry(2, ids.slice(1), { document: OTHER_NOTE }),
        ]);
        const inFlight = yield* store.outgoing(WORKSPACE, 1);
        // While the push of counter 1 is under way:
        const [meanwhile = 0, frozenMeanwhile = 0] = yield* store.appendUpdates([edit(), edit()]);
        yield* store.freeze(WORKSPACE, fence, [outgoingEntry(3, [frozenMeanwhile])]);

        const settled = inFlight.map(({ counter }) => ({ counter, seq: 41 }));
        yield* store.settle(WORKSPACE, fence, settled, 6_000);

        expect((yield* store.outgoing(WORKSPACE, 10)).map(({ counter }) => counter)).toEqual([2, 3]);
        expect((yield* store.pendingUpdates(WORKSPACE, NOTE)).map(({ id }) => id)).toEqual([meanwhile]);
        expect((yield* store.unacknowledged(WORKSPACE)).outgoing).toHaveLength(2);
        expect((yield* store.logOf(WORKSPACE, DEVICE, 1, 10)).map(({ seq }) => seq)).toEqual([
          41,
          undefined,
          undefined,
        ]);
        expect(yield* store.position(WORKSPACE)).toMatchObject({ lastSyncedAt: 6_000, cursor: 0, nextCounter: 4 });
        expect((yield* store.openDocument(WORKSPACE, NOTE))?.updates).toHaveLength(3);

        const before = yield* observe(store, WORKSPACE, [NOTE]);
        yield* store.settle(
          WORKSPACE,
          fence,
          [...settled, { counter: 1, seq: undefined }, { counter: 77, seq: 5 }],
          6_000,
        );
        expect(yield* observe(store, WORKSPACE, [NOTE])).toEqual(before);
      }),
  );

  suite.test("a refused entry gives way; its edits are pending again, in their order", (store, fence) =>
    Effect.gen(function* () {
      const ids = yield* store.appendUpdates([edit({ time: 1 }), edit({ time: 2 }), edit({ time: 3 })]);
      yield* store.freeze(WORKSPACE, fence, [outgoingEntry(1, ids.slice(0, 2), { refs: [hashOf(1)] })]);
      const { updates: _, ...replacement } = outgoingEntry(1, [], {
        kind: EntryKind.void,
        entry: bytesOf(6),
        hash: hashOf(6),
        frozenAt: 9,
      });
      yield* store.replaceOutgoing(WORKSPACE, fence, replacement, changeOf("outdated"));

      const { device, frozen: __, ...kept } = replacement;
      expect(yield* store.outgoing(WORKSPACE, 10)).toEqual([
        { ...kept, workspace: WORKSPACE, state: "IN_FLIGHT", attempts: 0 },
      ]);
      expect((yield* store.outgoingHeaders(WORKSPACE)).map(({ bytes }) => bytes)).toEqual([1]);
      expect(yield* store.logOf(WORKSPACE, device, 1, 10)).toEqual([
        {
          workspace: WORKSPACE,
          device,
          counter: 1,
          seq: undefined,
          kind: EntryKind.void,
          document: NOTE,
          hash: hashOf(6),
          entry: bytesOf(6),
        },
      ]);
      expect((yield* store.pendingUpdates(WORKSPACE, NOTE)).map(({ id }) => id)).toEqual(ids);
      expect(yield* store.pendingDocuments(WORKSPACE)).toEqual([{ document: NOTE, updates: 3, bytes: 9, oldest: 1 }]);
      expect((yield* store.logOfKind(WORKSPACE, EntryKind.update)).length).toBe(0);
      expect(yield* store.streams(WORKSPACE)).toMatchObject([{ document: NOTE, state: "PENDING", attempts: 1 }]);
      yield* store.freeze(WORKSPACE, fence, [outgoingEntry(2, ids, { frozen: freezing(1) })]);
      expect(yield* store.outgoingHeaders(WORKSPACE)).toMatchObject([{ attempts: 0 }, { attempts: 1 }]);
      yield* store.settle(WORKSPACE, fence, [{ counter: 2, seq: 1 }], 1);
      expect(yield* store.streams(WORKSPACE)).toEqual([]);
    }),
  );

  suite.test("Promise 13: an acknowledged entry that is taken no more gives way to another one", (store, fence) =>
    Effect.gen(function* () {
      const ids = yield* store.appendUpdates([edit(), edit({ document: OTHER_NOTE })]);
      yield* store.freeze(WORKSPACE, fence, [
        outgoingEntry(1, ids.slice(0, 1)),
        outgoingEntry(2, ids.slice(1), { document: OTHER_NOTE }),
      ]);
      const { updates: _, ...replacement } = outgoingEntry(1, [], {
        kind: EntryKind.void,
        document: NO_DOCUMENT,
        entry: bytesOf(6),
        hash: hashOf(6),
      });
      const refused = (entry: typeof replacement, held = fence) =>
        expectNoChange(store, WORKSPACE, [NOTE], store.replaceSettled(WORKSPACE, held, entry), "fenced");
      yield* refused(replacement);
      yield* store.settle(WORKSPACE, fence, [{ counter: 1, seq: 41 }], 1);
      yield* refused(replacement, fence - 1);
      yield* refused({ ...replacement, counter: 9 });
      yield* store.replaceSettled(WORKSPACE, fence, replacement);

      const { device, frozen: __, ...kept } = replacement;
      expect((yield* store.outgoing(WORKSPACE, 10)).map(({ counter }) => counter)).toEqual([1, 2]);
      expect((yield* store.outgoing(WORKSPACE, 1))[0]).toEqual({
        ...kept,
        workspace: WORKSPACE,
        state: "IN_FLIGHT",
        attempts: 0,
      });
      expect((yield* store.logOf(WORKSPACE, device, 1, 1))[0]).toMatchObject({
        seq: undefined,
        kind: EntryKind.void,
        hash: hashOf(6),
        entry: bytesOf(6),
      });
      expect(yield* store.position(WORKSPACE)).toMatchObject({ nextCounter: 3 });
    }),
  );
};
