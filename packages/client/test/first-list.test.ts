/** The list that an app shows first is read before all else, once, and never shown when it is not true any more. */
import { defineDocument, defineSchema, field } from "@cairn/schema";
import { Effect, Exit, Layer, Scope } from "effect";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeEach, expect, test, vi } from "vitest";
import { inProcessImporterLayer } from "../src/documents/InProcessImporter.ts";
import { makeEngine } from "../src/engine/Engine.ts";
import type { EngineApi } from "../src/engine/EngineApi.ts";
import { openCairn } from "../src/node.ts";
import { OpenCairn } from "../src/page/OpenCairn.ts";
import { Leadership } from "../src/platform/Leadership.ts";
import { Locks } from "../src/platform/Locks.ts";
import { startNodeEngine } from "../src/platform/node-engine.ts";
import { makeNotifierHub, Notifier, type NotifierHub, type ProfileEvent } from "../src/platform/Notifier.ts";
import { PeerLeases } from "../src/platform/PeerLeases.ts";
import { LocalStore } from "../src/store/LocalStore.ts";
import { layer as sqliteStore } from "../src/store/SqliteStore.ts";
import { layerFetch } from "../src/transport/FetchTransport.ts";
import { workspace as anyWorkspace } from "./fixtures/devices.ts";

const schema = defineSchema({
  version: 1,
  documents: { stone: defineDocument({ fields: { name: field.string({ indexed: true }) } }) },
});
const firstList = { type: "stone", query: { sort: { by: "name" }, limit: 2 } } as const;

const folders: Array<string> = [];
let directory = "";
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "cairn-first-list-"));
  folders.push(directory);
  const cairn = await openCairn({ schema, directory });
  const workspace = await cairn.workspace();
  for (const name of ["Basalt", "Chert", "Agate"]) {
    await (await workspace.create("stone", (stone) => stone.name.set(name))).close();
  }
  await cairn.close();
});
afterAll(() => Promise.all(folders.map((folder) => rm(folder, { recursive: true, force: true }))));

const namesOf = (rows: ReadonlyArray<{ readonly fields: { readonly name: string } }>): ReadonlyArray<string> =>
  rows.map(({ fields }) => fields.name);

/** The page's side over an engine that counts what it is asked. */
const openCounted = async () => {
  const connection = await startNodeEngine({ schema, directory });
  const asked: Array<string> = [];
  const engine = new Proxy(connection.engine, {
    get: (target, name) => {
      const member: unknown = Reflect.get(target, name);
      if (typeof member !== "function" || typeof name !== "string") return member;
      return (...args: ReadonlyArray<unknown>): unknown => {
        asked.push(name);
        return Reflect.apply(member, target, args);
      };
    },
  });
  const cairn = new OpenCairn({ schema, ...connection, engine });
  await cairn.begin([firstList]);
  return { cairn, asked };
};

test("a page that begins asks one question, and has the workspace and the list from its answer", async () => {
  const { asked, cairn } = await openCounted();
  const workspace = await cairn.workspace();
  const rows = await workspace.query("stone", { sort: { by: "name" }, limit: 2 });
  expect(namesOf(rows)).toEqual(["Agate", "Basalt"]);
  // The history of the connection is asked for by the way, and nothing waits for it.
  expect(asked.filter((name) => name !== "connections")).toEqual(["subscribe", "beginning"]);
  expect(cairn.workspaces()).toEqual([workspace.info()]);
  await cairn.close();
});

test("the answer serves one question: whoever asks later, or something else, is answered from the store", async () => {
  const { asked, cairn } = await openCounted();
  const workspace = await cairn.workspace();
  expect(namesOf(await workspace.query("stone", { sort: { by: "name", descending: true }, limit: 2 }))).toEqual([
    "Chert",
    "Basalt",
  ]);
  await workspace.query("stone", firstList.query);
  expect(asked.filter((name) => name === "query")).toHaveLength(1);
  expect(namesOf(await workspace.query("stone", firstList.query))).toEqual(["Agate", "Basalt"]);
  expect(asked.filter((name) => name === "query")).toHaveLength(2);
  await cairn.close();
});

test("what was written before the list was asked for is in it", async () => {
  const { cairn } = await openCounted();
  const workspace = await cairn.workspace();
  const added = await workspace.create("stone", (stone) => stone.name.set("Aplite"));
  await workspace.flush();
  expect(namesOf(await workspace.query("stone", firstList.query))).toEqual(["Agate", "Aplite"]);
  await added.close();
  await cairn.close();
});

/** An engine as in a browser's tab, which does not lead at once. `beforeQuery`: what happens when its store is asked. */
const makeTab = async (
  hub: NotifierHub,
  beforeQuery: Effect.Effect<void> = Effect.void,
): Promise<{ engine: EngineApi; close: () => Promise<void> }> => {
  const store = Layer.effect(
    LocalStore,
    Effect.map(LocalStore, (own) => ({
      ...own,
      query: (...asked: Parameters<typeof own.query>) => Effect.andThen(beforeQuery, own.query(...asked)),
    })),
  ).pipe(Layer.provide(sqliteStore({ directory })));
  const services = Layer.mergeAll(
    Leadership.layer(directory),
    PeerLeases.layer(directory),
    inProcessImporterLayer({ schema, now: () => performance.now() }),
    layerFetch,
  ).pipe(Layer.provideMerge(Layer.mergeAll(store, Locks.inProcess, Notifier.inProcess(hub))));
  const lifetime = Scope.makeUnsafe();
  const engine = await Effect.runPromise(
    Scope.provide(
      Effect.flatMap(Layer.build(services), (context) =>
        makeEngine({
          schema,
          profile: directory,
          server: undefined,
          deviceName: "tab",
          deviceKeyForm: "file",
          leadAfterMillis: 3_600_000,
        }).pipe(Effect.provideContext(context)),
      ),
      lifetime,
    ),
  );
  return { engine, close: () => Effect.runPromise(Scope.close(lifetime, Exit.void)) };
};

test("an engine begins to lead when it has answered the first list", async () => {
  const tab = await makeTab(makeNotifierHub());
  expect((await tab.engine.beginning([])).current?.first).toEqual([]);
  expect(await tab.engine.leads()).toBe(false);
  const { current } = await tab.engine.beginning([firstList]);
  expect(current?.first[0]?.rows.map(({ fields }) => fields["name"])).toEqual(["Agate", "Basalt"]);
  await vi.waitUntil(() => tab.engine.leads(), { timeout: 30_000 });
  await tab.close();
});

test("a list that does not fit is no part of the beginning", async () => {
  const tab = await makeTab(makeNotifierHub());
  const misfit = { type: "stone", query: { sort: { by: "weight" } } };
  const { current } = await tab.engine.beginning([misfit, firstList]);
  expect(current).toMatchObject({ first: [undefined, { rows: [{}, {}] }], info: { createdHere: true } });
  await tab.close();
});

test("nor is one that another tab may have changed while the rest was being read", async () => {
  const hub = makeNotifierHub();
  const other = hub.connect();
  // Nobody hears of it: the workspace is not open yet.
  const told: ProfileEvent = { type: "documents", workspace: anyWorkspace, documents: [], types: ["stone"] };
  const tab = await makeTab(
    hub,
    Effect.andThen(
      other.notify(told),
      Effect.promise(() => Promise.resolve()),
    ),
  );
  const { current } = await tab.engine.beginning([firstList]);
  expect(current).toMatchObject({ first: [], info: { createdHere: true } });
  await tab.close();
});
