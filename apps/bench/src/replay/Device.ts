/** One device of a replay: a real client with a store of its own, and what its author does with the session's document. */
import { type Cairn, openCairn, type SyncState, type Workspace } from "@cairn/client";
import type { DocumentId } from "@cairn/protocol";
import type { Trace } from "@cairn/testkit/traces";
import type { PeerID } from "loro-crdt";
import { ConcurrentAuthor } from "./ConcurrentAuthor.ts";
import { OpenSession, type Replica } from "./OpenSession.ts";
import { SequentialAuthor } from "./SequentialAuthor.ts";
import { SESSION_TYPE, schema } from "./session-schema.ts";
import { operationCount, type Version } from "./versions.ts";

export interface DeviceStatus {
  /** Transactions that were committed and handed over here. */
  readonly authored: number;
  /** Operations in the received document. */
  readonly received: number;
  readonly sync: SyncState | undefined;
  /** Bytes of this thread's JavaScript heap, and of what is outside of it. */
  readonly memory: number;
}

type Schema = typeof schema;

export class Device {
  #cairn: Cairn<Schema> | undefined;
  #workspace: Workspace<Schema> | undefined;
  #session: OpenSession | undefined;
  #author: SequentialAuthor | ConcurrentAuthor | undefined;

  async open(options: { readonly directory: string; readonly server: string; readonly name: string }): Promise<void> {
    const { directory, server, name } = options;
    this.#cairn = await openCairn({ schema, directory, server, deviceName: name });
  }

  /** Makes the workspace known to the server, and a link that lets the others in. */
  async invite(): Promise<string> {
    this.#workspace = await required(this.#cairn).workspace();
    const { url } = await this.#workspace.createLink({ role: "writer", label: "replay" });
    return url;
  }

  async join(url: string): Promise<void> {
    this.#workspace = await required(this.#cairn).join(url);
  }

  /** Opens the session's document; gives the peer id that this device writes with to the end. */
  async begin(options: { readonly document: DocumentId; readonly trace: Trace }): Promise<PeerID> {
    const { document, trace } = options;
    const workspace = required(this.#workspace);
    const session = new OpenSession(workspace, await workspace.open(SESSION_TYPE, document));
    this.#session = session;
    this.#author =
      trace.kind === "sequential"
        ? new SequentialAuthor(session, trace)
        : new ConcurrentAuthor(session, trace, (await workspace.leasePeer()).peer);
    return this.#author.peer;
  }

  #sequential(): SequentialAuthor {
    if (!(this.#author instanceof SequentialAuthor)) throw new Error("not a sequential session");
    return this.#author;
  }

  #concurrent(): ConcurrentAuthor {
    if (!(this.#author instanceof ConcurrentAuthor)) throw new Error("not a concurrent session");
    return this.#author;
  }

  /** Sequential sessions: types transactions `from` up to `to`. Gives the version after them, all durable here. */
  async type(range: { readonly from: number; readonly to: number; readonly rate: number | undefined }) {
    return this.#sequential().type(range.from, range.to, range.rate);
  }

  /** Sequential sessions: the server has acknowledged an entry. */
  async acknowledged(): Promise<void> {
    this.#sequential().acknowledged();
  }

  /** Sequential sessions: waits for what the author before wrote. */
  async takeOver(version: Version): Promise<void> {
    await this.#sequential().takeOver(version);
  }

  /** Concurrent sessions: says who is who. */
  async meet(options: { readonly agent: number; readonly peers: ReadonlyArray<PeerID> }): Promise<void> {
    this.#concurrent().meet(options.agent, options.peers);
  }

  /** Concurrent sessions: types this agent's transactions before `until`. */
  async play(options: { readonly until: number; readonly rate: number | undefined }): Promise<void> {
    await this.#concurrent().play(options.until, options.rate);
  }

  /** The version that all devices together wrote is the one to wait for; this is this device's part. */
  async version(): Promise<Version> {
    return required(this.#author).version();
  }

  /** Everything handed over so far is acknowledged by the server. */
  async flush(): Promise<void> {
    await required(this.#author).handedOver();
    await required(this.#workspace).flush({ tier: "server" });
  }

  /** Waits until everything is here, and compares. */
  async finish(version: Version): Promise<Replica> {
    return required(this.#author).finish(version);
  }

  async status(): Promise<DeviceStatus> {
    const { heapUsed, external, arrayBuffers } = process.memoryUsage();
    return {
      authored: this.#author?.authored ?? 0,
      received: this.#session === undefined ? 0 : operationCount(this.#session.received()),
      sync: this.#workspace?.sync(),
      memory: heapUsed + external + arrayBuffers,
    };
  }

  async close(): Promise<void> {
    this.#author?.close();
    await this.#session?.close();
    await this.#cairn?.close();
  }
}

const required = <A>(value: A | undefined): A => {
  if (value === undefined) throw new Error("the device was not set up");
  return value;
};
