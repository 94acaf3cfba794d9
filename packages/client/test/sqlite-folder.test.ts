/** What SQLite adds to the contract: the folder, its lock, and a killed process. */
import { Effect, Layer, Result } from "effect";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { chmod, mkdir, mkdtemp, readdir, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { DatabaseSync } from "node:sqlite";
import { afterEach, beforeEach, expect, test } from "vitest";
import { LocalStore, type LocalStoreShape, StoreFailure } from "../src/store/LocalStore.ts";
import { storeFailure } from "../src/store/sqlite/database.ts";
import * as SqliteStore from "../src/store/SqliteStore.ts";
import { TABLES_VERSION } from "../src/store/sqlite/tables.ts";
import { DEVICE, DOCUMENTS, WORKSPACE } from "./sqlite-writer.ts";

let parent: string;
let directory: string;
beforeEach(async () => {
  parent = await mkdtemp(join(tmpdir(), "cairn-folder-"));
  directory = join(parent, "a", "profile");
});
afterEach(() => rm(parent, { recursive: true, force: true }));

const within = <A>(program: (store: LocalStoreShape) => Effect.Effect<A, unknown>): Promise<A> =>
  Effect.runPromise(
    Effect.flatMap(LocalStore, program).pipe(Effect.provide(Layer.fresh(SqliteStore.layer({ directory })))),
  );
const openFailure = async (): Promise<unknown> =>
  Effect.runPromise(
    Effect.result(Effect.scoped(Layer.build(SqliteStore.layer({ directory })))).pipe(
      Effect.map((result) => (Result.isFailure(result) ? result.failure : "opened")),
    ),
  );

/** Lets the writer run until it has said something `lines` times, then kills it; what it said. */
const writeAndKill = async (lines: number, meanwhile: () => Promise<void>): Promise<ReadonlyArray<string>> => {
  const script = join(import.meta.dirname, "sqlite-writer.ts");
  const child = spawn(process.execPath, ["--conditions=source", script, directory], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const exited = once(child, "exit");
  const said: Array<string> = [];
  for await (const line of createInterface({ input: child.stdout })) {
    said.push(line);
    if (said.length === 1) await meanwhile();
    if (said.length === lines) child.kill("SIGKILL");
  }
  expect(await exited).toEqual([null, "SIGKILL"]);
  return said;
};

test("SIGKILL in the middle of writes loses nothing that completed; until then a second process is refused", async () => {
  const appended = new Set<number>();
  let frozen = 0;
  for (const lines of [1, 60, 25, 140]) {
    const said = await writeAndKill(lines, async () => {
      const failure = await openFailure();
      expect(failure).toBeInstanceOf(SqliteStore.ProfileInUse);
      expect(String(failure)).toContain(directory);
    });
    for (const line of said) {
      const [what, ...numbers] = line.split(" ");
      if (what === "appended") for (const id of numbers) appended.add(Number(id));
      if (what === "frozen") frozen = Math.max(frozen, Number(numbers[0]));
    }
    await within((store) =>
      Effect.gen(function* () {
        const stored = new Map<number, number | undefined>();
        for (const document of DOCUMENTS) {
          const opened = yield* store.openDocument(WORKSPACE, document);
          for (const update of opened?.updates ?? []) stored.set(update.id, update.counter);
        }
        expect([...appended].filter((id) => !stored.has(id))).toEqual([]);

        // What the last transaction before the kill did, it did completely.
        const outgoing = yield* store.outgoing(WORKSPACE, 10_000);
        const log = yield* store.logOf(WORKSPACE, DEVICE, 1, 10_000);
        const counters = outgoing.map(({ counter }) => counter);
        const nextCounter = (yield* store.position(WORKSPACE))?.nextCounter ?? 0;
        expect(nextCounter).toBeGreaterThan(frozen);
        expect(counters).toEqual(Array.from({ length: nextCounter - 1 }, (_, index) => index + 1));
        expect(log.map(({ counter }) => counter)).toEqual(counters);
        expect(new Set([...stored.values()].filter((counter) => counter !== undefined))).toEqual(new Set(counters));
        const pending = [...stored.values()].filter((counter) => counter === undefined).length;
        const counted = (yield* store.pendingDocuments(WORKSPACE)).reduce((sum, { updates }) => sum + updates, 0);
        expect(counted).toBe(pending);
      }),
    );
  }
  expect(appended.size).toBeGreaterThan(100);
});

test("only the owner may read the folder, the database and the secrets", async () => {
  const mode = async (path: string) => (await stat(path)).mode & 0o777;
  await mkdir(directory, { recursive: true });
  await chmod(directory, 0o755);
  await within((store) =>
    Effect.gen(function* () {
      yield* store.putSecret("keys", { seed: new Uint8Array(32) });
      yield* store.claimLeadership;
      const files = yield* Effect.promise(() => readdir(directory));
      expect(files).toEqual(["cairn.db", "cairn.db-wal", "secrets"]);
      for (const file of ["cairn.db", "cairn.db-wal"]) {
        expect(yield* Effect.promise(() => mode(join(directory, file)))).toBe(0o600);
      }
    }),
  );
  expect(await mode(join(directory, "secrets"))).toBe(0o700);
  const secrets = await readdir(join(directory, "secrets"));
  expect(secrets).toHaveLength(1);
  for (const secret of secrets) expect(await mode(join(directory, "secrets", secret))).toBe(0o600);

  const made = join(parent, "made");
  directory = made;
  await within((store) => store.profile);
  expect(await mode(made)).toBe(0o700);
});

test("keys without their database are never taken for an empty profile (hazard 19)", async () => {
  await within((store) => store.putSecret("keys", 1));
  for (const file of ["cairn.db", "cairn.db-wal"]) await rm(join(directory, file), { force: true });
  const failure = await openFailure();
  expect(failure).toBeInstanceOf(StoreFailure);
  expect(failure).toMatchObject({ reason: "lost", operation: "open" });
  expect(await readdir(directory)).toEqual(["secrets"]);
});

test("a file that is no database, and data of a newer Cairn, are refused and left alone", async () => {
  await mkdir(directory, { recursive: true });
  await writeFile(join(directory, "cairn.db"), "not a database, but long enough to look like one".repeat(100));
  expect(await openFailure()).toMatchObject({ _tag: "StoreFailure", reason: "unavailable", operation: "open" });

  directory = join(parent, "newer");
  await within((store) => store.putProfile({ format: 1, currentWorkspace: WORKSPACE, homeWorkspace: undefined }));
  const setVersion = (version: number) => {
    const database = new DatabaseSync(join(directory, "cairn.db"));
    database.exec(`PRAGMA user_version = ${version}`);
    database.close();
  };
  setVersion(1_000);
  const failure = await openFailure();
  expect(failure).toMatchObject({ reason: "newer", operation: "open" });
  expect(failure instanceof StoreFailure && String(failure.cause)).toContain("newer Cairn");
  setVersion(TABLES_VERSION);
  expect(await within((store) => store.profile)).toMatchObject({ currentWorkspace: WORKSPACE });
});

test("a full disk is told apart from a broken one", () => {
  const database = new DatabaseSync(":memory:");
  database.exec("CREATE TABLE filler (bytes BLOB); PRAGMA max_page_count = 3");
  const fill = database.prepare("INSERT INTO filler VALUES (?)");
  expect(() => fill.run(new Uint8Array(100_000))).toThrowError(
    expect.toSatisfy((cause: unknown) => storeFailure("write", cause).reason === "full"),
  );
  expect(storeFailure("write", new Error("disk I/O error")).reason).toBe("unavailable");
  database.close();
});
