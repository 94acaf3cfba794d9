/** The live connection's WebSocket: frames in, frames out. What the frames mean is the driver's affair. */
import { decodeFrame, encodeFrame, type LiveFrame, type WorkspaceId } from "@cairn/protocol";
import { Cause, Effect, Queue, type Scope } from "effect";
import { type LiveConnection, Unreachable } from "./Transport.ts";

/** A socket that has not opened by then is given up. */
const OPEN_TIMEOUT_MILLIS = 15_000;
/** Bytes handed to the socket that have not left it: above this, sending fails, since the network has gone silent. */
const MAX_BUFFERED_BYTES = 32 * 1024 * 1024;

const liveUrl = (origin: string, workspace: WorkspaceId): URL => {
  const url = new URL(`/v1/workspaces/${workspace}/live`, origin);
  url.protocol = url.protocol === "https:" ? "wss:" : "ws:";
  return url;
};

const opened = (socket: WebSocket): Effect.Effect<void, Unreachable> =>
  Effect.callback<void, Unreachable>((resume) => {
    const refuse = () => resume(Effect.fail(new Unreachable({ cause: "the socket did not open" })));
    socket.addEventListener("open", () => resume(Effect.void), { once: true });
    socket.addEventListener("error", refuse, { once: true });
    socket.addEventListener("close", refuse, { once: true });
  }).pipe(
    Effect.timeoutOrElse({
      duration: OPEN_TIMEOUT_MILLIS,
      orElse: () => Effect.fail(new Unreachable({ cause: "the socket took too long to open" })),
    }),
  );

/** Opens the socket; the scope closes it. */
export const connectLive = (
  origin: string,
  workspace: WorkspaceId,
): Effect.Effect<LiveConnection, Unreachable, Scope.Scope> =>
  Effect.gen(function* () {
    const frames = yield* Queue.unbounded<LiveFrame, Unreachable>();
    const socket = yield* Effect.acquireRelease(
      Effect.try({
        try: () => new WebSocket(liveUrl(origin, workspace)),
        catch: (cause) => new Unreachable({ cause }),
      }),
      (socket) => Effect.sync(() => socket.close()),
    );
    socket.binaryType = "arraybuffer";
    const end = (cause: unknown) => {
      Queue.failCauseUnsafe(frames, Cause.fail(new Unreachable({ cause })));
    };
    socket.addEventListener("message", ({ data }: MessageEvent<unknown>) => {
      if (!(data instanceof ArrayBuffer)) return end("a text frame");
      try {
        Queue.offerUnsafe(frames, decodeFrame(new Uint8Array(data)));
      } catch (cause) {
        end(cause);
        socket.close();
      }
    });
    socket.addEventListener("close", ({ code }) => end(`closed with ${code}`));
    socket.addEventListener("error", () => end("socket error"));
    yield* opened(socket);
    return {
      frames,
      send: (frame) =>
        Effect.suspend(() => {
          if (socket.readyState !== WebSocket.OPEN)
            return Effect.fail(new Unreachable({ cause: "the socket is closed" }));
          if (socket.bufferedAmount > MAX_BUFFERED_BYTES) {
            return Effect.fail(new Unreachable({ cause: "the network takes nothing" }));
          }
          socket.send(encodeFrame(frame));
          return Effect.void;
        }),
    };
  });
