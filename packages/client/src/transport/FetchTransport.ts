/** The transport over `fetch` and `WebSocket`, typed by `CairnApi`. */
import {
  CairnApi,
  decodePage,
  MalformedBytes,
  PROTOCOL_VERSION,
  SessionAuthorization,
  WireError,
} from "@cairn/protocol";
import { Context, Duration, Effect, Layer, Redacted, Schema } from "effect";
import { FetchHttpClient, HttpClient, HttpClientRequest } from "effect/http";
import { HttpApiClient, HttpApiMiddleware } from "effect/http-api";
import { connectLive } from "./live-socket.ts";
import { type ServerCalls, Transport, type TransportFailure, type TransportShape, Unreachable } from "./Transport.ts";

/** The token of the call at hand; never in a URL. */
const BearerToken = Context.Reference<Redacted.Redacted | undefined>("cairn/client/BearerToken", {
  defaultValue: () => undefined,
});

const authorization = HttpApiMiddleware.layerClient(SessionAuthorization, ({ next, request }) =>
  Effect.flatMap(BearerToken, (token) =>
    next(token === undefined ? request : HttpClientRequest.bearerToken(request, token)),
  ),
);

/** A call that hears nothing for this long is given up: a network can go silent without closing. */
const CALL_TIMEOUT = Duration.seconds(30);

const isWireError = Schema.is(WireError);

const failure = (error: unknown): TransportFailure => (isWireError(error) ? error : new Unreachable({ cause: error }));

const run = <A>(call: Effect.Effect<A, unknown>): Effect.Effect<A, TransportFailure> =>
  call.pipe(
    Effect.timeout(CALL_TIMEOUT),
    // Trace headers would tell the server which calls belong together, and no server of another origin lets them pass.
    Effect.provideService(HttpClient.TracerPropagationEnabled, false),
    Effect.mapError(failure),
    Effect.catchDefect((defect) => Effect.fail(new Unreachable({ cause: defect }))),
  );

const makeServer = Effect.fnUntraced(function* (origin: string) {
  const client = yield* HttpApiClient.make(CairnApi, {
    baseUrl: origin,
    transformClient: HttpClient.mapRequest(HttpClientRequest.setHeader("cairn-protocol", String(PROTOCOL_VERSION))),
  });
  const withToken = <A, E>(token: string, call: Effect.Effect<A, E>): Effect.Effect<A, TransportFailure> =>
    run(Effect.provideService(call, BearerToken, Redacted.make(token)));
  const calls: ServerCalls = {
    origin,
    describe: run(client.system.describe()),
    challenge: run(client.system.challenge()),
    register: (workspace, payload) => run(client.workspaces.register({ params: { workspace }, payload })),
    renew: (workspace, payload) => run(client.tokens.renew({ params: { workspace }, payload })),
    state: (workspace, token) => withToken(token, client.workspaces.state({ params: { workspace } })),
    push: (workspace, token, payload) => withToken(token, client.entries.push({ params: { workspace }, payload })),
    pull: (workspace, token, query) =>
      Effect.flatMap(withToken(token, client.entries.pull({ params: { workspace }, query })), (bytes) =>
        Effect.try({
          try: () => decodePage(bytes),
          catch: (error) => {
            if (error instanceof MalformedBytes) return new Unreachable({ cause: error });
            throw error;
          },
        }),
      ),
    listGrants: (workspace, token) => withToken(token, client.tokens.list({ params: { workspace } })),
    createLink: (workspace, token, payload) =>
      withToken(token, client.links.createLink({ params: { workspace }, payload })),
    listLinks: (workspace, token) => withToken(token, client.links.listLinks({ params: { workspace } })),
    describeLink: (workspace, link) => run(client.links.describeLink({ params: { workspace, link } })),
    openLink: (workspace, link, payload) => run(client.links.openLink({ params: { workspace, link }, payload })),
    revokeLink: (workspace, token, link) =>
      withToken(token, Effect.asVoid(client.links.revokeLink({ params: { workspace, link } }))),
    putChunk: (workspace, token, hash, payload) =>
      withToken(token, Effect.asVoid(client.chunks.putChunk({ params: { workspace, hash }, payload }))),
    hasChunk: (workspace, token, hash) =>
      withToken(token, client.chunks.headChunk({ params: { workspace, hash } })).pipe(
        Effect.as(true),
        // An answer to HEAD has no body to tell what is not found: any 404 means that the chunk is not there.
        Effect.catch((error) =>
          error._tag === "NotFound" || isNotFound(error) ? Effect.succeed(false) : Effect.fail(error),
        ),
      ),
    getChunk: (workspace, token, hash) => withToken(token, client.chunks.getChunk({ params: { workspace, hash } })),
  };
  return calls;
});

const isNotFound = (error: TransportFailure): boolean => {
  if (error._tag !== "Unreachable") return false;
  const cause: unknown = error.cause;
  return (
    typeof cause === "object" &&
    cause !== null &&
    "response" in cause &&
    typeof cause.response === "object" &&
    cause.response !== null &&
    "status" in cause.response &&
    cause.response.status === 404
  );
};

/** Browsers tell pages and workers alike; Node tells nobody. */
const watchNetwork: TransportShape["watchNetwork"] = (changed) => {
  if (!("addEventListener" in globalThis)) return () => undefined;
  const came = (): void => changed(true);
  const went = (): void => changed(false);
  globalThis.addEventListener("online", came);
  globalThis.addEventListener("offline", went);
  return () => {
    globalThis.removeEventListener("online", came);
    globalThis.removeEventListener("offline", went);
  };
};

/** Needs only the platform's `fetch` and `WebSocket`. */
export const layerFetch: Layer.Layer<Transport> = Layer.effect(
  Transport,
  Effect.gen(function* () {
    const context = yield* Effect.context<HttpClient.HttpClient | HttpApiMiddleware.ForClient<SessionAuthorization>>();
    const servers = new Map<string, ServerCalls>();
    return Transport.of({
      server: (origin) => {
        const known = servers.get(origin);
        if (known !== undefined) return known;
        const made = Effect.runSync(Effect.provideContext(makeServer(origin), context));
        servers.set(origin, made);
        return made;
      },
      connect: connectLive,
      watchNetwork,
    });
  }),
).pipe(Layer.provide([FetchHttpClient.layer, authorization]));
