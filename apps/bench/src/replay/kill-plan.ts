/** When the server is killed: points of acknowledged progress, drawn from the seed. */
import type { SeededRandom } from "@cairn/testkit/traces";
import type { Moment } from "./Wire.ts";

export interface PlannedKill {
  /** All transactions before this one are acknowledged; the kill comes with the next push. */
  readonly after: number;
  readonly moment: Moment;
}

/** `kills` different points within a session, in order. Throws `RangeError` where it has not as many transactions. */
export const planKills = (random: SeededRandom, kills: number, transactions: number): ReadonlyArray<PlannedKill> => {
  if (kills >= transactions)
    throw new RangeError(`a session of ${transactions} transactions cannot bear ${kills} kills`);
  const points = new Set<number>();
  while (points.size < kills) points.add(1 + random.below(transactions - 1));
  return [...points]
    .toSorted((left, right) => left - right)
    .map((after) => ({ after, moment: random.chance(1, 2) ? "request" : "answer" }));
};
