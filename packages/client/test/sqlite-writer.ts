/** A process that writes into a store, and says what was completed, until it is killed. */
import {
  deviceIdFromBytes,
  documentIdFromBytes,
  EntryKind,
  hashFromBytes,
  workspaceIdFromBytes,
} from "@cairn/protocol";
import { freezing as newlyFrozen } from "@cairn/sync";
import { Effect } from "effect";
import { writeSync } from "node:fs";
import { pathToFileURL } from "node:url";
import { LocalStore } from "../src/store/LocalStore.ts";
import * as SqliteStore from "../src/store/SqliteStore.ts";

export const WORKSPACE = workspaceIdFromBytes(new Uint8Array(16).fill(1));
export const DEVICE = deviceIdFromBytes(new Uint8Array(16).fill(2));
export const DOCUMENTS = [3, 4, 5].map((number) => documentIdFromBytes(new Uint8Array(16).fill(number)));
const hash = hashFromBytes(new Uint8Array(32));

const say = (...words: ReadonlyArray<string | number>): void => void writeSync(1, `${words.join(" ")}\n`);

const write = Effect.gen(function* () {
  const store = yield* LocalStore;
  const position = {
    workspace: WORKSPACE,
    cursor: 0,
    chain: hash,
    server: undefined,
    serverEpoch: 0,
    nextCounter: 1,
    lastSyncedAt: undefined,
  };
  if ((yield* store.position(WORKSPACE)) === undefined) {
    const record = {
      workspace: WORKSPACE,
      device: DEVICE,
      role: "owner",
      createdHere: true,
      server: undefined,
    } as const;
    yield* store.addWorkspace({ ...record, joinedBy: undefined, addedAt: 0 }, position, []);
  }
  const fence = yield* store.claimLeadership;

  const typing = (document: (typeof DOCUMENTS)[number]) =>
    Effect.gen(function* () {
      const update = new Uint8Array(50).fill(document.length);
      const edit = { workspace: WORKSPACE, document, type: "note", update, time: 0, refs: [], row: undefined };
      const ids = yield* store.appendUpdates([edit, edit]);
      say("appended", ...ids);
    }).pipe(Effect.forever);
  const freezing = Effect.gen(function* () {
    for (const { document } of yield* store.pendingDocuments(WORKSPACE)) {
      const updates = (yield* store.pendingUpdates(WORKSPACE, document)).map(({ id }) => id);
      const counter = (yield* store.position(WORKSPACE))?.nextCounter ?? 0;
      const header = {
        counter,
        device: DEVICE,
        document,
        kind: EntryKind.update,
        hash,
        refs: [],
        frozenAt: 0,
        frozen: newlyFrozen(0),
      };
      yield* store.freeze(WORKSPACE, fence, [{ ...header, entry: new Uint8Array(900), updates }]);
      say("frozen", counter);
    }
    yield* Effect.sleep(2);
  }).pipe(Effect.forever);
  yield* Effect.all([...DOCUMENTS.map(typing), freezing], { concurrency: "unbounded" });
});

const [, script, directory] = process.argv;
if (script !== undefined && directory !== undefined && import.meta.url === pathToFileURL(script).href) {
  await Effect.runPromise(write.pipe(Effect.provide(SqliteStore.layer({ directory, gatherMillis: 1 }))));
}
