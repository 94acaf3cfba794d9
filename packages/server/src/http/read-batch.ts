import { decodeBatch, MalformedBytes } from "@cairn/protocol";
import { Effect } from "effect";
import { refuse } from "../refusals.ts";

/** The entries of a batch; a malformed one changes nothing (rule 8). */
export const readBatch = Effect.fnUntraced(function* (bytes: Uint8Array) {
  try {
    return decodeBatch(bytes);
  } catch (error) {
    if (!(error instanceof MalformedBytes)) throw error;
    return yield* refuse("malformed", { message: `The batch cannot be read: ${error.message}` });
  }
});
