/** The endpoints, each a few words to its port. What acts on a workspace takes it from the session, never from the path. */
import {
  CairnApi,
  CurrentSession,
  encodePage,
  LIMITS,
  OLDEST_PROTOCOL_VERSION,
  PROTOCOL_VERSION,
  type ServerDescription,
} from "@cairn/protocol";
import { PgClient } from "@effect/sql-pg";
import { Effect, Layer } from "effect";
import { HttpApiBuilder } from "effect/http-api";
import { BlobStore } from "../blobs/BlobStore.ts";
import { ServerIdentity } from "../database/Database.ts";
import { Links } from "../links/Links.ts";
import { LiveConnections } from "../live/LiveConnections.ts";
import { EntryLog } from "../log/EntryLog.ts";
import { refuse } from "../refusals.ts";
import { ServerSettings } from "../ServerSettings.ts";
import { Challenges } from "../tokens/Challenges.ts";
import { Tokens } from "../tokens/Tokens.ts";
import { readBatch } from "./read-batch.ts";
import { limitUnproven } from "./UnprovenLimit.ts";
import { master, writer } from "./SessionAuthorizationLive.ts";

const DATABASE_PATIENCE = "2 seconds";

const databaseAnswers = Effect.gen(function* () {
  const sql = yield* PgClient.PgClient;
  yield* sql`select 1 as one`.pipe(
    Effect.timeoutOrElse({ duration: DATABASE_PATIENCE, orElse: () => refuse("unavailable", { retryAfter: 1 }) }),
    Effect.catchTag("SqlError", () => refuse("unavailable", { retryAfter: 1 })),
  );
});

const systemHandlers = HttpApiBuilder.group(
  CairnApi,
  "system",
  Effect.fn(function* (handlers) {
    const identity = yield* ServerIdentity;
    const settings = yield* ServerSettings;
    const challenges = yield* Challenges;
    const limited = yield* limitUnproven;
    const sql = yield* PgClient.PgClient;
    const answers = Effect.provideService(databaseAnswers, PgClient.PgClient, sql);
    const description: ServerDescription = {
      server: identity.server,
      epoch: identity.epoch,
      protocol: { current: PROTOCOL_VERSION, oldest: OLDEST_PROTOCOL_VERSION },
      registration: settings.registration,
      limits: {
        entryBytes: LIMITS.entryBytes,
        batchBytes: LIMITS.batchBytes,
        batchEntries: LIMITS.batchEntries,
        pageBytes: LIMITS.pageBytesMax,
        chunkBytes: LIMITS.chunkBytes,
        attachmentBytes: settings.attachmentBytes,
        workspaceBytes: settings.workspaceBytes,
      },
      backupHorizonSeconds: settings.backupHorizonSeconds,
      ...(settings.publicUrl === undefined ? {} : { publicUrl: settings.publicUrl }),
    };
    return handlers.handleAll({
      health: () => Effect.as(answers, { status: "ok" as const }),
      ready: () => Effect.as(answers, { status: "ready" as const }),
      describe: () => Effect.succeed(description),
      challenge: () => limited(challenges.make),
    });
  }),
);

const workspacesHandlers = HttpApiBuilder.group(
  CairnApi,
  "workspaces",
  Effect.fn(function* (handlers) {
    const tokens = yield* Tokens;
    const log = yield* EntryLog;
    const limited = yield* limitUnproven;
    return handlers.handleAll({
      register: ({ params, payload }) => limited(tokens.register(params.workspace, payload)),
      state: () => Effect.flatMap(CurrentSession, ({ workspace }) => log.state(workspace)),
    });
  }),
);

const entriesHandlers = HttpApiBuilder.group(
  CairnApi,
  "entries",
  Effect.fn(function* (handlers) {
    const log = yield* EntryLog;
    const live = yield* LiveConnections;
    return handlers
      .handle(
        "push",
        Effect.fnUntraced(function* ({ payload }) {
          const session = yield* CurrentSession;
          return yield* log.push(session, yield* readBatch(payload));
        }),
      )
      .handle(
        "pull",
        Effect.fnUntraced(function* ({ query }) {
          const { workspace, device } = yield* CurrentSession;
          const page = yield* log.pull({
            workspace,
            reader: device,
            after: query.after,
            chain: query.chain,
            maxBytes: query.bytes ?? LIMITS.pageBytesDefault,
            own: query.own ?? "brief",
          });
          return encodePage(page);
        }),
      )
      .handleRaw("live", ({ params, request }) => live.serve(params.workspace, request));
  }),
);

const tokensHandlers = HttpApiBuilder.group(
  CairnApi,
  "tokens",
  Effect.fn(function* (handlers) {
    const tokens = yield* Tokens;
    const limited = yield* limitUnproven;
    return handlers.handleAll({
      issue: ({ payload }) => Effect.flatMap(master, ({ workspace }) => tokens.issue(workspace, payload)),
      renew: ({ params, payload }) => limited(tokens.renew(params.workspace, payload)),
      list: () => Effect.flatMap(master, ({ workspace }) => tokens.list(workspace)),
      revoke: ({ params }) => Effect.flatMap(master, ({ workspace }) => tokens.revoke(workspace, params.grant)),
    });
  }),
);

const linksHandlers = HttpApiBuilder.group(
  CairnApi,
  "links",
  Effect.fn(function* (handlers) {
    const links = yield* Links;
    const limited = yield* limitUnproven;
    return handlers.handleAll({
      createLink: ({ payload }) => Effect.flatMap(master, ({ workspace }) => links.create(workspace, payload)),
      listLinks: () => Effect.flatMap(master, ({ workspace }) => links.list(workspace)),
      describeLink: ({ params }) => limited(links.describe(params.workspace, params.link)),
      openLink: ({ params, payload }) => limited(links.open(params.workspace, params.link, payload)),
      revokeLink: ({ params }) => Effect.flatMap(master, ({ workspace }) => links.revoke(workspace, params.link)),
    });
  }),
);

const chunksHandlers = HttpApiBuilder.group(
  CairnApi,
  "chunks",
  Effect.fn(function* (handlers) {
    const blobs = yield* BlobStore;
    return handlers.handleAll({
      putChunk: ({ params, payload }) => Effect.flatMap(writer, (session) => blobs.put(session, params.hash, payload)),
      headChunk: ({ params }) =>
        Effect.flatMap(CurrentSession, ({ workspace }) => Effect.asVoid(blobs.head(workspace, params.hash))),
      getChunk: ({ params }) => Effect.flatMap(CurrentSession, ({ workspace }) => blobs.get(workspace, params.hash)),
    });
  }),
);

/** Handlers for all of the API. */
export const layerHandlers = Layer.mergeAll(
  systemHandlers,
  workspacesHandlers,
  entriesHandlers,
  tokensHandlers,
  linksHandlers,
  chunksHandlers,
);
