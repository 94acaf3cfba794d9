/** When an author stops for a moment: after a slice of time, or because a rate is to be kept. */

/** The author types for this long before everything else gets its turn. */
const SLICE_MILLIS = 0.25;

const millis = (): number => performance.now();
const breathe = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
const sleep = (duration: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, duration));

export class Pace {
  readonly #rate: number | undefined;
  readonly #started = millis();
  #sliceEnd = millis() + SLICE_MILLIS;
  #counted = 0;

  /** `rate`: transactions a second, at most. */
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
