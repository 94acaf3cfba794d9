/** `docs/protocol.md` is normative: its tables say what the code says. */
import { readFile } from "node:fs/promises";
import { describe, expect, it } from "vitest";
import { OpenApi } from "effect/http-api";
import {
  CairnApi,
  ChallengePurpose,
  CONTROL_FRAMES,
  EntryKind,
  ERROR_CATALOGUE,
  FRAME_TYPES,
  LIMITS,
  PROTOCOL_VERSION,
  RECORD_CODES,
  RefusalCode,
} from "@cairn/protocol";

const text = await readFile(new URL("../../../docs/protocol.md", import.meta.url), "utf8");
/** The rows of all tables, cells trimmed. */
const rows = text
  .split("\n")
  .filter((line) => line.startsWith("|"))
  .map((line) =>
    line
      .split("|")
      .slice(1, -1)
      .map((cell) => cell.trim()),
  );
const rowOf = (...cells: ReadonlyArray<string>) =>
  rows.filter((row) => cells.every((cell, index) => row[index] === cell));

describe("the specification", () => {
  it("is of this version", () => {
    expect(text.split("\n", 1)[0]).toBe(`# The Cairn protocol, version ${PROTOCOL_VERSION}`);
  });

  it("lists every error with its status, action and advice, and no other", () => {
    for (const [code, { status, action, advice }] of Object.entries(ERROR_CATALOGUE))
      expect(rowOf(`\`${code}\``, String(status), action, advice)).toHaveLength(1);
    const table = text.slice(text.indexOf("<!-- errors:begin -->"), text.indexOf("<!-- errors:end -->"));
    expect(table.match(/^\| `/gmu)).toHaveLength(Object.keys(ERROR_CATALOGUE).length);
  });

  it("lists every limit", () => {
    for (const [name, value] of Object.entries(LIMITS)) expect(rowOf(`\`${name}\``, String(value))).toHaveLength(1);
  });

  it("comes with the HTTP API as a running server describes it", async () => {
    const written: unknown = JSON.parse(await readFile(new URL("../../../docs/openapi.json", import.meta.url), "utf8"));
    // Not as it should be? `npm run openapi -w @cairn/protocol` writes it.
    expect(written).toEqual(JSON.parse(JSON.stringify(OpenApi.fromApi(CairnApi))));
  });

  it("lists every field of every frame, and no other", () => {
    const table = text.slice(text.indexOf("<!-- frames:begin -->"), text.indexOf("<!-- frames:end -->"));
    const listed = [...table.matchAll(/^\| ([a-z-]+) +\| `(\w+)`/gmu)].map(([, frame, name]) => `${frame}.${name}`);
    const declared = Object.entries(CONTROL_FRAMES).flatMap(([frame, { fields }]) =>
      Object.keys(fields).map((name) => `${frame}.${name}`),
    );
    expect(listed.toSorted()).toEqual(declared.toSorted());
  });

  it("names every field of every shape of the HTTP API", () => {
    const shapes = text.slice(text.indexOf("| shape "), text.indexOf("**Results of a push**"));
    const named = new Set(shapes.match(/\w+/gu));
    const properties = (value: unknown): ReadonlyArray<string> => {
      if (typeof value !== "object" || value === null) return [];
      const own =
        "properties" in value && typeof value.properties === "object" ? Object.keys(value.properties ?? {}) : [];
      return [...own, ...Object.values(value).flatMap(properties)];
    };
    const { paths } = OpenApi.fromApi(CairnApi);
    expect([...new Set(properties(paths))].filter((name) => !named.has(name) && name !== "_tag")).toEqual([]);
  });

  it("lists every kind, record, purpose, frame and refusal", () => {
    for (const [kind, code] of Object.entries(EntryKind)) expect(rowOf(kind, String(code))).toHaveLength(1);
    for (const [record, code] of Object.entries(RECORD_CODES)) expect(rowOf(String(code), record)).toHaveLength(1);
    for (const [purpose, code] of Object.entries(ChallengePurpose)) expect(rowOf(`${code} ${purpose}`)).toHaveLength(1);
    const frames = rows.filter((row) => row[1]?.startsWith("0x"));
    const listed = frames.flatMap(([names = "", codes = ""]) => {
      const values = codes.split(", ");
      return names.split(", ").map((name, index): [string, number] => [name, Number(values[index])]);
    });
    expect(Object.fromEntries(listed)).toEqual(FRAME_TYPES);
    for (const code of RefusalCode.literals)
      expect(rows.filter(([first = ""]) => first.split(", ").includes(`\`${code}\``)).length).toBeGreaterThan(0);
  });
});
