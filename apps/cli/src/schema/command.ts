/** `cairn schema`: looks after the versions of an app's schema. Needs no profile. */
import { Effect, Option } from "effect";
import { Argument, Command, Flag } from "effect/cli";
import type { CommandFailure } from "../failures.ts";
import { makeOutput, type Output } from "../output.ts";
import { check, diff, release, releaseNone } from "./check.ts";
import { findFiles, type SchemaFiles } from "./load.ts";
import { writeNext } from "./new.ts";

const DEFAULT_SEED = 1;
const DEFAULT_RUNS = 400;

const files = {
  schema: Flag.String("schema").pipe(
    Flag.withDescription(
      "File that exports the newest version. Default: schema/index.ts, schema.ts, or one of these in src",
    ),
    Flag.optional,
  ),
  record: Flag.String("record").pipe(
    Flag.withDescription("File with the released versions. Default: cairn-schema.json beside the schema"),
    Flag.optional,
  ),
};

const settings = {
  seed: Flag.Int("seed").pipe(Flag.withDescription("Where generated values begin"), Flag.withDefault(DEFAULT_SEED)),
  runs: Flag.Int("runs").pipe(
    Flag.withDescription("Values that each step is tried on"),
    Flag.withDefault(DEFAULT_RUNS),
  ),
  strict: Flag.Boolean("strict").pipe(Flag.withDescription("Warnings fail too"), Flag.withDefault(false)),
};

interface Chosen {
  readonly schema: Option.Option<string>;
  readonly record: Option.Option<string>;
}

/** @param isJson whether `--json` was said */
export const makeSchemaCommand = <E, R>(isJson: Effect.Effect<boolean, E, R>) => {
  const onFiles = (chosen: Chosen, run: (found: SchemaFiles, output: Output) => Effect.Effect<void, CommandFailure>) =>
    Effect.gen(function* () {
      const output = makeOutput(yield* isJson);
      return yield* Effect.flatMap(findFiles(chosen), (found) => run(found, output)).pipe(
        Effect.tapError(output.failed),
      );
    });

  const checkCommand = Command.make("check", { ...files, ...settings }, (options) =>
    onFiles(options, (found, output) => check(found, options, output)),
  ).pipe(
    Command.withDescription(
      "Fail when a released version was edited or is missing, when there is no record of what was released, when a step is missing, or when its functions break what they owe; warn of changes that surprise",
    ),
  );
  const none = Flag.Boolean("none").pipe(
    Flag.withDescription("Begin the record: no version is released yet"),
    Flag.withDefault(false),
  );
  const releaseCommand = Command.make("release", { ...files, ...settings, none }, (options) =>
    onFiles(options, (found, output) => (options.none ? releaseNone(found, output) : release(found, options, output))),
  ).pipe(Command.withDescription("Check, and record the versions that are not recorded yet as released"));
  const diffCommand = Command.make(
    "diff",
    {
      ...files,
      from: Argument.Int("from").pipe(
        Argument.withDescription("Version before the changes. Default: the newest that was released before"),
        Argument.optional,
      ),
      to: Argument.Int("to").pipe(
        Argument.withDescription("Version with the changes. Default: the newest"),
        Argument.optional,
      ),
    },
    ({ from, to, ...chosen }) =>
      onFiles(chosen, (found, output) =>
        diff(found, { from: Option.getOrUndefined(from), to: Option.getOrUndefined(to) }, output),
      ),
  ).pipe(Command.withDescription("Say in words what changed between two versions"));
  const newCommand = Command.make("new", files, (options) => onFiles(options, writeNext)).pipe(
    Command.withDescription("Write the file of the next version: the newest as it is, without steps"),
  );
  return Command.make("schema").pipe(
    Command.withSubcommands([checkCommand, releaseCommand, diffCommand, newCommand]),
    Command.withDescription("Look after the versions of an app's schema: a released one never changes"),
  );
};
