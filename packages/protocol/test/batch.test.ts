import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  assembleEntry,
  decodeBatch,
  decodePage,
  encodeBatch,
  encodePage,
  hashFromBytes,
  LIMITS,
  MalformedBytes,
} from "@cairn/protocol";
import { damaged, entryHeader, page, signature } from "./arbitraries.ts";
import { decodedOrRefused, isRefused } from "./refusal.ts";

const batch = fc
  .array(
    fc
      .tuple(entryHeader, fc.uint8Array({ maxLength: 60 }), signature)
      .map(([header, payload, signed]) => assembleEntry(header, payload, signed).bytes),
    { maxLength: 4 },
  )
  .map((entries) => ({ entries, bytes: encodeBatch(entries) }));

describe("a batch", () => {
  it("comes back entry by entry, each byte for byte", () => {
    fc.assert(
      fc.property(batch, ({ entries, bytes }) => {
        expect(decodeBatch(bytes).map((entry) => entry.bytes)).toEqual(entries);
      }),
    );
  });

  it("has one encoding, and is refused whole where any of it is wrong (rule 8)", () => {
    fc.assert(
      fc.property(
        batch.chain(({ bytes }) => damaged(bytes)),
        (bytes) => {
          const decoded = decodedOrRefused(() => decodeBatch(bytes));
          fc.pre(!(decoded instanceof MalformedBytes));
          expect(encodeBatch(decoded.map((entry) => entry.bytes))).toEqual(bytes);
        },
      ),
      { numRuns: 500 },
    );
    fc.assert(
      fc.property(batch, ({ bytes }) => {
        for (let length = 0; length < bytes.length; length += 1)
          expect(isRefused(() => decodeBatch(bytes.subarray(0, length)))).toBe(true);
      }),
      { numRuns: 10 },
    );
  });

  it("has bounds on both sides", () => {
    const many = Array.from({ length: LIMITS.batchEntries + 1 }, () => Uint8Array.of(1));
    expect(() => encodeBatch(many)).toThrow(RangeError);
    expect(() => encodeBatch([new Uint8Array(LIMITS.batchBytes)])).toThrow(RangeError);
    expect(isRefused(() => decodeBatch(new Uint8Array(LIMITS.batchBytes + 1)))).toBe(true);
    expect(isRefused(() => decodeBatch(Uint8Array.of(0x43, 0x42, 1, 0xf5, 0x03)))).toBe(true);
    expect(isRefused(() => decodeBatch(Uint8Array.of(0x43, 0x42, 2, 0)))).toBe(true);
    expect(decodeBatch(Uint8Array.of(0x43, 0x42, 1, 0))).toEqual([]);
  });
});

describe("a page", () => {
  it("comes back, and has one encoding", () => {
    fc.assert(
      fc.property(page, (value) => {
        expect(decodePage(encodePage(value))).toEqual(value);
      }),
    );
    fc.assert(
      fc.property(
        page.chain((value) => damaged(encodePage(value))),
        (bytes) => {
          const decoded = decodedOrRefused(() => decodePage(bytes));
          fc.pre(!(decoded instanceof MalformedBytes));
          expect(encodePage(decoded)).toEqual(bytes);
        },
      ),
      { numRuns: 500 },
    );
    fc.assert(
      fc.property(page, (value) => {
        const bytes = encodePage(value);
        for (let length = 0; length < bytes.length; length += 1)
          expect(isRefused(() => decodePage(bytes.subarray(0, length)))).toBe(true);
      }),
      { numRuns: 10 },
    );
  });

  it("leaves no gap between the cursor before and after it (Promise 3)", () => {
    const chain = hashFromBytes(new Uint8Array(32));
    const entry = (seq: number) => ({ type: "entry", seq, entry: Uint8Array.of(1) }) as const;
    const skipped = (seq: number, until: number) => ({ type: "skipped", seq, until, chain }) as const;
    const base = { after: 4, until: 6, head: 6, chain };
    expect(decodePage(encodePage({ ...base, items: [entry(5), entry(6)] })).until).toBe(6);
    const wrong = [
      { ...base, items: [entry(5)] },
      { ...base, items: [entry(6)] },
      { ...base, items: [entry(5), entry(7)] },
      { ...base, items: [entry(5), entry(5), entry(6)] },
      { ...base, items: [entry(6), entry(5)] },
      { ...base, items: [entry(5), entry(6), entry(7)] },
      { ...base, items: [skipped(5, 4), entry(6)] },
      { ...base, items: [skipped(5, 7)] },
      { ...base, until: 3, items: [] },
      { ...base, head: 5, items: [entry(5), entry(6)] },
    ];
    for (const value of wrong) expect(isRefused(() => decodePage(encodePage(value)))).toBe(true);
  });

  it("has bounds", () => {
    expect(isRefused(() => decodePage(new Uint8Array(LIMITS.frameBytes + 1)))).toBe(true);
    const chain = hashFromBytes(new Uint8Array(32));
    const items = Array.from({ length: LIMITS.pageItems + 1 }, (_, index) => ({
      type: "entry" as const,
      seq: index + 1,
      entry: new Uint8Array(),
    }));
    const value = { after: 0, until: items.length, head: items.length, chain, items };
    expect(isRefused(() => decodePage(encodePage(value)))).toBe(true);
  });
});
