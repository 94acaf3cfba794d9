/** A device in a thread of its own: answers the calls of `DeviceThread.ts`. */
import { parentPort } from "node:worker_threads";
import { Device } from "./Device.ts";
import type { DeviceAnswer, DeviceCall } from "./DeviceThread.ts";

if (parentPort === null) throw new Error("runs as a worker thread");
const port = parentPort;
const device = new Device();

port.on("message", ({ id, method, argument }: DeviceCall) => {
  // Each method takes the argument that `DeviceThread.call` was given for it.
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion
  const run = device[method].bind(device) as (argument: unknown) => Promise<unknown>;
  run(argument).then(
    (value) => port.postMessage({ id, value } satisfies DeviceAnswer),
    (error: unknown) => port.postMessage({ id, error: describe(error) } satisfies DeviceAnswer),
  );
});

const describe = (error: unknown): string => {
  if (!(error instanceof Error)) return String(error);
  const cause = error.cause === undefined ? "" : `\ncaused by ${describe(error.cause)}`;
  return `${error.stack ?? error.message}${cause}`;
};
