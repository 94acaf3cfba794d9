/** The roots that every document may have, whatever its type. */

/** The root map that holds all plain fields of a document, by physical name. */
export const PLAIN_ROOT = "fields";
/** The root map of the engine's own state, which every document has, whatever its type (`document-state.ts`). */
export const STATE_ROOT = "cairn";
