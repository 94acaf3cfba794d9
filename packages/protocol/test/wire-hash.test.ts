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
      "api": "d98cb6687a27acd24a8376a6a57a8919f17f0e5d2019d55b75401cbd4bbe80e5",
      "constants": "4b4fbd1c9c79e415dc107b92ca3bd9a04080e9d3258a8ebcac23f3a063eb45ef",
      "frames": "af99ee629c861ed859e8855d250996556894fa79459b5c643d38acb62af0b1fc",
      "layouts": "b8a5dec5c002566965cd93e12d0d3c1610cc85d73cc200d09e1fdbbb18043d60",
      "oldest": 1,
      "version": 1,
    }
  `);
});
