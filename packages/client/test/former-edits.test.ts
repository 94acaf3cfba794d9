/** What an update applies again, as it was: comes back from its bytes, and from no others. */
import { HASH_BYTES, hashFromBytes, MalformedBytes } from "@cairn/protocol";
import fc from "fast-check";
import { expect, test } from "vitest";
import { decodeFormerEdits, encodeFormerEdits } from "../src/engine/former-edits.ts";

const edits = fc.array(
  fc.record({
    update: fc.uint8Array({ maxLength: 20 }),
    time: fc.nat(),
    firstForms: fc.array(fc.uint8Array({ minLength: HASH_BYTES, maxLength: HASH_BYTES }).map(hashFromBytes), {
      maxLength: 3,
    }),
  }),
  { maxLength: 4 },
);

test("former edits come back (property)", () => {
  fc.assert(
    fc.property(fc.record({ givenUp: edits, later: edits }), (former) => {
      expect(decodeFormerEdits(encodeFormerEdits(former))).toEqual(former);
    }),
  );
});

test("bytes that are cut off, too long, or of another format are refused", () => {
  const one = { update: Uint8Array.of(1, 2), time: 5, firstForms: [hashFromBytes(new Uint8Array(HASH_BYTES).fill(9))] };
  const bytes = encodeFormerEdits({ givenUp: [one], later: [one, one] });
  for (let length = 0; length < bytes.length; length += 1)
    expect(() => decodeFormerEdits(bytes.slice(0, length))).toThrow(MalformedBytes);
  expect(() => decodeFormerEdits(Uint8Array.of(...bytes, 0))).toThrow(MalformedBytes);
  expect(() => decodeFormerEdits(Uint8Array.of(2, ...bytes.slice(1)))).toThrow(MalformedBytes);
});
