/**
 * Seeded random numbers for tests: xoshiro128** 1.1 by David Blackman and Sebastiano Vigna (public domain,
 * https://prng.di.unimi.it/xoshiro128starstar.c), its state filled from the seed by the finalizer of MurmurHash3
 * (Austin Appleby, public domain). Not for keys.
 */
export interface SeededRandom {
  /** 32 random bits, unsigned. */
  readonly next: () => number;
  /** A whole number from 0 to `bound - 1`. */
  readonly below: (bound: number) => number;
  /** True in `chances` of `of` cases. */
  readonly chance: (chances: number, of: number) => boolean;
  /** One of the items, of which there must be one. */
  readonly pick: <A extends {}>(items: ReadonlyArray<A>) => A;
}

export type Xoshiro128State = readonly [number, number, number, number];

const rotateLeft = (value: number, by: number): number => (value << by) | (value >>> (32 - by));

/** The bare generator: each call gives the next 32 bits, unsigned. The state must not be all zero. */
export const xoshiro128 = (state: Xoshiro128State): (() => number) => {
  let [a, b, c, d] = state;
  return () => {
    const result = Math.imul(rotateLeft(Math.imul(b, 5), 7), 9);
    const shifted = b << 9;
    c ^= a;
    d ^= b;
    b ^= c;
    a ^= d;
    c ^= shifted;
    d = rotateLeft(d, 11);
    return result >>> 0;
  };
};

const mixed = (value: number): number => {
  let hash = value | 0;
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return hash ^ (hash >>> 16);
};

/** Equal seeds give equal sequences, on every machine. */
export const seededRandom = (seed: number): SeededRandom => {
  const word = (index: number): number => mixed(seed + Math.imul(index, 0x9e3779b9));
  const next = xoshiro128([word(1), word(2), word(3), word(4) | 1]);
  const below = (bound: number): number => Math.floor((next() / 0x1_0000_0000) * bound);
  return {
    next,
    below,
    chance: (chances, of) => below(of) < chances,
    pick: (items) => {
      const item = items[below(items.length)];
      if (item === undefined) throw new RangeError("nothing to pick from");
      return item;
    },
  };
};
