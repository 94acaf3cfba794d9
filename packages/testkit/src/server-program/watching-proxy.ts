/**
 * A proxy in front of a server that counts uploads from outside, and a network that can go silent without closing.
 */
import { once } from "node:events";
import { createServer, type IncomingMessage, request, type Server, type ServerResponse } from "node:http";
import { connect, createServer as createTcpServer, type Server as TcpServer, type Socket } from "node:net";

/** What one chunk's uploads came to. */
export interface ChunkUploads {
  /** Uploads that began. */
  readonly sent: number;
  /** Uploads that the server answered with success, as the device was told. */
  readonly acknowledged: number;
  /** Uploads that began after an acknowledgement had reached the device. */
  readonly again: number;
}

const CHUNK_PATH = /\/chunks\/([^/?]+)$/;

/** Passes everything on and counts the chunks that go up. */
export class WatchingProxy {
  readonly origin: string;
  readonly #server: Server;
  readonly #target: { origin: string };
  /** Upgraded connections, which the server knows no more of. */
  readonly #sockets = new Set<Socket>();
  readonly #uploads = new Map<string, { sent: number; acknowledged: number; again: number }>();
  /** Whether a chunk is held that goes up now. */
  #hold: (outgoing: ServerResponse) => boolean = () => false;

  private constructor(origin: string, server: Server, target: { origin: string }) {
    this.origin = origin;
    this.#server = server;
    this.#target = target;
    server.on("request", (incoming: IncomingMessage, outgoing: ServerResponse) => this.#pass(incoming, outgoing));
    server.on("upgrade", (incoming: IncomingMessage, socket: Socket, head: Buffer) =>
      this.#upgrade(incoming, socket, head),
    );
  }

  /** Listens at once; `target` is set where the server's origin is known. */
  static async listen(): Promise<WatchingProxy> {
    const server = createServer();
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    return new WatchingProxy(`http://127.0.0.1:${portOf(server)}`, server, { origin: "" });
  }

  set target(origin: string) {
    this.#target.origin = origin;
  }

  /** By chunk. */
  get uploads(): ReadonlyMap<string, ChunkUploads> {
    return this.#uploads;
  }

  get acknowledged(): number {
    return [...this.#uploads.values()].filter(({ acknowledged }) => acknowledged > 0).length;
  }

  /**
   * Resolves when so many chunks were acknowledged and the next one is on its way, which is held here: whoever sends one after
   * the other has by then taken note of what was acknowledged. The returned function breaks off what is held.
   */
  async holdAfter(chunks: number): Promise<() => void> {
    const held = new Set<ServerResponse>();
    const next = new Promise<void>((resolve) => {
      this.#hold = (outgoing) => {
        if (this.acknowledged < chunks) return false;
        held.add(outgoing);
        resolve();
        return true;
      };
    });
    await next;
    return () => {
      this.#hold = () => false;
      for (const outgoing of held) outgoing.destroy();
    };
  }

  #begin(incoming: IncomingMessage): { sent: number; acknowledged: number; again: number } | undefined {
    const hash = incoming.method === "PUT" ? CHUNK_PATH.exec(incoming.url ?? "")?.[1] : undefined;
    if (hash === undefined) return undefined;
    const upload = this.#uploads.get(hash) ?? { sent: 0, acknowledged: 0, again: 0 };
    this.#uploads.set(hash, upload);
    upload.sent += 1;
    if (upload.acknowledged > 0) upload.again += 1;
    return upload;
  }

  #pass(incoming: IncomingMessage, outgoing: ServerResponse): void {
    const upload = this.#begin(incoming);
    if (upload !== undefined && this.#hold(outgoing)) return;
    const onward = request(new URL(incoming.url ?? "/", this.#target.origin), {
      method: incoming.method ?? "GET",
      headers: incoming.headers,
    });
    onward.on("response", (answer) => {
      outgoing.writeHead(answer.statusCode ?? 502, answer.headers);
      answer.pipe(outgoing);
      answer.on("error", () => outgoing.destroy());
      outgoing.on("finish", () => {
        if (upload === undefined || (answer.statusCode ?? 500) >= 300) return;
        upload.acknowledged += 1;
      });
    });
    onward.on("error", () => outgoing.destroy());
    incoming.on("error", () => onward.destroy());
    outgoing.on("close", () => onward.destroy());
    incoming.pipe(onward);
  }

  #upgrade(incoming: IncomingMessage, socket: Socket, head: Buffer): void {
    const { hostname, port } = new URL(this.#target.origin);
    const onward = connect(Number(port), hostname, () => {
      const lines = [`${incoming.method} ${incoming.url} HTTP/1.1`];
      for (let index = 0; index < incoming.rawHeaders.length; index += 2) {
        lines.push(`${incoming.rawHeaders[index]}: ${incoming.rawHeaders[index + 1]}`);
      }
      onward.write(`${lines.join("\r\n")}\r\n\r\n`);
      onward.write(head);
      socket.pipe(onward).pipe(socket);
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

  async close(): Promise<void> {
    const closed = once(this.#server, "close");
    this.#server.close();
    this.#server.closeAllConnections();
    for (const socket of this.#sockets) socket.destroy();
    await closed;
  }
}

/** A network between devices and a server, which can go silent: everything stays open and nothing arrives. */
export class SilentNetwork {
  readonly origin: string;
  readonly #server: TcpServer;
  readonly #sockets = new Set<Socket>();
  #target = "";
  #silent = false;

  private constructor(origin: string, server: TcpServer) {
    this.origin = origin;
    this.#server = server;
    server.on("connection", (socket) => this.#connect(socket));
  }

  static async listen(): Promise<SilentNetwork> {
    const server = createTcpServer({ pauseOnConnect: true });
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    return new SilentNetwork(`http://127.0.0.1:${portOf(server)}`, server);
  }

  set target(origin: string) {
    this.#target = origin;
  }

  #connect(near: Socket): void {
    const { hostname, port } = new URL(this.#target);
    const far = connect(Number(port), hostname);
    for (const [from, to] of [
      [near, far],
      [far, near],
    ] as const) {
      this.#sockets.add(from);
      from.on("data", (bytes) => to.write(bytes));
      from.on("error", () => to.destroy());
      from.on("close", () => {
        this.#sockets.delete(from);
        // In a silent network nobody learns that the other side has gone.
        if (!this.#silent) to.destroy();
      });
      if (this.#silent) from.pause();
      else from.resume();
    }
  }

  /** Nothing passes any more, and nothing is closed; new connections are taken and left unanswered. */
  goSilent(): void {
    this.#silent = true;
    for (const socket of this.#sockets) socket.pause();
  }

  /** What is sent from now on arrives; what was open before is lost, as after a change of network. */
  comeBack(): void {
    this.#silent = false;
    for (const socket of this.#sockets) socket.destroy();
  }

  async close(): Promise<void> {
    this.#silent = false;
    const closed = once(this.#server, "close");
    this.#server.close();
    for (const socket of this.#sockets) socket.destroy();
    await closed;
  }
}

const portOf = (server: TcpServer): number => {
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("the system gave no port");
  return address.port;
};
