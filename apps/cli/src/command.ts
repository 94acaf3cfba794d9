/** The `cairn` command: its arguments and what they do. */
import { Effect, Option, type Scope } from "effect";
import { Argument, Command, Flag } from "effect/cli";
import { exportTo, importFrom } from "./backup.ts";
import * as Documents from "./documents.ts";
import { attempt, type CommandFailure, hintOf } from "./failures.ts";
import { makeOutput, type Output } from "./output.ts";
import {
  type AnyCairn,
  type AnyWorkspace,
  importThread,
  nameOf,
  openProfile,
  openWorkspace,
  settle,
} from "./profile.ts";
import { makeSchemaCommand } from "./schema/command.ts";

const cairn = Command.make("cairn").pipe(
  Command.withSharedFlags({
    directory: Flag.String("directory").pipe(
      Flag.withAlias("d"),
      Flag.withDescription("Folder of the profile. Default: CAIRN_DIRECTORY, else ~/.cairn"),
      Flag.optional,
    ),
    server: Flag.String("server").pipe(
      Flag.withDescription("Address of the server, for a new profile. Default: CAIRN_SERVER, else none"),
      Flag.optional,
    ),
    invite: Flag.String("invite").pipe(
      Flag.withDescription("The server's invitation code; kept in the profile. Default: CAIRN_INVITE"),
      Flag.optional,
    ),
    workspace: Flag.String("workspace").pipe(
      Flag.withAlias("w"),
      Flag.withDescription("Id of the workspace, or its beginning. Default: the one used last"),
      Flag.optional,
    ),
    json: Flag.Boolean("json").pipe(
      Flag.withDescription("Print results as one line of JSON, and failures as JSON on stderr"),
      Flag.withDefault(false),
    ),
  }),
  Command.withDescription(
    "Your Cairn workspaces on the command line: take everything out, bring it back, join, look. " +
      "Exit codes: 0 done, 1 failed or wrong usage, 3 try again later, 4 something has to be done first, 5 not a good backup.",
  ),
);

interface Setting {
  readonly cairn: AnyCairn;
  readonly workspace: AnyWorkspace;
  readonly output: Output;
}

/** Opens the profile and runs a command on it. */
const onProfile = <A>(
  run: (cairn: AnyCairn, output: Output) => Effect.Effect<A, CommandFailure, Scope.Scope>,
  thread?: typeof importThread,
) =>
  Effect.gen(function* () {
    const options = yield* cairn;
    const output = makeOutput(options.json);
    return yield* Effect.scoped(Effect.flatMap(openProfile(options, thread), (opened) => run(opened, output))).pipe(
      Effect.tapError(output.failed),
    );
  });

const onWorkspace = <A>(
  run: (setting: Setting) => Effect.Effect<A, CommandFailure, Scope.Scope>,
  thread?: typeof importThread,
) =>
  Effect.gen(function* () {
    const options = yield* cairn;
    return yield* onProfile(
      (opened, output) =>
        Effect.flatMap(openWorkspace(opened, options), (workspace) => run({ cairn: opened, workspace, output })),
      thread,
    );
  });

const file = Argument.String("file").pipe(Argument.withDescription("The backup file"));
const protectedBy = Flag.Boolean("passphrase").pipe(
  Flag.withDescription("The file is protected by the passphrase in the environment variable CAIRN_PASSPHRASE"),
  Flag.withDefault(false),
);
const passphraseFrom = (wanted: boolean) =>
  attempt(() => {
    const passphrase = process.env["CAIRN_PASSPHRASE"];
    if (!wanted) return Promise.resolve(undefined);
    return passphrase === undefined || passphrase === ""
      ? Promise.reject(new Error("Put the passphrase into the environment variable CAIRN_PASSPHRASE."))
      : Promise.resolve(passphrase);
  });

const exportCommand = Command.make(
  "export",
  {
    file,
    force: Flag.Boolean("force").pipe(Flag.withDescription("Replace the file"), Flag.withDefault(false)),
    partial: Flag.Boolean("partial").pipe(
      Flag.withDescription("Leave out attachments that cannot be had now"),
      Flag.withDefault(false),
    ),
    passphrase: protectedBy,
  },
  ({ file, force, partial, passphrase }) =>
    onWorkspace(
      ({ workspace, output }) =>
        Effect.flatMap(passphraseFrom(passphrase), (secret) =>
          exportTo(workspace, { file, force, partial, passphrase: secret }, output),
        ),
      importThread,
    ),
).pipe(Command.withDescription("Write everything of a workspace to one file, and verify it"));

const importCommand = Command.make(
  "import",
  {
    file,
    dryRun: Flag.Boolean("dry-run").pipe(
      Flag.withDescription("Read and check everything, say what would be new, change nothing"),
      Flag.withDefault(false),
    ),
    passphrase: protectedBy,
  },
  ({ file, dryRun, passphrase }) =>
    onWorkspace(({ workspace, output }) =>
      Effect.flatMap(passphraseFrom(passphrase), (secret) =>
        importFrom(workspace, { file, dryRun, passphrase: secret }, output),
      ),
    ),
).pipe(Command.withDescription("Bring back what a backup has and the workspace has not; repeating it changes nothing"));

const joinCommand = Command.make(
  "join",
  { link: Argument.String("link").pipe(Argument.withDescription("An access link, whole, in quotes")) },
  ({ link }) =>
    onProfile((opened, output) =>
      Effect.gen(function* () {
        const workspace = yield* attempt(() => opened.join(link));
        const upToDate = yield* settle(workspace);
        const info = workspace.info();
        yield* output.result({ ...info, upToDate }, () => [`Joined ${nameOf(info)} as ${info.role}.`]);
      }),
    ),
).pipe(Command.withDescription("Join a workspace by its link"));

const statusCommand = Command.make("status", {}, () =>
  onWorkspace(({ cairn: opened, workspace, output }) =>
    Effect.gen(function* () {
      yield* settle(workspace);
      const [info, sync] = [workspace.info(), workspace.sync()];
      yield* output.result({ workspace: info, sync, workspaces: opened.workspaces() }, () => [
        `Workspace  ${nameOf(info)} (${info.id}), ${info.role}`,
        `Server     ${info.server ?? "none: everything is on this device alone"}`,
        `State      ${sync.status}${sync.problem === undefined ? "" : `: ${sync.problem.message}${hintOf(sync.problem.code)} [${sync.problem.code}]`}`,
        `Waiting    ${sync.pendingDocuments} documents, ${sync.pendingBytes} bytes${sync.parked === 0 ? "" : `; ${sync.parked} refused`}`,
      ]);
    }),
  ),
).pipe(Command.withDescription("Say where a workspace stands"));

const listCommand = Command.make(
  "list",
  {
    search: Flag.String("search").pipe(
      Flag.withAlias("s"),
      Flag.withDescription("Only documents that hold all these words"),
      Flag.withDefault(""),
    ),
    deleted: Flag.Boolean("deleted").pipe(Flag.withDescription("Those in the bin instead"), Flag.withDefault(false)),
  },
  (options) =>
    onWorkspace(({ workspace, output }) =>
      Effect.andThen(settle(workspace), Documents.list(workspace, options, output)),
    ),
).pipe(Command.withAlias("ls"), Command.withDescription("List documents, newest first: id, time, type, title"));

const showCommand = Command.make(
  "show",
  { id: Argument.String("id").pipe(Argument.withDescription("Id of the document, or its beginning")) },
  ({ id }) =>
    onWorkspace(({ workspace, output }) => Effect.andThen(settle(workspace), Documents.show(workspace, id, output))),
).pipe(Command.withDescription("Print what a document holds, as JSON"));

const linkCommand = Command.make(
  "link",
  {
    role: Flag.Literals("role", ["writer", "reader"]).pipe(
      Flag.withDescription("What whoever joins may do"),
      Flag.withDefault("writer"),
    ),
    label: Flag.String("label").pipe(Flag.withDescription("A name for the link"), Flag.withDefault("")),
    uses: Flag.Int("uses").pipe(Flag.withDescription("How many devices may join; 0: any number"), Flag.withDefault(0)),
    hours: Flag.Int("hours").pipe(Flag.withDescription("How long it works; without it: until revoked"), Flag.optional),
  },
  ({ role, label, uses, hours }) =>
    onWorkspace(({ workspace, output }) =>
      Effect.gen(function* () {
        yield* settle(workspace);
        const made = yield* attempt(() =>
          workspace.createLink({
            role,
            label,
            maxUses: uses,
            ...(Option.isSome(hours) ? { expiresInMillis: hours.value * 3_600_000 } : {}),
          }),
        );
        yield* output.result({ ...made, role }, () => [made.url]);
      }),
    ),
).pipe(Command.withDescription("Make a link that lets devices join. Whoever has it can join: pass it on with care"));

const schemaCommand = makeSchemaCommand(Effect.map(cairn, ({ json }) => json));

/** The whole command. */
export const command = cairn.pipe(
  Command.withSubcommands([
    exportCommand,
    importCommand,
    joinCommand,
    statusCommand,
    listCommand,
    showCommand,
    linkCommand,
    schemaCommand,
  ]),
);
