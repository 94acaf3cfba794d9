/** What every local store does when the identity of its device gives way to another one (rule 12). */
import type { LocalStoreShape, NewOutgoing, RemadeDocument, Succession } from "@cairn/client/effect";
import { EntryKind, NO_DOCUMENT } from "@cairn/protocol";
import { Effect } from "effect";
import { describe, expect } from "vitest";
import {
  bytesOf,
  changeOf,
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
  receipt,
  receivedUpdate,
  serverOf,
  WORKSPACE,
} from "./local-store-samples.ts";
import { type ContractSuite, expectNoChange, outcomeOf } from "./local-store-suite.ts";

const SUCCESSOR = deviceOf(9);

const admission: NewOutgoing = outgoingEntry(1, [], {
  device: SUCCESSOR,
  document: NO_DOCUMENT,
  kind: EntryKind.membership,
  hash: hashOf(9, 9),
});

const bare = (fence: number): Succession => ({
  workspace: WORKSPACE,
  fence,
  from: DEVICE,
  to: SUCCESSOR,
  ahead: 0,
  admission,
  documents: [],
});

/**
 * An update that the first identity has sent under its counter 2, one that waits behind it, and one of another document under the
 * successor's counter 2.
 */
const sentByTwo = (store: LocalStoreShape, fence: number) =>
  Effect.gen(function* () {
    const [sent = 0] = yield* store.appendUpdates([edit()]);
    const membership = outgoingEntry(1, [], { document: NO_DOCUMENT, kind: EntryKind.membership });
    yield* store.freeze(WORKSPACE, fence, [membership, outgoingEntry(2, [sent])]);
    const settled = [1, 2].map((counter) => ({ counter, seq: counter }));
    yield* store.settle(WORKSPACE, fence, settled, 4_000);
    yield* store.succeed(bare(fence));
    yield* store.settle(WORKSPACE, fence, [{ counter: 1, seq: 3 }], 5_000);
    const edits = [edit({ device: SUCCESSOR }), edit({ document: OTHER_NOTE, device: SUCCESSOR })];
    const [waits = 0, other = 0] = yield* store.appendUpdates(edits);
    yield* store.freeze(WORKSPACE, fence, [outgoingEntry(2, [other], { device: SUCCESSOR, document: OTHER_NOTE })]);
    const headers = yield* store.outgoingHeaders(WORKSPACE);
    expect(headers.map(({ device, counter }) => [device, counter])).toEqual([[SUCCESSOR, 2]]);
    return { sent, waits, other };
  });

export const registerSuccessionContract = (suite: ContractSuite): void => {
  describe("succession", () => {
    suite.test("ends a dead letter of which nothing waits but what was made behind it (promise 14)", (store, fence) =>
      Effect.gen(function* () {
        const remade: Array<RemadeDocument> = [];
        for (const document of [NOTE, OTHER_NOTE]) {
          const [refused = 0, later = 0] = yield* store.appendUpdates([edit({ document }), edit({ document })]);
          yield* store.moveStream(WORKSPACE, document, { ...changeOf("unsendable", "PENDING"), through: refused });
          // Of the one the server turns out to have what was refused.
          const update = document === NOTE ? undefined : bytesOf(7);
          const unacknowledged = [
            { id: refused, update, refs: [] },
            { id: later, update: bytesOf(8), refs: [] },
          ];
          remade.push({ document, acknowledged: [], unacknowledged });
        }
        yield* store.succeed({ ...bare(fence), documents: remade });
        expect((yield* store.streams(WORKSPACE)).map(({ document, state }) => [document, state])).toEqual([
          [OTHER_NOTE, "DEAD_LETTER"],
        ]);
      }),
    );

    suite.test("keeps what is acknowledged, makes the rest anew, and begins with the admission", (store, fence) =>
      Effect.gen(function* () {
        const [sent = 0, frozen = 0, waits = 0] = yield* store.appendUpdates([
          edit(),
          edit({ update: bytesOf(4), refs: [hashOf(7)] }),
          edit({ update: bytesOf(5, 5) }),
        ]);
        yield* store.appendUpdates([edit({ document: OTHER_NOTE, update: bytesOf(6) })]);
        yield* store.freeze(WORKSPACE, fence, [outgoingEntry(1, [sent])]);
        yield* store.settle(WORKSPACE, fence, [{ counter: 1, seq: 1 }], 4_000);
        yield* store.receive(
          receipt(fence, 0, { entries: [logEntry(PEER, 1, 2)], updates: [receivedUpdate(PEER, 1)] }),
        );
        yield* store.freeze(WORKSPACE, fence, [outgoingEntry(2, [frozen])]);
        const [other] = yield* store.pendingUpdates(WORKSPACE, OTHER_NOTE);
        const before = yield* store.openDocument(WORKSPACE, NOTE);
        yield* store.fold(
          { workspace: WORKSPACE, document: NOTE, through: before?.through ?? 0, snapshot: bytesOf(1) },
          before?.updates.map(({ id }) => id) ?? [],
        );

        const succession: Succession = {
          workspace: WORKSPACE,
          fence,
          from: DEVICE,
          to: SUCCESSOR,
          ahead: 7,
          admission,
          documents: [
            {
              document: NOTE,
              acknowledged: [receivedUpdate(DEVICE, 1), receivedUpdate(PEER, 1)],
              unacknowledged: [
                { id: frozen, update: undefined, refs: [] },
                {
                  id: waits,
                  update: bytesOf(8, 8, 8),
                  refs: [hashOf(7)],
                  firstForm: hashOf(5),
                  appliedAgain: [hashOf(3), hashOf(4)],
                },
              ],
            },
            {
              document: OTHER_NOTE,
              acknowledged: [],
              unacknowledged: [{ id: other?.id ?? 0, update: undefined, refs: [] }],
            },
          ],
        };
        const refused = (change: Partial<Succession>) =>
          expectNoChange(store, WORKSPACE, [NOTE, OTHER_NOTE], store.succeed({ ...succession, ...change }), "fenced");
        yield* refused({ fence: fence - 1 });
        yield* refused({ from: PEER });
        // Nothing unacknowledged may be passed over.
        yield* refused({ documents: succession.documents.slice(0, 1) });
        yield* refused({
          documents: succession.documents.map((remade) => ({
            ...remade,
            unacknowledged: remade.unacknowledged.slice(0, 1),
          })),
        });
        yield* store.succeed(succession);

        const [record] = yield* store.workspaces;
        expect(record?.device).toBe(SUCCESSOR);
        expect(yield* store.position(WORKSPACE)).toMatchObject({ nextCounter: 2, ahead: 7 });
        expect((yield* store.outgoing(WORKSPACE, 10)).map(({ counter, kind }) => [counter, kind])).toEqual([
          [1, EntryKind.membership],
        ]);
        const versions = yield* store.versions(WORKSPACE);
        expect([versions.get(DEVICE), versions.get(PEER), versions.get(SUCCESSOR)]).toEqual([1, 1, 1]);
        expect((yield* store.logOf(WORKSPACE, DEVICE, 1, 10)).map(({ counter, seq }) => [counter, seq])).toEqual([
          [1, 1],
        ]);
        expect(yield* store.pendingUpdates(WORKSPACE, NOTE)).toMatchObject([
          {
            id: waits,
            state: "pending",
            device: undefined,
            refs: [hashOf(7)],
            firstForm: hashOf(5),
            appliedAgain: [hashOf(3), hashOf(4)],
          },
        ]);
        const [pending] = yield* store.pendingDocuments(WORKSPACE);
        expect(pending).toMatchObject({ document: NOTE, updates: 1, bytes: 3 });
        const opened = yield* store.openDocument(WORKSPACE, NOTE);
        expect(opened?.snapshot).toBeUndefined();
        expect(opened?.updates.map(({ state, device }) => [state, device])).toEqual([
          ["pending", undefined],
          ["received", DEVICE],
          ["received", PEER],
        ]);
        // Both are to be shown anew.
        const unprojected = yield* store.unprojected(WORKSPACE, new Map([["note", FINGERPRINT]]));
        expect(unprojected.map(({ document }) => document).toSorted()).toEqual([NOTE, OTHER_NOTE].toSorted());
        expect((yield* store.openDocument(WORKSPACE, OTHER_NOTE))?.updates).toEqual([]);
        yield* refused({});

        // In pieces, what it was at first is there with the last one, and so is what it applies again.
        yield* store.splitPending(WORKSPACE, fence, NOTE, waits, [bytesOf(8), bytesOf(8, 8)]);
        const pieces = yield* store.pendingUpdates(WORKSPACE, NOTE);
        expect(pieces.map(({ firstForm, appliedAgain, refs }) => [firstForm, appliedAgain, refs])).toEqual([
          [undefined, undefined, [hashOf(7)]],
          [hashOf(5), [hashOf(3), hashOf(4)], []],
        ]);

        // What others had made anew takes the next counters of the successor.
        yield* store.freeze(WORKSPACE, fence, [
          outgoingEntry(
            2,
            pieces.map(({ id }) => id),
            { device: SUCCESSOR },
          ),
        ]);
        yield* store.settle(
          WORKSPACE,
          fence,
          [1, 2].map((counter) => ({ counter, seq: counter + 10 })),
          5_000,
        );
        expect((yield* store.logOf(WORKSPACE, SUCCESSOR, 1, 10)).map(({ seq }) => seq)).toEqual([11, 12]);
      }),
    );

    suite.test("what an earlier identity has sent is not made anew with what waits under its counter", (store, fence) =>
      Effect.gen(function* () {
        const { waits, other } = yield* sentByTwo(store, fence);
        const third = deviceOf(10);
        yield* store.succeed({
          ...bare(fence),
          from: SUCCESSOR,
          to: third,
          admission: { ...admission, device: third },
          documents: [
            {
              document: NOTE,
              acknowledged: [receivedUpdate(DEVICE, 2)],
              unacknowledged: [{ id: waits, update: bytesOf(8), refs: [] }],
            },
            { document: OTHER_NOTE, acknowledged: [], unacknowledged: [{ id: other, update: bytesOf(9), refs: [] }] },
          ],
        });
        const opened = yield* store.openDocument(WORKSPACE, NOTE);
        expect(opened?.updates.map(({ id, state }) => [id, state])).toEqual([
          [waits, "pending"],
          [expect.any(Number), "received"],
        ]);
      }),
    );

    suite.test(
      "what an earlier identity has sent may be folded while something waits under its counter",
      (store, fence) =>
        Effect.gen(function* () {
          const { sent, waits } = yield* sentByTwo(store, fence);
          const snapshot = { workspace: WORKSPACE, document: NOTE, through: waits, snapshot: bytesOf(1) };
          yield* store.fold(snapshot, [sent, waits]);
          expect((yield* store.openDocument(WORKSPACE, NOTE))?.updates.map(({ id }) => id)).toEqual([waits]);
        }),
    );

    suite.test("an identity that no server knows is forgotten, and edits under it are refused", (store, fence) =>
      Effect.gen(function* () {
        yield* store.freeze(WORKSPACE, fence, [
          outgoingEntry(1, [], { document: NO_DOCUMENT, kind: EntryKind.membership }),
        ]);
        yield* store.succeed({ ...bare(fence), ahead: 3 });
        expect((yield* store.versions(WORKSPACE)).has(DEVICE)).toBe(false);
        // On another log nothing is ahead of the cursor.
        expect((yield* store.position(WORKSPACE))?.ahead).toBe(3);
        const position = { cursor: 0, chain: hashOf(0), server: serverOf(1), serverEpoch: 1 };
        yield* store.rebase(WORKSPACE, fence, position);
        expect((yield* store.position(WORKSPACE))?.ahead).toBeUndefined();
        expect(yield* outcomeOf(store.appendUpdates([edit({ device: DEVICE })]))).toBe("retired");
        // One edit of a call that is refused refuses the call.
        expect(yield* outcomeOf(store.appendUpdates([edit({ device: SUCCESSOR }), edit({ device: DEVICE })]))).toBe(
          "retired",
        );
        expect(yield* store.pendingDocuments(WORKSPACE)).toEqual([]);
        yield* store.appendUpdates([edit({ device: SUCCESSOR })]);
        expect(yield* store.pendingDocuments(WORKSPACE)).toHaveLength(1);
      }),
    );
  });
};
