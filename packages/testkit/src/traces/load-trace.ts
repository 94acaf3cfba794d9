/** Traces from files: JSON, gzipped or not. */
import { readFile } from "node:fs/promises";
import { promisify } from "node:util";
import { gunzip } from "node:zlib";

import { InvalidTrace, type Trace, parseTrace } from "./trace.ts";

/** Refuse to unpack more than this: a trace is a few megabytes. */
const MAX_BYTES = 256 * 1024 * 1024;

const unpack = promisify<Uint8Array, { maxOutputLength: number }, Buffer>(gunzip);

/** Read and check a trace. Rejects with `InvalidTrace`, or with the file system's error. */
export const loadTrace = async (path: string | URL): Promise<Trace> => {
  const bytes = await readFile(path);
  const gzipped = bytes[0] === 0x1f && bytes[1] === 0x8b;
  return parseTrace(parseJson(gzipped ? await decompress(bytes) : bytes));
};

/** A short session that lies beside this package: a note as it was typed into the app, recorded by `npm run record -- FILE --typed`. */
export const shortSessionFile = new URL("../../fixtures/short-session.json", import.meta.url);

const decompress = async (bytes: Uint8Array): Promise<Buffer> => {
  try {
    return await unpack(bytes, { maxOutputLength: MAX_BYTES });
  } catch (error) {
    throw new InvalidTrace({ reason: `cannot unpack: ${error instanceof Error ? error.message : String(error)}` });
  }
};

const parseJson = (bytes: Buffer): unknown => {
  try {
    return JSON.parse(bytes.toString("utf8"));
  } catch (error) {
    throw new InvalidTrace({ reason: `not JSON: ${error instanceof Error ? error.message : String(error)}` });
  }
};
