/** Seeded sequential sessions: one author who types, corrects, jumps about, pastes and cuts. */
import { applyToCodePoints } from "./apply.ts";
import { type SeededRandom, seededRandom } from "./random.ts";
import type { Patch, SequentialTrace, SequentialTransaction } from "./trace.ts";

const WORDS = [
  ..."wall stone rubble course batter footing frost slope hand line heart face".split(" "),
  ..."über señor naïve Ελλάδα мост 石 壁 かべ".split(" "),
  // Beyond U+FFFF: one code point is two UTF-16 code units, and one visible sign is sometimes several code points.
  ..."😀 🪨🪨 👩‍🚀 𝒳²".split(" "),
];

/** A few words, with separators. */
export const words = (random: SeededRandom, most: number): string =>
  Array.from({ length: 1 + random.below(most) }, () => random.pick(WORDS)).join(" ");

/** Times that a clock would give: seconds while typing, minutes between bouts. */
export const typingTimes = (random: SeededRandom): (() => string) => {
  let now = Date.UTC(2026, 0, 5, 9, 30);
  return () => {
    now += random.chance(1, 40) ? 60_000 * (1 + random.below(30)) : 80 + random.below(900);
    return new Date(now).toISOString();
  };
};

export interface SequentialOptions {
  readonly seed: number;
  readonly transactions: number;
}

/** Equal options give the same trace. */
export const generateSequential = ({ seed, transactions }: SequentialOptions): SequentialTrace => {
  const random = seededRandom(seed);
  const time = typingTimes(random);
  const startContent = random.chance(1, 2) ? `${words(random, 5)}\n` : "";
  const content = Array.from(startContent);
  let cursor = content.length;
  let typing: Array<string> = [];

  const patch = (): Patch => {
    if (typing.length === 0) typing = Array.from(`${words(random, 4)}${random.pick([" ", " ", ". ", "\n"])}`);
    const action = random.below(100);
    const length = content.length;
    if (action < 70) {
      const letter = typing.shift() ?? " ";
      cursor += 1;
      return [cursor - 1, 0, letter];
    }
    if (action < 84) {
      const deleted = Math.min(cursor, 1 + random.below(4));
      cursor -= deleted;
      return [cursor, deleted, ""];
    }
    if (action < 90) cursor = random.below(length + 1);
    if (action < 95) {
      const pasted = words(random, 8);
      const at = cursor;
      cursor += Array.from(pasted).length;
      return [at, 0, pasted];
    }
    const at = random.below(length + 1);
    const cut = Math.min(length - at, random.below(12));
    const replacement = random.chance(1, 2) ? words(random, 2) : "";
    cursor = at + Array.from(replacement).length;
    return [at, cut, replacement];
  };

  const txns = Array.from({ length: transactions }, (): SequentialTransaction => {
    const patches: Array<Patch> = [];
    const count = random.chance(1, 12) ? 2 + random.below(3) : 1;
    while (patches.length < count) {
      const next = patch();
      applyToCodePoints(content, [next]);
      patches.push(next);
    }
    return { time: time(), patches };
  });
  return { kind: "sequential", startContent, endContent: content.join(""), txns };
};
