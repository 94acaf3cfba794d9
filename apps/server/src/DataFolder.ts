/**
 * The folder that holds everything this server keeps: made on first use, used by one live process at a time, and never
 * touched when a newer Cairn has written it.
 */
import { acquireInstanceLock, firstImpassable, databaseUser, makeFolder } from "@cairn/server/embedded-postgres";
import { Context, Effect, Layer, Schema } from "effect";
import { readFile, rename, stat, writeFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { ServerConfiguration } from "./configuration.ts";
import { Refusal } from "./Refusal.ts";
import { version } from "./version.ts";

/** Every folder that Cairn keeps data in has this file. */
const MARKER = "cairn.json";

/** Raised when an older Cairn could no longer use the folder. */
const folderFormat = 1;

const Marker = Schema.fromJsonString(
  Schema.Struct({ format: Schema.Int, cairn: Schema.String, createdAt: Schema.String }),
);

export interface DataFolderShape {
  readonly path: string;
  /** Why another folder than `./data` was chosen, if so. */
  readonly note: string | undefined;
}

export class DataFolder extends Context.Service<DataFolder, DataFolderShape>()("cairn/server-app/DataFolder") {
  static readonly layer = Layer.effect(
    DataFolder,
    Effect.gen(function* () {
      const configuration = yield* ServerConfiguration;
      const { note, path } = yield* choose(configuration);
      yield* Effect.tryPromise({
        try: () => makeFolder(path),
        catch: (cause) =>
          new Refusal({
            code: "folder-not-writable",
            message:
              `Cairn cannot create its data folder ${path} (${cause instanceof Error ? cause.message : String(cause)}). ` +
              "Choose a folder that you may write to with CAIRN_DATA_DIR.",
          }),
      });
      yield* acquireInstanceLock(path).pipe(
        Effect.mapError(
          ({ code, message }) =>
            new Refusal({ code: code === "folder-in-use" ? code : "folder-not-writable", message }),
        ),
      );
      yield* checkFormat(path);
      return DataFolder.of({ path, note });
    }),
  );
}

/**
 * As root in a folder that others may not enter, the database could not reach `./data`: then it is `/var/lib/cairn`. Unless there
 * is data in `./data` already, which must not seem to be gone: that is for the database to refuse.
 */
const choose = Effect.fnUntraced(function* (configuration: ServerConfiguration["Service"]) {
  if (configuration.dataFolder !== undefined) return { path: resolve(configuration.dataFolder), note: undefined };
  const usual = resolve("data");
  if (configuration.databaseUrl !== undefined) return { path: usual, note: undefined };
  const blocked = yield* Effect.promise(() => firstImpassable(usual, databaseUser));
  const isUsed = yield* Effect.promise(() =>
    stat(join(usual, MARKER)).then(
      () => true,
      () => false,
    ),
  );
  if (blocked === undefined || isUsed) return { path: usual, note: undefined };
  const path = "/var/lib/cairn";
  return {
    path,
    note: `The data is in ${path}: as root, the database runs as another user, who may not enter ${blocked}. CAIRN_DATA_DIR chooses another folder.`,
  };
});

const checkFormat = Effect.fnUntraced(function* (folder: string) {
  const path = join(folder, MARKER);
  const text = yield* Effect.promise(() => readFile(path, "utf8").catch(() => undefined));
  if (text === undefined) {
    const marker: typeof Marker.Type = {
      format: folderFormat,
      cairn: version,
      createdAt: new Date().toISOString(),
    };
    yield* Effect.promise(async () => {
      await writeFile(`${path}.draft`, `${Schema.encodeSync(Marker)(marker)}\n`);
      await rename(`${path}.draft`, path);
    });
    return;
  }
  const marker = yield* Effect.option(Schema.decodeUnknownEffect(Marker)(text));
  if (marker._tag === "None") {
    return yield* new Refusal({
      code: "data-newer",
      message: `${path} is not what Cairn wrote. Restore it from a backup of the folder, or start with another CAIRN_DATA_DIR.`,
    });
  }
  if (marker.value.format > folderFormat) {
    return yield* new Refusal({
      code: "data-newer",
      message:
        `The data in ${folder} was written by a newer Cairn (${marker.value.cairn}) than this one (${version}), which ` +
        "would not understand it. Start the newer version, or use another folder with CAIRN_DATA_DIR.",
    });
  }
});
