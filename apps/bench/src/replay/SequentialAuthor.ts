/**
 * The author of a sequential session on one of his devices: edits the open document as an app does. Each transaction is one
 * commit, whose bytes the client takes. It hands them to its engine as soon as that has stored those before, several commits as
 * one update where he was faster.
 *
 * He types as fast as it goes, which is a thousand times faster than anybody does, and the faster, the more of his edits
 * share an entry. So that a short session is not over before it was sent a few times, he stops where he has typed more
 * than his share since the server's last acknowledgement. In long sessions the share exceeds a turn, and nothing stops him.
 */
import { applyTransaction, type SequentialTrace } from "@cairn/testkit/traces";
import type { PeerID } from "loro-crdt";
import type { OpenSession, Replica } from "./OpenSession.ts";
import { LEAST_ENTRIES, promisesEntries } from "./entries.ts";
import { Pace } from "./Pace.ts";
import { TEXT } from "./session-schema.ts";
import { describeVersion, operationCount, sameVersion, type Version } from "./versions.ts";

/** More than the entries that are promised, since the author's first ones are on the way before he can be stopped. */
const SHARES = LEAST_ENTRIES + 10;

export class SequentialAuthor {
  readonly #session: OpenSession;
  readonly #trace: SequentialTrace;
  readonly peer: PeerID;
  readonly #share: number;
  /** Transactions that may come before the next acknowledgement. */
  #left: number;
  #go: (() => void) | undefined;
  authored = 0;

  constructor(session: OpenSession, trace: SequentialTrace) {
    const { length } = trace.txns;
    this.#share = promisesEntries(length) ? Math.floor(length / SHARES) : Infinity;
    this.#left = this.#share;
    this.#session = session;
    this.#trace = trace;
    this.peer = session.loro.peerIdStr;
  }

  /** The server has acknowledged an entry. */
  acknowledged(): void {
    this.#left = this.#share;
    this.#go?.();
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
      if (this.#left === 0) await new Promise<void>((resolve) => (this.#go = resolve));
      this.#left -= 1;
      const rest = pace.next();
      if (rest !== undefined) await rest;
      const transaction = txns[index];
      if (transaction === undefined) throw new RangeError(`there is no transaction ${index}`);
      applyTransaction(text, transaction);
      loro.commit();
      this.authored += 1;
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
