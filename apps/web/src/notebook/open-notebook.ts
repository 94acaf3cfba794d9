import { openCairn } from "@cairn/client";
import { engineWorker } from "../boot/engine-worker.ts";
import { firstLists } from "../notes/first-lists.ts";
import { describeDevice } from "./device-name.ts";
import { takeStartAnew } from "./open-anew.ts";
import { profile } from "./profile.ts";
import { schema } from "./schema.ts";

/**
 * Opens the engine in its worker. This module is the boundary of the lazy part: it brings the client, the schema
 * library and Loro's WebAssembly, none of which the first paint needs.
 */
export const openNotebook = () =>
  openCairn({
    schema,
    name: profile,
    server: location.origin,
    appVersion: versionNumber(__CAIRN_VERSION__),
    ...(takeStartAnew() ? { afterLoss: "start-anew" as const } : {}),
    deviceName: describeDevice(navigator.userAgent),
    firstLists,
    worker: engineWorker,
  });

/** "1.12.3" as a number that grows with every release, so that tabs of two releases know which is the newer. */
const versionNumber = (version: string): number => {
  const [major = 0, minor = 0, patch = 0] = (/^\d+\.\d+\.\d+/.exec(version)?.[0] ?? "0").split(".").map(Number);
  return major * 1_000_000 + minor * 1000 + patch;
};
