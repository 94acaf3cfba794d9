/** The certificate that https is served with, and its renewal while the server runs. */
import { Duration, Effect, Schedule } from "effect";
import { readFile } from "node:fs/promises";
import type { Server } from "node:https";
import { Refusal } from "./Refusal.ts";

export interface CertificateFiles {
  /** PEM, the server's own certificate first. */
  readonly certificateFile: string;
  /** PEM. */
  readonly keyFile: string;
}

export interface Certificate {
  readonly cert: Buffer;
  readonly key: Buffer;
}

/** How often the files are looked at: certificates are renewed weeks before they expire. */
const LOOK = Duration.minutes(1);

/** Why https cannot be served with these files. */
export const certificateRefusal = ({ certificateFile, keyFile }: CertificateFiles, cause: unknown): Refusal =>
  new Refusal({
    code: "certificate",
    message:
      `Cairn cannot serve https with the certificate ${certificateFile} and the key ${keyFile} ` +
      `(${cause instanceof Error ? cause.message : String(cause)}). Both must be readable PEM files that belong together.`,
  });

export const readCertificate = (files: CertificateFiles): Effect.Effect<Certificate, Refusal> =>
  Effect.tryPromise({
    try: async () => ({ cert: await readFile(files.certificateFile), key: await readFile(files.keyFile) }),
    catch: (cause) => certificateRefusal(files, cause),
  });

/**
 * Serves with the certificate that the files hold now, if that is another one than `current`; new connections get it.
 *
 * @returns the certificate in use afterwards
 */
export const renewCertificate = (
  server: Pick<Server, "setSecureContext">,
  files: CertificateFiles,
  current: Certificate,
): Effect.Effect<Certificate, Refusal> =>
  Effect.flatMap(readCertificate(files), (found) =>
    found.cert.equals(current.cert) && found.key.equals(current.key)
      ? Effect.succeed(current)
      : Effect.try({
          try: () => {
            server.setSecureContext(found);
            return found;
          },
          // One file may be newer than the other for a moment: the next look finds them both.
          catch: (cause) => certificateRefusal(files, cause),
        }),
  );

/** Looks at the files for as long as it runs. What cannot be used is told, and the server goes on with what it has. */
export const keepCertificateFresh = Effect.fnUntraced(function* (
  server: Pick<Server, "setSecureContext">,
  files: CertificateFiles,
  first: Certificate,
) {
  let current = first;
  const look = Effect.gen(function* () {
    const found = yield* renewCertificate(server, files, current);
    if (found === current) return;
    current = found;
    yield* Effect.logInfo("https is served with a new certificate");
  }).pipe(Effect.catchTag("Refusal", ({ message }) => Effect.logWarning(message)));
  yield* Effect.repeat(look, Schedule.spaced(LOOK));
});
