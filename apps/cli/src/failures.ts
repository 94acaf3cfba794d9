/** What the command says when something does not work, and what it exits with. */
import { CairnError } from "@cairn/client";
import { Data, Effect, Runtime } from "effect";

/** The exit codes, as `--help` and the README list them. 0 is success. */
export const ExitCode = {
  /** It cannot be done, something is broken, or the command line is wrong. */
  failed: 1,
  /** No server in reach, or not in time: try again later. */
  later: 3,
  /** Something has to be done first, as the message says. */
  first: 4,
  /** The file is no backup, damaged, or needs another passphrase. */
  backup: 5,
} as const;

/** A failure with a stable code, as the client has it or as one of the command's own. */
export class CommandFailure extends Data.TaggedError("CommandFailure")<{
  readonly code: string;
  readonly action: "retry" | "pause" | "stop";
  readonly message: string;
}> {
  override readonly [Runtime.errorExitCode]: number = exitCodeOf(this.code, this.action);
  /** Said already, in words or as JSON. */
  override readonly [Runtime.errorReported] = false;
}

const exitCodeOf = (code: string, action: "retry" | "pause" | "stop"): number => {
  if (code.startsWith("backup-")) return ExitCode.backup;
  return action === "retry" ? ExitCode.later : action === "pause" ? ExitCode.first : ExitCode.failed;
};

/** A failure of the command itself. */
export const failure = (code: string, message: string): CommandFailure =>
  new CommandFailure({ code, action: "stop", message });

/** What this command has for a failure whose words leave open where to put the answer. */
export const hintOf = (code: string): string => hints.get(code) ?? "";

const hints: ReadonlyMap<string, string> = new Map([
  ["invite-invalid", " Give the code with --invite, or in CAIRN_INVITE."],
  ["backup-protected", " Say --passphrase, and put it into CAIRN_PASSPHRASE."],
]);

const toFailure = (error: unknown): CommandFailure => {
  if (error instanceof CommandFailure) return error;
  if (error instanceof CairnError) {
    const { code, action, message } = error;
    return new CommandFailure({ code, action, message: `${message}${hintOf(code)}` });
  }
  return failure("internal", error instanceof Error ? error.message : String(error));
};

/** Runs a promise of the client. */
export const attempt = <A>(run: () => Promise<A>): Effect.Effect<A, CommandFailure> =>
  Effect.tryPromise({ try: run, catch: toFailure });
