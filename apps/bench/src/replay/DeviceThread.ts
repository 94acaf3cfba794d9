/** Starts devices in threads of their own, as separate machines would run beside each other, and calls them. */
import { Worker } from "node:worker_threads";
import type { Device } from "./Device.ts";

type Method = {
  [Name in keyof Device]: Device[Name] extends (...input: never) => Promise<unknown> ? Name : never;
}[keyof Device];
type Argument<Name extends Method> = Parameters<Device[Name]> extends [infer Given] ? [argument: Given] : [];
type Result<Name extends Method> = Awaited<ReturnType<Device[Name]>>;

export interface DeviceCall {
  readonly id: number;
  readonly method: Method;
  readonly argument: unknown;
}
export type DeviceAnswer =
  | { readonly id: number; readonly value: unknown }
  | { readonly id: number; readonly error: string };

interface Waiting {
  readonly resolve: (value: unknown) => void;
  readonly reject: (error: Error) => void;
}

export class DeviceThread {
  readonly name: string;
  readonly #worker: Worker;
  readonly #waiting = new Map<number, Waiting>();
  #calls = 0;
  #ended: Error | undefined;

  constructor(name: string) {
    this.name = name;
    this.#worker = new Worker(new URL("./device-thread.ts", import.meta.url), {
      name,
      execArgv: ["--conditions=source", "--disable-warning=ExperimentalWarning"],
    });
    this.#worker.on("message", (answer: DeviceAnswer) => {
      const waiting = this.#waiting.get(answer.id);
      this.#waiting.delete(answer.id);
      if ("error" in answer) waiting?.reject(new Error(`${name}: ${answer.error}`));
      else waiting?.resolve(answer.value);
    });
    this.#worker.on("error", (error: unknown) => this.#fail(new Error(`${name} died`, { cause: error })));
    this.#worker.on("exit", () => this.#fail(new Error(`${name} ended`)));
  }

  #fail(error: Error): void {
    this.#ended ??= error;
    for (const { reject } of this.#waiting.values()) reject(error);
    this.#waiting.clear();
  }

  call<Name extends Method>(method: Name, ...[argument]: Argument<Name>): Promise<Result<Name>> {
    if (this.#ended !== undefined) return Promise.reject(this.#ended);
    this.#calls += 1;
    const id = this.#calls;
    return new Promise<Result<Name>>((resolve, reject) => {
      // The thread answers a call with what the device's method of that name gives.
      // oxlint-disable-next-line typescript/no-unsafe-type-assertion
      this.#waiting.set(id, { resolve: resolve as (value: unknown) => void, reject });
      // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread, not a window
      this.#worker.postMessage({ id, method, argument } satisfies DeviceCall);
    });
  }

  /** Closes the device and ends its thread. */
  async close(): Promise<void> {
    if (this.#ended === undefined) await this.call("close").catch(() => undefined);
    await this.#worker.terminate();
  }
}
