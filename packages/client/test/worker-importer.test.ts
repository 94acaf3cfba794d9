/** Rule 15: an import that takes too long is killed, and everything else goes on. With the real cliff of Loro. */
import { Effect } from "effect";
import { LoroDoc } from "loro-crdt";
import { Worker } from "node:worker_threads";
import { expect, test } from "vitest";
import { makeWorkerImporter, type WorkerImporterOptions } from "../src/documents/WorkerImporter.ts";
import { nodeWorkerThread } from "../src/platform/channel/node-endpoint.ts";
import { cliff } from "./fixtures/cliff.ts";
import { documentId, documentOf, replica, workspace, write } from "./fixtures/devices.ts";

const counting = (options: Omit<WorkerImporterOptions, "spawn">) => {
  const counted = { started: 0, ended: 0 };
  const make = makeWorkerImporter({
    ...options,
    spawn: () => {
      counted.started += 1;
      const worker = new Worker(new URL("./fixtures/import-thread.ts", import.meta.url), {
        execArgv: ["--conditions=source"],
      });
      worker.on("exit", () => (counted.ended += 1));
      return nodeWorkerThread(worker);
    },
  });
  return { counted, make };
};

const request = (n: number, update: Uint8Array) => ({
  workspace,
  document: documentId(n),
  type: "note",
  known: 0,
  base: { snapshot: undefined },
  updates: [{ id: 1, update }],
  want: { snapshot: true },
});

test("a document that exceeds the budget is given up, alone", async () => {
  const { snapshot, late } = cliff();
  const small = write(replica(3), "small");
  const { counted, make } = counting({ budget: 300, patientBudget: 500 });
  await Effect.gen(function* () {
    const importer = yield* make;
    const stuck = { ...request(1, late), base: { snapshot } };
    const began = performance.now();
    const [slow, other] = yield* Effect.all([Effect.flip(importer.apply(stuck)), importer.apply(request(2, small))], {
      concurrency: "unbounded",
    });
    expect(slow).toMatchObject({ _tag: "ImportTooSlow", document: documentId(1), budget: 300 });
    expect(other).toMatchObject({ type: "applied", through: 1 });
    expect(performance.now() - began).toBeLessThan(10_000);
    expect(counted.started).toBe(2);
    // Even Loro's WebAssembly ends with its thread, in the middle of what it does.
    yield* Effect.promise(() => expect.poll(() => counted.ended, { timeout: 10_000 }).toBe(1));

    // The killed thread's documents are gone, which callers are told.
    expect(yield* importer.apply({ ...request(1, late), base: undefined, known: 1 })).toEqual({ type: "missing-base" });

    // While a patient import works, nothing waits for it. It has a budget too.
    const [patient, meanwhile] = yield* Effect.all(
      [Effect.flip(importer.apply({ ...stuck, patient: true })), importer.apply(request(3, small))],
      { concurrency: "unbounded" },
    );
    expect(patient).toMatchObject({ _tag: "ImportTooSlow", budget: 500 });
    expect(meanwhile).toMatchObject({ type: "applied" });
    expect(counted.started).toBe(3);
  }).pipe(Effect.scoped, Effect.runPromise);
});

test("what is patient and ends in time is answered as anything else", async () => {
  const update = write(replica(3), "small");
  const { make } = counting({});
  const answer = await Effect.gen(function* () {
    const importer = yield* make;
    return yield* importer.apply({ ...request(1, update), patient: true });
  }).pipe(Effect.scoped, Effect.runPromise);
  if (answer.type !== "applied" || answer.snapshot === undefined) throw new Error("no snapshot");
  expect(documentOf(answer.snapshot).toJSON()).toEqual(documentOf(update).toJSON());
});

test("a caller that goes away takes its import with it, and the next one is served", async () => {
  const { snapshot, late } = cliff();
  const { counted, make } = counting({ budget: 60_000 });
  await Effect.gen(function* () {
    const importer = yield* make;
    yield* importer.apply(request(9, write(replica(3), "warm")));
    yield* importer.apply({ ...request(1, late), base: { snapshot } }).pipe(Effect.timeoutOption(100));
    expect(yield* importer.apply(request(2, write(replica(3), "small")))).toMatchObject({ type: "applied" });
    expect(counted.started).toBe(2);
  }).pipe(Effect.scoped, Effect.runPromise);
});

test("a thread that does not load is ImporterUnavailable, and the next request tries again", async () => {
  const update = write(replica(3), "x");
  let attempts = 0;
  await Effect.gen(function* () {
    const importer = yield* makeWorkerImporter({
      spawn: () => {
        attempts += 1;
        const url = attempts === 1 ? "data:text/javascript,throw new Error('no')" : "./fixtures/import-thread.ts";
        return nodeWorkerThread(new Worker(new URL(url, import.meta.url), { execArgv: ["--conditions=source"] }));
      },
    });
    expect(yield* Effect.flip(importer.apply(request(1, update)))).toMatchObject({ _tag: "ImporterUnavailable" });
    expect(yield* importer.apply(request(1, update))).toMatchObject({ type: "applied" });
  }).pipe(Effect.scoped, Effect.runPromise);
});

test("a buffer that is part of a larger one is sent alone, and stays usable", async () => {
  const update = write(replica(3), "x");
  const large = new Uint8Array(1_000_000);
  large.set(update, 500);
  const view = large.subarray(500, 500 + update.length);
  const { make } = counting({});
  await Effect.gen(function* () {
    const importer = yield* make;
    for (let round = 0; round < 2; round += 1)
      expect(yield* importer.apply(request(1, view))).toMatchObject({ type: "applied", rejected: [] });
  }).pipe(Effect.scoped, Effect.runPromise);
  const doc = new LoroDoc();
  expect(doc.import(view).pending).toBeNull();
});

test("what is large goes to the thread and comes back whole, and stays usable here", async () => {
  const long = "long ".repeat(2_000_000);
  const update = write(replica(3), long);
  const { make } = counting({ budget: 60_000 });
  await Effect.gen(function* () {
    const importer = yield* make;
    const first = yield* importer.apply(request(1, update));
    if (first.type !== "applied" || first.snapshot === undefined) throw new Error("no snapshot");
    const { snapshot } = first;
    // As a base, twice: the bytes are copied and not given away.
    for (let round = 0; round < 2; round += 1) {
      const again = yield* importer.apply({ ...request(1, update), base: { snapshot } });
      if (again.type !== "applied" || again.snapshot === undefined) throw new Error("no snapshot");
      expect(documentOf(again.snapshot).getText("body").toString() === long).toBe(true);
    }
    expect(documentOf(update).getText("body").length).toBe(long.length);
  }).pipe(Effect.scoped, Effect.runPromise);
});
