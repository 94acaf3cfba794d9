/**
 * Time for durations, in milliseconds from some beginning: it never jumps when somebody sets the device's clock, which
 * may be wrong by years (hazard 21).
 */
import { Clock, Effect } from "effect";

export const elapsedMillis: Effect.Effect<number> = Effect.map(
  Clock.monotonicTimeNanos,
  (nanos) => Number(nanos) / 1e6,
);
