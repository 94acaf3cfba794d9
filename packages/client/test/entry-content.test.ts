/** What is inside an entry: comes back as it was, in one form, with what later versions add passed over. */
import { ByteWriter, HASH_BYTES, hashFromBytes, MalformedBytes } from "@cairn/protocol";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  decodeContent,
  encodeContent,
  type EntryContent,
  MARK_BYTES,
  MAX_NAMED_EDITS,
} from "../src/engine/entry-content.ts";

const bytes = (length: number) => fc.uint8Array({ minLength: length, maxLength: length });
const content: fc.Arbitrary<EntryContent> = fc.record(
  {
    type: fc.string({ maxLength: 20 }).map((text) => text.toWellFormed()),
    time: fc.nat(),
    updates: fc.array(fc.uint8Array({ maxLength: 20 }), { maxLength: 4 }),
    mark: fc.record({ version: bytes(MARK_BYTES), state: bytes(MARK_BYTES) }),
    madeAnew: fc.array(
      fc.record({ firstForm: bytes(HASH_BYTES).map(hashFromBytes), end: fc.nat({ max: 0x7fff_ffff }) }),
      { minLength: 1, maxLength: 4 },
    ),
    appliedAgain: fc.array(bytes(HASH_BYTES).map(hashFromBytes), { minLength: 1, maxLength: 4 }),
  },
  { requiredKeys: ["type", "time", "updates"] },
);
const plain: EntryContent = { type: "note", time: 7, updates: [Uint8Array.of(1, 2)] };
const firstForm = hashFromBytes(new Uint8Array(HASH_BYTES).fill(9));

describe("the content of an entry", () => {
  test("comes back (property)", () => {
    fc.assert(
      fc.property(content, (given) => {
        expect(decodeContent(encodeContent(given))).toEqual(given);
      }),
    );
  });

  test("has these bytes: tag 2 names edits made anew", () => {
    const encoded = encodeContent({ ...plain, madeAnew: [{ firstForm, end: 300 }] });
    const expected = ["01", "046e6f7465", "0000000000000007", "01", "020102", "02", "22", "09".repeat(32), "ac02"];
    expect(Buffer.from(encoded).toString("hex")).toBe(expected.join(""));
  });

  test("has these bytes: tag 3 names edits applied again", () => {
    const encoded = encodeContent({ ...plain, appliedAgain: [firstForm, firstForm] });
    const expected = ["01", "046e6f7465", "0000000000000007", "01", "020102", "03", "40", "09".repeat(64)];
    expect(Buffer.from(encoded).toString("hex")).toBe(expected.join(""));
  });

  test("names the newest of too many edits, and refuses more of them than an entry can name", () => {
    const many = Array.from({ length: MAX_NAMED_EDITS + 2 }, (_, end) => ({ firstForm, end }));
    const named = decodeContent(encodeContent({ ...plain, madeAnew: many })).madeAnew;
    expect(named).toEqual(many.slice(2));
    const part = new ByteWriter();
    for (const { end } of many) part.raw(new Uint8Array(HASH_BYTES)).varint(end);
    const forged = new ByteWriter().raw(encodeContent(plain)).varint(2).bytes(part.finish()).finish();
    expect(() => decodeContent(forged)).toThrow(MalformedBytes);

    const forms = many.map(({ end }) => hashFromBytes(new Uint8Array(HASH_BYTES).fill(end % 256)));
    expect(decodeContent(encodeContent({ ...plain, appliedAgain: forms })).appliedAgain).toEqual(forms.slice(2));
    const tooMany = new Uint8Array(forms.length * HASH_BYTES);
    const forgedForms = new ByteWriter().raw(encodeContent(plain)).varint(3).bytes(tooMany).finish();
    expect(() => decodeContent(forgedForms)).toThrow(MalformedBytes);
  });

  test("passes over parts that later versions add, and refuses parts out of order", () => {
    const known = encodeContent({ ...plain, madeAnew: [{ firstForm, end: 1 }] });
    const later = new ByteWriter().raw(known).varint(77).bytes(Uint8Array.of(5)).finish();
    expect(decodeContent(later)).toEqual(decodeContent(known));
    const again = new ByteWriter().raw(known).varint(2).bytes(new Uint8Array()).finish();
    expect(() => decodeContent(again)).toThrow(MalformedBytes);
  });

  test("refuses what is cut off, and a mark of another length", () => {
    const mark = { version: new Uint8Array(MARK_BYTES).fill(1), state: new Uint8Array(MARK_BYTES).fill(2) };
    const marked = encodeContent({ ...plain, mark });
    const forged = [
      marked.slice(0, -1),
      new ByteWriter().raw(marked).varint(1).bytes(new Uint8Array()).finish(),
      new ByteWriter().raw(encodeContent(plain)).varint(1).bytes(Uint8Array.of(0)).finish(),
    ];
    for (const bytes of forged) expect(() => decodeContent(bytes)).toThrow(MalformedBytes);
  });
});
