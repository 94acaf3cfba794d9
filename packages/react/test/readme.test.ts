import { readFile } from "node:fs/promises";
import { expect, test } from "vitest";

/** `example.browser.test.ts` runs these files; this keeps the README equal to them. */
test.each(["schema.ts", "cairn.worker.ts", "cairn.ts", "App.tsx", "Stone.tsx", "Status.tsx", "Suspended.tsx"])(
  "the README shows the example's %s as it runs",
  async (file) => {
    const readme = await readFile(new URL("../README.md", import.meta.url), "utf8");
    const shown = [...readme.matchAll(/```tsx?\n([\s\S]*?)```/g)].map((block) => block[1]);
    expect(shown).toContain(await readFile(new URL(`./example/${file}`, import.meta.url), "utf8"));
  },
);
