/**
 * Recorded editing sessions.
 *
 * A *sequential* trace is one author's history of a text. A *concurrent* trace is the history of several agents typing at
 * once, as a graph: each transaction applies to the merge of its parents' states. All positions and lengths count Unicode
 * code points.
 */
import { Data, Schema } from "effect";

const Count = Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 0x7fff_ffff }));

/** Position, number of code points deleted there, text inserted there. */
const Patch = Schema.Tuple([Count, Count, Schema.String]);
export type Patch = typeof Patch.Type;

const SequentialTransaction = Schema.Struct({ time: Schema.String, patches: Schema.Array(Patch) });

const SequentialTrace = Schema.Struct({
  startContent: Schema.String,
  endContent: Schema.String,
  txns: Schema.Array(SequentialTransaction),
});

const ConcurrentTransaction = Schema.Struct({
  /** Indices of earlier transactions; transitively they name everything the author had seen, its own work included. */
  parents: Schema.Array(Count),
  numChildren: Count,
  agent: Count,
  time: Schema.String,
  patches: Schema.Array(Patch),
});

const ConcurrentTrace = Schema.Struct({
  kind: Schema.Literal("concurrent"),
  endContent: Schema.String,
  numAgents: Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: 1_000 })),
  txns: Schema.Array(ConcurrentTransaction),
});

export type SequentialTransaction = typeof SequentialTransaction.Type;
export type SequentialTrace = typeof SequentialTrace.Type & { readonly kind: "sequential" };
export type ConcurrentTransaction = typeof ConcurrentTransaction.Type;
export type ConcurrentTrace = typeof ConcurrentTrace.Type;
export type Trace = SequentialTrace | ConcurrentTrace;

/** A file that is not a trace, or a trace that contradicts itself. */
export class InvalidTrace extends Data.TaggedError("InvalidTrace")<{ readonly reason: string }> {
  override get message(): string {
    return this.reason;
  }
}

const decodeSequential = Schema.decodeUnknownSync(SequentialTrace);
const decodeConcurrent = Schema.decodeUnknownSync(ConcurrentTrace);

/** Check parsed JSON against the format. Throws `InvalidTrace`. */
export const parseTrace = (json: unknown): Trace => {
  const concurrent = typeof json === "object" && json !== null && "kind" in json && json.kind === "concurrent";
  try {
    return concurrent ? decodeConcurrent(json) : { kind: "sequential", ...decodeSequential(json) };
  } catch (error) {
    throw new InvalidTrace({ reason: error instanceof Error ? error.message : String(error) });
  }
};

/** Length of a text in code points. */
export const codePointLength = (text: string): number => {
  let length = text.length;
  for (let index = 0; index < text.length - 1; index += 1) {
    if (text.charCodeAt(index) >>> 10 === 0x36 && text.charCodeAt(index + 1) >>> 10 === 0x37) length -= 1;
  }
  return length;
};

/** Operations that a transaction adds to its author's Loro counter: every deleted and every inserted code point. */
export const operationsIn = (transaction: { readonly patches: ReadonlyArray<Patch> }): number =>
  transaction.patches.reduce((sum, [, deleted, inserted]) => sum + deleted + codePointLength(inserted), 0);
