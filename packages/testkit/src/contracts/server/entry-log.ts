/** What every log does: identity, order, pages, and what it refuses (rules 1 to 11, 21, 25 to 28). */
import {
  emptyLogChain,
  EntryKind,
  entryHash,
  hashFromBytes,
  NO_DOCUMENT,
  nextLogChain,
  type Page,
  type PushResult,
} from "@cairn/protocol";
import { EntryLog } from "@cairn/server";
import { Effect, Fiber } from "effect";
import { randomBytes } from "node:crypto";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { makeRoot, randomDocument, signEntry, TestDevice } from "../../authors/index.ts";
import { codeOf, type PortsSubject, Scene } from "./scene.ts";

const statuses = (results: ReadonlyArray<PushResult>) => results.map(({ status }) => status);
const voided = { kind: EntryKind.void, document: NO_DOCUMENT, epoch: 0 } as const;
const nothing = new Uint8Array(0);

/** Registers the suite. */
export const entryLogContract = (name: string, open: () => Promise<PortsSubject>): void => {
  describe(`${name} keeps the contract of EntryLog`, () => {
    let subject: PortsSubject;
    let scene: Scene;
    beforeAll(async () => {
      subject = await open();
      scene = await Scene.found(subject);
    });
    afterAll(() => subject.close());
    const fresh = () => Scene.found(subject);

    describe("identity and order", () => {
      test("positions follow on each other, and the running hash is that of the protocol", async () => {
        const { owner, workspace } = await fresh().then((made) => (scene = made));
        const entries = [owner.device.author(), owner.device.author(), owner.device.author()];
        const response = await scene.push(owner, entries);
        expect(response.results).toMatchObject([{ seq: 2 }, { seq: 3 }, { seq: 4 }]);
        const page = await scene.pull(owner, 0);
        let chain = emptyLogChain(workspace);
        for (const item of page.items) {
          if (item.type !== "entry") throw new Error("expected entries");
          chain = nextLogChain(chain, item.seq, entryHash(item.entry));
        }
        expect(page).toMatchObject({ after: 0, until: 4, head: 4, chain });
        expect(response).toMatchObject({ head: 4, chain });
      });

      test("Promise 2: a repeated push changes nothing and gets the same positions", async () => {
        const { owner } = scene;
        const entries = [owner.device.author(), owner.device.author()];
        const first = await scene.push(owner, entries);
        const again = await scene.push(owner, entries);
        expect(statuses(again.results)).toEqual(["duplicate", "duplicate"]);
        expect(again.results.map((result) => "seq" in result && result.seq)).toEqual(
          first.results.map((result) => "seq" in result && result.seq),
        );
        expect([again.head, again.chain]).toEqual([first.head, first.chain]);
        const mixed = await scene.push(owner, [...entries, owner.device.author(), ...entries.slice(1)]);
        expect(statuses(mixed.results)).toEqual(["duplicate", "duplicate", "stored", "duplicate"]);
      });

      test("Promise 2: the same push many times at once is stored once", async () => {
        const made = await fresh();
        const entries = [made.owner.device.author(), made.owner.device.author()];
        const answers = await subject.run(
          Effect.all(
            Array.from({ length: 8 }, () => made.pushing(made.owner, entries)),
            { concurrency: "unbounded" },
          ),
        );
        expect(answers.flatMap(({ results }) => statuses(results)).toSorted()).toEqual([
          ...Array.from({ length: 14 }, () => "duplicate"),
          "stored",
          "stored",
        ]);
        for (const { results } of answers) expect(results).toMatchObject([{ seq: 2 }, { seq: 3 }]);
        expect((await made.state()).head).toBe(3);
      });

      test("a gap is told, and what follows it is not looked at", async () => {
        const { owner } = scene;
        const counter = owner.device.counter + 2;
        const { results } = await scene.push(owner, [owner.device.author({ counter }), owner.device.author()]);
        expect(results).toMatchObject([
          { status: "refused", code: "gap", expected: counter - 1 },
          { status: "skipped" },
        ]);
        owner.device.counter = counter - 2;
        const zero = await scene.push(owner, [
          signEntry(owner.device.pair, { ...owner.device.defaults, counter: 1 }, nothing),
        ]);
        expect(statuses(zero.results)).toEqual(["identity-conflict"]);
      });

      test("rule 3: other bytes under the same identity are a conflict", async () => {
        const { owner } = scene;
        const stored = owner.device.author();
        const [seq] = await scene.store(owner, [stored]);
        const { counter } = stored.header;
        const { results } = await scene.push(owner, [owner.device.author({ counter }), owner.device.author()]);
        expect(results).toMatchObject([
          { status: "identity-conflict", seq, hash: entryHash(stored.bytes) },
          { status: "skipped" },
        ]);
        owner.device.counter = counter;
      });

      test("Promise 3: however writers interleave, a reader with a cursor has everything up to it", async () => {
        const made = await fresh();
        const writers = [made.owner, await made.join("writer"), await made.join("writer"), await made.join("writer")];
        const before = (await made.state()).head;
        const rounds = 25;
        const writing = Effect.all(
          writers.map((person) =>
            Effect.forEach(Array.from({ length: rounds }), () =>
              made.pushing(person, [person.device.author(), person.device.author()]),
            ),
          ),
          { concurrency: "unbounded", discard: true },
        );
        const pages: Array<Page> = [];
        await subject.run(
          Effect.gen(function* () {
            const log = yield* EntryLog;
            const writers_ = yield* Effect.forkChild(writing);
            let cursor = before;
            const { workspace } = made;
            const reader = made.owner.device.device;
            while (cursor < before + writers.length * rounds * 2) {
              const page = yield* log.pull({
                workspace,
                after: cursor,
                chain: undefined,
                maxBytes: 2000,
                reader,
                own: "full",
              });
              pages.push(page);
              cursor = page.until;
              if (page.items.length === 0) yield* Effect.sleep(1);
            }
            yield* Fiber.join(writers_);
          }),
        );
        const seen = pages.flatMap(({ items }) => items.map(({ seq }) => seq));
        expect(seen).toEqual(seen.map((_, index) => before + 1 + index));
        const whole = await made.pull(made.owner, before, { maxBytes: 8 * 1024 * 1024 });
        const told = pages.flatMap(({ items }) =>
          items.flatMap((item) => (item.type === "entry" ? [entryHash(item.entry)] : [])),
        );
        expect(whole.items.map((item) => (item.type === "entry" ? entryHash(item.entry) : item.type))).toEqual(told);
        expect(pages.at(-1)?.chain).toBe(whole.chain);
      });

      test("a push to a workspace that is not there, or of entries of another", async () => {
        const elsewhere = await fresh();
        const { owner } = scene;
        const foreign = await subject.run(
          codeOf(scene.pushing(owner, [owner.device.author(), elsewhere.owner.device.author()])),
        );
        expect(foreign).toBe("wrong-workspace");
        owner.device.counter -= 1;
        const missing = makeRoot().workspace;
        const lost = new TestDevice(missing);
        const { grant } = owner.session;
        const push = Effect.flatMap(EntryLog, (log) =>
          log.push({ workspace: missing, grant, device: lost.device }, [lost.author()]),
        );
        expect(await subject.run(codeOf(push))).toBe("workspace-unknown");
      });
    });

    describe("relaying", () => {
      test("rule 5: what its author signed is taken from others, in the order of its author", async () => {
        const made = await fresh();
        const writer = await made.join("writer");
        const entries = [writer.device.author(), made.owner.device.author(), writer.device.author()];
        const { results } = await made.push(made.owner, entries);
        expect(statuses(results)).toEqual(["stored", "stored", "stored"]);
        const again = await made.push(
          writer,
          entries.filter(({ header }) => header.device === writer.device.device),
        );
        expect(statuses(again.results)).toEqual(["duplicate", "duplicate"]);
      });

      test("what its author did not sign is not", async () => {
        const made = await fresh();
        const writer = await made.join("writer");
        const forged = signEntry(made.owner.device.pair, { ...writer.device.defaults }, randomBytes(10));
        const mine = made.owner.device.author();
        const { results } = await made.push(made.owner, [forged, mine]);
        expect(results).toMatchObject([{ status: "refused", code: "signature" }, { status: "stored" }]);
      });

      test("an author that nobody admitted", async () => {
        const stranger = new TestDevice(scene.workspace);
        const { results } = await scene.push(scene.owner, [stranger.author()]);
        expect(results).toMatchObject([{ status: "refused", code: "not-a-member" }]);
      });

      test("rule 8: each device's longest valid prefix commits", async () => {
        const made = await fresh();
        const writer = await made.join("writer");
        const good = [writer.device.author(), writer.device.author()];
        const gap = writer.device.author({ counter: writer.device.counter + 2 });
        const { results } = await made.push(made.owner, [
          ...good,
          gap,
          made.owner.device.author(),
          writer.device.author(),
        ]);
        expect(statuses(results)).toEqual(["stored", "stored", "refused", "stored", "skipped"]);
      });
    });

    describe("what is refused, and how to go on", () => {
      test("rule 21: an old key epoch; rule 4: a void takes the counter", async () => {
        const made = await fresh();
        const { owner } = made;
        await made.store(owner, [
          owner.device.propose(await made.membershipHead(), [
            { type: "key-change", epoch: 2, keys: [], previous: nothing },
          ]),
        ]);
        const { results } = await made.push(owner, [owner.device.author({ epoch: 1 })]);
        expect(results).toMatchObject([{ status: "refused", code: "key-epoch", expected: 2 }]);
        owner.device.counter -= 1;
        await made.store(owner, [owner.device.author(voided, nothing), owner.device.author({ epoch: 2 })]);
        expect((await made.state()).keyEpoch).toBe(2);
      });

      test("rule 25: chunks that are not there, until they are", async () => {
        const { owner } = scene;
        const bytes = randomBytes(100);
        const hash = hashFromBytes(
          await crypto.subtle.digest("SHA-256", bytes).then((digest) => new Uint8Array(digest)),
        );
        const entry = owner.device.author({ refs: [hash] });
        const refused = await scene.push(owner, [entry]);
        expect(refused.results).toMatchObject([{ code: "refs-missing", missing: [hash] }]);
        await scene.upload(owner, bytes);
        expect(statuses((await scene.push(owner, [entry])).results)).toEqual(["stored"]);
      });

      test("rule 26: a snapshot of what was never here", async () => {
        const { owner } = scene;
        const { device, counter } = owner.device;
        const snapshot = (upTo: number) =>
          owner.device.author({ kind: EntryKind.snapshot, covers: [{ device, counter: upTo }] });
        const refused = await scene.push(owner, [snapshot(counter + 5)]);
        expect(refused.results).toMatchObject([{ code: "covers" }]);
        owner.device.counter -= 1;
        await scene.store(owner, [snapshot(counter)]);
        const stranger = new TestDevice(scene.workspace).device;
        const unknown = owner.device.author({ kind: EntryKind.snapshot, covers: [{ device: stranger, counter: 1 }] });
        expect((await scene.push(owner, [unknown])).results).toMatchObject([{ code: "covers" }]);
        owner.device.counter -= 1;
      });

      test("rule 27: a purged document, and that only an owner purges", async () => {
        const made = await fresh();
        const writer = await made.join("writer");
        const document = randomDocument();
        const purge = { kind: EntryKind.purge, document, epoch: 0 } as const;
        await made.store(writer, [writer.device.author({ document })]);
        expect((await made.push(writer, [writer.device.author(purge, nothing)])).results).toMatchObject([
          { code: "role" },
        ]);
        writer.device.counter -= 1;
        const { results } = await made.push(made.owner, [
          made.owner.device.author(purge, nothing),
          made.owner.device.author({ document }),
        ]);
        expect(results).toMatchObject([{ status: "stored" }, { code: "document-purged" }]);
        const late = await made.push(writer, [writer.device.author({ document })]);
        expect(late.results).toMatchObject([{ code: "document-purged" }]);
      });

      test("entries that break the rules of their kind", async () => {
        const { owner } = scene;
        const { device } = owner.device;
        const last = owner.device.counter;
        const broken = [
          owner.device.author({ document: NO_DOCUMENT }),
          owner.device.author({ covers: [{ device, counter: 1 }] }),
          owner.device.author(voided, randomBytes(1)),
          owner.device.author({ kind: EntryKind.purge, document: NO_DOCUMENT }, nothing),
          owner.device.author({ kind: EntryKind.membership, document: NO_DOCUMENT, epoch: 0 }, randomBytes(40)),
          owner.device.author({ kind: EntryKind.membership, epoch: 0 }, randomBytes(40)),
        ];
        for (const { header, payload } of broken) {
          const entry = signEntry(owner.device.pair, { ...header, counter: last + 1 }, payload);
          expect((await scene.push(owner, [entry])).results).toMatchObject([{ status: "refused", code: "invalid" }]);
        }
        owner.device.counter = last;
      });

      test("a kind of a later version is stored and passed on", async () => {
        const { owner } = scene;
        const later = owner.device.author({
          kind: 77,
          extensions: [{ type: 9, critical: true, bytes: randomBytes(3) }],
        });
        const [seq] = await scene.store(owner, [later]);
        const page = await scene.pull(owner, (seq ?? 0) - 1);
        expect(page.items.map((item) => item.type === "entry" && entryHash(item.entry))).toEqual([
          entryHash(later.bytes),
        ]);
      });

      test("Promise 8: a withdrawn grant, inside of the commit", async () => {
        const made = await fresh();
        const writer = await made.join("writer");
        await made.revokeGrant(writer);
        const before = await made.state();
        expect(await subject.run(codeOf(made.pushing(writer, [writer.device.author()])))).toBe("revoked");
        expect(await made.state()).toEqual(before);
      });

      test("Promise 9: a reader's entries, but for its admission and its leaving", async () => {
        const made = await fresh();
        const reader = await made.join("reader");
        expect(await subject.run(codeOf(made.pushing(reader, [reader.device.author()])))).toBe("read-only");
        reader.device.counter -= 1;
        const relayed = made.owner.device.author();
        expect(await subject.run(codeOf(made.pushing(reader, [relayed])))).toBe("read-only");
        // Not even when an owner passes it on.
        const { results } = await made.push(made.owner, [relayed, reader.device.author()]);
        expect(results).toMatchObject([{ status: "stored" }, { code: "role" }]);
        reader.device.counter -= 1;
        const { device } = reader.device;
        const leaving = reader.device.propose(await made.membershipHead(), [
          { type: "revoke-device", device, to: reader.device.counter + 1 },
        ]);
        await made.store(reader, [leaving]);
        expect(await subject.run(codeOf(made.pushing(reader, [reader.device.author(voided, nothing)])))).toBe(
          "revoked",
        );
      });
    });

    describe("pages", () => {
      test("are bounded by bytes, hold one entry at least, and follow on each other", async () => {
        const made = await fresh();
        const reader = await made.join("reader");
        for (const size of [10, 5000, 10, 10, 5000, 10])
          await made.store(made.owner, [made.owner.device.author({}, randomBytes(size))]);
        const { head, chain } = await made.state();
        let cursor = 0;
        let last: Page | undefined;
        while (cursor < head) {
          const page: Page = await made.pull(reader, cursor, { maxBytes: 1000, chain: last?.chain });
          const bytes = page.items.reduce((sum, item) => sum + (item.type === "entry" ? item.entry.length : 0), 0);
          expect(page.items.length === 1 || bytes <= 1000).toBe(true);
          expect(page.after).toBe(cursor);
          expect(page.until).toBeGreaterThan(cursor);
          cursor = page.until;
          last = page;
        }
        expect(last?.chain).toBe(chain);
        expect(await made.pull(reader, head)).toEqual({ after: head, until: head, head, chain, items: [] });
      });

      test("name the reader's own entries, or bring them in full", async () => {
        const made = await fresh();
        const entry = made.owner.device.author();
        await made.store(made.owner, [entry]);
        const { device, counter } = entry.header;
        const brief = await made.pull(made.owner, 1, { own: "brief" });
        expect(brief.items).toEqual([{ type: "own", seq: 2, device, counter, hash: entryHash(entry.bytes) }]);
        const full = await made.pull(made.owner, 1, { own: "full" });
        expect(full.items).toMatchObject([{ type: "entry", seq: 2 }]);
      });

      test("rule 11: another history, or a cursor beyond the head, is diverged", async () => {
        const made = await fresh();
        const other = hashFromBytes(randomBytes(32));
        const pull = (after: number, chain?: typeof other) =>
          subject.run(
            codeOf(
              Effect.flatMap(EntryLog, (log) =>
                log.pull({
                  workspace: made.workspace,
                  after,
                  chain,
                  maxBytes: 1000,
                  reader: made.owner.device.device,
                  own: "full",
                }),
              ),
            ),
          );
        const { chain } = await made.state();
        expect(await pull(1, chain)).toBe("success");
        expect(await pull(0, emptyLogChain(made.workspace))).toBe("success");
        expect(await pull(1, other)).toBe("diverged");
        expect(await pull(0, other)).toBe("diverged");
        expect(await pull(2)).toBe("diverged");
      });

      test("rule 12: a device is told its own last entry", async () => {
        const made = await fresh();
        const entry = made.owner.device.author();
        await made.store(made.owner, [entry]);
        const { chain } = await made.state();
        const standing = await subject.run(
          Effect.flatMap(EntryLog, (log) =>
            log.standing(made.workspace, made.owner.device.device, { cursor: 2, chain }),
          ),
        );
        expect(standing).toMatchObject({
          head: 2,
          chain,
          last: 2,
          lastHash: entryHash(entry.bytes),
          diverged: false,
          keyEpoch: 1,
        });
      });
    });
  });
};
