import { readFile } from "node:fs/promises";
import { expect, test } from "vitest";
import { batch, lack, next, supply, wait } from "./example/decisions.ts";

test("the README's example is this one, and decides what it says", async () => {
  const readme = await readFile(new URL("../README.md", import.meta.url), "utf8");
  const example = await readFile(new URL("./example/decisions.ts", import.meta.url), "utf8");
  expect(readme).toContain(`\`\`\`ts\n${example}\`\`\``);
  expect(next).toHaveLength(1);
  expect(batch).toHaveLength(2);
  expect(supply).toMatchObject([{ from: 6, to: 7 }]);
  expect(lack).toMatchObject([{ from: 1, to: 1 }]);
  expect(wait).toBe(600);
});
