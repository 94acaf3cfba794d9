/** A proxy in front of a server that reads what devices push: who talks to the server, and what it hears. */
import { decodeBatch, decodeFrame, entryHash, MalformedBytes } from "@cairn/protocol";
import { once } from "node:events";
import { createServer, type IncomingMessage, request, type Server } from "node:http";
import { connect, type Socket } from "node:net";

/** An entry that a connection pushed, as the server sees it come. */
export interface PushedEntry {
  /** Connections are numbered in the order in which they were made. */
  readonly connection: number;
  readonly device: string;
  readonly counter: number;
  readonly hash: string;
}

/** A proxy in front of a server that reads what is pushed over live connections. */
export class ObservedNetwork {
  readonly origin: string;
  readonly pushed: Array<PushedEntry> = [];
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  #target = "";
  #connections = 0;

  private constructor(origin: string, server: Server) {
    this.origin = origin;
    this.#server = server;
    server.on("request", (incoming, outgoing) => {
      const onward = request(new URL(incoming.url ?? "/", this.#target), {
        method: incoming.method ?? "GET",
        headers: incoming.headers,
      });
      onward.on("response", (answer) => {
        outgoing.writeHead(answer.statusCode ?? 502, answer.headers);
        answer.pipe(outgoing);
        answer.on("error", () => outgoing.destroy());
      });
      onward.on("error", () => outgoing.destroy());
      incoming.on("error", () => onward.destroy());
      outgoing.on("close", () => onward.destroy());
      incoming.pipe(onward);
    });
    server.on("upgrade", (incoming: IncomingMessage, socket: Socket, head: Buffer) =>
      this.#upgrade(incoming, socket, head),
    );
  }

  static async listen(): Promise<ObservedNetwork> {
    const server = createServer();
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    const address = server.address();
    if (address === null || typeof address === "string") throw new Error("the system gave no port");
    return new ObservedNetwork(`http://127.0.0.1:${address.port}`, server);
  }

  set target(origin: string) {
    this.#target = origin;
  }

  #upgrade(incoming: IncomingMessage, socket: Socket, head: Buffer): void {
    const connection = (this.#connections += 1);
    const { hostname, port } = new URL(this.#target);
    const onward = connect(Number(port), hostname, () => {
      const lines = [`${incoming.method} ${incoming.url} HTTP/1.1`];
      for (let index = 0; index < incoming.rawHeaders.length; index += 2) {
        const name = incoming.rawHeaders[index] ?? "";
        // What is compressed could not be read here.
        if (name.toLowerCase() === "sec-websocket-extensions") continue;
        lines.push(`${name}: ${incoming.rawHeaders[index + 1]}`);
      }
      onward.write(`${lines.join("\r\n")}\r\n\r\n`);
      onward.write(head);
      const messages = new ClientMessages((message) => this.#read(connection, message));
      socket.on("data", (bytes: Buffer) => {
        messages.take(bytes);
        onward.write(bytes);
      });
      onward.pipe(socket);
    });
    this.#sockets.add(socket);
    onward.on("error", () => socket.destroy());
    onward.on("close", () => socket.destroy());
    socket.on("error", () => onward.destroy());
    socket.on("close", () => {
      this.#sockets.delete(socket);
      onward.destroy();
    });
  }

  #read(connection: number, message: Uint8Array): void {
    try {
      const frame = decodeFrame(message);
      if (frame.type !== "push") return;
      for (const { bytes, header } of decodeBatch(frame.batch)) {
        this.pushed.push({ connection, device: header.device, counter: header.counter, hash: entryHash(bytes) });
      }
    } catch (error) {
      // Frames that this side does not send.
      if (!(error instanceof MalformedBytes)) throw error;
    }
  }

  async close(): Promise<void> {
    const closed = once(this.#server, "close");
    this.#server.close();
    this.#server.closeAllConnections();
    for (const socket of this.#sockets) socket.destroy();
    await closed;
  }
}

/** The messages of a WebSocket client in a stream of its bytes (RFC 6455, section 5). */
class ClientMessages {
  readonly #found: (message: Uint8Array) => void;
  #rest = Buffer.alloc(0);
  #parts: Array<Uint8Array> = [];

  constructor(found: (message: Uint8Array) => void) {
    this.#found = found;
  }

  take(bytes: Buffer): void {
    this.#rest = Buffer.concat([this.#rest, bytes]);
    for (;;) {
      const [first, second] = this.#rest;
      if (first === undefined || second === undefined) return;
      const short = second & 0x7f;
      const header = short === 126 ? 4 : short === 127 ? 10 : 2;
      if (this.#rest.length < header + 4) return;
      const length =
        short === 126 ? this.#rest.readUInt16BE(2) : short === 127 ? Number(this.#rest.readBigUInt64BE(2)) : short;
      const begin = header + 4;
      if (this.#rest.length < begin + length) return;
      const mask = this.#rest.subarray(header, begin);
      const payload = Uint8Array.from(
        this.#rest.subarray(begin, begin + length),
        (byte, index) => byte ^ (mask[index & 3] ?? 0),
      );
      this.#rest = this.#rest.subarray(begin + length);
      const opcode = first & 0x0f;
      if (opcode > 2) continue;
      this.#parts.push(payload);
      if ((first & 0x80) === 0) continue;
      const whole = Buffer.concat(this.#parts);
      this.#parts = [];
      this.#found(new Uint8Array(whole));
    }
  }
}
