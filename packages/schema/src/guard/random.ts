/** Numbers that look random and follow from a seed, the same everywhere. */

export interface Random {
  /** A whole number from 0 up to, and without, the bound. */
  readonly below: (bound: number) => number;
  readonly pick: <A>(from: ReadonlyArray<A>) => A | undefined;
}

/** A generator of 32 bits (a Weyl sequence, mixed): far from secret, and even enough for tests. */
export const randomFrom = (seed: number): Random => {
  let state = seed | 0;
  const below = (bound: number): number => {
    state = (state + 0x9e3779b9) | 0;
    let mixed = state ^ (state >>> 16);
    mixed = Math.imul(mixed, 0x21f0aaad);
    mixed ^= mixed >>> 15;
    mixed = Math.imul(mixed, 0x735a2d97);
    mixed ^= mixed >>> 15;
    return Math.floor(((mixed >>> 0) / 2 ** 32) * bound);
  };
  return { below, pick: (from) => from[below(from.length)] };
};
