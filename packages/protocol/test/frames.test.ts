import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  CONTROL_FRAMES,
  decodeFrame,
  encodeFrame,
  FRAME_TYPES,
  hashFromBytes,
  LIMITS,
  type LiveFrame,
  MalformedBytes,
  wireError,
} from "@cairn/protocol";
import { damaged } from "./arbitraries.ts";
import { decodedOrRefused, isRefused } from "./refusal.ts";

const chain = hashFromBytes(new Uint8Array(32));
const received = (cursor: number): LiveFrame => ({ type: "received", cursor });
const json = (type: keyof typeof FRAME_TYPES, body: string): Uint8Array =>
  new Uint8Array([FRAME_TYPES[type], ...new TextEncoder().encode(body)]);

describe("a live frame", () => {
  it("has a type byte of its own; each control frame has a schema", () => {
    const codes = Object.values(FRAME_TYPES);
    expect(new Set(codes).size).toBe(codes.length);
    expect(Object.keys({ ...CONTROL_FRAMES, push: 0, page: 0 }).toSorted()).toEqual(
      Object.keys(FRAME_TYPES).toSorted(),
    );
  });

  it("comes back: batches and pages byte for byte", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 100 }), fc.nat(), (bytes, push) => {
        expect(decodeFrame(encodeFrame({ type: "push", push, batch: bytes }))).toEqual({
          type: "push",
          push,
          batch: bytes,
        });
        expect(decodeFrame(encodeFrame({ type: "page", page: bytes }))).toEqual({ type: "page", page: bytes });
        expect(decodeFrame(encodeFrame(received(push)))).toEqual(received(push));
      }),
    );
    const failed: LiveFrame = { type: "push-failed", push: 1, error: wireError("rate-limited", { retryAfter: 3 }) };
    expect(decodeFrame(encodeFrame(failed))).toEqual(failed);
  });

  it("never crashes the reader, whatever the bytes (Promise 11)", () => {
    const frames: ReadonlyArray<LiveFrame> = [
      received(5),
      { type: "ping" },
      { type: "closing", error: wireError("revoked") },
      { type: "pushed", push: 1, response: { results: [], head: 0, chain } },
    ];
    fc.assert(
      fc.property(
        fc.oneof(
          fc.uint8Array({ maxLength: 100 }),
          fc.constantFrom(...frames).chain((frame) => damaged(encodeFrame(frame))),
        ),
        (bytes) => {
          decodedOrRefused(() => decodeFrame(bytes));
        },
      ),
      { numRuns: 500 },
    );
    for (const frame of frames.slice(0, 1).map(encodeFrame))
      for (let length = 0; length < frame.length; length += 1)
        expect(isRefused(() => decodeFrame(frame.subarray(0, length)))).toBe(true);
  });

  it("is refused where it is not what its type says", () => {
    const wrong = [
      new Uint8Array(),
      Uint8Array.of(0xff),
      json("received", ""),
      json("received", "{}"),
      json("received", "null"),
      json("received", '{"type":"received","cursor":-1}'),
      json("received", '{"type":"received","cursor":1.5}'),
      json("received", '{"type":"received","cursor":"1"}'),
      json("received", '{"type":"ping"}'),
      json("ping", '{"type":"received","cursor":1}'),
      json("hello", '{"type":"hello"}'),
      json("renew", `{"type":"renew","token":"${"x".repeat(4_097)}"}`),
      json("received", `{"type":"received","cursor":1,"x":"${"x".repeat(LIMITS.controlBytes)}"}`),
      new Uint8Array([FRAME_TYPES.ping, 0xff, 0xfe]),
      Uint8Array.of(FRAME_TYPES.push),
      new Uint8Array(LIMITS.frameBytes + 1),
    ];
    for (const bytes of wrong) expect(isRefused(() => decodeFrame(bytes))).toBe(true);
  });

  it("may say more than this version knows", () => {
    expect(decodeFrame(json("received", '{"cursor":1,"type":"received","later":true}'))).toEqual(received(1));
    expect(decodedOrRefused(() => decodeFrame(json("received", '{"cursor":1}')))).toBeInstanceOf(MalformedBytes);
  });
});
