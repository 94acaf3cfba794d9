/** What is known of the tables without opening them. */

/** Of the tables in `tables.ts`. A change needs a new version, and an upgrade that can be resumed. */
export const TABLES_VERSION = 3;

/** Of rows that were made before declarations had fingerprints: they are in no index of rows. No fingerprint is like it. */
export const UNKNOWN_DECLARATION = "2";
