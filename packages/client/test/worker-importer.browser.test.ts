/** Rule 15 in a browser: Loro's WebAssembly in a Web Worker, killed in the middle of an import. */
import { Effect } from "effect";
import { expect, test } from "vitest";
import { makeWorkerImporter } from "../src/documents/WorkerImporter.ts";
import { workerThread } from "../src/platform/channel/web-endpoint.ts";
import { documentId, documentOf, textOf, workspace, write, replica } from "./fixtures/devices.ts";
import { cliff } from "./fixtures/cliff.ts";

test("an import that exceeds its budget is killed, and the next document is served by a new worker", async () => {
  const { snapshot, late } = cliff();
  let started = 0;
  const small = write(replica(3), "small");
  const request = (n: number, update: Uint8Array) => ({
    workspace,
    document: documentId(n),
    type: "note",
    known: 0,
    base: { snapshot: undefined },
    updates: [{ id: 1, update }],
    want: { snapshot: true },
  });
  await Effect.gen(function* () {
    const importer = yield* makeWorkerImporter({
      budget: 500,
      spawn: () => {
        started += 1;
        return workerThread(new Worker(new URL("./fixtures/import-worker.ts", import.meta.url), { type: "module" }));
      },
    });
    const slow = yield* Effect.flip(importer.apply({ ...request(1, late), base: { snapshot } }));
    expect(slow).toMatchObject({ _tag: "ImportTooSlow", budget: 500 });
    const answer = yield* importer.apply(request(2, small));
    if (answer.type !== "applied" || answer.snapshot === undefined) throw new Error("no snapshot");
    expect(textOf(documentOf(answer.snapshot))).toBe("small");
    expect(started).toBe(2);
  }).pipe(Effect.scoped, Effect.runPromise);
});

test("a worker whose module does not load is ImporterUnavailable", async () => {
  const importer = makeWorkerImporter({
    spawn: () => workerThread(new Worker(new URL("./fixtures/no-such-worker.ts", import.meta.url), { type: "module" })),
  });
  const failure = await Effect.gen(function* () {
    const { apply } = yield* importer;
    return yield* Effect.flip(
      apply({
        workspace,
        document: documentId(1),
        type: "note",
        known: 0,
        base: { snapshot: undefined },
        updates: [],
        want: {},
      }),
    );
  }).pipe(Effect.scoped, Effect.runPromise);
  expect(failure).toMatchObject({ _tag: "ImporterUnavailable" });
});
