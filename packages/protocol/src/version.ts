/**
 * Protocol versions.
 *
 * The version counts changes of the wire: the entry codec, the page and batch codecs, the live frames, the HTTP API and
 * the byte strings that get signed. `test/wire-hash.test.ts` pins a hash of all of them to this number.
 */

/** The version that this package writes. */
export const PROTOCOL_VERSION = 1;

/** The oldest version that this package still reads and that a server still serves. */
export const OLDEST_PROTOCOL_VERSION = 1;

/** Whether a peer that speaks `version` can be served. */
export const isSupportedProtocolVersion = (version: number): boolean =>
  Number.isInteger(version) && version >= OLDEST_PROTOCOL_VERSION && version <= PROTOCOL_VERSION;
