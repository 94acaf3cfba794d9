/** An app's import thread in Node: what opening says of it, and how processes with one end. Needs no server. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { Worker } from "node:worker_threads";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { type ImportThread, openCairn } from "../src/node.ts";
import { schema } from "./example/schema.ts";

let directory: string;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "cairn-thread-"));
});
afterEach(() => rm(directory, { recursive: true, force: true }));

const thread = (module: string) => (): ImportThread =>
  new Worker(new URL(module, import.meta.url), { execArgv: ["--conditions=source"] });
const script = (source: string): string => `data:text/javascript,${encodeURIComponent(source)}`;

describe("opening says why imports cannot run, and runs them nowhere else", () => {
  test.each([
    ["a module that is not there", thread("./fixtures/no-such-thread.ts"), "no-such-thread"],
    ["a module that throws", thread(script("throw new Error('no schema today')")), "no schema today"],
    ["a module that does not call `runImportThread`", thread(script("export {}")), "ended with code 0"],
    [
      "a function that throws",
      (): ImportThread => {
        throw new Error("no thread today");
      },
      "no thread today",
    ],
  ])("%s", async (_what, importThread, cause) => {
    const failure: unknown = await openCairn({ schema, directory, importThread }).catch((error: unknown) => error);
    expect(failure).toMatchObject({ name: "CairnError", code: "imports-unavailable", action: "stop" });
    expect(String(failure instanceof Error ? failure.cause : failure)).toContain(cause);
    // The folder was given back.
    const cairn = await openCairn({ schema, directory, importThread: thread("./example/import-thread.ts") });
    await cairn.close();
  });

  test("a module with another schema", async () => {
    const importThread = thread("./fixtures/import-thread.ts");
    const newer = { ...schema, version: 2 };
    const opened = openCairn({ schema: newer, directory, importThread });
    await expect(opened).rejects.toMatchObject({ code: "build-mismatch" });
    await expect(opened).rejects.toThrow("import thread");
  });
});

test.each([0, -1, Number.NaN, Number.POSITIVE_INFINITY])("a budget of %s is refused", async (importBudgetMillis) => {
  const importThread = thread("./example/import-thread.ts");
  const refusal = { code: "invalid-argument", argument: "importBudgetMillis" };
  await expect(openCairn({ schema, directory, importThread, importBudgetMillis })).rejects.toMatchObject(refusal);
});

test("a budget that nothing could keep to is refused", async () => {
  const refusal = { code: "invalid-argument", argument: "importBudgetMillis" };
  await expect(openCairn({ schema, directory, importBudgetMillis: 1_000 })).rejects.toMatchObject(refusal);
});

describe("a process ends by itself", () => {
  const run = async (program: string): Promise<{ readonly code: unknown; readonly said: string }> => {
    const file = join(import.meta.dirname, "fixtures", program);
    const child = spawn(process.execPath, ["--conditions=source", file, directory], {
      stdio: ["ignore", "pipe", "inherit"],
      timeout: 50_000,
      killSignal: "SIGKILL",
    });
    const [said] = await Promise.all([text(child.stdout), once(child, "exit")]);
    return { code: child.exitCode, said: said.trim() };
  };

  test("once it has closed its profile", async () => {
    expect(await run("threaded-app.ts")).toEqual({ code: 0, said: "exported" });
  });

  test("and no idle thread holds one that has not", async () => {
    expect(await run("idle-thread-app.ts")).toEqual({ code: 0, said: "applied" });
  });
});
