/**
 * Memory of a page and its workers, over Chrome's debugging protocol: playwright's own sessions do not reach workers of
 * workers.
 */

import { WEB_ASSEMBLY_BYTES } from "./watched-build.ts";

/** One thread with an engine of its own. Bytes after a collection. */
export interface ThreadMemory {
  readonly name: string;
  readonly heap: number;
  /** All of its WebAssembly memories. They never shrink: growth here is growth for good. */
  readonly webAssembly: number;
}

interface Answer {
  readonly id?: number;
  readonly method?: string;
  readonly params?: Readonly<Record<string, unknown>>;
  readonly result?: Readonly<Record<string, unknown>>;
  readonly error?: { readonly message: string };
}

interface Thread {
  readonly session: string;
  readonly name: string;
}

type Values = Readonly<Record<string, unknown>>;

const ANSWER_MILLIS = 30_000;

const isRecord = (value: unknown): value is Values => typeof value === "object" && value !== null;
const textOf = (value: unknown): string => (typeof value === "string" ? value : "");

const answerOf = (message: unknown): Answer => {
  if (!isRecord(message)) return {};
  const { error, id, method, params, result } = message;
  return {
    ...(typeof id === "number" ? { id } : {}),
    ...(typeof method === "string" ? { method } : {}),
    ...(isRecord(params) ? { params } : {}),
    ...(isRecord(result) ? { result } : {}),
    ...(isRecord(error) ? { error: { message: textOf(error["message"]) } } : {}),
  };
};

export class ThreadDebugger {
  readonly #socket: WebSocket;
  readonly #waiting = new Map<number, (answer: Answer) => void>();
  readonly #threads = new Map<string, Thread>();
  #next = 1;

  private constructor(socket: WebSocket) {
    this.#socket = socket;
    socket.addEventListener("message", ({ data }) => this.#take(textOf(data)));
  }

  static async connect(port: number): Promise<ThreadDebugger> {
    const version: unknown = await (await fetch(`http://127.0.0.1:${port}/json/version`)).json();
    const url = isRecord(version) ? textOf(version["webSocketDebuggerUrl"]) : "";
    const socket = new WebSocket(url);
    await new Promise((resolve, reject) => {
      socket.addEventListener("open", resolve);
      socket.addEventListener("error", () => reject(new Error("Chromium's debugger cannot be reached")));
    });
    return new ThreadDebugger(socket);
  }

  #take(text: string): void {
    const answer = answerOf(JSON.parse(text));
    if (answer.id !== undefined) {
      this.#waiting.get(answer.id)?.(answer);
      this.#waiting.delete(answer.id);
    }
    if (answer.method === "Target.detachedFromTarget") this.#threads.delete(textOf(answer.params?.["sessionId"]));
    if (answer.method !== "Target.attachedToTarget") return;
    const session = textOf(answer.params?.["sessionId"]);
    const target = answer.params?.["targetInfo"];
    if (!isRecord(target) || this.#threads.has(session)) return;
    const type = textOf(target["type"]);
    if (type !== "page" && type !== "worker") return;
    this.#threads.set(session, { session, name: type === "page" ? "page" : `worker ${textOf(target["title"])}` });
    // Workers of this thread, and theirs.
    const workers = { autoAttach: true, waitForDebuggerOnStart: false, flatten: true };
    // A thread that ended meanwhile has none.
    this.#send("Target.setAutoAttach", workers, session).catch(() => undefined);
  }

  async #send(method: string, params: Values = {}, sessionId?: string): Promise<Values> {
    const id = this.#next;
    this.#next += 1;
    const answer = await new Promise<Answer>((resolve, reject) => {
      // A thread that has ended never answers.
      const timer = setTimeout(() => reject(new Error(`${method}: no answer`)), ANSWER_MILLIS);
      this.#waiting.set(id, (found) => {
        clearTimeout(timer);
        resolve(found);
      });
      this.#socket.send(JSON.stringify({ id, method, params, ...(sessionId === undefined ? {} : { sessionId }) }));
    });
    if (answer.error !== undefined) throw new Error(`${method}: ${answer.error.message}`);
    return answer.result ?? {};
  }

  /** Finds the page and its workers as they are now. */
  async attach(): Promise<void> {
    this.#threads.clear();
    const { targetInfos } = await this.#send("Target.getTargets");
    const pages = Array.isArray(targetInfos) ? targetInfos.filter(isRecord) : [];
    for (const page of pages) {
      if (page["type"] !== "page") continue;
      await this.#send("Target.attachToTarget", { targetId: page["targetId"], flatten: true });
    }
    // The workers report one after the other, each after the one that started it.
    for (let before = -1; before < this.#threads.size;) {
      before = this.#threads.size;
      await new Promise((resolve) => setTimeout(resolve, 500));
    }
  }

  /** The value of an expression in a thread, as a number. */
  async #ask(expression: string, session: string): Promise<number> {
    const { result } = await this.#send("Runtime.evaluate", { expression, returnByValue: true }, session);
    return isRecord(result) ? Number(result["value"]) : Number.NaN;
  }

  /** Collects garbage in every thread and says what is left. */
  async memory(): Promise<ReadonlyArray<ThreadMemory>> {
    const found: Array<ThreadMemory> = [];
    for (const { name, session } of this.#threads.values()) {
      await this.#send("HeapProfiler.enable", {}, session);
      // What finalizers let go in one collection is collected by the next.
      for (let round = 0; round < 3; round += 1) await this.#send("HeapProfiler.collectGarbage", {}, session);
      const webAssembly = await this.#ask(WEB_ASSEMBLY_BYTES, session);
      const { usedSize } = await this.#send("Runtime.getHeapUsage", {}, session);
      found.push({ name, heap: Number(usedSize), webAssembly });
    }
    return found;
  }

  close(): void {
    this.#socket.close();
  }
}
