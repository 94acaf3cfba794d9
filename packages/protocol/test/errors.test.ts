import { Schema } from "effect";
import { describe, expect, it } from "vitest";
import { ERROR_CATALOGUE, type ErrorCode, WireError, wireError } from "@cairn/protocol";
import { errorClasses } from "./error-classes.ts";

const isCode = (code: string): code is ErrorCode => Object.hasOwn(ERROR_CATALOGUE, code);
const codes = Object.keys(ERROR_CATALOGUE).filter(isCode);

describe("the error catalogue", () => {
  it("and the classes name the same codes, each once, with the same status", () => {
    const statuses = errorClasses.flatMap(({ status, codes: own }) =>
      own.map((code): [string, number] => [code, status]),
    );
    expect(statuses).toHaveLength(codes.length);
    expect(Object.fromEntries(statuses)).toEqual(
      Object.fromEntries(codes.map((code) => [code, ERROR_CATALOGUE[code].status])),
    );
  });

  it("has advice for people who develop, and an action for clients, for every code", () => {
    for (const code of codes) {
      const { advice, action } = ERROR_CATALOGUE[code];
      expect(advice.length).toBeGreaterThan(15);
      expect(["retry", "pause", "stop"]).toContain(action);
    }
    const serverFailures = codes.filter((code) => [429, 500, 503].includes(ERROR_CATALOGUE[code].status));
    expect(serverFailures.map((code) => ERROR_CATALOGUE[code].action)).toEqual(["retry", "retry", "retry"]);
  });

  it.each(codes)("%s goes over the wire and back", (code) => {
    const error = wireError(code, { requestId: "r1", retryAfter: 2 });
    expect(error).toMatchObject({ code, action: ERROR_CATALOGUE[code].action, message: ERROR_CATALOGUE[code].advice });
    expect(error).toBeInstanceOf(Error);
    const json: unknown = JSON.parse(JSON.stringify(Schema.encodeSync(WireError)(error)));
    expect(Schema.decodeUnknownSync(WireError)(json)).toEqual(error);
  });

  it("carries a message of its own where one is given, within bounds", () => {
    expect(wireError("malformed", { message: "ends too early (at byte 3)" }).message).toBe(
      "ends too early (at byte 3)",
    );
    expect(() => wireError("malformed", { message: "x".repeat(2_001) })).toThrow("2000");
  });
});
