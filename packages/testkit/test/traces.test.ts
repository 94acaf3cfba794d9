import fc from "fast-check";
import { LoroDoc, type PeerID } from "loro-crdt";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { describe, expect, test } from "vitest";

import {
  type ConcurrentTrace,
  InvalidTrace,
  applyToCodePoints,
  applyTransaction,
  codePointLength,
  generateConcurrent,
  generateSequential,
  loadTrace,
  operationsIn,
  parentsVersions,
  parseTrace,
  replayConcurrent,
  replaySequential,
  seededRandom,
  shortSessionFile,
  xoshiro128,
} from "../src/traces/index.ts";

const hasAstral = (text: string): boolean => codePointLength(text) !== text.length;

describe("positions in code points", () => {
  test("patches on a LoroText do what they do on an array of code points", () => {
    const content = fc.string({ unit: fc.constantFrom("a", "é", "石", "😀", "👩‍🚀"), maxLength: 12 });
    const edits = fc.array(fc.tuple(fc.nat(), fc.nat(4), content), { maxLength: 30 });
    fc.assert(
      fc.property(content, edits, (start, wanted) => {
        const doc = new LoroDoc();
        const text = doc.getText("text");
        text.insert(0, start);
        const codePoints = Array.from(start);
        for (const [at, cut, inserted] of wanted) {
          const position = at % (codePoints.length + 1);
          const deleted = Math.min(cut, codePoints.length - position);
          const before = doc.opCount();
          applyTransaction(text, { patches: [[position, deleted, inserted]] });
          doc.commit();
          applyToCodePoints(codePoints, [[position, deleted, inserted]]);
          expect(text.toString()).toBe(codePoints.join(""));
          // A counter moves by one for every deleted and every inserted code point.
          expect(doc.opCount() - before).toBe(operationsIn({ patches: [[position, deleted, inserted]] }));
        }
      }),
      { seed: 20_264 },
    );
  });

  test("length counts pairs once and lone surrogates too", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary" }), (text) => {
        expect(codePointLength(text)).toBe(Array.from(text).length);
      }),
      { seed: 20_265 },
    );
    expect(codePointLength("\ud800\ud83d\ude00\ude00")).toBe(3);
  });

  test("a position outside the text is refused", () => {
    const text = new LoroDoc().getText("text");
    text.insert(0, "😀");
    expect(() => applyTransaction(text, { patches: [[2, 0, "x"]] })).toThrow(InvalidTrace);
    expect(() => applyTransaction(text, { patches: [[0, 2, ""]] })).toThrow(InvalidTrace);
    expect(text.toString()).toBe("😀");
  });
});

describe("random numbers", () => {
  test("are those of xoshiro128** and the same for equal seeds", () => {
    const next = xoshiro128([1, 2, 3, 4]);
    expect([next(), next(), next(), next(), next(), next()]).toEqual([
      11_520, 0, 5_927_040, 70_819_200, 2_031_721_883, 1_637_235_492,
    ]);
    const draw = (seed: number) => Array.from({ length: 5 }, seededRandom(seed).next);
    expect(draw(1)).toEqual(draw(1));
    expect(draw(1)).not.toEqual(draw(2));
  });
});

describe("files", () => {
  test("the short session was recorded truly: typed and corrected, with emoji", async () => {
    const trace = await loadTrace(shortSessionFile);
    if (trace.kind !== "sequential") throw new Error("the short session has one author");
    expect(trace.txns.length).toBeGreaterThan(280);
    expect(trace.txns.filter(({ patches }) => patches.some(([, deleted]) => deleted > 0)).length).toBeGreaterThan(10);
    expect(hasAstral(trace.endContent)).toBe(true);
    expect(replaySequential(trace)).toBe(trace.endContent);
  });

  test("gzipped or not, both kinds; what is no trace is refused", async () => {
    const folder = await mkdtemp(join(tmpdir(), "cairn-traces-"));
    try {
      const write = async (name: string, bytes: string | Uint8Array): Promise<string> => {
        await writeFile(join(folder, name), bytes);
        return join(folder, name);
      };
      const concurrent = generateConcurrent({ seed: 3, agents: 2, transactions: 20 });
      const { kind: _kind, ...sequential } = generateSequential({ seed: 3, transactions: 20 });
      expect(await loadTrace(await write("c.json.gz", gzipSync(JSON.stringify(concurrent))))).toEqual(concurrent);
      expect(await loadTrace(await write("s.json", JSON.stringify(sequential)))).toEqual({
        kind: "sequential",
        ...sequential,
      });
      for (const rubbish of ["", "{", "[]", '{"kind":"concurrent"}', Uint8Array.of(0x1f, 0x8b, 0)]) {
        const path = await write("rubbish", rubbish);
        await expect(loadTrace(path)).rejects.toBeInstanceOf(InvalidTrace);
      }
    } finally {
      await rm(folder, { recursive: true });
    }
  });

  test("numbers that are no counts are refused", () => {
    const trace = (patch: unknown) => ({ startContent: "", endContent: "", txns: [{ time: "", patches: [patch] }] });
    expect(parseTrace(trace([0, 0, "x"])).kind).toBe("sequential");
    for (const patch of [
      [-1, 0, ""],
      [0.5, 0, ""],
      [0, 0],
      [0, 0, 1],
      [2 ** 40, 0, ""],
    ]) {
      expect(() => parseTrace(trace(patch))).toThrow(InvalidTrace);
    }
  });
});

describe("generated sequential sessions", () => {
  test("are true, seeded, and hold code points beyond U+FFFF", () => {
    for (let seed = 1; seed <= 10; seed += 1) {
      const trace = generateSequential({ seed, transactions: 300 });
      expect(trace).toEqual(generateSequential({ seed, transactions: 300 }));
      expect(trace.txns).toHaveLength(300);
      expect(replaySequential(trace)).toBe(trace.endContent);
      expect(hasAstral(trace.startContent + JSON.stringify(trace.txns))).toBe(true);
    }
    expect(generateSequential({ seed: 1, transactions: 50 })).not.toEqual(
      generateSequential({ seed: 2, transactions: 50 }),
    );
  });
});

describe("generated concurrent sessions", () => {
  const traces = [2, 3, 4].flatMap((agents) =>
    [1, 2, 3, 4].map((seed) => generateConcurrent({ seed, agents, transactions: 120 })),
  );

  test("replay to their end content, exactly by their parents, whatever the peer ids are", () => {
    const otherPeers: ReadonlyArray<PeerID> = ["99", "7", "50", "3"];
    for (const trace of traces) {
      expect(replayConcurrent(trace)).toBe(trace.endContent);
      expect(replayConcurrent(trace, otherPeers.slice(0, trace.numAgents))).toBe(trace.endContent);
    }
  });

  test("are seeded, concurrent, merge, and hold code points beyond U+FFFF", () => {
    expect(generateConcurrent({ seed: 1, agents: 2, transactions: 120 })).toEqual(traces[0]);
    for (const trace of traces) {
      expect(trace.txns).toHaveLength(120);
      expect(new Set(trace.txns.map((transaction) => transaction.agent)).size).toBe(trace.numAgents);
      expect(trace.txns.some((transaction) => transaction.parents.length > 1)).toBe(true);
      expect(trace.txns.some((transaction) => transaction.numChildren > 1)).toBe(true);
      expect(hasAstral(JSON.stringify(trace.txns))).toBe(true);
      expect(parseTrace(JSON.parse(JSON.stringify(trace)))).toEqual(trace);
    }
  });

  test("parents' versions are the unions of what the parents hold", () => {
    for (const trace of traces.slice(0, 6)) {
      const versions = parentsVersions(trace);
      trace.txns.forEach((transaction, index) => {
        const ancestors = new Set<number>();
        const visit = (each: number): void => {
          if (ancestors.has(each)) return;
          ancestors.add(each);
          trace.txns[each]?.parents.forEach(visit);
        };
        transaction.parents.forEach(visit);
        const expected = Array.from({ length: trace.numAgents }, () => 0);
        for (const each of ancestors) {
          const ancestor = trace.txns[each];
          if (ancestor === undefined) continue;
          expected[ancestor.agent] = (expected[ancestor.agent] ?? 0) + operationsIn(ancestor);
        }
        expect([...versions.before(index)]).toEqual(expected);
        expected[transaction.agent] = (expected[transaction.agent] ?? 0) + operationsIn(transaction);
        expect([...versions.after(index)]).toEqual(expected);
      });
    }
  });

  test("a history that cannot be replayed is refused", () => {
    const transaction = (agent: number, parents: Array<number>) => ({
      agent,
      parents,
      numChildren: 0,
      time: "",
      patches: [[0, 0, "x"] as const],
    });
    const trace = (...txns: ConcurrentTrace["txns"]): ConcurrentTrace => ({
      kind: "concurrent",
      endContent: "",
      numAgents: 2,
      txns,
    });
    expect(() => parentsVersions(trace(transaction(0, []), transaction(0, [])))).toThrow(/own earlier work/);
    expect(() => parentsVersions(trace(transaction(0, [0])))).toThrow(/not an earlier one/);
    expect(() => parentsVersions(trace(transaction(2, [])))).toThrow(/no agent 2/);
  });
});
