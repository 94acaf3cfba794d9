/** `cairn schema new`: the file of the next version, beside that of the newest. */
import { Effect } from "effect";
import { readFile, rename, writeFile } from "node:fs/promises";
import { dirname, resolve } from "node:path";
import { attempt, type CommandFailure, failure } from "../failures.ts";
import type { Output } from "../output.ts";
import { forPeople, loadSchema, type SchemaFiles } from "./load.ts";
import { exportedBy, nextFile, nextIndex, nextVersion } from "./next-version.ts";
import { readRecord } from "./record-file.ts";

const LAYOUT =
  'Give each version a file of its own, and let this one export the newest: `import { v1 } from "./v1.ts"; export const schema = v1;`. ' +
  "A version's file says `export const v1 = defineSchema({ version: 1, … })` or `export const v2 = evolveSchema(v1, { version: 2, … })`.";

/** Without the folder: how a neighbour imports a file. */
const beside = (from: string): string => `./${from.split("/").at(-1) ?? from}`;

const write = (file: string, text: string): Effect.Effect<void, CommandFailure> =>
  Effect.flatMap(
    attempt(() =>
      writeFile(file, text, { flag: "wx" }).then(
        () => true,
        (error: unknown) => {
          if (typeof error === "object" && error !== null && "code" in error && error.code === "EEXIST") return false;
          throw error;
        },
      ),
    ),
    (written) =>
      written
        ? Effect.void
        : Effect.fail(
            failure("file-exists", `${forPeople(file)} is there already, and stays as it is. Let the index export it.`),
          ),
  );

/** Writes the skeleton, and lets the index export it. Refuses while the newest version is not recorded as released. */
export const writeNext = (files: SchemaFiles, output: Output): Effect.Effect<void, CommandFailure> =>
  Effect.gen(function* () {
    const schema = yield* loadSchema(files.schema);
    const record = (yield* readRecord(files.record)) ?? {};
    if (!Object.hasOwn(record, String(schema.version))) {
      return yield* failure(
        "schema-not-released",
        `Version ${schema.version} is not recorded as released: go on editing it. If apps have it, record it first: cairn schema release.`,
      );
    }
    const indexSource = yield* attempt(() => readFile(files.schema, "utf8"));
    const exported = exportedBy(files.schema, indexSource);
    if (exported === undefined || !/^\..*\.[a-z]+$/.test(exported.from)) {
      return yield* failure(
        "schema-layout",
        `${forPeople(files.schema)} does not say which file the newest version is in. ${LAYOUT}`,
      );
    }
    const newest = resolve(dirname(files.schema), exported.from);
    const source = yield* attempt(() => readFile(newest, "utf8"));
    const next = nextVersion(newest, source, { name: exported.name, from: beside(exported.from) });
    const index = next && nextIndex(files.schema, indexSource, exported, next.version);
    if (next === undefined || index === undefined || next.version !== schema.version + 1) {
      return yield* failure(
        "schema-layout",
        `${forPeople(newest)} does not declare ${exported.name} as it should. ${LAYOUT}`,
      );
    }
    const file = resolve(dirname(files.schema), nextFile(exported.from, next.version));
    yield* write(file, next.source);
    yield* attempt(async () => {
      const part = `${files.schema}.part`;
      await writeFile(part, index);
      await rename(part, files.schema);
    });
    yield* output.result({ version: next.version, file, schema: files.schema }, () => [
      `${forPeople(file)}: version ${next.version}, as version ${schema.version} is. ${forPeople(files.schema)} exports it.`,
      "Change its fields, say each change in its steps, and look with: cairn schema check",
    ]);
  });
