/**
 * A concurrent session as one agent lives it: what it has to hear before each of its transactions, and no more. After an
 * agent's k-th transaction its Loro counter is the number of code points that its first k deleted and inserted.
 */
import {
  type ConcurrentTrace,
  type ConcurrentTransaction,
  parentsVersions,
  type TraceVersions,
} from "@cairn/testkit/traces";
import type { LoroDoc, PeerID } from "loro-crdt";
import { describeVersion, sameVersion, type Version, versionOf } from "./versions.ts";

/** An agent's next transaction. */
export interface NextTransaction {
  readonly transaction: ConcurrentTransaction;
  /** What it builds on and the authoring document does not hold yet: the counters to reach. */
  readonly lacking: Version;
}

export class AgentHistory {
  readonly #trace: ConcurrentTrace;
  readonly #versions: TraceVersions;
  readonly #agent: number;
  readonly #peers: ReadonlyArray<PeerID>;
  readonly #authoring: LoroDoc;
  /** Indices of this agent's transactions that are still to come. */
  readonly #own: ReadonlyArray<number>;
  #position = 0;
  /** Per agent, what the authoring document holds. */
  readonly #has: Int32Array;

  constructor(trace: ConcurrentTrace, agent: number, peers: ReadonlyArray<PeerID>, authoring: LoroDoc) {
    this.#trace = trace;
    this.#versions = parentsVersions(trace);
    this.#agent = agent;
    this.#peers = peers;
    this.#authoring = authoring;
    this.#own = trace.txns.flatMap((transaction, index) => (transaction.agent === agent ? [index] : []));
    this.#has = new Int32Array(trace.numAgents);
  }

  #index(): number {
    const index = this.#own[this.#position];
    if (index === undefined) throw new RangeError("no transaction is left");
    return index;
  }

  /** The next transaction, where it is one before `until`. */
  next(until: number): NextTransaction | undefined {
    const index = this.#own[this.#position];
    const transaction = index === undefined ? undefined : this.#trace.txns[index];
    if (index === undefined || transaction === undefined || index >= until) return undefined;
    const before = this.#versions.before(index);
    const lacking = new Map<PeerID, number>();
    for (const [other, peer] of this.#peers.entries()) {
      const counter = before[other] ?? 0;
      if (counter > (this.#has[other] ?? 0)) lacking.set(peer, counter);
    }
    return { transaction, lacking };
  }

  /** Takes exactly the ranges that the next transaction builds on from the received document, which holds them. */
  hear(received: LoroDoc): void {
    const before = this.#versions.before(this.#index());
    const ranges: Array<Uint8Array> = [];
    for (const [other, peer] of this.#peers.entries()) {
      const from = this.#has[other] ?? 0;
      const to = before[other] ?? 0;
      if (to <= from) continue;
      const spans = [{ id: { peer, counter: from }, len: to - from }];
      ranges.push(received.export({ mode: "updates-in-range", spans }));
      this.#has[other] = to;
    }
    // Together, because one agent's range may build on another's.
    const { pending } = this.#authoring.importBatch(ranges);
    if (pending !== null) throw new Error(`agent ${this.#agent} cannot apply the ranges it was told of`);
  }

  /** The authoring document is at the union of the next transaction's parents. */
  assertBefore(): void {
    this.#assertAt(this.#versions.before(this.#index()), "before");
  }

  /** The authoring document has exactly the next transaction more, which is then over. */
  assertAfter(): void {
    const after = this.#versions.after(this.#index());
    this.#assertAt(after, "after");
    this.#has[this.#agent] = after[this.#agent] ?? 0;
    this.#position += 1;
  }

  #assertAt(counters: Int32Array, when: string): void {
    const expected = versionAt(this.#peers, counters);
    const actual = versionOf(this.#authoring);
    if (sameVersion(actual, expected)) return;
    throw new Error(
      `${when} transaction ${this.#index()} the version is ${describeVersion(actual)} instead of ${describeVersion(expected)}`,
    );
  }
}

/** Counters per agent as a version. */
export const versionAt = (peers: ReadonlyArray<PeerID>, counters: Int32Array): Version =>
  new Map(peers.flatMap((peer, agent) => ((counters[agent] ?? 0) > 0 ? [[peer, counters[agent] ?? 0]] : [])));
