/** What of an open document is not durable: edits on their way into the store, and what stands in their way. */
import { CairnError } from "../errors.ts";
import type { Unsubscribe } from "../subscription.ts";
import type { QueuedEdit } from "./queued-edits.ts";

/** A store that refused an edit is asked again after this long. */
export const RETRY_MILLIS = 1_000;

const toError = (cause: unknown): CairnError =>
  cause instanceof CairnError ? cause : new CairnError("internal", undefined, { cause });

/** Everything else gets its turn. */
const turn = (): Promise<void> => new Promise((resolve) => setTimeout(resolve));

export interface UnsavedEditsOptions {
  /** Stores edits, all or none. */
  readonly append: (queue: ReadonlyArray<QueuedEdit>) => Promise<void>;
  /** The edits were made in what is gone; they stay here until they are taken, to be made anew. */
  readonly outdated: () => void;
  /** Why nothing new may be written. */
  readonly readOnly: () => CairnError | undefined;
  /** Nobody waits for them any more. */
  readonly isClosed: () => boolean;
}

export type SavedListener = (saved: boolean, failure: CairnError | undefined) => void;

export class UnsavedEdits {
  readonly #options: UnsavedEditsOptions;
  /** Edits that the engine has not confirmed, oldest first. */
  #queue: Array<QueuedEdit> = [];
  #handingOver: Promise<void> | undefined;
  #failure: CairnError | undefined;
  /** Edits could not be made anew: the last of the errors that said so. */
  #lost: CairnError | undefined;
  #hasRefused = false;
  readonly #listeners = new Set<SavedListener>();

  constructor(options: UnsavedEditsOptions) {
    this.#options = options;
  }

  add(edit: QueuedEdit): void {
    const wasSaved = this.saved;
    this.#queue.push(edit);
    if (wasSaved) this.tell();
    this.#handingOver ??= this.#handOver();
  }

  /** A binding has committed something that may not be written: it is in the Loro document and nowhere else. */
  refuse(): void {
    this.#hasRefused = true;
    this.tell();
  }

  get hasRefused(): boolean {
    return this.#hasRefused;
  }

  /** Edits that were taken could not be made anew. */
  lose(cause: unknown): void {
    this.#lost = new CairnError("edits-lost", undefined, { cause });
  }

  /** They cannot be made anew yet. Told until they are taken, or stored. */
  delay(cause: unknown): void {
    this.#failure = toError(cause);
    this.tell();
  }

  /** All that wait, which leave; whoever takes them makes them anew. */
  take(): ReadonlyArray<QueuedEdit> {
    const taken = this.#queue;
    this.#queue = [];
    this.#failure = undefined;
    return taken;
  }

  get isEmpty(): boolean {
    return this.#queue.length === 0;
  }

  /** Ends when the store has answered, whatever it said; undefined where nothing is under way. */
  get underWay(): Promise<void> | undefined {
    return this.#handingOver;
  }

  get saved(): boolean {
    return this.isEmpty && !this.#hasRefused && this.#lost === undefined;
  }

  /** Tells of what is given now, and of every change. */
  listen(listener: SavedListener): Unsubscribe {
    this.#listeners.add(listener);
    listener(this.saved, this.#obstacle());
    return () => void this.#listeners.delete(listener);
  }

  tell(): void {
    for (const listener of this.#listeners) listener(this.saved, this.#obstacle());
  }

  /** Nobody hears of anything from now on. */
  forgetListeners(): void {
    this.#listeners.clear();
  }

  /**
   * Resolves when nothing waits any more, or when it need not be waited for. Rejects with what stands in the way. `meanwhile`: what
   * goes on where nothing is handed over.
   */
  async emptied(meanwhile: () => Promise<void> | undefined, isEnough: () => boolean = () => false): Promise<void> {
    while (!this.isEmpty && !isEnough()) {
      if (this.#failure !== undefined) throw this.#failure;
      await (this.#handingOver ?? meanwhile() ?? turn());
    }
  }

  /** The same; rejects also where some of what it waited for is not, and never will be, in the store. */
  async durable(meanwhile: () => Promise<void> | undefined): Promise<void> {
    const lost = this.#lost;
    await this.emptied(meanwhile);
    if (this.#lost !== undefined && this.#lost !== lost) throw this.#lost;
    const readOnly = this.#hasRefused ? this.#options.readOnly() : undefined;
    if (readOnly !== undefined) throw readOnly;
  }

  /** Why what was committed is not all durable, where waiting alone does not help. */
  #obstacle(): CairnError | undefined {
    return this.#failure ?? this.#lost ?? (this.#hasRefused ? this.#options.readOnly() : undefined);
  }

  /** Hands over what is queued, all at once, until nothing is. An edit leaves the queue when it is durable. */
  async #handOver(): Promise<void> {
    // Commits of one turn travel together, and the row is computed once for them.
    await Promise.resolve();
    while (this.#queue.length > 0) {
      const { length } = this.#queue;
      try {
        await this.#options.append(this.#queue);
        this.#queue.splice(0, length);
        this.#failure = undefined;
      } catch (error) {
        const failure = toError(error);
        if (failure.code === "identity-changed" || failure.code === "document-rebuilt") {
          this.#options.outdated();
          break;
        }
        this.#failure = failure;
        this.tell();
        // What will never be taken stays unsaved, with the reason; a full or busy store is asked again.
        if (this.#options.isClosed() || failure.code === "closed" || failure.code === "read-only") break;
        await new Promise((resolve) => setTimeout(resolve, RETRY_MILLIS));
      }
    }
    this.#handingOver = undefined;
    this.tell();
  }
}
