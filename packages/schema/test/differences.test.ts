/** Differences of sequences and texts: what merges of views stand on. */
import fc from "fast-check";
import { Schema } from "effect";
import { LoroDoc } from "loro-crdt";
import { describe, expect, test } from "vitest";

import { defineDocument, defineSchema, editDocument, evolveSchema, field, readDocument } from "@cairn/schema";
import { commonItems } from "../src/evolution/common-items.ts";
import { differenceOf, replaceAll } from "../src/evolution/text-difference.ts";

/** Numbers that a seed decides. */
const numbers = (seed: number) => (below: number) => {
  seed = (Math.imul(seed, 1_103_515_245) + 12_345) >>> 0;
  return (seed >>> 8) % below;
};

const lengthOfLongest = (before: ReadonlyArray<string>, after: ReadonlyArray<string>): number => {
  let row = after.map(() => 0);
  for (const item of before) {
    const next: Array<number> = [];
    for (const [column, other] of after.entries()) {
      next.push(item === other ? (row[column - 1] ?? 0) + 1 : Math.max(row[column] ?? 0, next[column - 1] ?? 0));
    }
    row = next;
  }
  return row.at(-1) ?? 0;
};

const isCommon = (
  before: ReadonlyArray<string>,
  after: ReadonlyArray<string>,
): ReadonlyArray<readonly [number, number]> => {
  const pairs = commonItems(before, after);
  let [from, to] = [-1, -1];
  for (const [index, other] of pairs) {
    expect(before[index]).toBe(after[other]);
    expect(index > from && other > to).toBe(true);
    [from, to] = [index, other];
  }
  return pairs;
};

describe("what two sequences have in common", () => {
  test("is the longest, of short ones", () => {
    const items = fc.array(fc.constantFrom("a", "b", "c", "d"), { maxLength: 12 });
    fc.assert(
      fc.property(items, items, (before, after) => {
        expect(isCommon(before, after)).toHaveLength(lengthOfLongest(before, after));
      }),
    );
  });

  test.each([
    ["all different", (index: number) => `item ${index}`, 4_990],
    ["many alike", (index: number) => `item ${index % 7}`, 3_500],
    ["all alike", () => "item", 4_990],
  ])("is most of thousands of items, %s, of which some went away at both ends and in the middle", (_, item, least) => {
    const before = Array.from({ length: 5_000 }, (__, index) => item(index));
    const after = before.filter((__, index) => ![0, 1, 2_500, 4_998, 4_999].includes(index));
    expect(isCommon(before, ["first", ...after, "last"]).length).toBeGreaterThanOrEqual(least);
  });

  test("is found in many long sequences that were mixed up", () => {
    const random = numbers(7);
    for (const kinds of [3, 50, 4_000]) {
      const [before, after] = [0, 1].map(() => Array.from({ length: 4_000 }, () => `${random(kinds)}`));
      expect(isCommon(before ?? [], after ?? []).length).toBeGreaterThan(0);
    }
  });
});

describe("the difference of two texts", () => {
  test("makes one of the other, and cuts no code point", () => {
    const piece = fc.constantFrom("a", "b", " ", "\n", "word", "naïve", "e\u0301", "👍", "👍🏽", ".", "\r\n");
    const text = fc.array(piece, { maxLength: 30 }).map((pieces) => pieces.join(""));
    fc.assert(
      fc.property(text, text, (before, after) => {
        const replacements = differenceOf(before, after);
        expect(replaceAll(before, replacements)).toBe(after);
        for (const { start, end, insert } of replacements) {
          expect(before.slice(start, end).isWellFormed() && insert.isWellFormed()).toBe(true);
        }
      }),
    );
  });

  test("is by words, and letters where a word changed", () => {
    expect(differenceOf("one two three\nfour", "one 2 three\nfours")).toEqual([
      { start: 4, end: 7, insert: "2" },
      { start: 18, end: 18, insert: "s" },
    ]);
  });

  test.each([
    ["我们明天早上去山里走路", "我们后天晚上去海边走路"],
    ["ぼくはきのうやまへいった", "ぼくはあしたうみへいく"],
    ["ฉันไปตลาดเช้านี้", "เธอไปบ้านเย็นนี้"],
  ])("is by letters where there are no spaces between words: %s", (before, after) => {
    // What stays in the middle of a sentence is not taken out of it, and put in again.
    const kept = commonItems(Array.from(before), Array.from(after)).length;
    const inserted = differenceOf(before, after).flatMap(({ insert }) => Array.from(insert));
    expect(inserted.length).toBeLessThanOrEqual(Array.from(after).length - kept + 2);
  });
});

const one = defineSchema({
  version: 1,
  documents: { note: defineDocument({ fields: { body: field.text(), lines: field.list(Schema.String) } }) },
});
const two = evolveSchema(one, {
  version: 2,
  documents: { note: defineDocument({ fields: { story: field.text(), lines: field.list(Schema.String) } }) },
  steps: (step) => [step.change("note", { from: ["body"], to: ["story"], up: ({ body }) => ({ story: body }) })],
});

test("a paragraph that two devices edit is there once, however long the text and however much of it changed", () => {
  const random = numbers(3);
  const word = (): string => Array.from({ length: 3 + random(6) }, () => "abcdefghij"[random(10)]).join("");
  const paragraph = (): string => Array.from({ length: 60 }, word).join(" ");
  const [before, after] = [
    Array.from({ length: 70 }, paragraph).join("\n"),
    Array.from({ length: 70 }, paragraph).join("\n"),
  ];
  const middle = "The quick fox jumps over the lazy dog.";
  const base = new LoroDoc();
  base.setPeerId(5n);
  editDocument(one.documents.note, base).body.insert(0, [before, middle, before].join("\n"));
  base.commit();
  const left = LoroDoc.fromSnapshot(base.export({ mode: "snapshot" }));
  left.setPeerId(1n);
  const right = LoroDoc.fromSnapshot(base.export({ mode: "snapshot" }));
  right.setPeerId(2n);
  const all = editDocument(two.documents.note, left).story;
  all.delete(0, all.length);
  all.insert(0, [after, middle.replace("quick", "slow"), after].join("\n"));
  left.commit();
  const other = editDocument(two.documents.note, right).story;
  other.insert(other.toString().indexOf("lazy"), "very ");
  right.commit();
  left.import(right.export({ mode: "update" }));
  const { story } = readDocument(two.documents.note, left);
  expect(story.length).toBe(2 * after.length + middle.length + 2 - 1 + 5);
  expect(story).toContain("The slow fox jumps over the very lazy dog.");
});
