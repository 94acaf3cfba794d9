/** Where the server's randomness comes from: the platform, unless a simulator says otherwise. */
import { Context } from "effect";
import { randomBytes } from "node:crypto";

/** Gives `length` unpredictable bytes. */
export const RandomBytes = Context.Reference<(length: number) => Uint8Array>("cairn/server/RandomBytes", {
  defaultValue: () => randomBytes,
});
