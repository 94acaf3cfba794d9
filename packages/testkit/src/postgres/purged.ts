/** Makes a server refuse a document's entries for good, as after its owner's purge, and takes that back. */
import { decodeBase64Url } from "@cairn/protocol";
import { PgClient } from "@effect/sql-pg";
import { Effect, Redacted } from "effect";

/** `document` is an id as addresses have it, in whichever workspaces of the database. */
export const setPurged = (databaseUrl: string, document: string, purged: boolean): Promise<void> =>
  Effect.runPromise(
    Effect.gen(function* () {
      const sql = yield* PgClient.PgClient;
      const id = decodeBase64Url(document) ?? new Uint8Array();
      yield* sql`delete from purged_documents where document = ${id}`;
      if (!purged) return;
      yield* sql`insert into purged_documents (workspace, document, seq, purged_at) select workspace, ${id}, 0, now() from workspaces`;
    }).pipe(Effect.provide(PgClient.layer({ url: Redacted.make(databaseUrl), maxConnections: 1 }))),
  );
