import { openCairn } from "@cairn/client";
import { Worker } from "node:worker_threads";
import { schema } from "./schema.ts";

const importThread = () => new Worker(new URL("./import-thread.ts", import.meta.url));

export const openNotes = (directory: string) => openCairn({ schema, directory, importThread });
