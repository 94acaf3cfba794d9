/**
 * `update-ranges.ts`, loaded when the first received update asks for it: it brings Loro's WebAssembly, and an engine
 * answers its first lists without that.
 */
import type { DeviceId } from "@cairn/protocol";
import type { Result } from "effect";
import type { OperationRange, UpdateRefused } from "./update-ranges.ts";

interface UpdateRanges {
  readonly operationsOf: (
    author: DeviceId,
    update: Uint8Array,
  ) => Result.Result<ReadonlyArray<OperationRange>, UpdateRefused>;
}

let loaded: UpdateRanges | undefined;

/** Said by the module itself, so that a thread that has it anyway never waits for it. */
export const offerUpdateRanges = (ranges: UpdateRanges): void => {
  loaded = ranges;
};

export const updateRanges = (): UpdateRanges | Promise<UpdateRanges> => loaded ?? import("./update-ranges.ts");
