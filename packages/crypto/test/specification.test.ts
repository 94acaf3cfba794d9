import { readdir, readFile } from "node:fs/promises";
import { expect, it } from "vitest";
import { CONTENT_BYTES_MAX, KDF_LABELS, SEALED_TEXT_BYTES } from "@cairn/crypto";

const read = (path: string): Promise<string> => readFile(new URL(path, import.meta.url), "utf8");

it("docs/protocol.md names every label that the code hashes, signs or derives with", async () => {
  const text = await read("../../../docs/protocol.md");
  const named = new Set([...text.matchAll(/label\(([a-z-]+)\)/gu)].map(([, name]) => name));
  for (const bytes of Object.values(KDF_LABELS))
    expect(named).toContain(new TextDecoder().decode(bytes).slice("cairn/v1/".length, -1));
  for (const folder of ["../src/", "../../protocol/src/"])
    for (const file of await readdir(new URL(folder, import.meta.url)))
      for (const [, name] of (await read(folder + file)).matchAll(/label\("([a-z-]+)"\)/gu))
        expect(named).toContain(name);
  expect(named.size).toBeGreaterThan(20);
  expect(text).toContain(`${CONTENT_BYTES_MAX / 1024 / 1024} MiB`);
  expect(text).toContain(`at most ${SEALED_TEXT_BYTES.toLocaleString("en")} bytes`);
});
