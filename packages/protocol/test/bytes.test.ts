import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { ByteReader, ByteWriter, compareBytes, concatBytes, equalBytes, MalformedBytes } from "@cairn/protocol";
import { count } from "./arbitraries.ts";
import { isRefused } from "./refusal.ts";

const varint = (value: number): Uint8Array => new ByteWriter().varint(value).finish();

describe("varints", () => {
  it("have one form for each number up to 2^53 - 1", () => {
    fc.assert(
      fc.property(count, (value) => {
        const bytes = varint(value);
        expect(new ByteReader(bytes).varint()).toBe(value);
        expect(bytes.length).toBe(Math.max(1, Math.ceil(value.toString(2).length / 7)));
      }),
    );
    expect([...varint(300)]).toEqual([0xac, 0x02]);
  });

  it("are refused in a longer form, above the format's bound, and above the caller's", () => {
    const longer = [[0x80, 0x00], [0x81, 0x80, 0x00], Array.from({ length: 9 }, (_, index) => (index < 8 ? 0x80 : 1))];
    for (const bytes of longer) expect(isRefused(() => new ByteReader(Uint8Array.from(bytes)).varint())).toBe(true);
    const tooLarge = Uint8Array.of(0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x10);
    expect(isRefused(() => new ByteReader(tooLarge).varint())).toBe(true);
    expect(new ByteReader(varint(100)).varint(100)).toBe(100);
    expect(isRefused(() => new ByteReader(varint(101)).varint(100))).toBe(true);
  });

  it("read whatever bytes there are to a number or a refusal, and write it back the same", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 10 }), (bytes) => {
        const reader = new ByteReader(bytes);
        fc.pre(!isRefused(() => new ByteReader(bytes).varint()));
        const value = reader.varint();
        expect(varint(value)).toEqual(bytes.subarray(0, reader.offset));
      }),
      { numRuns: 500 },
    );
  });
});

describe("writing", () => {
  it("refuses numbers that the format cannot hold", () => {
    for (const value of [-1, 1.5, Number.NaN, Number.POSITIVE_INFINITY, 2 ** 53]) {
      expect(() => new ByteWriter().varint(value)).toThrow(RangeError);
      expect(() => new ByteWriter().u64(value)).toThrow(RangeError);
      expect(() => new ByteWriter().u8(value)).toThrow(RangeError);
    }
    expect(() => new ByteWriter().u8(256)).toThrow(RangeError);
  });

  it("grows as needed", () => {
    const writer = new ByteWriter(1);
    for (let index = 0; index < 1_000; index += 1) writer.u8(index % 256);
    expect(writer.finish()).toEqual(Uint8Array.from({ length: 1_000 }, (_, index) => index % 256));
  });
});

describe("reading", () => {
  it("never goes past the end, and says where it stopped", () => {
    const reader = new ByteReader(Uint8Array.of(1, 2, 3));
    reader.u8();
    expect(() => reader.raw(3)).toThrow(new MalformedBytes({ reason: "ends too early", offset: 1 }));
    expect(() => reader.u64()).toThrow(MalformedBytes);
    expect(() => reader.end()).toThrow(MalformedBytes);
    reader.raw(2);
    reader.end();
    expect(() => reader.u8()).toThrow(MalformedBytes);
  });

  it("reads text and 64-bit numbers back", () => {
    fc.assert(
      fc.property(fc.string({ unit: "grapheme", maxLength: 50 }), count, (text, value) => {
        const reader = new ByteReader(new ByteWriter().text(text).u64(value).finish());
        expect(reader.text(1_000)).toBe(text);
        expect(reader.u64()).toBe(value);
        reader.end();
      }),
    );
    expect(isRefused(() => new ByteReader(Uint8Array.of(1, 0xff)).text(10))).toBe(true);
    expect(isRefused(() => new ByteReader(new Uint8Array(8).fill(0xff)).u64())).toBe(true);
    expect(new ByteReader(Uint8Array.of(4, 0xef, 0xbb, 0xbf, 0x61)).text(10)).toBe("\uFEFFa");
  });

  it("reads views into larger buffers", () => {
    const view = new Uint8Array([9, 0, 0, 0, 0, 0, 0, 0, 5, 9]).subarray(1, 9);
    expect(new ByteReader(view).u64()).toBe(5);
  });
});

it("byte strings are ordered, the shorter first where one begins the other", () => {
  const inOrder = [[], [0], [0, 0], [0, 1], [1], [255]].map((bytes) => Uint8Array.from(bytes));
  expect(inOrder.toReversed().toSorted(compareBytes)).toEqual(inOrder);
  expect(equalBytes(Uint8Array.of(1, 2), Uint8Array.of(1, 2))).toBe(true);
  expect(equalBytes(Uint8Array.of(1), Uint8Array.of(1, 0))).toBe(false);
  expect(concatBytes(Uint8Array.of(1), Uint8Array.of(), Uint8Array.of(2, 3))).toEqual(Uint8Array.of(1, 2, 3));
});
