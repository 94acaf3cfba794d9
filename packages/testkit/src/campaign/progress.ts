/** What a campaign on the command line says while it runs. */
import type { SeedCampaignState } from "./Campaign.ts";

/** Milliseconds between two lines. */
const TELL_EVERY = 5_000;

/** Tells now and then how far a campaign is, by `onProgress`. */
export const tellProgress = (
  seeds: number,
  say: (line: string) => void,
): ((state: Pick<SeedCampaignState, "runs" | "failures">, here: number) => void) => {
  const started = performance.now();
  let told = started;
  return ({ runs, failures }, here) => {
    if (performance.now() - told < TELL_EVERY) return;
    told = performance.now();
    const left = Math.round(((seeds - runs) * ((told - started) / here)) / 1000);
    say(`${runs} of ${seeds} runs, ${failures.length} failures, about ${left} s left`);
  };
};
