/**
 * A Node server listens before its routes are built, and Node leaves requests that come in between without any answer. A
 * client that comes back at the very moment of a restart would wait for its whole timeout; so it is told to try again.
 */
import { wireError } from "@cairn/protocol";
import type { Server } from "node:http";
import type { Server as SecureServer } from "node:https";

const body = JSON.stringify(wireError("unavailable", { message: "The server is starting.", retryAfter: 1 }));

const headers = { "content-type": "application/json", "retry-after": "1", connection: "close" } as const;

const rawAnswer = [
  "HTTP/1.1 503 Service Unavailable",
  ...Object.entries(headers).map(([name, value]) => `${name}: ${value}`),
  `content-length: ${Buffer.byteLength(body)}`,
  "",
  body,
].join("\r\n");

/** Answers 503 with `Retry-After` until somebody else listens for requests, too. Returns the same server. */
export const answerUntilServing = <S extends Server | SecureServer>(server: S): S => {
  const isServing = (): boolean => server.listenerCount("request") > 1;
  server.on("request", (_request, response) => {
    if (!isServing()) response.writeHead(503, headers).end(body);
  });
  server.on("upgrade", (_request, socket) => {
    if (!isServing()) socket.end(rawAnswer);
  });
  return server;
};
