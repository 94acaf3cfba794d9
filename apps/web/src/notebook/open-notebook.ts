import { openCairn } from "@cairn/client";
import { describeDevice } from "./device-name.ts";
import { schema } from "./schema.ts";

/**
 * Starts the engine in its worker. This module is the boundary of the lazy part: it brings the client, the schema
 * library and Loro's WebAssembly, none of which the first paint needs.
 */
export const openNotebook = () =>
  openCairn({
    schema,
    name: "notebook",
    server: location.origin,
    deviceName: describeDevice(navigator.userAgent),
    worker: () => new Worker(new URL("./cairn.worker.ts", import.meta.url), { type: "module", name: "cairn" }),
  });
