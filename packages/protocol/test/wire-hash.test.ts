/**
 * Holds the wire to its version: nobody changes the API, the frames, a layout or a limit without raising
 * `PROTOCOL_VERSION`, or knowing that old and new still understand each other.
 */
import { createHash } from "node:crypto";
import { readdir, readFile } from "node:fs/promises";
import { Schema } from "effect";
import { OpenApi } from "effect/http-api";
import { expect, it } from "vitest";
import {
  CairnApi,
  ChallengePurpose,
  CONTROL_FRAMES,
  ENTRIES_MEDIA_TYPE,
  EntryKind,
  ERROR_CATALOGUE,
  FRAME_TYPES,
  HEARTBEAT_MILLIS,
  Issuer,
  LIMITS,
  LIVE_WINDOW_BYTES,
  OLDEST_PROTOCOL_VERSION,
  PROTOCOL_VERSION,
  RECORD_CODES,
  Role,
} from "@cairn/protocol";

/** Words for people may change freely. */
const WORDS = new Set(["description", "summary", "title", "advice"]);

/** The value with its keys in order and without words for people. */
const canonical = (value: unknown): unknown => {
  if (Array.isArray(value)) return value.map(canonical);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .filter(([key, inner]) => !(WORDS.has(key) && typeof inner === "string"))
      .toSorted(([left], [right]) => (left < right ? -1 : 1))
      .map(([key, inner]) => [key, canonical(inner)]),
  );
};

const sha256 = (text: string): string => createHash("sha256").update(text).digest("hex");
const hashOf = (value: unknown): string => sha256(JSON.stringify(canonical(value)));

it("the wire of this version is the one that was agreed on", async () => {
  const folder = new URL("vectors/", import.meta.url);
  const names = (await readdir(folder)).filter((name) => name.endsWith(".json")).toSorted();
  const vectors = await Promise.all(
    names.map(async (name): Promise<[string, unknown]> => [
      name,
      JSON.parse(await readFile(new URL(name, folder), "utf8")),
    ]),
  );
  expect({
    version: PROTOCOL_VERSION,
    oldest: OLDEST_PROTOCOL_VERSION,
    api: hashOf(OpenApi.fromApi(CairnApi)),
    frames: hashOf(Object.entries(CONTROL_FRAMES).map(([type, schema]) => [type, Schema.toJsonSchemaDocument(schema)])),
    constants: hashOf({
      LIMITS,
      EntryKind,
      Role,
      Issuer,
      RECORD_CODES,
      FRAME_TYPES,
      ChallengePurpose,
      ERROR_CATALOGUE,
      ENTRIES_MEDIA_TYPE,
      HEARTBEAT_MILLIS,
      LIVE_WINDOW_BYTES,
    }),
    layouts: hashOf(Object.fromEntries(vectors)),
  }).toMatchInlineSnapshot(`
    {
      "api": "245401663558431f2e87d38f7c41462d69fc840f91ab212194685b701e14d86f",
      "constants": "bff487094c41152739ae8ce5615953133fc5706f14df6135d638e771085d34d3",
      "frames": "af99ee629c861ed859e8855d250996556894fa79459b5c643d38acb62af0b1fc",
      "layouts": "79c60420953a5d70c24e1b81a703ce53992f3356c33f5d1a59f2b044ff132b52",
      "oldest": 1,
      "version": 1,
    }
  `);
});
