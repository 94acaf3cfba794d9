/**
 * Calling an object on the other side of a channel as if it were here.
 *
 * An API's methods take and return plain data and promises; `subscribe` takes a callback for events and returns how to
 * stop. Failures cross as `CairnError`s. Byte arrays are copied, unless they are given up with `transferring`; streams
 * move. An `AbortSignal` among the arguments works on both sides.
 */
import { CairnError, type CairnErrorCode } from "../../errors.ts";
import type { Endpoint, Transfer } from "./Endpoint.ts";

/** What can be called through a channel: besides `subscribe`, methods that return promises. */
export interface Callable<Event> {
  subscribe(callback: (event: Event) => void): () => void;
}

/** A failure, as it crosses. */
export interface PlainError {
  readonly code: CairnErrorCode;
  readonly message: string;
  /** What was behind it, for developers. */
  readonly cause: string | undefined;
  /** What `pending-edits` counts. */
  readonly unsynced?: CairnError["unsynced"];
  /** What `invalid-argument` names. */
  readonly argument?: CairnError["argument"];
}

export type ToApi =
  | {
      readonly type: "call";
      readonly id: number;
      readonly method: string;
      readonly args: ReadonlyArray<unknown>;
      /** Positions of arguments that are abort signals. */
      readonly signals: ReadonlyArray<number>;
    }
  | { readonly type: "abort"; readonly id: number }
  | { readonly type: "subscribe" }
  | { readonly type: "unsubscribe" };

export type FromApi<Event> =
  | { readonly type: "returned"; readonly id: number; readonly value: unknown }
  | { readonly type: "failed"; readonly id: number; readonly error: PlainError }
  | { readonly type: "event"; readonly event: Event };

const givenUp = new WeakMap<object, ReadonlyArray<Transfer>>();

/** Gives up the memory of these bytes when they are passed or returned: they move, and are empty here afterwards. */
export const transferring = (bytes: Uint8Array): Uint8Array => {
  // Part of a larger buffer takes the rest along: that is copied instead.
  if (bytes.buffer instanceof ArrayBuffer && bytes.byteLength === bytes.buffer.byteLength) {
    givenUp.set(bytes, [bytes.buffer]);
  }
  return bytes;
};

const transfersOf = (value: unknown): ReadonlyArray<Transfer> => {
  if (typeof value !== "object" || value === null) return [];
  return value instanceof ReadableStream ? [value] : (givenUp.get(value) ?? []);
};

/** Any failure as one that can cross. What is not a `CairnError` is a defect, and keeps its message. */
export const toPlainError = (error: unknown): PlainError =>
  error instanceof CairnError
    ? {
        code: error.code,
        message: error.message,
        cause: error.cause === undefined ? undefined : textOf(error.cause),
        ...(error.unsynced === undefined ? {} : { unsynced: error.unsynced }),
        ...(error.argument === undefined ? {} : { argument: error.argument }),
      }
    : { code: "internal", message: textOf(error), cause: undefined };

const textOf = (error: unknown): string =>
  (error instanceof Error ? `${error.name}: ${error.message}` : String(error)).slice(0, 500);

export const fromPlainError = ({ code, message, cause, unsynced, argument }: PlainError): CairnError =>
  new CairnError(code, message, { ...(cause === undefined ? {} : { cause }), unsynced, argument });

const isPlainError = (error: unknown): error is PlainError =>
  typeof error === "object" && error !== null && !(error instanceof Error) && "code" in error && "message" in error;

/**
 * A stream whose failure is told in another form. Errors lose their code on the way through a stream that was moved, plain
 * data does not.
 */
const failingAs = (stream: ReadableStream<unknown>, form: (error: unknown) => unknown): ReadableStream<unknown> => {
  const reader = stream.getReader();
  return new ReadableStream({
    async pull(controller) {
      try {
        const { done, value } = await reader.read();
        if (done) controller.close();
        else controller.enqueue(value);
      } catch (error) {
        controller.error(form(error));
      }
    },
    cancel: (reason) => reader.cancel(reason),
  });
};

const moved = (value: unknown): unknown => (value instanceof ReadableStream ? failingAs(value, toPlainError) : value);
const arrived = (value: unknown): unknown =>
  value instanceof ReadableStream
    ? failingAs(value, (error) => (isPlainError(error) ? fromPlainError(error) : error))
    : value;

/** Answers calls from the other side with an object of this side. */
export const exposeApi = <Event>(endpoint: Endpoint<ToApi, FromApi<Event>>, api: Callable<Event>): void => {
  const aborts = new Map<number, AbortController>();
  let unsubscribe: (() => void) | undefined;

  const call = async ({ method, args, signals }: Extract<ToApi, { type: "call" }>, signal: AbortSignal) => {
    const found: unknown = method === "subscribe" ? undefined : Reflect.get(api, method);
    if (typeof found !== "function") throw new CairnError("internal", `the engine has no method "${method}"`);
    const passed = args.map((arg, position) => (signals.includes(position) ? signal : arg));
    const value: unknown = await Reflect.apply(found, api, passed);
    return value;
  };

  const answer = async (message: Extract<ToApi, { type: "call" }>): Promise<void> => {
    const { id } = message;
    const abort = new AbortController();
    aborts.set(id, abort);
    try {
      const value = moved(await call(message, abort.signal));
      endpoint.post({ type: "returned", id, value }, transfersOf(value));
    } catch (error) {
      endpoint.post({ type: "failed", id, error: toPlainError(error) });
    } finally {
      aborts.delete(id);
    }
  };

  endpoint.listen((message) => {
    switch (message.type) {
      case "call":
        return void answer(message);
      case "abort":
        return aborts.get(message.id)?.abort();
      case "subscribe":
        unsubscribe ??= api.subscribe((event) => endpoint.post({ type: "event", event }));
        return;
      case "unsubscribe":
        unsubscribe?.();
        unsubscribe = undefined;
    }
  });
};

export interface ApiConnection<Api> {
  readonly api: Api;
  /** The other side is gone: waiting and later calls reject with this error. */
  readonly fail: (error: CairnError) => void;
}

interface Waiting {
  readonly resolve: (value: unknown) => void;
  readonly reject: (error: CairnError) => void;
}

/** An object that stands for the one on the other side. */
export const connectApi = <Event, Api extends Callable<Event>>(
  endpoint: Endpoint<FromApi<Event>, ToApi>,
  options: { /** Hears of every call that succeeded. */ readonly returned?: (method: string) => void } = {},
): ApiConnection<Api> => {
  const waiting = new Map<number, Waiting>();
  const subscribers = new Set<(event: Event) => void>();
  let lost: CairnError | undefined;
  let calls = 0;

  const settle = (id: number, how: (call: Waiting) => void): void => {
    const call = waiting.get(id);
    waiting.delete(id);
    if (call !== undefined) how(call);
  };

  endpoint.listen((message) => {
    if (message.type === "returned") settle(message.id, ({ resolve }) => resolve(arrived(message.value)));
    else if (message.type === "failed") settle(message.id, ({ reject }) => reject(fromPlainError(message.error)));
    else for (const subscriber of subscribers) subscriber(message.event);
  });

  const call =
    (method: string) =>
    (...args: ReadonlyArray<unknown>): Promise<unknown> =>
      new Promise((resolve, reject) => {
        if (lost !== undefined) return reject(lost);
        const id = (calls += 1);
        const signals = args.flatMap((arg, position) => (arg instanceof AbortSignal ? [position] : []));
        const plain = args.map((arg) => (arg instanceof AbortSignal ? undefined : arg));
        const abort = (): void => {
          endpoint.post({ type: "abort", id });
          settle(id, () => reject(new CairnError("aborted")));
        };
        const given = args.find((arg) => arg instanceof AbortSignal);
        if (given?.aborted === true) return reject(new CairnError("aborted"));
        given?.addEventListener("abort", abort, { once: true });
        const ended = (): void => given?.removeEventListener("abort", abort);
        waiting.set(id, {
          resolve: (value) => {
            ended();
            resolve(value);
            options.returned?.(method);
          },
          reject: (error) => (ended(), reject(error)),
        });
        try {
          endpoint.post({ type: "call", id, method, args: plain, signals }, args.flatMap(transfersOf));
        } catch (error) {
          // An argument that cannot be cloned.
          settle(id, (own) => own.reject(fromPlainError(toPlainError(error))));
        }
      });

  const subscribe = (callback: (event: Event) => void): (() => void) => {
    // One entry for each subscription, even of the same function.
    const subscriber = (event: Event): void => callback(event);
    if (subscribers.size === 0 && lost === undefined) endpoint.post({ type: "subscribe" });
    subscribers.add(subscriber);
    return () => {
      if (subscribers.delete(subscriber) && subscribers.size === 0 && lost === undefined) {
        endpoint.post({ type: "unsubscribe" });
      }
    };
  };

  const methods = new Map<string, (...args: ReadonlyArray<unknown>) => unknown>();
  const methodOf = (name: string) => {
    const known = methods.get(name) ?? call(name);
    methods.set(name, known);
    return known;
  };
  // Every property is a method of the other side. An object with a `then` would be taken for a promise.
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion
  const api = new Proxy(Object.freeze({}), {
    get: (_, name) =>
      name === "subscribe" ? subscribe : typeof name === "string" && name !== "then" ? methodOf(name) : undefined,
  }) as Api;

  return {
    api,
    fail: (error) => {
      if (lost !== undefined) return;
      lost = error;
      for (const id of waiting.keys()) settle(id, ({ reject }) => reject(error));
    },
  };
};
