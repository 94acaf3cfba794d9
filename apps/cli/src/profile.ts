/** The profile that a command works on: opened for it, and closed when it ends. */
import { type Cairn, type ImportThread, openCairn, type Workspace, type WorkspaceInfo } from "@cairn/client";
import { Effect, Option, type Scope } from "effect";
import { homedir, hostname } from "node:os";
import { join } from "node:path";
import { Worker } from "node:worker_threads";
import { schema } from "./any-documents.ts";
import { attempt, type CommandFailure, failure } from "./failures.ts";

type Schema = typeof schema;

export type AnyCairn = Cairn<Schema>;
export type AnyWorkspace = Workspace<Schema>;

export interface ProfileOptions {
  readonly directory: Option.Option<string>;
  readonly server: Option.Option<string>;
  readonly invite: Option.Option<string>;
  readonly workspace: Option.Option<string>;
}

/** How long a command waits for what the server has, in milliseconds. */
const SYNC_MILLIS = 15_000;

const directoryOf = ({ directory }: ProfileOptions): string =>
  Option.getOrElse(directory, () => process.env["CAIRN_DIRECTORY"] ?? join(homedir(), ".cairn"));

const originOf = (server: string): Effect.Effect<string, CommandFailure> => {
  const url = URL.parse(server);
  return url === null || !/^https?:$/.test(url.protocol)
    ? Effect.fail(failure("usage", `"${server}" is not the address of a server; it looks like https://notes.example`))
    : Effect.succeed(url.origin);
};

/**
 * For commands that merge many documents. It takes as long to load as the command itself, so the others go without: they merge
 * what they wrote, and read the rest as it is.
 */
export const importThread = (): Worker => new Worker(new URL("./import-thread.ts", import.meta.url));

/** The profile, closed with the scope. */
export const openProfile = (
  options: ProfileOptions,
  importThread?: () => ImportThread,
): Effect.Effect<AnyCairn, CommandFailure, Scope.Scope> =>
  Effect.gen(function* () {
    const given = Option.getOrUndefined(options.server) ?? process.env["CAIRN_SERVER"];
    const server = given === undefined || given === "" ? undefined : yield* originOf(given);
    const invite = Option.getOrUndefined(options.invite) ?? (process.env["CAIRN_INVITE"] || undefined);
    return yield* Effect.acquireRelease(
      attempt(() =>
        openCairn({
          schema,
          directory: directoryOf(options),
          server,
          invite,
          deviceName: `cairn on ${hostname()}`,
          importThread,
        }),
      ),
      (cairn) => Effect.promise(() => cairn.close().catch(() => undefined)),
    );
  });

/** The workspace that was asked for, else the one used last, else a new one of this profile. */
export const openWorkspace = (cairn: AnyCairn, options: ProfileOptions): Effect.Effect<AnyWorkspace, CommandFailure> =>
  Effect.gen(function* () {
    const current = yield* attempt(() => cairn.workspace());
    if (Option.isNone(options.workspace)) return current;
    const wanted = options.workspace.value;
    const found = yield* only(cairn.workspaces(), wanted, "workspace", "workspace-not-here");
    return found.id === current.id ? current : yield* attempt(() => cairn.workspace(found.id));
  });

/** The one thing whose id begins so. */
export const only = <A extends { readonly id: string }>(
  all: ReadonlyArray<A>,
  wanted: string,
  what: string,
  code: string,
): Effect.Effect<A, CommandFailure> => {
  const found = all.filter(({ id }) => id.startsWith(wanted));
  const [first] = found.filter(({ id }) => id === wanted).concat(found);
  if (first === undefined) return Effect.fail(failure(code, `This profile has no ${what} ${wanted}.`));
  return found.length > 1 && first.id !== wanted
    ? Effect.fail(failure(code, `${found.length} ids begin with ${wanted}; give more of it.`))
    : Effect.succeed(first);
};

/** Waits until everything that the server has is here, and what is here is there. Returns whether that is so. */
export const settle = (workspace: AnyWorkspace): Effect.Effect<boolean> =>
  Effect.callback<boolean>((resume) => {
    const stop = workspace.onSync(({ status }) => {
      if (status === "local-only" || status === "up-to-date") resume(Effect.succeed(true));
      else if (status === "offline" || status === "problem") resume(Effect.succeed(false));
    });
    return Effect.sync(stop);
  }).pipe(
    Effect.timeout(SYNC_MILLIS),
    Effect.orElseSucceed(() => false),
  );

/** A name for people. */
export const nameOf = ({ id, name }: WorkspaceInfo): string => (name === "" ? id : name);
