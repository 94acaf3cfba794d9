/** `cairn export` and `cairn import`. */
import { Effect } from "effect";
import { openAsBlob } from "node:fs";
import { open, rename, rm, stat } from "node:fs/promises";
import { attempt, type CommandFailure, failure } from "./failures.ts";
import { type Output, size } from "./output.ts";
import { type AnyWorkspace, nameOf, settle } from "./profile.ts";

export interface ExportOptions {
  readonly file: string;
  readonly force: boolean;
  readonly partial: boolean;
  readonly passphrase: string | undefined;
}

const exists = (file: string): Promise<boolean> =>
  stat(file).then(
    () => true,
    () => false,
  );

/** Writes a backup beside its place, reads it again to the end, and only then gives it its name (hazard 24). */
export const exportTo = (
  workspace: AnyWorkspace,
  options: ExportOptions,
  output: Output,
): Effect.Effect<void, CommandFailure> =>
  Effect.gen(function* () {
    const { file, force, partial, passphrase } = options;
    if (!force && (yield* attempt(() => exists(file)))) {
      return yield* failure("file-exists", `${file} is there already. Choose another name, or say --force.`);
    }
    const synced = yield* settle(workspace);
    if (!synced) output.note("The server cannot be reached: what is only there is not in this backup.");
    const part = `${file}.part`;
    const report = yield* Effect.gen(function* () {
      const bytes = yield* attempt(() => writeTo(part, workspace, { partial, passphrase }, output));
      output.progress("Reading it again…");
      const verified = yield* attempt(async () =>
        workspace.importBackup(await openAsBlob(part), { dryRun: true, passphrase }),
      );
      // Every document is here in the state that was written, or in a later one.
      if (verified.newDocuments > 0) {
        return yield* failure(
          "backup-malformed",
          "The backup does not hold what was exported. Nothing was kept of it.",
        );
      }
      yield* attempt(() => rename(part, file));
      return { bytes, documents: verified.documents, attachments: verified.attachments };
    }).pipe(Effect.tapError(() => Effect.promise(() => rm(part, { force: true }))));
    yield* output.result({ file, ...report, verified: true, upToDate: synced }, () => [
      `${file}: ${report.documents} documents and ${report.attachments} attachments of ${nameOf(workspace.info())}, ${size(report.bytes)}, verified.`,
    ]);
  });

const writeTo = async (
  file: string,
  workspace: AnyWorkspace,
  options: { readonly partial: boolean; readonly passphrase: string | undefined },
  output: Output,
): Promise<number> => {
  let bytes = 0;
  const handle = await open(file, "w", 0o600);
  try {
    const backup = await workspace.exportBackup(options);
    for await (const piece of backup) {
      for (let offset = 0; offset < piece.length;) offset += (await handle.write(piece, offset)).bytesWritten;
      bytes += piece.length;
      output.progress(`Exporting… ${size(bytes)}`);
    }
    await handle.sync();
    return bytes;
  } finally {
    await handle.close();
  }
};

export interface ImportOptions {
  readonly file: string;
  readonly dryRun: boolean;
  readonly passphrase: string | undefined;
}

/** Brings a backup in, and waits for the server to have it. */
export const importFrom = (
  workspace: AnyWorkspace,
  { file, dryRun, passphrase }: ImportOptions,
  output: Output,
): Effect.Effect<void, CommandFailure> =>
  Effect.gen(function* () {
    if (!(yield* attempt(() => exists(file)))) return yield* failure("file-missing", `There is no file ${file}.`);
    yield* settle(workspace);
    output.progress(dryRun ? "Reading…" : "Importing…");
    const report = yield* attempt(async () => workspace.importBackup(await openAsBlob(file), { dryRun, passphrase }));
    const synced = dryRun || (yield* settle(workspace));
    if (!synced) output.note("The server does not have it yet: it goes out with the next command that reaches it.");
    yield* output.result({ file, ...report }, () => {
      const { documents, newDocuments, copies, attachments, newAttachments } = report;
      const beside = copies === 0 ? "" : `, ${copies} of them beside a document that is here in another state`;
      return [
        `${file}: ${documents} documents and ${attachments} attachments.`,
        newDocuments === 0
          ? "All of it is here already."
          : `${dryRun ? "Would be new" : "New"}: ${newDocuments} documents${beside}, with ${newAttachments} attachments.`,
      ];
    });
  });
