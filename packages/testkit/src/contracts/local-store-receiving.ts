/** The log: receiving into it, and reading from it. */
import type { LogRecord } from "@cairn/client/effect";
import { EntryKind } from "@cairn/protocol";
import { checkQuery } from "@cairn/schema";
import { Effect } from "effect";
import { expect } from "vitest";
import {
  bytesOf,
  DEVICE,
  deviceOf,
  edit,
  FINGERPRINT,
  hashOf,
  logEntry,
  NOTE,
  OTHER_NOTE,
  outgoingEntry,
  PEER,
  positionRecord,
  receipt,
  receivedUpdate,
  serverOf,
  WORKSPACE,
} from "./local-store-samples.ts";
import { type ContractSuite, expectNoChange } from "./local-store-suite.ts";

export const registerReceivingContract = (suite: ContractSuite): void => {
  suite.test("cursor, entries, updates and acknowledged counters change in one step (hazard 14)", (store, fence) =>
    Effect.gen(function* () {
      const ids = yield* store.appendUpdates([edit({ time: 9_000 }), edit({ document: OTHER_NOTE })]);
      yield* store.freeze(WORKSPACE, fence, [
        outgoingEntry(1, ids.slice(0, 1)),
        outgoingEntry(2, ids.slice(1), { document: OTHER_NOTE }),
      ]);
      const [meanwhile = 0] = yield* store.appendUpdates([edit()]);
      yield* store.receive(
        receipt(fence, 0, {
          cursor: 3,
          entries: [logEntry(PEER, 1, 1), logEntry(DEVICE, 1, 2), logEntry(PEER, 2, 3, OTHER_NOTE)],
          updates: [receivedUpdate(PEER, 1), receivedUpdate(DEVICE, 1), receivedUpdate(PEER, 2, OTHER_NOTE)],
          settled: [{ counter: 1, seq: 2 }],
        }),
      );

      expect(yield* store.position(WORKSPACE)).toEqual({
        ...positionRecord(),
        cursor: 3,
        chain: hashOf(5, 1),
        nextCounter: 3,
        lastSyncedAt: 4_000,
      });
      expect((yield* store.outgoing(WORKSPACE, 10)).map(({ counter }) => counter)).toEqual([2]);
      // The own entry kept its bytes and got its sequence; its operations were not stored a second time.
      expect(yield* store.logOf(WORKSPACE, DEVICE, 1, 1)).toEqual([
        { ...logEntry(DEVICE, 1, 2), workspace: WORKSPACE, hash: hashOf(9, 1), entry: bytesOf(9, 1) },
      ]);
      const opened = yield* store.openDocument(WORKSPACE, NOTE);
      expect(opened?.updates.map(({ state, device, counter }) => [state, device, counter])).toEqual([
        ["frozen", DEVICE, 1],
        ["pending", undefined, undefined],
        ["received", PEER, 1],
      ]);
      expect(opened?.updates[2]).toEqual({
        id: opened?.through,
        workspace: WORKSPACE,
        document: NOTE,
        type: "note",
        update: bytesOf(7, 1),
        state: "received",
        device: PEER,
        counter: 1,
        time: 2_500,
        refs: [],
      });
      expect(opened?.record.updatedAt).toBe(9_000);
      expect((yield* store.pendingUpdates(WORKSPACE, NOTE)).map(({ id }) => id)).toEqual([meanwhile]);
      expect(yield* store.versions(WORKSPACE)).toEqual(
        new Map([
          [DEVICE, 2],
          [PEER, 2],
        ]),
      );
    }),
  );

  suite.test("a receipt that does not continue the cursor changes nothing", (store, fence) =>
    Effect.gen(function* () {
      yield* store.receive(receipt(fence, 0));
      const content = { entries: [logEntry(PEER, 1, 1)], updates: [receivedUpdate(PEER, 1)] };
      for (const from of [0, 2]) {
        yield* expectNoChange(store, WORKSPACE, [NOTE], store.receive(receipt(fence, from, content)), "fenced");
      }
    }),
  );

  suite.test("an entry received twice is stored once; late opened updates are stored (promise 2)", (store, fence) =>
    Effect.gen(function* () {
      const entries = [logEntry(PEER, 1, 1)];
      yield* store.receive(receipt(fence, 0, { entries, updates: [receivedUpdate(PEER, 1)] }));
      yield* store.rebase(WORKSPACE, fence, {
        cursor: 0,
        chain: hashOf(0),
        server: serverOf(1),
        serverEpoch: 3,
      });
      expect(yield* store.position(WORKSPACE)).toMatchObject({ cursor: 0, server: serverOf(1), serverEpoch: 3 });
      const again = [{ ...logEntry(PEER, 1, 7), hash: hashOf(66) }, logEntry(PEER, 2, 8)];
      yield* store.receive(receipt(fence, 0, { entries: again, updates: [receivedUpdate(PEER, 1)] }));
      expect((yield* store.openDocument(WORKSPACE, NOTE))?.updates).toHaveLength(1);
      expect((yield* store.logOf(WORKSPACE, PEER, 1, 10)).map(({ seq, hash }) => [seq, hash])).toEqual([
        [7, hashOf(8, 1)],
        [8, hashOf(8, 2)],
      ]);
      yield* store.receive(receipt(fence, 1, { cursor: 1, updates: [receivedUpdate(PEER, 2)] }));
      expect((yield* store.openDocument(WORKSPACE, NOTE))?.updates).toHaveLength(2);
    }),
  );

  suite.test("the log is read by author, by kind, and page by page", (store, fence) =>
    Effect.gen(function* () {
      const third = deviceOf(3);
      const kind = EntryKind.membership;
      yield* store.freeze(WORKSPACE, fence, [
        outgoingEntry(1, [], { kind }),
        outgoingEntry(2, []),
        outgoingEntry(3, [], { kind }),
      ]);
      yield* store.receive(
        receipt(fence, 0, {
          entries: [
            { ...logEntry(third, 1, 30), kind },
            { ...logEntry(PEER, 1, 20), kind },
            logEntry(PEER, 2, 21),
            { ...logEntry(PEER, 3, 10), kind },
          ],
        }),
      );
      expect(
        (yield* store.logOfKind(WORKSPACE, kind)).map(({ seq, device, counter }) => [seq, device, counter]),
      ).toEqual([
        [10, PEER, 3],
        [20, PEER, 1],
        [30, third, 1],
        [undefined, DEVICE, 1],
        [undefined, DEVICE, 3],
      ]);
      expect((yield* store.logOf(WORKSPACE, PEER, 2, 10)).map(({ counter }) => counter)).toEqual([2, 3]);
      expect((yield* store.logOf(WORKSPACE, PEER, 1, 2)).map(({ counter }) => counter)).toEqual([1, 2]);
      expect(yield* store.logOf(WORKSPACE, deviceOf(9), 1, 10)).toEqual([]);

      const all = yield* store.logPage(WORKSPACE, undefined, 100);
      expect(all.map(({ device, counter }) => [device, counter])).toEqual([
        [DEVICE, 1],
        [DEVICE, 2],
        [DEVICE, 3],
        [PEER, 1],
        [PEER, 2],
        [PEER, 3],
        [third, 1],
      ]);
      const pages: Array<LogRecord> = [];
      for (let after: LogRecord | undefined; ;) {
        const page: ReadonlyArray<LogRecord> = yield* store.logPage(WORKSPACE, after, 2);
        if (page.length === 0) break;
        pages.push(...page);
        after = page.at(-1);
      }
      expect(pages).toEqual(all);
    }),
  );

  suite.test("a document's type is the first that is named", (store, fence) =>
    Effect.gen(function* () {
      yield* store.receive(
        receipt(fence, 0, {
          entries: [logEntry(PEER, 1, 1), logEntry(PEER, 2, 2)],
          updates: [
            { ...receivedUpdate(PEER, 1), type: "" },
            { ...receivedUpdate(PEER, 2), type: "note" },
          ],
        }),
      );
      expect((yield* store.document(WORKSPACE, NOTE))?.type).toBe("note");
      yield* store.appendUpdates([edit({ type: "task" })]);
      expect((yield* store.document(WORKSPACE, NOTE))?.type).toBe("note");
      const rows = (type: string) => ({ workspace: WORKSPACE, type, fingerprint: FINGERPRINT });
      const all = checkQuery({ fields: {} }, {});
      expect((yield* store.query(rows(""), all)).rows).toEqual([]);
      expect((yield* store.query(rows("note"), all)).rows).toHaveLength(1);
    }),
  );
};
