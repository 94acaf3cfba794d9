/** Profile, workspaces, leadership, chunks, secrets, and what survives closing. */
import { Effect, Fiber } from "effect";
import { expect } from "vitest";
import {
  bytesOf,
  changeOf,
  DEVICE,
  edit,
  hashOf,
  logEntry,
  NOTE,
  OTHER_NOTE,
  OTHER_WORKSPACE,
  outgoingEntry,
  PEER,
  positionRecord,
  receipt,
  receivedUpdate,
  WORKSPACE,
  workspaceRecord,
  viewOf,
} from "./local-store-samples.ts";
import { type ContractSuite, expectNoChange, observe, outcomeOf, populated } from "./local-store-suite.ts";

export const registerStorageContract = (suite: ContractSuite): void => {
  suite.testEmpty("an empty store says so", (store) =>
    Effect.gen(function* () {
      expect(yield* store.profile).toBeUndefined();
      expect(yield* store.workspaces).toEqual([]);
      expect(yield* store.position(WORKSPACE)).toBeUndefined();
      expect(yield* store.openDocument(WORKSPACE, NOTE)).toBeUndefined();
      expect(yield* store.secret("nothing")).toBeUndefined();
      expect(yield* store.updatesAfter(WORKSPACE, NOTE, 7)).toEqual({
        snapshot: undefined,
        updates: [],
        through: 7,
        merging: false,
      });
    }),
  );

  suite.testSessions("everything is there after closing and opening again", (session) =>
    Effect.gen(function* () {
      const profile = { format: 1, currentWorkspace: WORKSPACE, homeWorkspace: undefined } as const;
      const fill = populated((store, fence) =>
        Effect.gen(function* () {
          yield* store.putProfile(profile);
          yield* store.putSecret("keys", { signing: bytesOf(1, 2), epochs: new Map([[1, "x"]]) });
          yield* store.putChunks([{ workspace: WORKSPACE, hash: hashOf(1), bytes: bytesOf(1), uploaded: true }]);
          const ids = yield* store.appendUpdates([edit(), edit({ document: OTHER_NOTE, refs: [hashOf(1)] }), edit()]);
          yield* store.freeze(WORKSPACE, fence, [outgoingEntry(1, ids.slice(0, 1), { refs: [hashOf(1)] })]);
          yield* store.receive(
            receipt(fence, 0, { entries: [logEntry(PEER, 1, 1)], updates: [receivedUpdate(PEER, 1)] }),
          );
          return { fence, seen: yield* observe(store, WORKSPACE, [NOTE, OTHER_NOTE]) };
        }),
      );
      const { fence, seen } = yield* session(fill);
      yield* session((store) =>
        Effect.gen(function* () {
          expect(yield* observe(store, WORKSPACE, [NOTE, OTHER_NOTE])).toEqual(seen);
          expect(yield* store.profile).toEqual(profile);
          expect(yield* store.secret("keys")).toEqual({ signing: bytesOf(1, 2), epochs: new Map([[1, "x"]]) });
          expect(yield* store.chunkStates(WORKSPACE, [hashOf(1)])).toEqual(new Map([[hashOf(1), "uploaded"]]));
          expect(yield* store.claimLeadership).toBeGreaterThan(fence);
          const [id] = yield* store.appendUpdates([edit()]);
          expect(id).toBeGreaterThan(4);
        }),
      );
    }),
  );

  suite.testSessions("a closed store refuses, and edits that it was given before are durable", (session) =>
    Effect.gen(function* () {
      yield* session(
        populated((store) =>
          Effect.gen(function* () {
            const waiting = yield* Effect.forkChild(store.appendUpdates([edit()]), { startImmediately: true });
            yield* store.close;
            expect((yield* Fiber.join(waiting)).length).toBe(1);
            expect(yield* outcomeOf(store.appendUpdates([edit()]))).toBe("unavailable");
            expect(yield* outcomeOf(store.profile)).toBe("unavailable");
            expect(yield* outcomeOf(store.putSecret("name", 1))).toBe("unavailable");
            expect(yield* outcomeOf(store.secret("name"))).toBe("unavailable");
          }),
        ),
      );
      const kept = yield* session((store) => store.pendingUpdates(WORKSPACE, NOTE));
      expect(kept).toHaveLength(1);
    }),
  );

  suite.testEmpty("a profile is replaced as a whole", (store) =>
    Effect.gen(function* () {
      yield* store.putProfile({ format: 1, currentWorkspace: WORKSPACE, homeWorkspace: WORKSPACE });
      yield* store.putProfile({ format: 1, currentWorkspace: OTHER_WORKSPACE, homeWorkspace: undefined });
      expect(yield* store.profile).toEqual({
        format: 1,
        currentWorkspace: OTHER_WORKSPACE,
        homeWorkspace: undefined,
      });
    }),
  );

  suite.testEmpty("a workspace comes with its position and first entries, once", (store) =>
    Effect.gen(function* () {
      const entries = [outgoingEntry(1, []), outgoingEntry(2, [])];
      yield* store.addWorkspace(workspaceRecord(), positionRecord(), entries);
      expect(yield* store.workspaces).toEqual([workspaceRecord()]);
      expect(yield* store.position(WORKSPACE)).toEqual({ ...positionRecord(), nextCounter: 3 });
      expect((yield* store.outgoing(WORKSPACE, 10)).map(({ counter }) => counter)).toEqual([1, 2]);
      expect(yield* store.versions(WORKSPACE)).toEqual(new Map([[DEVICE, 2]]));

      const again = store.addWorkspace({ ...workspaceRecord(), role: "reader" }, positionRecord(), []);
      yield* expectNoChange(store, WORKSPACE, [], again, "fenced");
      const unfit = store.addWorkspace(workspaceRecord(OTHER_WORKSPACE), positionRecord(OTHER_WORKSPACE), [
        outgoingEntry(2, []),
      ]);
      yield* expectNoChange(store, OTHER_WORKSPACE, [], unfit, "fenced");
    }),
  );

  suite.test("server and role of a workspace change one by one", (store) =>
    Effect.gen(function* () {
      yield* store.updateWorkspace(WORKSPACE, { server: "https://cairn.example" });
      yield* store.updateWorkspace(WORKSPACE, { role: "reader" });
      expect(yield* store.workspaces).toEqual([
        { ...workspaceRecord(), server: "https://cairn.example", role: "reader" },
      ]);
      yield* store.updateWorkspace(OTHER_WORKSPACE, { role: "reader" });
      expect(yield* store.workspaces).toHaveLength(1);
    }),
  );

  suite.test("removing a workspace removes all of it and nothing of another", (store, fence) =>
    Effect.gen(function* () {
      yield* store.addWorkspace(workspaceRecord(OTHER_WORKSPACE), positionRecord(OTHER_WORKSPACE), []);
      for (const workspace of [WORKSPACE, OTHER_WORKSPACE]) {
        const ids = yield* store.appendUpdates([edit({ workspace }), edit({ workspace }), edit({ workspace })]);
        yield* store.freeze(workspace, fence, [outgoingEntry(1, ids.slice(0, 1))]);
        yield* store.replaceOutgoing(workspace, fence, outgoingEntry(1, []), changeOf("outdated"));
        yield* store.receive(
          receipt(fence, 0, { workspace, entries: [logEntry(PEER, 1, 1)], updates: [receivedUpdate(PEER, 1)] }),
        );
        const received = (yield* store.updatesAfter(workspace, NOTE, ids.at(-1) ?? 0)).updates.map(({ id }) => id);
        yield* store.fold({ workspace, document: NOTE, through: received[0] ?? 0, snapshot: bytesOf(1) }, received);
        yield* store.putChunks([{ workspace, hash: hashOf(1), bytes: bytesOf(1), uploaded: false }]);
      }
      const kept = yield* observe(store, OTHER_WORKSPACE, [NOTE]);
      yield* store.removeWorkspace(WORKSPACE);

      expect(yield* observe(store, OTHER_WORKSPACE, [NOTE])).toEqual({
        ...kept,
        workspaces: [workspaceRecord(OTHER_WORKSPACE)],
      });
      expect(yield* store.chunk(WORKSPACE, hashOf(1))).toBeUndefined();
      expect(yield* store.chunk(OTHER_WORKSPACE, hashOf(1))).toBeDefined();
      expect(yield* outcomeOf(store.appendUpdates([edit()]))).toBe("unavailable");

      yield* store.addWorkspace(workspaceRecord(), positionRecord(), []);
      const anew = yield* observe(store, WORKSPACE, [NOTE]);
      expect(anew).toMatchObject({ outgoing: [], streams: [], log: [], versions: [], unprojected: [], notes: 0 });
      expect(anew.perDocument[0]).toMatchObject({ pending: [], record: undefined, opened: undefined });
      expect((yield* store.updatesAfter(WORKSPACE, NOTE, 0)).snapshot).toBeUndefined();
    }),
  );

  suite.test("only the newest leader writes (hazard 18)", (store, stale) =>
    Effect.gen(function* () {
      const [id = 0] = yield* store.appendUpdates([edit()]);
      yield* store.freeze(WORKSPACE, stale, [outgoingEntry(1, [])]);
      const fence = yield* store.claimLeadership;
      expect(fence).toBeGreaterThan(stale);
      const writes = (by: number) => [
        store.freeze(WORKSPACE, by, [outgoingEntry(2, [id])]),
        store.settle(WORKSPACE, by, [{ counter: 1, seq: 1 }], 5_000),
        store.replaceOutgoing(WORKSPACE, by, outgoingEntry(1, []), changeOf("outdated")),
        store.receive(receipt(by, 0)),
        store.rebase(WORKSPACE, by, { cursor: 0, chain: hashOf(3), server: undefined, serverEpoch: 2 }),
      ];
      for (const write of writes(stale)) yield* expectNoChange(store, WORKSPACE, [NOTE], write, "fenced");
      for (const write of writes(fence + 1)) yield* expectNoChange(store, WORKSPACE, [NOTE], write, "fenced");
      for (const write of [...writes(fence).slice(0, 1), ...writes(fence).slice(2), ...writes(fence).slice(1, 2)]) {
        expect(yield* outcomeOf(write)).toBe("done");
      }
    }),
  );

  suite.test("chunks are kept and marked, and stay marked", (store) =>
    Effect.gen(function* () {
      const chunk = { workspace: WORKSPACE, hash: hashOf(1), bytes: bytesOf(1, 2, 3), uploaded: false };
      yield* store.putChunks([chunk, { ...chunk, hash: hashOf(2), bytes: bytesOf() }]);
      expect(yield* store.chunk(WORKSPACE, hashOf(1))).toEqual(chunk);
      expect(yield* store.chunk(OTHER_WORKSPACE, hashOf(1))).toBeUndefined();
      yield* store.markUploaded(WORKSPACE, hashOf(1));
      yield* store.markUploaded(WORKSPACE, hashOf(3));
      yield* store.putChunks([chunk]);
      expect(yield* store.chunk(WORKSPACE, hashOf(1))).toEqual({ ...chunk, uploaded: true });
      expect(yield* store.chunkStates(WORKSPACE, [hashOf(1), hashOf(2), hashOf(3)])).toEqual(
        new Map([
          [hashOf(1), "uploaded"],
          [hashOf(2), "local"],
        ]),
      );
    }),
  );

  suite.testEmpty("secrets are replaced and removed by name", (store) =>
    Effect.gen(function* () {
      yield* store.putSecret("Name/../a", { old: true });
      yield* store.putSecret("name/../a", bytesOf(1));
      yield* store.putSecret("Name/../a", { key: bytesOf(1, 2, 3), nothing: undefined });
      expect(yield* store.secret("Name/../a")).toEqual({ key: bytesOf(1, 2, 3), nothing: undefined });
      expect(yield* store.secret("name/../a")).toEqual(bytesOf(1));
      yield* store.removeSecret("Name/../a");
      yield* store.removeSecret("Name/../a");
      expect(yield* store.secret("Name/../a")).toBeUndefined();
      expect(yield* store.secret("name/../a")).toEqual(bytesOf(1));
    }),
  );

  suite.test("values that were read are copies", (store) =>
    Effect.gen(function* () {
      const update = bytesOf(1, 2, 3);
      yield* store.appendUpdates([edit({ update, row: viewOf("a") })]);
      update[0] = 99;
      const [read] = yield* store.pendingUpdates(WORKSPACE, NOTE);
      read?.update.set([98]);
      expect((yield* store.pendingUpdates(WORKSPACE, NOTE))[0]?.update).toEqual(bytesOf(1, 2, 3));
    }),
  );
};
