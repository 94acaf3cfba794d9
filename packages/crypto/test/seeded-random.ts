import { sha256 } from "@noble/hashes/sha2.js";
import type { RandomSource } from "@cairn/crypto";

/** Bytes that follow from a seed: SHA-256 over seed and a counter. For tests and vectors only. */
export const seededRandom = (seed: string): RandomSource => {
  let counter = 0;
  return (length) => {
    const bytes = new Uint8Array(length);
    for (let offset = 0; offset < length; offset += 32) {
      const block = sha256(new TextEncoder().encode(`${seed}/${counter}`));
      counter += 1;
      bytes.set(block.subarray(0, Math.min(32, length - offset)), offset);
    }
    return bytes;
  };
};
