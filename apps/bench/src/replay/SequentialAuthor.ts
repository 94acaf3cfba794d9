/**
 * The author of a sequential session on one of his devices: edits the open document as an app does. Each transaction is one
 * commit, whose bytes the client takes and hands to its engine.
 */
import { applyTransaction, type SequentialTrace } from "@cairn/testkit/traces";
import type { PeerID } from "loro-crdt";
import type { OpenSession, Replica } from "./OpenSession.ts";
import { Pace } from "./Pace.ts";
import { TEXT } from "./session-schema.ts";
import { describeVersion, operationCount, sameVersion, type Version } from "./versions.ts";

export class SequentialAuthor {
  readonly #session: OpenSession;
  readonly #trace: SequentialTrace;
  readonly peer: PeerID;
  authored = 0;

  constructor(session: OpenSession, trace: SequentialTrace) {
    this.#session = session;
    this.#trace = trace;
    this.peer = session.loro.peerIdStr;
  }

  version(): Version {
    return this.#session.received();
  }

  /** All edits so far are durable on this device. */
  handedOver(): Promise<void> {
    return this.#session.workspace.flush({ tier: "device" });
  }

  async type(from: number, to: number, rate: number | undefined): Promise<Version> {
    const { startContent, txns } = this.#trace;
    const { loro } = this.#session;
    const text = loro.getText(TEXT);
    if (from === 0 && startContent !== "") {
      text.insert(0, startContent);
      loro.commit();
    }
    const pace = new Pace(rate);
    for (let index = from; index < to; index += 1) {
      if (pace.isDue()) await pace.rest();
      const transaction = txns[index];
      if (transaction === undefined) throw new RangeError(`there is no transaction ${index}`);
      applyTransaction(text, transaction);
      loro.commit();
      this.authored += 1;
      pace.count();
    }
    await this.handedOver();
    return this.version();
  }

  /** Waits for what the author wrote elsewhere. */
  async takeOver(version: Version): Promise<void> {
    await this.#session.until(version);
    const now = this.version();
    if (!sameVersion(now, version)) {
      throw new Error(`took over ${describeVersion(now)} instead of ${describeVersion(version)}`);
    }
  }

  async finish(version: Version): Promise<Replica> {
    await this.#session.until(version);
    const { endContent } = this.#trace;
    const equal = sameVersion(this.version(), version) && this.#session.text() === endContent;
    const stored = equal && (await this.#session.storedText()) === endContent;
    return { equal: stored, operations: operationCount(this.version()) };
  }

  close(): void {}
}
