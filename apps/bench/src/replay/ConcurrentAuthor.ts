/**
 * An agent of a concurrent session: has an authoring document, which is what a page would hold, beside the received one,
 * which the engine fills, because the recorded agent had not heard of everything that was there.
 */
import { applyTransaction, type ConcurrentTrace } from "@cairn/testkit/traces";
import { LoroDoc, type PeerID } from "loro-crdt";
import { AgentHistory } from "./AgentHistory.ts";
import type { OpenSession, Replica } from "./OpenSession.ts";
import { Pace } from "./Pace.ts";
import { SESSION_TYPE, TEXT } from "./session-schema.ts";
import { operationCount, sameVersion, type Version, versionOf } from "./versions.ts";

/** Edits that were handed over and are not durable yet: more of them make the author wait, so that memory is bounded. */
const MAX_OUTSTANDING = 10_000;

export class ConcurrentAuthor {
  readonly #session: OpenSession;
  readonly #trace: ConcurrentTrace;
  readonly #authoring = new LoroDoc();
  readonly peer: PeerID;
  #history: AgentHistory | undefined;
  #outstanding = 0;
  readonly #drained = new Set<() => void>();
  #failure: unknown;
  authored = 0;

  constructor(session: OpenSession, trace: ConcurrentTrace, peer: PeerID) {
    this.#session = session;
    this.#trace = trace;
    this.peer = peer;
    this.#authoring.setPeerId(peer);
    this.#authoring.subscribeLocalUpdates((update) => this.#handOver(update));
  }

  version(): Version {
    return versionOf(this.#authoring);
  }

  #handOver(update: Uint8Array): void {
    this.#outstanding += 1;
    this.#session.workspace.append(this.#session.id, SESSION_TYPE, update).then(
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

  meet(agent: number, peers: ReadonlyArray<PeerID>): void {
    if (peers[agent] !== this.peer) throw new Error(`agent ${agent} does not have this device's peer id`);
    this.#history = new AgentHistory(this.#trace, agent, peers, this.#authoring);
  }

  async play(until: number, rate: number | undefined): Promise<void> {
    const history = this.#history;
    if (history === undefined) throw new Error("the agents have not met");
    const text = this.#authoring.getText(TEXT);
    const pace = new Pace(rate);
    for (;;) {
      const next = history.next(until);
      if (next === undefined) break;
      const rest = pace.next();
      if (rest !== undefined) {
        await this.#outstandingAtMost(MAX_OUTSTANDING);
        await rest;
      }
      const { lacking, transaction } = next;
      if (lacking.size > 0) {
        await this.#session.until(lacking);
        history.hear(this.#session.loro);
      }
      history.assertBefore();
      applyTransaction(text, transaction);
      this.#authoring.commit();
      history.assertAfter();
      this.authored += 1;
    }
    await this.handedOver();
  }

  async finish(version: Version): Promise<Replica> {
    await this.#session.until(version);
    const { endContent } = this.#trace;
    const from = this.#authoring.oplogVersion();
    this.#authoring.import(this.#session.loro.export({ mode: "update", from }));
    from.free();
    const received = this.#session.received();
    const equal =
      sameVersion(received, version) &&
      this.#session.text() === endContent &&
      this.#authoring.getText(TEXT).toString() === endContent;
    return { equal, operations: operationCount(received) };
  }

  close(): void {
    this.#authoring.free();
  }
}
