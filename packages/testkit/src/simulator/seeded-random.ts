/** Randomness of a run: one stream of numbers for each purpose, all from the seed. */

const MIX_1 = 0x85ebca6b;
const MIX_2 = 0xc2b2ae35;

const mix = (value: number): number => {
  let hash = value ^ (value >>> 16);
  hash = Math.imul(hash, MIX_1);
  hash ^= hash >>> 13;
  hash = Math.imul(hash, MIX_2);
  return (hash ^ (hash >>> 16)) >>> 0;
};

/** sfc32 by Chris Doty-Humphrey (PractRand): small, fast, and good enough for anything that is not a secret. */
export class SeededRandom {
  #a: number;
  #b: number;
  #c: number;
  #counter = 1;

  constructor(seed: number, stream = 0) {
    this.#a = mix(seed);
    this.#b = mix(seed ^ 0x9e3779b9);
    this.#c = mix(stream ^ 0x243f6a88);
    for (let round = 0; round < 12; round += 1) this.next();
  }

  /** 32 bits. */
  next(): number {
    const sum = (((this.#a + this.#b) | 0) + this.#counter) | 0;
    this.#counter = (this.#counter + 1) | 0;
    this.#a = this.#b ^ (this.#b >>> 9);
    this.#b = (this.#c + (this.#c << 3)) | 0;
    this.#c = (this.#c << 21) | (this.#c >>> 11);
    this.#c = (this.#c + sum) | 0;
    return sum >>> 0;
  }

  /** From [0, 1). */
  unit(): number {
    return this.next() / 0x1_0000_0000;
  }

  /** A whole number from [0, bound). */
  below(bound: number): number {
    return Math.floor(this.unit() * bound);
  }

  chance(probability: number): boolean {
    return probability > 0 && this.unit() < probability;
  }

  pick<A>(items: ReadonlyArray<A>): A | undefined {
    return items[this.below(items.length)];
  }

  bytes(length: number): Uint8Array<ArrayBuffer> {
    const bytes = new Uint8Array(length);
    for (let at = 0; at < length; at += 1) bytes[at] = this.next();
    return bytes;
  }
}
