/**
 * The network between the devices and the server: a relay on a port of its own that passes bytes on unchanged, counts
 * them, and sees which pushes are under way. It can end everything at a moment when one is.
 */
import { decodeBatch, decodeFrame, decodePage, type DeviceId, type DocumentId, FRAME_TYPES } from "@cairn/protocol";
import { once } from "node:events";
import { connect, createServer, type Server, type Socket } from "node:net";
import { FrameReader } from "./frame-reader.ts";

const MAX_HEAD_BYTES = 64 * 1024;

/** At which moment of a push: when the server has just been sent it, or when its answer is about to arrive. */
export type Moment = "request" | "answer";

export interface Traffic {
  /** Bytes from the devices to the server, as TCP carries them. */
  readonly up: number;
  readonly down: number;
  /** Different entries of the watched document that were sent to the server. */
  readonly entries: number;
  /** How many of them the server has acknowledged to their author. */
  readonly acknowledged: number;
}

interface Trap {
  readonly moment: Moment;
  readonly spring: () => void;
}

export class Wire {
  readonly #server: Server;
  readonly #target: number;
  readonly #sockets = new Set<Socket>();
  #trap: Trap | undefined;
  #document: DocumentId | undefined;
  #onAcknowledged: (() => void) | undefined;
  #up = 0;
  #down = 0;
  /** The watched document's entries by author and counter; true once their author heard of the acknowledgement. */
  readonly #entries = new Map<string, boolean>();
  #acknowledged = 0;

  private constructor(server: Server, target: number) {
    this.#server = server;
    this.#target = target;
    server.on("connection", (client) => this.#relay(client));
  }

  /** Listens on loopback and passes everything on to a port there. */
  static async open(target: number): Promise<Wire> {
    const server = createServer();
    const wire = new Wire(server, target);
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    return wire;
  }

  get origin(): string {
    return `http://127.0.0.1:${portOf(this.#server)}`;
  }

  get traffic(): Traffic {
    return { up: this.#up, down: this.#down, entries: this.#entries.size, acknowledged: this.#acknowledged };
  }

  /** Counts the entries of this document, and tells when one of them was acknowledged to its author. */
  watch(document: DocumentId, onAcknowledged: () => void): void {
    this.#document = document;
    this.#onAcknowledged = onAcknowledged;
  }

  /** Calls `spring` at this moment of the next push; its answer never arrives. */
  setTrap(moment: Moment, spring: () => void): void {
    this.#trap = { moment, spring };
  }

  async close(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    this.#server.close();
    await once(this.#server, "close");
  }

  #relay(client: Socket): void {
    const server = connect(this.#target, "127.0.0.1");
    const conversation = new Conversation();
    const end = (): void => {
      client.destroy();
      server.destroy();
      this.#sockets.delete(client);
      this.#sockets.delete(server);
    };
    for (const socket of [client, server]) {
      this.#sockets.add(socket);
      socket.setNoDelay(true);
      socket.on("error", end);
      socket.on("close", end);
    }
    client.on("data", (chunk) => {
      this.#up += chunk.length;
      const pushes = conversation.up(chunk);
      for (const push of pushes) this.#sent(push);
      passOn(chunk, client, server);
      if (pushes.length > 0 && this.#trap?.moment === "request") this.#spring(end);
    });
    server.on("data", (chunk) => {
      const messages = conversation.down(chunk);
      if (this.#trap?.moment === "answer" && messages.some((message) => message[0] === FRAME_TYPES.pushed)) {
        this.#spring(end);
        return;
      }
      this.#down += chunk.length;
      for (const message of messages) this.#answered(message);
      passOn(chunk, server, client);
    });
  }

  #sent(push: Buffer): void {
    const frame = decodeFrame(push);
    if (frame.type !== "push") return;
    for (const { header } of decodeBatch(frame.batch)) {
      const { device, counter, document } = header;
      const entry = `${device}/${counter}`;
      if (document === this.#document && !this.#entries.has(entry)) this.#entries.set(entry, false);
    }
  }

  /** An author hears of an acknowledgement by the answer to its push, or, where that was lost, by a page of the log. */
  #answered(message: Buffer): void {
    const frame = decodeFrame(message);
    if (frame.type === "pushed") {
      for (const { counter, device, status } of frame.response.results) {
        if (status === "stored" || status === "duplicate") this.#acknowledge(device, counter);
      }
    } else if (frame.type === "page") {
      for (const item of decodePage(frame.page).items) {
        if (item.type === "own") this.#acknowledge(item.device, item.counter);
      }
    }
  }

  #acknowledge(device: DeviceId, counter: number): void {
    const entry = `${device}/${counter}`;
    if (this.#entries.get(entry) !== false) return;
    this.#entries.set(entry, true);
    this.#acknowledged += 1;
    this.#onAcknowledged?.();
  }

  #spring(end: () => void): void {
    const trap = this.#trap;
    this.#trap = undefined;
    trap?.spring();
    // The answer to this push, should there be one, is lost with the server.
    end();
  }
}

/** What one side sends goes on to the other as fast as that one takes it. */
const passOn = (chunk: Buffer, from: Socket, to: Socket): void => {
  if (to.destroyed || to.write(chunk)) return;
  from.pause();
  to.once("drain", () => from.resume());
};

/** One connection, read along: HTTP, which is only counted, until it is upgraded to a live connection. */
class Conversation {
  #upHead = new HttpHead();
  readonly #downHead = new HttpHead();
  readonly #upFrames = new FrameReader();
  readonly #downFrames = new FrameReader();
  #isLive = false;

  /** The pushes that are complete with these bytes. */
  up(chunk: Buffer): ReadonlyArray<Buffer> {
    if (this.#isLive) return pushesIn(this.#upFrames.read(chunk));
    // A connection may have carried other requests before; without pipelining each one begins a chunk.
    if (METHOD.test(chunk.subarray(0, 8).toString("latin1"))) this.#upHead = new HttpHead();
    const rest = this.#upHead.take(chunk);
    this.#isLive = rest !== undefined && UPGRADE.test(this.#upHead.text);
    return this.#isLive && rest !== undefined ? pushesIn(this.#upFrames.read(rest)) : [];
  }

  /** What the server says with these bytes over a live connection. */
  down(chunk: Buffer): ReadonlyArray<Buffer> {
    const rest = this.#isLive ? this.#downHead.take(chunk) : undefined;
    return rest === undefined ? [] : this.#downFrames.read(rest);
  }
}

const METHOD = /^(?:DELETE|GET|HEAD|POST|PUT) /;
const UPGRADE = /^upgrade: *websocket/im;

const pushesIn = (messages: ReadonlyArray<Buffer>): ReadonlyArray<Buffer> =>
  messages.filter((message) => message[0] === FRAME_TYPES.push);

/** An HTTP head on its way. */
class HttpHead {
  #buffered: Buffer = Buffer.alloc(0);
  #complete = false;
  text = "";

  /** What follows the head, once that is complete. */
  take(chunk: Buffer): Buffer | undefined {
    if (this.#complete) return chunk;
    if (this.#buffered.length < MAX_HEAD_BYTES) this.#buffered = Buffer.concat([this.#buffered, chunk]);
    const end = this.#buffered.indexOf("\r\n\r\n");
    if (end < 0) return undefined;
    this.text = this.#buffered.subarray(0, end).toString("latin1");
    const rest = this.#buffered.subarray(end + 4);
    this.#buffered = Buffer.alloc(0);
    this.#complete = true;
    return rest;
  }
}

const portOf = (server: Server): number => {
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("not listening");
  return address.port;
};

/** A port of loopback that nobody listens on. */
export const freePort = async (): Promise<number> => {
  const server = createServer();
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const port = portOf(server);
  server.close();
  await once(server, "close");
  return port;
};
