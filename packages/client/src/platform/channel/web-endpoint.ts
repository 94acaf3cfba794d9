/** Channels of browsers. */
import type { Endpoint, Thread, Transfer } from "./Endpoint.ts";

/** The part that message ports, workers and worker scopes have in common. */
export interface Port {
  postMessage(message: unknown, transfer: Array<Transferable>): void;
  addEventListener(type: "message", listener: (event: MessageEvent) => void): void;
  removeEventListener(type: "message", listener: (event: MessageEvent) => void): void;
  /** Message ports deliver nothing before this. */
  start?(): void;
}

const endpointOn = <Received, Sent>(port: Port, close: () => void): Endpoint<Received, Sent> => {
  let remove = (): void => {};
  return {
    post: (message, transfer) => port.postMessage(message, [...(transfer ?? [])] satisfies Array<Transfer>),
    listen: (onMessage) => {
      const listener = (event: MessageEvent<Received>): void => onMessage(event.data);
      port.addEventListener("message", listener);
      remove = () => port.removeEventListener("message", listener);
      port.start?.();
    },
    close: () => {
      remove();
      close();
    },
  };
};

/** A message port, such as one of a `MessageChannel`. */
export const portEndpoint = <Received, Sent>(port: MessagePort): Endpoint<Received, Sent> =>
  endpointOn(port, () => port.close());

/** Inside a dedicated worker: the way to the page or worker that started it. */
export const scopeEndpoint = <Received, Sent>(scope: Port & { close(): void }): Endpoint<Received, Sent> =>
  endpointOn(scope, () => scope.close());

/** A dedicated worker, seen from the side that started it. */
export const workerThread = <Received, Sent>(worker: Worker): Thread<Received, Sent> => {
  let ended = false;
  let report: ((cause: unknown) => void) | undefined;
  let failure: { readonly cause: unknown } | undefined;
  const fail = (cause: unknown): void => {
    if (ended || failure !== undefined) return;
    failure = { cause };
    report?.(cause);
  };
  worker.addEventListener("error", (event) => {
    // Dealt with here: else it would go on to whoever started this thread, as a failure of its own.
    event.preventDefault();
    // A module that does not load gives an event without a message.
    fail(new Error(event.message === undefined || event.message === "" ? "the worker did not load" : event.message));
  });
  worker.addEventListener("messageerror", () => fail(new Error("a message could not be read")));
  const endpoint = endpointOn<Received, Sent>(worker, () => {
    ended = true;
    worker.terminate();
  });
  return {
    ...endpoint,
    onFailure: (callback) => {
      report = callback;
      if (failure !== undefined) callback(failure.cause);
    },
  };
};
