/** How many entries a replay has to make, so that it says something of how they travel. */

export const LEAST_ENTRIES = 200;
/** Sessions of so many transactions for each of those entries make them. */
const TRANSACTIONS_EACH = 10;

/** Whether a sequential session of so many transactions makes at least `LEAST_ENTRIES`. */
export const promisesEntries = (transactions: number): boolean => transactions >= LEAST_ENTRIES * TRANSACTIONS_EACH;
