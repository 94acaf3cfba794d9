/**
 * How many rows are made in one step. A step is one transaction, and what pages read waits for its end: so a step takes
 * about a tenth of a second, on a slow disk with few rows, on a quick one with many.
 */

/** Fewer would spend the time on transactions, and more are made before a person has read that they are. */
export const LEAST_TOGETHER = 4;
export const MOST_TOGETHER = 64;
/** To begin with: nobody knows the disk yet. */
export const FIRST_TOGETHER = 8;
/** What a step is to take. */
export const STEP_MILLIS = 100;

/**
 * The rows of the next step, of which the last one was to make `together`, and made `rows` in `millis`. At most twice as many
 * or half as many, for one step may have waited for something else.
 */
export const nextTogether = (together: number, rows: number, millis: number): number => {
  if (rows === 0) return together;
  const fitting = millis > 0 ? Math.floor((rows * STEP_MILLIS) / millis) : MOST_TOGETHER;
  const near = Math.min(together * 2, Math.max(Math.floor(together / 2), fitting));
  return Math.min(MOST_TOGETHER, Math.max(LEAST_TOGETHER, near));
};
