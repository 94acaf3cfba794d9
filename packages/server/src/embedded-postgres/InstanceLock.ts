/**
 * One live process per folder.
 *
 * The lock is the operating system's lock on a SQLite file that the holder keeps open: the kernel lets go of it at the
 * moment the holder ends, however it ends, so a lock that is held means a live holder and a crash leaves none behind.
 * Unlike a process id in a file it also works between containers that share a folder. Child processes do not inherit
 * it: an orphaned database is not mistaken for a second instance.
 */
import { Effect, Schema, type Scope } from "effect";
import { chmod, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { DatabaseRefusal } from "./DatabaseRefusal.ts";

const lockFile = "instance.lock";
const holderFile = "instance.json";

const Holder = Schema.fromJsonString(Schema.Struct({ pid: Schema.Int, since: Schema.String }));

/** Holds the folder's lock until the scope closes; refuses with `folder-in-use` while another process holds it. */
export const acquireInstanceLock = Effect.fn("acquireInstanceLock")(function* (
  folder: string,
): Effect.fn.Return<void, DatabaseRefusal, Scope.Scope> {
  yield* Effect.acquireRelease(
    Effect.try(() => lock(join(folder, lockFile))).pipe(
      Effect.catch(({ cause }) => Effect.flatMap(refusal(folder, cause), Effect.fail)),
    ),
    (held) => Effect.sync(() => held.close()),
  );
  yield* Effect.promise(async () => {
    const path = join(folder, holderFile);
    const holder: typeof Holder.Type = { pid: process.pid, since: new Date().toISOString() };
    await writeFile(path, `${Schema.encodeSync(Holder)(holder)}\n`);
    await chmod(path, 0o600);
  });
});

const lock = (path: string): DatabaseSync => {
  const database = new DatabaseSync(path, { timeout: 0 });
  try {
    database.exec("PRAGMA locking_mode = EXCLUSIVE; PRAGMA journal_mode = MEMORY; BEGIN EXCLUSIVE");
    return database;
  } catch (cause) {
    database.close();
    throw cause;
  }
};

const refusal = Effect.fnUntraced(function* (folder: string, cause: unknown) {
  const busy = cause instanceof Error && "errcode" in cause && cause.errcode === 5;
  if (!busy) {
    return new DatabaseRefusal({
      code: "folder-not-writable",
      message:
        `Cairn cannot write to its data folder ${folder} (${cause instanceof Error ? cause.message : String(cause)}). ` +
        "Give the folder to the user that starts Cairn, or choose another one with CAIRN_DATA_DIR.",
    });
  }
  const holder = yield* Effect.tryPromise(() => readFile(join(folder, holderFile), "utf8")).pipe(
    Effect.flatMap(Schema.decodeUnknownEffect(Holder)),
    Effect.option,
  );
  const who = holder._tag === "Some" ? ` (process ${holder.value.pid}, since ${holder.value.since})` : "";
  return new DatabaseRefusal({
    code: "folder-in-use",
    message:
      `Another Cairn${who} is using the data folder ${folder}. ` +
      "Stop it first, or give this one a folder of its own with CAIRN_DATA_DIR and a port of its own with PORT.",
  });
});
