import { generateSequential, replaySequential } from "@cairn/testkit/traces";

/** A session of one author, the same for the same seed, emoji and all. */
export const session = generateSequential({ seed: 7, transactions: 200 });
export const content = replaySequential(session);
