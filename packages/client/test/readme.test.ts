import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { writeAndFind } from "./example/notes.ts";

test("the README's example is this one, and finds what it wrote, each time it runs", async () => {
  const readme = await readFile(new URL("../README.md", import.meta.url), "utf8");
  const example = await readFile(new URL("./example/notes.ts", import.meta.url), "utf8");
  expect(readme).toContain(`\`\`\`ts\n${example}\`\`\``);
  for (const name of ["import-thread", "threaded-notes"]) {
    const module = await readFile(new URL(`./example/${name}.ts`, import.meta.url), "utf8");
    expect(readme).toContain(`\`\`\`ts\n${module}\`\`\``);
  }
  const directory = await mkdtemp(join(tmpdir(), "cairn-readme-"));
  try {
    expect(await writeAndFind(directory)).toEqual(["Dry stone walls"]);
    expect(await writeAndFind(directory)).toEqual(["Dry stone walls", "Dry stone walls"]);
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
});
