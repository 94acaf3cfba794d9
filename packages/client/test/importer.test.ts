/** What every importer does, wherever it runs. The same tests run in process and in a worker thread. */
import { Effect, Exit, type Scope } from "effect";
import fc from "fast-check";
import { LoroDoc } from "loro-crdt";
import { Worker } from "node:worker_threads";
import { describe, expect, test } from "vitest";
import { describeDocument, setDeleted } from "@cairn/schema";
import type { Applied, ImportAnswer, ImporterShape, ImportRequest } from "../src/documents/Importer.ts";
import { makeInProcessImporter } from "../src/documents/InProcessImporter.ts";
import { peerIdOf } from "../src/documents/peer-ids.ts";
import { rangesOfUpdate } from "../src/documents/update-ranges.ts";
import { type FromThread, makeWorkerImporter, type ToThread } from "../src/documents/WorkerImporter.ts";
import type { Thread } from "../src/platform/channel/Endpoint.ts";
import { nodeWorkerThread } from "../src/platform/channel/node-endpoint.ts";
import { commit, deviceId, documentId, documentOf, replica, textOf, workspace, write } from "./fixtures/devices.ts";
import { schema } from "./fixtures/import-schema.ts";

const options = { schema, now: () => performance.now() };
const spawn = (): Thread<FromThread, ToThread> =>
  nodeWorkerThread(
    new Worker(new URL("./fixtures/import-thread.ts", import.meta.url), { execArgv: ["--conditions=source"] }),
  );

const document = documentId(1);
const request = (updates: ReadonlyArray<Uint8Array>, rest: Partial<ImportRequest> = {}): ImportRequest => ({
  workspace,
  document,
  type: "note",
  known: 0,
  base: { snapshot: undefined },
  updates: updates.map((update, index) => ({ id: index + 1, update })),
  want: { snapshot: true },
  ...rest,
});

const applied = (answer: ImportAnswer): Applied => {
  if (answer.type !== "applied") throw new Error(`expected an applied document, got ${answer.type}`);
  return answer;
};
const contentOf = (answer: ImportAnswer): string => {
  const { snapshot } = applied(answer);
  if (snapshot === undefined) throw new Error("no snapshot");
  return textOf(documentOf(snapshot));
};

const kinds: ReadonlyArray<readonly [string, Effect.Effect<ImporterShape, never, Scope.Scope>]> = [
  ["in process", makeInProcessImporter(options)],
  ["in a worker thread", makeWorkerImporter({ spawn })],
];

describe.each(kinds)("an importer %s", (_name, make) => {
  const withImporter = <A>(use: (importer: ImporterShape) => Effect.Effect<A, unknown>): Promise<A> =>
    Effect.runPromise(Effect.scoped(Effect.flatMap(make, use)));

  test("applies updates in any order and grouping to the same document (promise 5)", async () => {
    const one = replica(1);
    const other = replica(2);
    const updates: Array<Uint8Array> = [];
    for (let round = 0; round < 5; round += 1) {
      const a = write(one, `one ${round} `);
      const b = write(other, `other ${round} `);
      updates.push(a, b);
      one.import(b);
      other.import(a);
    }
    await withImporter((importer) =>
      Effect.forEach(
        fc.sample(fc.tuple(fc.shuffledSubarray(updates, { minLength: 10 }), fc.nat(10)), { numRuns: 15, seed: 1 }),
        ([order, cut]) =>
          Effect.gen(function* () {
            const first = applied(yield* importer.apply(request(order.slice(0, cut), { want: {} })));
            expect(first.through).toBe(cut);
            const rest = order.slice(cut).map((update, index) => ({ id: cut + index + 1, update }));
            const answer = yield* importer.apply(request([], { base: undefined, known: cut, updates: rest }));
            expect(contentOf(answer)).toEqual(textOf(one));
            expect(applied(answer)).toMatchObject({ through: 10, pending: false, rejected: [] });
          }),
      ),
    );
  });

  test("says so while an update waits for another one, and gives no snapshot that would lose it (L2)", async () => {
    const doc = replica(1);
    const [first, second] = [write(doc, "a"), write(doc, "b")];
    await withImporter((importer) =>
      Effect.gen(function* () {
        const waiting = applied(yield* importer.apply(request([second], { want: { snapshot: true, view: true } })));
        expect(waiting).toMatchObject({ pending: true, through: 1 });
        expect(waiting.snapshot).toBeUndefined();
        const still = applied(yield* importer.apply(request([], { base: undefined, known: 1 })));
        expect(still.pending).toBe(true);
        const whole = yield* importer.apply(
          request([], { base: undefined, known: 1, updates: [{ id: 2, update: first }] }),
        );
        expect(applied(whole).pending).toBe(false);
        expect(contentOf(whole)).toBe(textOf(doc));
      }),
    );
  });

  test("gives snapshots with their whole history, which merge with who was away at both ends (hazard L3)", async () => {
    const stayed = replica(1);
    const away = replica(2);
    const updates = [write(stayed, "common ")];
    away.import(updates[0] ?? new Uint8Array());
    const late = write(away, "late ");
    for (let round = 0; round < 50; round += 1) updates.push(write(stayed, `${round} `));
    await withImporter((importer) =>
      Effect.gen(function* () {
        const { snapshot } = applied(yield* importer.apply(request(updates)));
        if (snapshot === undefined) throw new Error("no snapshot");
        // Who was away takes the snapshot, and the document made of the snapshot takes what was written meanwhile.
        expect(away.import(snapshot).pending).toBeNull();
        const merged = yield* importer.apply(
          request([], { base: { snapshot }, updates: [{ id: updates.length + 1, update: late }] }),
        );
        expect(applied(merged).pending).toBe(false);
        expect(contentOf(merged)).toBe(textOf(away));
        expect(contentOf(merged)).toContain("late ");
      }),
    );
  });

  test("joins 2,000 key presses into a small part of their bytes (hazard L6)", async () => {
    const doc = replica(1);
    const presses = Array.from({ length: 2000 }, (_, at) => write(doc, "abcdefghij".charAt(at % 10), at));
    await withImporter((importer) =>
      Effect.gen(function* () {
        const { merged } = applied(yield* importer.apply(request(presses, { want: { merge: presses } })));
        if (merged === undefined) throw new Error("nothing merged");
        expect(textOf(documentOf(merged))).toBe(textOf(doc));
        expect(merged.length * 20).toBeLessThan(presses.reduce((sum, { length }) => sum + length, 0));
      }),
    );
  });

  test("asks for the base of what it does not hold", async () => {
    const doc = replica(1);
    const [first, second] = [write(doc, "a"), write(doc, "b")];
    const later = request([], { base: undefined, known: 1, updates: [{ id: 2, update: second }] });
    await withImporter((importer) =>
      Effect.gen(function* () {
        expect(yield* importer.apply(later)).toEqual({ type: "missing-base" });
        yield* importer.apply(request([first]));
        // It holds less than the caller knows: another one folded or stored meanwhile.
        expect(yield* importer.apply({ ...later, known: 7 })).toEqual({ type: "missing-base" });
        expect(contentOf(yield* importer.apply(later))).toBe(textOf(doc));
        yield* importer.evict(workspace, document);
        expect(yield* importer.apply(later)).toEqual({ type: "missing-base" });
        // A base replaces what is held, even by less.
        const anew = yield* importer.apply(request([first]));
        expect(applied(anew).through).toBe(1);
        expect(contentOf(anew)).toBe("a");
      }),
    );
  });

  test("begins with a snapshot and goes on with what is not in it", async () => {
    const doc = replica(1);
    write(doc, "old ");
    const snapshot = doc.export({ mode: "snapshot" });
    const update = write(doc, "new ");
    await withImporter((importer) =>
      Effect.gen(function* () {
        const answer = yield* importer.apply(
          request([], { known: 41, base: { snapshot }, updates: [{ id: 42, update }] }),
        );
        expect(applied(answer).through).toBe(42);
        expect(contentOf(answer)).toBe(textOf(doc));
      }),
    );
  });

  test("refuses damaged bytes alone: the other updates are applied, the other documents untouched", async () => {
    const doc = replica(1);
    const [first, second, third] = [write(doc, "a"), write(doc, "b"), write(doc, "c")];
    const damaged = second.with(second.length - 1, (second.at(-1) ?? 0) ^ 0xff);
    await withImporter((importer) =>
      Effect.gen(function* () {
        const answer = applied(yield* importer.apply(request([first, damaged, new Uint8Array(9), second, third])));
        expect(answer.rejected.map((rejected) => rejected.id)).toEqual([2, 3]);
        expect(answer.rejected[0]?.reason).toMatch(/corrupt|checksum|decode/i);
        expect(answer.pending).toBe(false);
        expect(contentOf(answer)).toBe(textOf(doc));
      }),
    );
  });

  test("applies several documents in one go, each alone, and keeps none of them", async () => {
    const writers = [1, 2, 3].map((device) => replica(device));
    const texts = writers.map((writer, index) => write(writer, `text ${index}`));
    await withImporter((importer) =>
      Effect.gen(function* () {
        const answers = yield* importer.applyTogether([
          ...texts.map((update, index) => request([update], { document: documentId(index + 1) })),
          request([], { document: documentId(8), base: { snapshot: new Uint8Array(40) } }),
        ]);
        const contents = answers.map((answer) => (answer.type === "applied" ? contentOf(answer) : answer.type));
        expect(contents).toEqual(["text 0", "text 1", "text 2", "rejected"]);
        for (const number of [1, 2, 3]) {
          const after = yield* importer.apply(request([], { document: documentId(number), base: undefined, known: 1 }));
          expect(after).toEqual({ type: "missing-base" });
        }
        expect(yield* importer.applyTogether([])).toEqual([]);
      }),
    );
  });

  test("survives any bytes, and says ImportRejected where the base itself is refused (promise 11)", async () => {
    const doc = replica(1);
    const update = write(doc, "some text to damage ".repeat(20));
    const snapshot = doc.export({ mode: "snapshot" });
    const damage = (bytes: Uint8Array) =>
      fc
        .array(fc.tuple(fc.nat(bytes.length - 1), fc.nat(255)), { minLength: 1, maxLength: 8 })
        .map((changes) => changes.reduce((changed, [at, byte]) => changed.with(at, byte), bytes));
    const hostile = fc.sample(fc.oneof(damage(update), damage(snapshot), fc.uint8Array({ maxLength: 400 })), {
      numRuns: 200,
      seed: 2,
    });
    await withImporter((importer) =>
      Effect.gen(function* () {
        for (const bytes of hostile) {
          const asUpdate = yield* importer.apply(request([bytes], { want: { view: true, snapshot: true } }));
          expect(asUpdate.type).toBe("applied");
          const asBase = yield* Effect.exit(importer.apply(request([], { base: { snapshot: bytes } })));
          expect(Exit.isSuccess(asBase) || String(asBase.cause).includes("ImportRejected")).toBe(true);
        }
        expect(contentOf(yield* importer.apply(request([update])))).toBe(textOf(doc));
      }),
    );
  });

  test("joins own updates to one that holds exactly their operations (rule 13)", async () => {
    const ours = replica(1, 2);
    const theirs = replica(2);
    const stored: Array<Uint8Array> = [];
    const own: Array<Uint8Array> = [];
    stored.push(write(ours, "sent before "));
    theirs.import(stored[0] ?? new Uint8Array());
    for (let round = 0; round < 4; round += 1) {
      own.push(write(ours, `ours ${round} `));
      stored.push(own.at(-1) ?? new Uint8Array(), write(theirs, `theirs ${round} `));
      ours.import(stored.at(-1) ?? new Uint8Array());
    }
    await withImporter((importer) =>
      Effect.gen(function* () {
        const { merged } = applied(yield* importer.apply(request(stored, { want: { merge: own } })));
        if (merged === undefined) throw new Error("nothing merged");
        const peer = peerIdOf(deviceId(1), 2);
        const end = ours.version().get(peer) ?? 0;
        expect(rangesOfUpdate(merged)).toMatchObject({ success: [{ peer, start: "sent before ".length, end }] });
        // It stands for them: in their place it gives the same document.
        const others = stored.filter((update) => !own.includes(update));
        expect(documentOf(...others, merged).toJSON()).toEqual(ours.toJSON());
        expect(merged.length).toBeLessThan(own.reduce((sum, update) => sum + update.length, 0));
      }),
    );
  });

  test("joins updates of several leases, and of separate ranges, without what lies between", async () => {
    const first = replica(1, 0);
    const second = replica(1, 1);
    const a = write(first, "aaa");
    second.import(a);
    const b = write(second, "bbb");
    first.import(b);
    const between = write(first, "-");
    const c = write(first, "ccc");
    await withImporter((importer) =>
      Effect.gen(function* () {
        const { merged } = applied(yield* importer.apply(request([a, b, between, c], { want: { merge: [c, a, b] } })));
        if (merged === undefined) throw new Error("nothing merged");
        const without = new LoroDoc();
        expect(without.import(merged).pending).not.toBeNull();
        expect(textOf(without)).not.toContain("-");
        without.import(between);
        expect(without.toJSON()).toEqual(first.toJSON());
      }),
    );
  });

  test("does not join what it does not have, and keeps the document", async () => {
    const doc = replica(1);
    const [first, second] = [write(doc, "a"), write(doc, "b")];
    await withImporter((importer) =>
      Effect.gen(function* () {
        const failed = yield* Effect.flip(importer.apply(request([first], { want: { merge: [first, second] } })));
        expect(failed).toMatchObject({ _tag: "ImportRejected", document });
        const refused = yield* Effect.flip(
          importer.apply(request([first], { want: { merge: [first, doc.export({ mode: "snapshot" })] } })),
        );
        expect(refused).toMatchObject({ _tag: "ImportRejected" });
        const next = yield* importer.apply(
          request([], { base: undefined, known: 1, updates: [{ id: 2, update: second }] }),
        );
        expect(contentOf(next)).toBe(textOf(doc));
      }),
    );
  });

  test("gives the document's row by its declared type, and a bare one for a type of a newer app (promise 10)", async () => {
    const doc = replica(1);
    const update = commit(doc, () => {
      describeDocument(doc, { type: "note", createdAt: 1_000 });
      doc.getMap("fields").set("title", "Grüße AN alle");
      doc.getText("body").insert(0, "Hello");
      setDeleted(doc, true);
    });
    await withImporter((importer) =>
      Effect.gen(function* () {
        const view = (type: string) =>
          Effect.map(importer.apply(request([update], { type, want: { view: true } })), (a) => applied(a).view);
        const row = {
          deleted: true,
          createdAt: 1_000,
          projection: { fields: { title: "Grüße AN alle" }, indexed: [], searchText: "Grüße AN alle\nHello" },
        };
        expect(yield* view("note")).toMatchObject(row);
        expect(yield* view("")).toMatchObject(row);
        expect(yield* view("of-a-newer-app")).toEqual({ ...row, projection: undefined });
        expect(yield* view("__proto__")).toEqual({ ...row, projection: undefined });
      }),
    );
  });

  test("is unavailable after it was closed", async () => {
    await withImporter((importer) =>
      Effect.gen(function* () {
        yield* importer.close;
        expect(yield* Effect.flip(importer.apply(request([])))).toMatchObject({ _tag: "ImporterUnavailable" });
      }),
    );
  });
});
