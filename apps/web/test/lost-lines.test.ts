import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { changedLines, compareLines, linesOf } from "../src/sync/lost-lines.ts";

const line = fc.constantFrom("a", "b", "c", "");
const lines = fc.array(line, { maxLength: 12 });

describe("what giving up loses", () => {
  test("the lines of both sides are all there, in their order, whatever they are", () => {
    fc.assert(
      fc.property(lines, lines, (before, after) => {
        const compared = compareLines(before, after);
        expect(compared.filter(({ fate }) => fate !== "back").map(({ text }) => text)).toEqual(before);
        expect(compared.filter(({ fate }) => fate !== "lost").map(({ text }) => text)).toEqual(after);
      }),
    );
  });

  test("nothing is called lost that stays: a line in the middle is one line", () => {
    const fates = compareLines(["one", "two", "three"], ["one", "three"]).map(({ fate }) => fate);
    expect(fates).toEqual(["kept", "lost", "kept"]);
  });

  test("a text too long to compare line by line still shows both sides", () => {
    const long = Array.from({ length: 2000 }, (_, index) => `line ${index}`);
    const compared = compareLines(["first", ...long.map((text) => `${text}!`)], ["first", ...long]);
    expect(compared.filter(({ fate }) => fate === "lost")).toHaveLength(2000);
    expect(compared[0]).toEqual({ text: "first", fate: "kept" });
  });

  test("only changes are shown, with a line around them and a mark for the rest", () => {
    const shown = changedLines(compareLines(["1", "2", "3", "lost", "5", "6", "7"], ["1", "2", "3", "5", "6", "7"]));
    expect(shown.map((found) => found?.text)).toEqual(["3", "lost", "5", undefined]);
  });

  test("a document is its texts by line and its other fields by path", () => {
    expect(
      linesOf({ cairn: { createdAt: 1 }, body: "one\ntwo", plain: { done: true, count: 2, none: null }, title: "" }),
    ).toEqual(["one", "two", "plain.done: true", "plain.count: 2", "plain.none: null"]);
  });
});
