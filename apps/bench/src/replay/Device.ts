/**
 * One device of a replay: a real client with a store of its own, an authoring document, which is what a page would hold,
 * and the received document, which the engine fills.
 */
import { type Cairn, openCairn, type DocumentHandle, type SyncState, type Workspace } from "@cairn/client";
import type { DocumentId } from "@cairn/protocol";
import { applyTransaction, type ConcurrentTrace, type SequentialTrace, type Trace } from "@cairn/testkit/traces";
import { LoroDoc, type PeerID } from "loro-crdt";
import { AgentHistory } from "./AgentHistory.ts";
import { SESSION_TYPE, schema, TEXT } from "./session-schema.ts";
import { describeVersion, includes, operationCount, sameVersion, type Version, versionOf } from "./versions.ts";

/** The author types for this long before everything else gets its turn. */
const SLICE_MILLIS = 0.5;
/** Edits that were handed over and are not durable yet: more of them make the author wait, so that memory is bounded. */
const MAX_OUTSTANDING = 10_000;
/** How often a device that waits looks at the received document without being told of a change. */
const LOOK_MILLIS = 5;
/** Nothing that a device waits for may take longer. */
const WAIT_MILLIS = 600_000;

export interface DeviceStatus {
  /** Transactions that were committed and handed over here. */
  readonly authored: number;
  /** Operations in the received document. */
  readonly received: number;
  readonly sync: SyncState | undefined;
  /** Bytes of this thread's JavaScript heap, and of what is outside of it. */
  readonly memory: number;
}

export interface Replica {
  /** The content of both documents equals the recorded one. */
  readonly equal: boolean;
  readonly operations: number;
}

type Schema = typeof schema;
type Session = typeof SESSION_TYPE;

const millis = (): number => performance.now();
const breathe = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
const sleep = (duration: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, duration));

export class Device {
  #cairn: Cairn<Schema> | undefined;
  #workspace: Workspace<Schema> | undefined;
  #session: OpenSession | undefined;

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
    const workspace = required(this.#workspace);
    const handle = await workspace.open(SESSION_TYPE, options.document);
    const { peer } = await workspace.leasePeer();
    this.#session = new OpenSession(workspace, handle, options.trace, peer);
    return peer;
  }

  /** Sequential sessions: types transactions `from` up to `to`. Gives the version after them, all durable here. */
  async type(range: { readonly from: number; readonly to: number; readonly rate: number | undefined }) {
    return required(this.#session).type(range.from, range.to, range.rate);
  }

  /** Sequential sessions: waits for what the author before wrote, and takes it into the authoring document. */
  async takeOver(version: Version): Promise<void> {
    await required(this.#session).takeOver(version);
  }

  /** Concurrent sessions: says who is who. */
  async meet(options: { readonly agent: number; readonly peers: ReadonlyArray<PeerID> }): Promise<void> {
    required(this.#session).meet(options.agent, options.peers);
  }

  /** Concurrent sessions: types this agent's transactions before `until`. */
  async play(options: { readonly until: number; readonly rate: number | undefined }): Promise<void> {
    await required(this.#session).play(options.until, options.rate);
  }

  /** The version that all devices together wrote is the one to wait for; this is this device's part. */
  async version(): Promise<Version> {
    return required(this.#session).authoredVersion();
  }

  /** Everything handed over so far is acknowledged by the server. */
  async flush(): Promise<void> {
    await required(this.#session).handedOver();
    await required(this.#workspace).flush({ tier: "server" });
  }

  /** Waits until everything is here, and compares. */
  async finish(version: Version): Promise<Replica> {
    return required(this.#session).finish(version);
  }

  async status(): Promise<DeviceStatus> {
    const { heapUsed, external, arrayBuffers } = process.memoryUsage();
    return {
      authored: this.#session?.authored ?? 0,
      received: this.#session === undefined ? 0 : operationCount(this.#session.received()),
      sync: this.#workspace?.sync(),
      memory: heapUsed + external + arrayBuffers,
    };
  }

  async close(): Promise<void> {
    await this.#session?.close();
    await this.#cairn?.close();
  }
}

class OpenSession {
  readonly #workspace: Workspace<Schema>;
  readonly #handle: DocumentHandle<Schema, Session>;
  readonly #trace: Trace;
  readonly #authoring = new LoroDoc();
  readonly #peer: PeerID;
  #history: AgentHistory | undefined;
  /** The received document's version, read anew after each change. */
  #received: Version | undefined;
  readonly #waiting = new Set<() => void>();
  #outstanding = 0;
  readonly #drained = new Set<() => void>();
  #failure: unknown;
  authored = 0;

  constructor(workspace: Workspace<Schema>, handle: DocumentHandle<Schema, Session>, trace: Trace, peer: PeerID) {
    this.#workspace = workspace;
    this.#handle = handle;
    this.#trace = trace;
    this.#peer = peer;
    this.#authoring.setPeerId(peer);
    this.#authoring.subscribeLocalUpdates((update) => this.#handOver(update));
    handle.onChange(() => {
      this.#received = undefined;
      for (const look of this.#waiting) look();
    });
  }

  received(): Version {
    this.#received ??= versionOf(this.#handle.loro);
    return this.#received;
  }

  authoredVersion(): Version {
    return versionOf(this.#authoring);
  }

  #handOver(update: Uint8Array): void {
    this.#outstanding += 1;
    this.#workspace.append(this.#handle.id, SESSION_TYPE, update).then(
      () => this.#settled(),
      (error: unknown) => {
        this.#failure ??= error;
        this.#settled();
      },
    );
  }

  #settled(): void {
    this.#outstanding -= 1;
    for (const wake of this.#drained) wake();
  }

  async #outstandingAtMost(most: number): Promise<void> {
    while (this.#outstanding > most && this.#failure === undefined) {
      await new Promise<void>((resolve) => {
        const wake = (): void => {
          this.#drained.delete(wake);
          resolve();
        };
        this.#drained.add(wake);
      });
    }
    if (this.#failure !== undefined) throw new Error("an edit could not be stored", { cause: this.#failure });
  }

  /** All edits so far are durable on this device. */
  handedOver(): Promise<void> {
    return this.#outstandingAtMost(0);
  }

  async type(from: number, to: number, rate: number | undefined): Promise<Version> {
    const trace = sequential(this.#trace);
    const text = this.#authoring.getText(TEXT);
    if (from === 0 && trace.startContent !== "") {
      text.insert(0, trace.startContent);
      this.#authoring.commit();
    }
    const pace = new Pace(rate);
    for (let index = from; index < to; index += 1) {
      if (pace.isDue()) await this.#rest(pace);
      const transaction = trace.txns[index];
      if (transaction === undefined) throw new RangeError(`there is no transaction ${index}`);
      applyTransaction(text, transaction);
      this.#authoring.commit();
      this.authored += 1;
      pace.count();
    }
    await this.handedOver();
    return this.authoredVersion();
  }

  async #rest(pace: Pace): Promise<void> {
    await this.#outstandingAtMost(MAX_OUTSTANDING);
    await pace.rest();
  }

  /** Waits until the received document holds a version. */
  async #until(version: Version): Promise<void> {
    const started = millis();
    while (!includes(this.received(), version)) {
      if (millis() - started > WAIT_MILLIS) {
        const { status, problem } = this.#workspace.sync();
        const wanted = describeVersion(version);
        const has = describeVersion(this.received());
        throw new Error(`waited too long for ${wanted}, has ${has}; ${status} ${problem?.message ?? ""}`);
      }
      await this.#change();
    }
  }

  /**
   * The next change of the received document, or a moment: operations that change nothing, such as the deletion of what
   * somebody else has deleted, come without one.
   */
  #change(): Promise<void> {
    return new Promise((resolve) => {
      const look = (): void => {
        clearTimeout(timer);
        this.#waiting.delete(look);
        this.#received = undefined;
        resolve();
      };
      const timer = setTimeout(look, LOOK_MILLIS);
      this.#waiting.add(look);
    });
  }

  async takeOver(version: Version): Promise<void> {
    await this.#until(version);
    const from = this.#authoring.oplogVersion();
    const lacking = this.#handle.loro.export({ mode: "update", from });
    from.free();
    this.#authoring.import(lacking);
    const now = this.authoredVersion();
    if (!sameVersion(now, version)) {
      throw new Error(`took over ${describeVersion(now)} instead of ${describeVersion(version)}`);
    }
  }

  meet(agent: number, peers: ReadonlyArray<PeerID>): void {
    if (peers[agent] !== this.#peer) throw new Error(`agent ${agent} does not have this device's peer id`);
    this.#history = new AgentHistory(concurrent(this.#trace), agent, peers, this.#authoring);
  }

  async play(until: number, rate: number | undefined): Promise<void> {
    const history = required(this.#history);
    const text = this.#authoring.getText(TEXT);
    const pace = new Pace(rate);
    for (;;) {
      const next = history.next(until);
      if (next === undefined) break;
      if (pace.isDue()) await this.#rest(pace);
      const { lacking, transaction } = next;
      if (lacking.size > 0) {
        await this.#until(lacking);
        history.hear(this.#handle.loro);
      }
      history.assertBefore();
      applyTransaction(text, transaction);
      this.#authoring.commit();
      history.assertAfter();
      this.authored += 1;
      pace.count();
    }
    await this.handedOver();
  }

  async finish(version: Version): Promise<Replica> {
    await this.#until(version);
    const { endContent } = this.#trace;
    const from = this.#authoring.oplogVersion();
    this.#authoring.import(this.#handle.loro.export({ mode: "update", from }));
    from.free();
    const received = this.#handle.read()[TEXT] === endContent && sameVersion(this.received(), version);
    const authoring = this.#authoring.getText(TEXT).toString() === endContent;
    return { equal: received && authoring, operations: operationCount(this.received()) };
  }

  async close(): Promise<void> {
    await this.#handle.close();
    this.#authoring.free();
  }
}

/** When the author stops for a moment: after a slice of time, or because a rate is to be kept. */
class Pace {
  readonly #rate: number | undefined;
  readonly #started = millis();
  #sliceEnd = millis() + SLICE_MILLIS;
  #counted = 0;

  constructor(rate: number | undefined) {
    this.#rate = rate;
  }

  count(): void {
    this.#counted += 1;
  }

  #ahead(): number {
    return this.#rate === undefined ? 0 : (this.#counted / this.#rate) * 1_000 - (millis() - this.#started);
  }

  isDue(): boolean {
    return millis() >= this.#sliceEnd || this.#ahead() > 0;
  }

  async rest(): Promise<void> {
    const ahead = this.#ahead();
    await (ahead > 1 ? sleep(ahead) : breathe());
    this.#sliceEnd = millis() + SLICE_MILLIS;
  }
}

const required = <A>(value: A | undefined): A => {
  if (value === undefined) throw new Error("the device was not set up");
  return value;
};

const sequential = (trace: Trace): SequentialTrace => {
  if (trace.kind !== "sequential") throw new Error("not a sequential session");
  return trace;
};

const concurrent = (trace: Trace): ConcurrentTrace => {
  if (trace.kind !== "concurrent") throw new Error("not a concurrent session");
  return trace;
};
