import { expect, test } from "vitest";
import { eachOnce } from "../src/notes/each-once.ts";

const row = (id: string, updatedAt: number) => ({ id, updatedAt });

test("a note that both lists have is where its newer row says", () => {
  const lists = eachOnce({
    top: [row("pinned a moment ago", 5), row("was pinned", 3)],
    rest: [row("was pinned", 4), row("other", 2), row("pinned a moment ago", 1)],
  });
  expect(lists).toEqual({ top: [row("pinned a moment ago", 5)], rest: [row("was pinned", 4), row("other", 2)] });
});

test("two rows of the same moment are one on top, and lists that share nothing stay as they are", () => {
  expect(eachOnce({ top: [row("a", 1)], rest: [row("a", 1)] })).toEqual({ top: [row("a", 1)], rest: [] });
  const apart = { top: [row("a", 1)], rest: [row("b", 2), row("c", 1)] };
  expect(eachOnce(apart)).toEqual(apart);
});
