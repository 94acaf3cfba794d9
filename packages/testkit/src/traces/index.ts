export { applyToCodePoints, applyTransaction } from "./apply.ts";
export { type ConcurrentOptions, generateConcurrent } from "./generate-concurrent.ts";
export { type SequentialOptions, generateSequential } from "./generate-sequential.ts";
export { loadTrace, shortSessionFile } from "./load-trace.ts";
export { type TraceVersions, parentsVersions } from "./parents-versions.ts";
export { type SeededRandom, seededRandom, xoshiro128 } from "./random.ts";
export { replayConcurrent, replaySequential } from "./replay.ts";
export {
  type ConcurrentTrace,
  type ConcurrentTransaction,
  InvalidTrace,
  type Patch,
  type SequentialTrace,
  type SequentialTransaction,
  type Trace,
  codePointLength,
  operationsIn,
  parseTrace,
} from "./trace.ts";
