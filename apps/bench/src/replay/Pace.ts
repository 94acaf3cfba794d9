/** When an author stops for a moment: after a slice of time, or because a rate is to be kept. */

/** The author types for this long before everything else gets its turn: some transactions, as a burst of key presses is. */
const SLICE_MILLIS = 0.1;

const breathe = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
const sleep = (duration: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, duration));

export class Pace {
  readonly #rate: number | undefined;
  readonly #started = performance.now();
  #sliceEnd = this.#started + SLICE_MILLIS;
  #counted = 0;

  /** `rate`: transactions a second, at most. */
  constructor(rate: number | undefined) {
    this.#rate = rate;
  }

  /** What is to be waited for before the next transaction, if anything is. */
  next(): Promise<void> | undefined {
    const now = performance.now();
    const ahead = this.#rate === undefined ? 0 : (this.#counted / this.#rate) * 1_000 - (now - this.#started);
    this.#counted += 1;
    return ahead > 1 ? this.#rest(sleep(ahead)) : now >= this.#sliceEnd ? this.#rest(breathe()) : undefined;
  }

  async #rest(over: Promise<void>): Promise<void> {
    await over;
    this.#sliceEnd = performance.now() + SLICE_MILLIS;
  }
}
