import { deviceIdFromBytes, documentIdFromBytes, hashFromBytes } from "@cairn/protocol";
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  backoffMillis,
  compareVersions,
  DEFAULT_BACKOFF,
  documentsToFreeze,
  judgeIdentity,
  takeBatch,
  takeUpdates,
} from "../src/index.ts";

const documentOf = (value: number) => documentIdFromBytes(new Uint8Array(16).fill(value));
const deviceOf = (value: number) => deviceIdFromBytes(new Uint8Array(16).fill(value));

describe("sending", () => {
  it("rule 6, hazard 15: a document with an entry under way waits, and holds up no other", () => {
    const pending = [1, 2, 3].map((value) => ({ document: documentOf(value), oldest: 10 - value }));
    expect(documentsToFreeze(pending, new Set([documentOf(2)]), 10)).toEqual([documentOf(3), documentOf(1)]);
    expect(documentsToFreeze(pending, new Set(), 1)).toEqual([documentOf(3)]);
  });

  it("a batch is the longest prefix that fits, and never empty where something waits", () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: 500 })), fc.integer({ min: 1, max: 5 }), (sizes, entries) => {
        const waiting = sizes.map((size) => ({ entry: new Uint8Array(size) }));
        const batch = takeBatch(waiting, { entries, bytes: 1000 });
        expect(batch).toEqual(waiting.slice(0, batch.length));
        expect(batch.length > 0).toBe(waiting.length > 0);
        expect(batch.length).toBeLessThanOrEqual(entries);
      }),
    );
  });

  it("an entry takes the longest run of updates that fits, in bytes and in chunks, and never none", () => {
    const sized = fc.array(
      fc.record({ size: fc.integer({ min: 0, max: 300 }), chunks: fc.integer({ min: 0, max: 9 }) }),
    );
    fc.assert(
      fc.property(sized, (sizes) => {
        const updates = sizes.map(({ size, chunks }) => ({
          update: new Uint8Array(size),
          refs: Array.from({ length: chunks }),
        }));
        const run = takeUpdates(updates, { bytes: 500, refs: 10 });
        const fits = (items: typeof updates) =>
          items.reduce((sum, { update }) => sum + update.length, 0) <= 500 &&
          items.reduce((sum, { refs }) => sum + refs.length, 0) <= 10;
        expect(run).toEqual(updates.slice(0, run.length));
        expect(run.length > 0).toBe(updates.length > 0);
        expect(run.length <= 1 || fits([...run])).toBe(true);
        if (run.length < updates.length) expect(fits(updates.slice(0, run.length + 1))).toBe(false);
      }),
    );
  });
});

describe("backing off", () => {
  it("hazard 22: waits within the doubled bound, above Retry-After, below the ceiling", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 100 }),
        fc.double({ min: 0, max: 0.999, noNaN: true }),
        (attempt, random) => {
          const wait = backoffMillis(attempt, random);
          expect(wait).toBeGreaterThanOrEqual(0);
          expect(wait).toBeLessThanOrEqual(
            Math.min(DEFAULT_BACKOFF.ceilingMillis, DEFAULT_BACKOFF.baseMillis * 2 ** (attempt - 1)),
          );
          expect(backoffMillis(attempt, random, DEFAULT_BACKOFF, 7)).toBeGreaterThanOrEqual(7000);
        },
      ),
    );
  });
});

describe("comparing logs", () => {
  it("Promise 13: says what only we have and what only they have", () => {
    const ours = new Map([
      [deviceOf(1), 5],
      [deviceOf(2), 3],
    ]);
    const theirs = [
      { device: deviceOf(1), last: 2 },
      { device: deviceOf(3), last: 4 },
    ];
    expect(compareVersions(ours, theirs)).toEqual({
      supply: [
        { device: deviceOf(1), from: 3, to: 5 },
        { device: deviceOf(2), from: 1, to: 3 },
      ],
      lack: [{ device: deviceOf(3), from: 1, to: 4 }],
    });
  });

  it("rule 12: a server that is ahead of the store, or remembers another entry, shows a copied profile", () => {
    const hash = hashFromBytes(new Uint8Array(32).fill(1));
    const other = hashFromBytes(new Uint8Array(32).fill(2));
    const ours = { last: 5, hashAt: () => hash };
    expect(judgeIdentity({ last: 0, hash: undefined }, ours)).toBe("same");
    expect(judgeIdentity({ last: 5, hash }, ours)).toBe("same");
    expect(judgeIdentity({ last: 3, hash }, ours)).toBe("same");
    expect(judgeIdentity({ last: 6, hash }, ours)).toBe("cloned");
    expect(judgeIdentity({ last: 5, hash: other }, ours)).toBe("cloned");
  });
});
