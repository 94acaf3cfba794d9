/**
 * Vitest's global setup for `*.pg.test.ts`: one embedded PostgreSQL a run, in a temporary folder that goes when the run
 * ends. What a killed run left behind is cleared by the next one.
 */
import { EmbeddedPostgres } from "@cairn/server/embedded-postgres";
import { Context, Effect, Exit, Layer, Redacted, Scope } from "effect";
import { chmod, mkdtemp, readdir, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TestProject } from "vitest/node";
import "./index.ts";

const prefix = "cairn-test-";

/** Starts the database and tells the tests its URL; the returned function stops it and removes its folder. */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  await clearAbandoned();
  const folder = await mkdtemp(join(tmpdir(), prefix));
  await chmod(folder, 0o711);
  const scope = Scope.makeUnsafe();
  const stop = async () => {
    await Effect.runPromise(Scope.close(scope, Exit.void));
    await rm(folder, { recursive: true, force: true, maxRetries: 3 });
  };
  try {
    const context = await Effect.runPromise(
      Layer.buildWithScope(EmbeddedPostgres.layer({ folder: join(folder, "database") }), scope),
    );
    project.provide("cairnPostgresUrl", Redacted.value(Context.get(context, EmbeddedPostgres).url));
  } catch (cause) {
    await stop();
    throw cause;
  }
  return stop;
}

/** Opening an abandoned folder stops its orphaned database; a folder that is in use refuses, and is left alone. */
const clearAbandoned = async (): Promise<void> => {
  for (const name of await readdir(tmpdir())) {
    if (!name.startsWith(prefix)) continue;
    const folder = join(tmpdir(), name);
    const age = Date.now() - ((await stat(folder).catch(() => undefined))?.mtimeMs ?? Date.now());
    if (age < 60_000) continue;
    const opened = await Effect.runPromise(
      Effect.result(Effect.scoped(Layer.build(EmbeddedPostgres.layer({ folder: join(folder, "database") })))),
    );
    if (opened._tag === "Success" || opened.failure.code !== "folder-in-use") {
      await rm(folder, { recursive: true, force: true });
    }
  }
};
