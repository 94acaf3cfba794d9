import { freshDatabase } from "@cairn/testkit/postgres";
import { Effect, Exit, Layer, Logger, Scope } from "effect";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { serve } from "./example/serve.ts";

const freePort = (): Promise<number> =>
  new Promise((resolve) => {
    const probe = createServer();
    probe.listen(0, "127.0.0.1", () => {
      const address = probe.address();
      probe.close(() => resolve(typeof address === "object" ? (address?.port ?? 0) : 0));
    });
  });

test("the README shows the example as it is", async () => {
  const readme = await readFile(new URL("../README.md", import.meta.url), "utf8");
  const shown = /```ts\n([\s\S]*?)```/u.exec(readme)?.[1];
  expect(shown).toBe(await readFile(new URL("./example/serve.ts", import.meta.url), "utf8"));
});

test("and it serves", async () => {
  const folder = await mkdtemp(join(tmpdir(), "cairn-example-"));
  const before = process.cwd();
  process.chdir(folder);
  const scope = Scope.makeUnsafe();
  try {
    const port = await freePort();
    const server = serve(await freshDatabase(), port).pipe(Layer.provide(Logger.layer([])));
    await Effect.runPromise(Layer.buildWithScope(server, scope));
    const answer = await fetch(`http://localhost:${port}/v1/server`);
    await expect(answer.json()).resolves.toMatchObject({ protocol: { current: 1 }, registration: "open" });
  } finally {
    await Effect.runPromise(Scope.close(scope, Exit.void));
    process.chdir(before);
    await rm(folder, { recursive: true, force: true });
  }
});
