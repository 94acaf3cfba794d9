/** `cairn schema check`, `release` and `diff`. */
import type { DocumentSchema } from "@cairn/schema";
import {
  changesBetween,
  checkSchema,
  type Finding,
  recordOf,
  type SchemaRecord,
  versionsOf,
} from "@cairn/schema/guard";
import { Effect } from "effect";
import { type CommandFailure, failure } from "../failures.ts";
import { type Output, printable } from "../output.ts";
import { forPeople, loadSchema, type SchemaFiles } from "./load.ts";
import { hashText, readRecord, writeRecord } from "./record-file.ts";

export interface CheckSettings {
  readonly seed: number;
  readonly runs: number;
  /** Warnings fail too. */
  readonly strict: boolean;
}

interface Checked {
  readonly schema: DocumentSchema;
  readonly record: SchemaRecord;
  /** Whether there is a file of it. */
  readonly isRecorded: boolean;
  readonly findings: ReadonlyArray<Finding>;
  readonly unreleased: ReadonlyArray<DocumentSchema>;
}

const examine = (files: SchemaFiles, { seed, runs }: CheckSettings): Effect.Effect<Checked, CommandFailure> =>
  Effect.gen(function* () {
    // Nothing tried would be nothing found.
    if (runs < 1) return yield* failure("usage", "--runs is a number of values, at least 1.");
    const schema = yield* loadSchema(files.schema);
    const known = yield* readRecord(files.record);
    const record = known ?? {};
    const findings = checkSchema(schema, { record, hash: hashText, seed, runs });
    const unreleased = versionsOf(schema).filter(({ version }) => !Object.hasOwn(record, String(version)));
    return { schema, record, isRecorded: known !== undefined, findings, unreleased };
  });

/** A record that was lost, or never committed, holds nobody to anything, and every edit of what is released would pass. */
const noRecord = (files: SchemaFiles, { schema }: Checked): Finding => ({
  severity: "error",
  code: "schema/no-record",
  version: schema.version,
  path: "",
  message: `there is no ${forPeople(files.record)}, so nothing says what was released, and edits of it would pass`,
  advice:
    "Take the file as it was last committed. Where apps have a version and none was ever recorded: cairn schema release. " +
    "Where no version has gone out: cairn schema release --none. Commit the file.",
});

const inWords = ({ severity, code, version, path, message, advice }: Finding): ReadonlyArray<string> => [
  `${severity}  version ${version}${path === "" ? "" : `, ${path}`}: ${printable(message)} [${code}]`,
  `  -> ${printable(advice)}`,
];

const count = (number: number, what: string): string => `${number} ${what}${number === 1 ? "" : "s"}`;

const failing = (findings: ReadonlyArray<Finding>, { strict }: CheckSettings): ReadonlyArray<Finding> =>
  findings.filter(({ severity }) => severity === "error" || (strict && severity === "warning"));

const listed = (versions: ReadonlyArray<number>): string =>
  versions.length === 0 ? "none" : versions.length > 5 ? `${versions[0]} to ${versions.at(-1)}` : versions.join(", ");

/** What is said of a check, and its end where something failed. */
const conclude = (
  files: SchemaFiles,
  { schema, record, findings, unreleased }: Checked,
  settings: CheckSettings,
  output: Output,
): Effect.Effect<void, CommandFailure> =>
  Effect.gen(function* () {
    const failed = failing(findings, settings);
    const released = Object.keys(record).map(Number);
    const result = {
      ok: failed.length === 0,
      schema: files.schema,
      record: files.record,
      version: schema.version,
      released,
      unreleased: unreleased.map(({ version }) => version),
      seed: settings.seed,
      runs: settings.runs,
      findings,
    };
    yield* output.result(result, () => [
      ...findings.flatMap(inWords),
      `${forPeople(files.schema)}: version ${schema.version}; released: ${listed(released)}; not released: ${listed(result.unreleased)}.`,
      `Steps were tried on ${settings.runs} values each (--runs), from seed ${settings.seed} (--seed).`,
      ...(failed.length === 0 ? ["The schema is in order."] : []),
    ]);
    if (failed.length === 0) return;
    const errors = failed.filter(({ severity }) => severity === "error").length;
    const parts = [
      ...(errors > 0 ? [count(errors, "error")] : []),
      ...(failed.length > errors ? [count(failed.length - errors, "warning")] : []),
    ];
    return yield* failure(
      "schema-check-failed",
      `${forPeople(files.schema)} has ${parts.join(" and ")}; what to do is said with each.`,
    );
  });

export const check = (
  files: SchemaFiles,
  settings: CheckSettings,
  output: Output,
): Effect.Effect<void, CommandFailure> =>
  Effect.flatMap(examine(files, settings), (checked) => {
    const findings = checked.isRecorded ? checked.findings : [noRecord(files, checked), ...checked.findings];
    return conclude(files, { ...checked, findings }, settings, output);
  });

/** Begins the record of a schema of which nothing is released. */
export const releaseNone = (files: SchemaFiles, output: Output): Effect.Effect<void, CommandFailure> =>
  Effect.gen(function* () {
    if ((yield* readRecord(files.record)) !== undefined) {
      return yield* failure("file-exists", `${forPeople(files.record)} is there already, and stays as it is.`);
    }
    yield* writeRecord(files.record, {});
    yield* output.result({ record: files.record, released: {}, findings: [] }, () => [
      `${forPeople(files.record)}: nothing is released yet. Commit the file with the schema.`,
    ]);
  });

/** Records the versions that are not recorded yet. A recorded one stays what it is: an edit of it fails the check. */
export const release = (
  files: SchemaFiles,
  settings: CheckSettings,
  output: Output,
): Effect.Effect<void, CommandFailure> =>
  Effect.gen(function* () {
    const checked = yield* examine(files, settings);
    if (failing(checked.findings, settings).length > 0) return yield* conclude(files, checked, settings, output);
    const added = checked.unreleased.map((version) => [String(version.version), recordOf(version, hashText)] as const);
    if (added.length > 0) yield* writeRecord(files.record, { ...checked.record, ...Object.fromEntries(added) });
    const hashes = Object.fromEntries(added.map(([version, { hash }]) => [version, hash]));
    yield* output.result({ record: files.record, released: hashes, findings: checked.findings }, () => [
      ...checked.findings.flatMap(inWords),
      added.length === 0
        ? `Nothing to do: ${forPeople(files.record)} has every version up to ${checked.schema.version}.`
        : `${forPeople(files.record)}: version ${added.map(([version]) => version).join(", ")} recorded. Commit the file with the schema.`,
    ]);
  });

/** What changed, as a list for people. */
export const diff = (
  files: SchemaFiles,
  versions: { readonly from: number | undefined; readonly to: number | undefined },
  output: Output,
): Effect.Effect<void, CommandFailure> =>
  Effect.gen(function* () {
    const schema = yield* loadSchema(files.schema);
    const record = (yield* readRecord(files.record)) ?? {};
    const known = versionsOf(schema).map(({ version }) => version);
    const to = versions.to ?? schema.version;
    const released = Object.keys(record)
      .map(Number)
      .filter((version) => version < to);
    const from =
      versions.from ?? Math.max(0, ...(released.length === 0 ? known.filter((version) => version < to) : released));
    // 0 stands for nothing, before the first version.
    const unknown = [from, to].find((version) => version !== 0 && !known.includes(version));
    if (unknown !== undefined || from > to) {
      return yield* failure(
        "usage",
        unknown === undefined
          ? `Version ${from} comes after version ${to}.`
          : `The schema has no version ${unknown}; it has ${listed(known)}.`,
      );
    }
    const changes = changesBetween(schema, from, to);
    yield* output.result({ from, to, versions: changes }, () =>
      changes.flatMap((version) => [
        `Version ${version.version}`,
        ...(version.changes.length === 0 ? ["- nothing"] : version.changes.map((change) => `- ${printable(change)}`)),
      ]),
    );
  });
