/**
 * Makes committed transactions durable without holding up the thread: the database writes its log and does not wait for
 * the disk; this syncs the log's file in Node's pool of threads. One sync covers everything that was committed before it
 * began, so transactions that come while one is under way share the next.
 */
import { closeSync, fdatasync, fdatasyncSync, openSync } from "node:fs";

type Synced = (failure: Error | undefined) => void;

export class DiskSync {
  readonly #file: string;
  #descriptor: number | undefined;
  #waiting: Array<Synced> = [];
  #underWay: ReadonlyArray<Synced> = [];
  #failure: Error | undefined;
  #closed = false;

  /** `file`: the write-ahead log, which is there from the first transaction until the database is closed. */
  constructor(file: string) {
    this.#file = file;
  }

  /**
   * Why nothing can be made durable any more. After a failed sync nobody knows what is on the disk, and a later one that
   * succeeds proves nothing.
   */
  get failure(): Error | undefined {
    return this.#failure;
  }

  /** Calls back when everything committed so far is on the disk, or can no more be brought there. */
  request(synced: Synced): void {
    this.#waiting.push(synced);
    if (this.#underWay.length === 0) this.#begin();
  }

  #open(): number {
    // For writing too, since Windows syncs no other files.
    this.#descriptor ??= openSync(this.#file, "r+");
    return this.#descriptor;
  }

  #begin(): void {
    this.#underWay = this.#waiting;
    this.#waiting = [];
    if (this.#underWay.length === 0) return;
    try {
      if (this.#failure !== undefined) throw this.#failure;
      fdatasync(this.#open(), (failure) => this.#end(failure ?? undefined));
    } catch (error) {
      this.#end(error instanceof Error ? error : new Error(String(error)));
    }
  }

  #end(failure: Error | undefined): void {
    this.#failure ??= failure;
    const ended = this.#underWay;
    this.#underWay = [];
    // First the next, so that the disk works while those who waited go on.
    if (!this.#closed) this.#begin();
    for (const synced of ended) synced(this.#failure);
    if (this.#closed) this.#release();
  }

  #release(): void {
    if (this.#descriptor === undefined || this.#underWay.length > 0) return;
    closeSync(this.#descriptor);
    this.#descriptor = undefined;
  }

  /** Syncs what waits, now. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    const waiting = this.#waiting;
    this.#waiting = [];
    try {
      if (waiting.length > 0) fdatasyncSync(this.#open());
    } catch (error) {
      this.#failure ??= error instanceof Error ? error : new Error(String(error));
    }
    for (const synced of waiting) synced(this.#failure);
    this.#release();
  }
}
