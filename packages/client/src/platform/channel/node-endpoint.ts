/** Channels of Node's worker threads. */
import type { MessagePort as NodePort, Transferable as NodeTransferable } from "node:worker_threads";
import type { ImportThread } from "../../api.ts";
import type { Endpoint, Thread, Transfer } from "./Endpoint.ts";

// Two declarations of the same classes: at run time, Node's globals are those of `node:worker_threads` and `node:stream/web`.
const asNode = (transfer: ReadonlyArray<Transfer> | undefined): ReadonlyArray<NodeTransferable> =>
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion
  (transfer ?? []) as unknown as ReadonlyArray<NodeTransferable>;

/** A port: `parentPort`, or one of a `MessageChannel`. */
export const nodePortEndpoint = <Received, Sent>(port: NodePort): Endpoint<Received, Sent> => ({
  post: (message, transfer) => port.postMessage(message, asNode(transfer)),
  listen: (onMessage) => void port.on("message", onMessage),
  close: () => port.close(),
});

/** A worker thread, seen from the side that started it. Idle, it keeps no process from ending. */
export const nodeWorkerThread = <Received, Sent>(worker: ImportThread): Thread<Received, Sent> => {
  let ended = false;
  let report: ((cause: unknown) => void) | undefined;
  let failure: { readonly cause: unknown } | undefined;
  const fail = (cause: unknown): void => {
    if (ended || failure !== undefined) return;
    failure = { cause };
    report?.(cause);
  };
  worker.unref();
  worker.on("error", fail);
  worker.on("messageerror", fail);
  worker.on("exit", (code) => fail(new Error(`the worker thread ended with code ${String(code)}`)));
  return {
    post: (message, transfer) => worker.postMessage(message, asNode(transfer)),
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- what comes is of one build on both sides
    listen: (onMessage) => void worker.on("message", (message) => onMessage(message as Received)),
    close: () => {
      ended = true;
      void worker.terminate();
    },
    onFailure: (callback) => {
      report = callback;
      if (failure !== undefined) callback(failure.cause);
    },
    holdProcess: (held) => (held ? worker.ref() : worker.unref()),
  };
};
