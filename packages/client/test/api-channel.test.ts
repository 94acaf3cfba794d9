import { afterEach, describe, expect, test } from "vitest";
import { CairnError } from "../src/errors.ts";
import { type Callable, connectApi, exposeApi, transferring } from "../src/platform/channel/api-channel.ts";
import { portEndpoint } from "../src/platform/channel/web-endpoint.ts";

type Event = { readonly n: number };

interface Api extends Callable<Event> {
  add(a: number, b: number): Promise<number>;
  length(bytes: Uint8Array): Promise<number>;
  echo(bytes: Uint8Array): Promise<Uint8Array>;
  sum(stream: ReadableStream<Uint8Array>): Promise<number>;
  count(to: number): Promise<ReadableStream<Uint8Array>>;
  break(): Promise<ReadableStream<Uint8Array>>;
  fail(how: string): Promise<void>;
  wait(label: string, signal?: AbortSignal): Promise<string>;
  unclonable(): Promise<unknown>;
  /** Only a page of a newer build would call it. */
  missing?(): Promise<void>;
}

const streamOf = (parts: ReadonlyArray<Uint8Array>): ReadableStream<Uint8Array> =>
  new ReadableStream({
    start: (controller) => {
      for (const part of parts) controller.enqueue(part);
      controller.close();
    },
  });

class Engine implements Api {
  readonly subscribers = new Set<(event: Event) => void>();
  readonly waits = new Map<string, { finish: () => void; readonly aborted: Promise<void> }>();
  #base = 1;

  subscribe(callback: (event: Event) => void): () => void {
    this.subscribers.add(callback);
    return () => this.subscribers.delete(callback);
  }
  async add(a: number, b: number): Promise<number> {
    return this.#base * (a + b);
  }
  async length(bytes: Uint8Array): Promise<number> {
    return bytes.length;
  }
  async echo(bytes: Uint8Array): Promise<Uint8Array> {
    return transferring(bytes);
  }
  async sum(stream: ReadableStream<Uint8Array>): Promise<number> {
    let sum = 0;
    for await (const bytes of stream) sum += bytes[0] ?? 0;
    return sum;
  }
  async count(to: number): Promise<ReadableStream<Uint8Array>> {
    return streamOf(Array.from({ length: to }, (_, index) => Uint8Array.of(index)));
  }
  async break(): Promise<ReadableStream<Uint8Array>> {
    let pulls = 0;
    return new ReadableStream({
      pull: (controller) => {
        pulls += 1;
        if (pulls === 1) controller.enqueue(Uint8Array.of(1));
        else controller.error(new CairnError("attachment-unavailable", "not here"));
      },
    });
  }
  async fail(how: string): Promise<void> {
    if (how === "cairn") throw new CairnError("quota-exceeded", "full up");
    throw new TypeError("not ours");
  }
  wait(label: string, signal?: AbortSignal): Promise<string> {
    return new Promise((resolve) => {
      const aborted = new Promise<void>((heard) => {
        signal?.addEventListener("abort", () => heard());
      });
      this.waits.set(label, { finish: () => resolve(label), aborted });
    });
  }
  async unclonable(): Promise<unknown> {
    return () => 1;
  }
}

const open: Array<MessagePort> = [];
afterEach(() => {
  for (const port of open.splice(0)) port.close();
});

const connected = () => {
  const { port1, port2 } = new MessageChannel();
  open.push(port1, port2);
  const engine = new Engine();
  exposeApi<Event>(portEndpoint(port1), engine);
  return { engine, ...connectApi<Event, Api>(portEndpoint(port2)) };
};

describe("calls", () => {
  test("go to the object on the other side, and each gets its own answer", async () => {
    const { api, engine } = connected();
    const slow = api.wait("slow");
    expect(await Promise.all([api.add(1, 2), api.add(3, 4), api.length(new Uint8Array(5))])).toEqual([3, 7, 5]);
    engine.waits.get("slow")?.finish();
    expect(await slow).toBe("slow");
  });

  test("fail with the other side's code, message and action", async () => {
    const { api } = connected();
    await expect(api.fail("cairn")).rejects.toThrow(CairnError);
    await expect(api.fail("cairn")).rejects.toMatchObject({
      code: "quota-exceeded",
      message: "full up",
      action: "pause",
    });
    await expect(api.fail("other")).rejects.toMatchObject({ code: "internal", message: "TypeError: not ours" });
  });

  test("whose arguments or results cannot cross fail alone", async () => {
    const { api } = connected();
    await expect(api.unclonable()).rejects.toMatchObject({ code: "internal" });
    // @ts-expect-error a function is no plain data
    await expect(api.add(1, () => 2)).rejects.toMatchObject({ code: "internal" });
    await expect(api.missing?.()).rejects.toMatchObject({ code: "internal" });
    expect(await api.add(1, 1)).toBe(2);
  });

  test("can be aborted, which the other side hears", async () => {
    const { api, engine } = connected();
    const abort = new AbortController();
    const waiting = api.wait("long", abort.signal);
    await api.add(0, 0);
    abort.abort();
    await expect(waiting).rejects.toMatchObject({ code: "aborted" });
    await engine.waits.get("long")?.aborted;
    await expect(api.wait("never", AbortSignal.abort())).rejects.toMatchObject({ code: "aborted" });
    expect(engine.waits.has("never")).toBe(false);
    // An answer that comes too late is nobody's.
    engine.waits.get("long")?.finish();
    expect(await api.add(1, 1)).toBe(2);
  });

  test("reject, waiting and later ones, when the other side is gone", async () => {
    const { api, fail } = connected();
    const waiting = api.wait("lost");
    fail(new CairnError("engine-lost"));
    await expect(waiting).rejects.toMatchObject({ code: "engine-lost" });
    await expect(api.add(1, 2)).rejects.toMatchObject({ code: "engine-lost" });
  });

  test("can be made through what an async function returned: it is no promise", async () => {
    const { api } = connected();
    const later = await Promise.resolve(api);
    expect(await later.add(2, 2)).toBe(4);
  });
});

describe("bytes", () => {
  test("are copied, and stay", async () => {
    const { api } = connected();
    const bytes = Uint8Array.of(1, 2, 3);
    expect(await api.length(bytes)).toBe(3);
    expect(bytes.length).toBe(3);
  });

  test("move when they are given up, in either direction", async () => {
    const { api } = connected();
    const bytes = Uint8Array.of(1, 2, 3);
    expect(await api.echo(transferring(bytes))).toEqual(Uint8Array.of(1, 2, 3));
    expect(bytes.length).toBe(0);
  });

  test("of a larger buffer never take the rest along", async () => {
    const { api } = connected();
    const buffer = new Uint8Array(10);
    expect(await api.length(transferring(buffer.subarray(2, 5)))).toBe(3);
    expect(buffer.length).toBe(10);
  });

  test("of a stream that fails fail with its code", async () => {
    const { api } = connected();
    const reader = (await api.break()).getReader();
    expect(await reader.read()).toEqual({ done: false, value: Uint8Array.of(1) });
    const failed = reader.read();
    await expect(failed).rejects.toThrow(CairnError);
    await expect(failed).rejects.toMatchObject({ code: "attachment-unavailable", message: "not here" });
  });

  test("stream in either direction", async () => {
    const { api } = connected();
    expect(await api.sum(streamOf([Uint8Array.of(3), Uint8Array.of(4)]))).toBe(7);
    const received: Array<number> = [];
    for await (const bytes of await api.count(3)) received.push(...bytes);
    expect(received).toEqual([0, 1, 2]);
  });
});

describe("events", () => {
  test("reach every subscriber, and cross only while there is one", async () => {
    const { api, engine } = connected();
    const heard: Array<string> = [];
    const emit = (n: number): void => engine.subscribers.forEach((subscriber) => subscriber({ n }));
    const callback = (event: Event): void => void heard.push(`same ${event.n}`);
    const stops = [api.subscribe(callback), api.subscribe(callback)];
    await api.add(0, 0);
    expect(engine.subscribers.size).toBe(1);
    emit(1);
    await api.add(0, 0);
    expect(heard).toEqual(["same 1", "same 1"]);
    stops[0]?.();
    stops[0]?.();
    emit(2);
    await api.add(0, 0);
    expect(heard).toEqual(["same 1", "same 1", "same 2"]);
    stops[1]?.();
    await api.add(0, 0);
    expect(engine.subscribers.size).toBe(0);
  });
});
