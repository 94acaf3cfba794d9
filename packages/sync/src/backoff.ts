/** When to try again. Pure: the caller draws the random number and keeps the time. */

export interface BackoffLimits {
  /** The first attempt waits up to this long. */
  readonly baseMillis: number;
  /** No attempt waits longer. */
  readonly ceilingMillis: number;
}

export const DEFAULT_BACKOFF: BackoffLimits = { baseMillis: 300, ceilingMillis: 30_000 };

/**
 * Exponential backoff with full jitter: a wait drawn evenly from nothing up to the doubled bound, so that clients that
 * lost a server together do not come back together (hazard 22). `Retry-After` is a floor under it.
 *
 * Source: M. Brooker, "Exponential Backoff And Jitter", AWS Architecture Blog, 2015.
 *
 * @param attempt failures in a row so far, from 1
 * @param random  evenly drawn from [0, 1)
 * @param retryAfterSeconds what the server asked for
 * @returns milliseconds
 */
export const backoffMillis = (
  attempt: number,
  random: number,
  limits: BackoffLimits = DEFAULT_BACKOFF,
  retryAfterSeconds?: number,
): number => {
  const bound = Math.min(limits.ceilingMillis, limits.baseMillis * 2 ** Math.min(Math.max(attempt, 1) - 1, 30));
  const floor = retryAfterSeconds === undefined ? 0 : Math.max(0, retryAfterSeconds) * 1000;
  return floor + random * bound;
};
