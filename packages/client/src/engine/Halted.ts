/** The end of a conversation that no further attempt mends. */
import { Data } from "effect";
import type { CairnErrorCode } from "../errors.ts";

/** Something a person has to know or decide; trying again by itself does not help. */
export class Halted extends Data.TaggedError("Halted")<{ readonly code: CairnErrorCode }> {}
