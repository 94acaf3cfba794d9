/** A failing run made short: steps are left out, as many at once as can be, while the same promise still breaks. */
import { keepSteps, type Plan } from "./plan.ts";
import { type RunOptions, runPlan } from "./Run.ts";

/** What kind of failure a violation is: the promise that it breaks. */
export const kindOfViolation = (violation: string): string => violation.split(":", 1)[0] ?? violation;

/** The indices of the steps that are left after at most `budget` runs. */
export const shrink = async (
  plan: Plan,
  violations: ReadonlyArray<string>,
  options: RunOptions = {},
  budget = 150,
): Promise<ReadonlyArray<number>> => {
  const wanted = new Set(violations.map(kindOfViolation));
  let left = budget;
  const fails = async (kept: ReadonlyArray<number>): Promise<boolean> => {
    left -= 1;
    const { violations: found } = await runPlan(keepSteps(plan, kept), options);
    return found.some((violation) => wanted.has(kindOfViolation(violation)));
  };
  /** Leaves out runs of `size` steps wherever that still fails. */
  const pass = async (before: ReadonlyArray<number>, size: number): Promise<ReadonlyArray<number>> => {
    let kept = before;
    let from = 0;
    while (from < kept.length) {
      if (left <= 0) break;
      const shorter = [...kept.slice(0, from), ...kept.slice(from + size)];
      if (await fails(shorter)) kept = shorter;
      else from += size;
    }
    return kept;
  };
  let kept: ReadonlyArray<number> = plan.steps.map((_, index) => index);
  let size = Math.ceil(kept.length / 2);
  for (;;) {
    const before = kept.length;
    kept = await pass(kept, size);
    if (left <= 0 || (size === 1 && kept.length === before)) break;
    size = Math.max(1, Math.floor(size / 2));
  }
  return kept;
};

/** `0,1,2,7` as `0-2,7`. */
export const formatSteps = (kept: ReadonlyArray<number>): string => {
  const ranges: Array<{ readonly from: number; to: number }> = [];
  for (const index of kept) {
    const last = ranges.at(-1);
    if (last !== undefined && last.to + 1 === index) last.to = index;
    else ranges.push({ from: index, to: index });
  }
  return ranges.map(({ from, to }) => (from === to ? `${from}` : `${from}-${to}`)).join(",");
};

/** Reads what `formatSteps` writes. Throws `TypeError` for anything else. */
export const parseSteps = (text: string): ReadonlyArray<number> =>
  text
    .split(",")
    .filter((part) => part !== "")
    .flatMap((part) => {
      const match = /^(\d+)(?:-(\d+))?$/.exec(part);
      if (match === null) throw new TypeError(`not a list of steps: ${text}`);
      const from = Number(match[1]);
      const to = Number(match[2] ?? match[1]);
      return Array.from({ length: to - from + 1 }, (_, offset) => from + offset);
    });
