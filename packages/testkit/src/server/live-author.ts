/** A live connection for tests of the server, frame by frame. */
import {
  ChallengePurpose,
  decodeFrame,
  decodePage,
  emptyLogChain,
  encodeBatch,
  encodeFrame,
  type Entry,
  type Hash,
  type LiveFrame,
  type Page,
  type PushResponse,
  type Session,
} from "@cairn/protocol";
import { prove, type TestDevice } from "../authors/index.ts";

type FrameOf<Type extends LiveFrame["type"]> = Extract<LiveFrame, { readonly type: Type }>;

/** How a connection ended. */
export interface Closed {
  readonly code: number;
  readonly reason: string;
}

export class LiveAuthor {
  readonly #socket: WebSocket;
  readonly #frames: Array<LiveFrame> = [];
  readonly #waiting: Array<() => void> = [];
  readonly closed: Promise<Closed>;
  #isClosed = false;
  #pushes = 0;
  /** Everything that was pulled by pages so far. */
  readonly pages: Array<Page> = [];

  constructor(url: string) {
    this.#socket = new WebSocket(url);
    this.#socket.binaryType = "arraybuffer";
    this.#socket.addEventListener("message", ({ data }) => {
      if (data instanceof ArrayBuffer) this.#frames.push(decodeFrame(new Uint8Array(data)));
      for (const wake of this.#waiting.splice(0)) wake();
    });
    this.closed = new Promise((resolve) => {
      this.#socket.addEventListener("close", ({ code, reason }) => {
        this.#isClosed = true;
        for (const wake of this.#waiting.splice(0)) wake();
        resolve({ code, reason });
      });
      this.#socket.addEventListener("error", () => undefined);
    });
  }

  /** The next frame of a type; pages and pings that come before are dealt with. Fails when the connection ends first. */
  async next<Type extends LiveFrame["type"]>(type: Type): Promise<FrameOf<Type>> {
    for (;;) {
      const frame = this.#frames.shift();
      if (frame === undefined) {
        if (this.#isClosed) throw new Error(`the connection ended before ${type}`);
        await new Promise<void>((resolve) => this.#waiting.push(resolve));
        continue;
      }
      if (frame.type === "page") this.pages.push(decodePage(frame.page));
      if (isOf(frame, type)) return frame;
      if (frame.type === "ping") this.send({ type: "pong" });
      else if (frame.type !== "page" && frame.type !== "pong")
        throw new Error(`expected ${type}, got ${JSON.stringify(frame)}`);
    }
  }

  /** Reads pages until one reaches `until`, and confirms them unless told otherwise. */
  async readTo(until: number, confirm = true): Promise<void> {
    while ((this.pages.at(-1)?.until ?? 0) < until) {
      await this.next("page");
      if (confirm) this.send({ type: "received", cursor: this.pages.at(-1)?.until ?? 0 });
    }
  }

  send(frame: LiveFrame): void {
    this.#socket.send(encodeFrame(frame));
  }

  sendBytes(bytes: Uint8Array<ArrayBuffer> | string): void {
    this.#socket.send(bytes);
  }

  /** Sends a batch and gives the number of the push. */
  startPush(entries: ReadonlyArray<Entry>): number {
    this.#pushes += 1;
    this.send({ type: "push", push: this.#pushes, batch: encodeBatch(entries.map(({ bytes }) => bytes)) });
    return this.#pushes;
  }

  async push(entries: ReadonlyArray<Entry>): Promise<PushResponse> {
    const push = this.startPush(entries);
    const answer = await this.next("pushed");
    if (answer.push !== push) throw new Error(`expected the answer to push ${push}, got ${answer.push}`);
    return answer.response;
  }

  close(): void {
    this.#socket.close();
  }
}

const isOf = <Type extends LiveFrame["type"]>(frame: LiveFrame, type: Type): frame is FrameOf<Type> =>
  frame.type === type;

export interface LiveOptions {
  readonly cursor?: number;
  readonly chain?: Hash;
}

/** Connects up to the server's challenge. */
export const openLive = (origin: string, workspace: string): LiveAuthor =>
  new LiveAuthor(`${origin.replace("http", "ws")}/v1/workspaces/${workspace}/live`);

/** Says hello, truthfully unless `change` makes it otherwise. */
export const sayHello = async (
  live: LiveAuthor,
  origin: string,
  device: TestDevice,
  session: Pick<Session, "token">,
  options: LiveOptions = {},
  change: (hello: FrameOf<"hello">) => FrameOf<"hello"> = (hello) => hello,
): Promise<void> => {
  const { server, nonce } = await live.next("challenge");
  const { workspace } = device;
  const proof = prove(device.pair, {
    purpose: ChallengePurpose.live,
    server,
    origin,
    workspace,
    subject: device.device,
    nonce,
  });
  const cursor = options.cursor ?? 0;
  const chain = options.chain ?? emptyLogChain(workspace);
  live.send(change({ type: "hello", protocol: 1, token: session.token, device: device.device, proof, cursor, chain }));
};

/** A connection that was welcomed. */
export const connectLive = async (
  origin: string,
  device: TestDevice,
  session: Pick<Session, "token">,
  options: LiveOptions = {},
): Promise<{ readonly live: LiveAuthor; readonly welcome: FrameOf<"welcome"> }> => {
  const live = openLive(origin, device.workspace);
  await sayHello(live, origin, device, session, options);
  return { live, welcome: await live.next("welcome") };
};
