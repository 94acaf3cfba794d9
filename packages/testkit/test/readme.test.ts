import { readFile } from "node:fs/promises";
import { expect, test } from "vitest";
import { content, session } from "./example/session.ts";

test("the README's example is this one, and ends as its session says", async () => {
  const readme = await readFile(new URL("../README.md", import.meta.url), "utf8");
  const example = await readFile(new URL("./example/session.ts", import.meta.url), "utf8");
  expect(readme).toContain(`\`\`\`ts\n${example}\`\`\``);
  expect(session.txns).toHaveLength(200);
  expect(content).toBe(session.endContent);
});
