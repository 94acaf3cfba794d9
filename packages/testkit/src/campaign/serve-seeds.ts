/** One thread of a campaign: runs the seeds that it is given. */
import { parentPort } from "node:worker_threads";
import type { Parameters } from "./Campaign.ts";

export interface SeedsRequest {
  readonly from: number;
  readonly count: number;
  readonly parameters: Parameters;
}

export interface SeedFailure {
  readonly seed: number;
  readonly violations: ReadonlyArray<string>;
}

export interface SeedsAnswer {
  readonly from: number;
  readonly runs: number;
  readonly counts: ReadonlyArray<readonly [string, number]>;
  readonly failures: ReadonlyArray<SeedFailure>;
}

/** Answers the requests of the campaign that started this thread. Does nothing in the main thread. */
export const serveSeeds = (run: (request: SeedsRequest) => Promise<SeedsAnswer>): void => {
  parentPort?.on("message", (request: SeedsRequest) => {
    // A port between threads knows no origins.
    // oxlint-disable-next-line unicorn/require-post-message-target-origin
    void run(request).then((answer) => parentPort?.postMessage(answer));
  });
};
