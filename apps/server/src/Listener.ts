/**
 * The HTTP server: plain or TLS, on the configured address. On shutdown, open WebSockets are told to go away first;
 * otherwise they would hold the server for the whole grace time.
 */
import { answerUntilServing } from "@cairn/server";
import { NodeHttpServer } from "@effect/platform-node";
import { Context, Effect, Layer } from "effect";
import * as Http from "node:http";
import * as Https from "node:https";
import { createServer } from "node:net";
import type { Duplex } from "node:stream";
import { certificateRefusal, keepCertificateFresh, readCertificate } from "./Certificate.ts";
import { ServerConfiguration, type ServerConfigurationShape } from "./configuration.ts";
import { Refusal } from "./Refusal.ts";

/** The largest WebSocket message in bytes; the API's own limits are smaller. */
const maxSocketMessageBytes = 16 * 1024 * 1024;

/** Refuses an address that cannot be listened on, before anything slow has been started for it. */
export const probeAddress = Effect.gen(function* () {
  const { host, port } = yield* ServerConfiguration;
  if (port === 0) return;
  yield* Effect.callback<void, Refusal>((resume) => {
    const probe = createServer();
    probe.once("error", (cause) => resume(Effect.fail(addressRefusal(cause, host, port))));
    probe.listen(port, host, () => probe.close(() => resume(Effect.void)));
  });
});

/** Ends the connections that were upgraded to WebSockets. */
export class OpenSockets extends Context.Service<OpenSockets, { readonly close: Effect.Effect<void> }>()(
  "cairn/server-app/OpenSockets",
) {}

/** Listens while it lives. */
export const listenerLayer = Layer.unwrap(
  Effect.gen(function* () {
    const configuration = yield* ServerConfiguration;
    const { host, port } = configuration;
    const server = yield* createListener(configuration);
    const sockets = new Set<Duplex>();
    server.on("upgrade", (_request, socket: Duplex) => {
      sockets.add(socket);
      socket.once("close", () => sockets.delete(socket));
    });
    const close = Effect.sync(() => {
      for (const socket of sockets) goAway(socket);
    });
    return NodeHttpServer.layer(() => answerUntilServing(server), {
      host,
      port,
      gracefulShutdownTimeout: "5 seconds",
      websocket: { maxPayload: maxSocketMessageBytes },
    }).pipe(
      Layer.catchTag("ServeError", ({ cause }) => Layer.effectContext(Effect.fail(addressRefusal(cause, host, port)))),
      Layer.merge(Layer.succeed(OpenSockets, OpenSockets.of({ close }))),
    );
  }),
);

const createListener = Effect.fnUntraced(function* ({ tls }: ServerConfigurationShape) {
  if (tls === undefined) return Http.createServer();
  const certificate = yield* readCertificate(tls);
  const server = yield* Effect.try({
    try: () => Https.createServer({ ...certificate }),
    catch: (cause) => certificateRefusal(tls, cause),
  });
  yield* Effect.forkScoped(keepCertificateFresh(server, tls, certificate));
  return server;
});

/** The close frame of RFC 6455, section 5.5.1, with status 1001 "going away", unmasked as a server's frames are. */
const goingAway = Uint8Array.of(0x88, 0x02, 0x03, 0xe9);

const goAway = (socket: Duplex): void => {
  socket.end(goingAway);
  // A peer that does not answer is not waited for.
  setTimeout(() => socket.destroy(), 500).unref();
};

const addressRefusal = (cause: unknown, host: string, port: number): Refusal => {
  const code = cause instanceof Error && "code" in cause ? cause.code : undefined;
  if (code === "EADDRINUSE") {
    return new Refusal({
      code: "port-in-use",
      message:
        `Port ${port} on ${host} is in use by another program (perhaps another Cairn). ` +
        `Stop that one, or choose another port, for example: PORT=${port + 1} npm start`,
    });
  }
  const why =
    code === "EACCES"
      ? "the system lets only privileged programs use it; choose a PORT of 1024 or more"
      : code === "EADDRNOTAVAIL" || code === "ENOTFOUND"
        ? "this machine has no such address; HOST is usually 127.0.0.1 or 0.0.0.0"
        : cause instanceof Error
          ? cause.message
          : String(cause);
  return new Refusal({ code: "address-unusable", message: `Cairn cannot listen on ${host}, port ${port}: ${why}.` });
};
