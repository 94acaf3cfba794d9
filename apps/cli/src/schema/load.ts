/** An app's schema, from the file that exports it. */
import type { DocumentSchema } from "@cairn/schema";
import { Effect, Option } from "effect";
import { stat } from "node:fs/promises";
import { dirname, join, relative, resolve, sep } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { attempt, type CommandFailure, failure } from "../failures.ts";

/** Where an app's files about its schema are. */
export interface SchemaFiles {
  /** The module that exports the newest version. */
  readonly schema: string;
  readonly record: string;
}

const USUAL = ["schema/index.ts", "src/schema/index.ts", "schema.ts", "src/schema.ts"];
export const RECORD_NAME = "cairn-schema.json";

/** A path as a person would type it here. */
export const forPeople = (file: string): string => {
  const path = relative(process.cwd(), file);
  return path.startsWith("..") ? file : path;
};

const isFile = (file: string): Promise<boolean> =>
  stat(file).then(
    (found) => found.isFile(),
    () => false,
  );

/** The files that were asked for, else the usual ones. */
export const findFiles = (options: {
  readonly schema: Option.Option<string>;
  readonly record: Option.Option<string>;
}): Effect.Effect<SchemaFiles, CommandFailure> =>
  Effect.gen(function* () {
    const candidates = Option.match(options.schema, { onNone: () => USUAL, onSome: (file) => [file] });
    for (const candidate of candidates) {
      const schema = resolve(candidate);
      if (!(yield* attempt(() => isFile(schema)))) continue;
      return {
        schema,
        record: Option.match(options.record, {
          onNone: () => join(dirname(schema), RECORD_NAME),
          onSome: (file) => resolve(file),
        }),
      };
    }
    return yield* failure(
      "schema-not-found",
      Option.match(options.schema, {
        onNone: () =>
          `There is none of ${USUAL.join(", ")} here. Name the file that exports the schema: --schema FILE.`,
        onSome: (file) => `There is no file ${file}.`,
      }),
    );
  });

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === "object" && value !== null && !Array.isArray(value);

const isSchema = (value: unknown): value is DocumentSchema =>
  isObject(value) &&
  Number.isSafeInteger(value["version"]) &&
  isObject(value["documents"]) &&
  (value["older"] === undefined || isSchema(value["older"]));

/** The newest version. The module runs as it is, with the packages that the app has. */
export const loadSchema = (file: string): Effect.Effect<DocumentSchema, CommandFailure> =>
  Effect.gen(function* () {
    const loaded: unknown = yield* Effect.tryPromise({
      try: () => import(pathToFileURL(file).href),
      catch: (error) => unloadable(file, error),
    });
    const exported = isObject(loaded) ? (loaded["schema"] ?? loaded["default"]) : undefined;
    if (isSchema(exported)) return exported;
    return yield* failure(
      "schema-not-found",
      `${forPeople(file)} exports no schema. Export the newest version: export const schema = v2, or export default.`,
    );
  });

const unloadable = (file: string, error: unknown): CommandFailure => {
  if (!(error instanceof Error)) return failure("schema-unloadable", `${forPeople(file)} throws ${String(error)}`);
  // The app has its own copy of the package, whose classes are not this program's.
  const isDefinition = "_tag" in error && error._tag === "SchemaDefinitionError";
  const at = placeOf(error);
  const where = at === undefined ? forPeople(file) : at;
  return isDefinition
    ? failure("schema/invalid-definition", `${where}: ${error.message}`)
    : failure(
        "schema-unloadable",
        `${where} cannot be loaded: ${error.message}. A schema's module and what it imports must run in Node: no browser, no JSX.`,
      );
};

/** Whether a file is the package's or this command's, and not the app's. */
const isOurs = (file: string): boolean =>
  file.includes(`${sep}node_modules${sep}`) ||
  [fileURLToPath(import.meta.resolve("@cairn/schema")), import.meta.filename].some((own) =>
    file.startsWith(`${dirname(own)}${sep}`),
  );

/** The app's own line that an error comes from. */
const placeOf = (error: Error): string | undefined =>
  (error.stack ?? "").split("\n").flatMap((line) => {
    const [, url, row] = /(file:\/\/[^\s()]+?):(\d+):\d+\)?$/.exec(line) ?? [];
    if (url === undefined || row === undefined) return [];
    const file = fileURLToPath(url);
    return isOurs(file) ? [] : [`${forPeople(file)}:${row}`];
  })[0];
