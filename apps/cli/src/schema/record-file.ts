/** The file beside an app's schema that says what was released: one version after the other, one line a thing. */
import type { SchemaRecord } from "@cairn/schema/guard";
import { Effect, Schema } from "effect";
import { createHash } from "node:crypto";
import { readFile, rename, writeFile } from "node:fs/promises";
import { attempt, type CommandFailure, failure } from "../failures.ts";
import { forPeople } from "./load.ts";

const ABOUT = "Released versions of the schema, written by `cairn schema release`. Commit it, and do not edit it.";
const FORMAT = 1;

const Value = Schema.Json;
const Sample = Schema.Struct({ given: Value, made: Value });
const RecordFile = Schema.Struct({
  format: Schema.Literal(FORMAT),
  versions: Schema.Record(
    Schema.String.check(Schema.isPattern(/^[1-9]\d{0,8}$/)),
    Schema.Struct({
      hash: Schema.String,
      declared: Schema.Record(Schema.String, Value),
      steps: Schema.Array(Value),
      samples: Schema.Record(Schema.String, Schema.Record(Schema.String, Schema.Array(Sample))),
    }),
  ),
});
const isRecordFile = Schema.is(RecordFile);

/** SHA-256 in base64url (RFC 4648, section 5). */
export const hashText = (text: string): string => createHash("sha256").update(text, "utf8").digest("base64url");

const isMissing = (error: unknown): boolean =>
  typeof error === "object" && error !== null && "code" in error && error.code === "ENOENT";

/** What was released; undefined where there is no file. */
export const readRecord = (file: string): Effect.Effect<SchemaRecord | undefined, CommandFailure> =>
  Effect.gen(function* () {
    const text = yield* attempt(() =>
      readFile(file, "utf8").catch((error: unknown) => {
        if (isMissing(error)) return undefined;
        throw error;
      }),
    );
    if (text === undefined) return undefined;
    const parsed = parse(text);
    if (isRecordFile(parsed)) return parsed.versions;
    return yield* failure(
      "schema-record-invalid",
      /^(<{7}|>{7}) /m.test(text)
        ? `${forPeople(file)} has an unsettled merge. Two branches released a version of the same number: keep the one that apps have, and number the other one anew.`
        : `${forPeople(file)} is no record of released versions. Take it as it was last committed.`,
    );
  });

const parse = (text: string): unknown => {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
};

/** Lines for what people compare, and one line for each thing. */
const lines = (value: unknown, depth: number, indent = ""): string => {
  if (depth === 0 || typeof value !== "object" || value === null) return JSON.stringify(value);
  const inner = `${indent}  `;
  const [open, close, parts] = Array.isArray(value)
    ? ["[", "]", value.map((item: unknown) => lines(item, depth - 1, inner))]
    : [
        "{",
        "}",
        Object.entries(value).map(
          ([key, member]: readonly [string, unknown]) => `${JSON.stringify(key)}: ${lines(member, depth - 1, inner)}`,
        ),
      ];
  return parts.length === 0 ? `${open}${close}` : `${open}\n${inner}${parts.join(`,\n${inner}`)}\n${indent}${close}`;
};

const textOf = (record: SchemaRecord): string => {
  const versions = Object.entries(record)
    .toSorted(([left], [right]) => Number(left) - Number(right))
    .map(([version, { hash, declared, steps, samples }]) => {
      const parts = [
        `"hash": ${JSON.stringify(hash)}`,
        `"declared": ${lines(declared, 1, "      ")}`,
        `"steps": ${lines(steps, 1, "      ")}`,
        `"samples": ${lines(samples, 3, "      ")}`,
      ];
      return `    ${JSON.stringify(version)}: {\n      ${parts.join(",\n      ")}\n    }`;
    });
  const head = `  "about": ${JSON.stringify(ABOUT)},\n  "format": ${FORMAT},\n`;
  return `{\n${head}  "versions": {${versions.length === 0 ? "" : `\n${versions.join(",\n")}\n  `}}\n}\n`;
};

/** Writes the file beside its place, and gives it its name whole. */
export const writeRecord = (file: string, record: SchemaRecord): Effect.Effect<void, CommandFailure> =>
  attempt(async () => {
    const part = `${file}.part`;
    await writeFile(part, textOf(record));
    await rename(part, file);
  });
