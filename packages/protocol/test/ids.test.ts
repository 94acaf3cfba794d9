import { base64urlnopad } from "@scure/base";
import fc from "fast-check";
import { Schema } from "effect";
import { describe, expect, it } from "vitest";
import {
  boundedBase64Url,
  decodeBase64Url,
  DeviceId,
  deviceIdFromBytes,
  deviceIdOfSigningKey,
  encodeBase64Url,
  Hash,
  idToBytes,
  linkIdOfSigningKey,
  NO_DOCUMENT,
  Signature,
  workspaceIdOfRootKey,
} from "@cairn/protocol";
import { workspaceId } from "./arbitraries.ts";

const accepts = (schema: Schema.Decoder<unknown>, text: unknown): boolean =>
  Schema.decodeUnknownResult(schema)(text)._tag === "Success";

describe("ids", () => {
  it("are the same as text and as bytes", () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 16, maxLength: 16 }), (bytes) => {
        const id = deviceIdFromBytes(bytes);
        expect(id).toHaveLength(22);
        expect(idToBytes(id)).toEqual(bytes);
        expect(accepts(DeviceId, id)).toBe(true);
      }),
    );
    expect(NO_DOCUMENT).toBe("A".repeat(22));
    expect(() => deviceIdFromBytes(new Uint8Array(15))).toThrow(RangeError);
  });

  it("have one form as text, so that they can be compared", () => {
    const wrong = [
      "",
      "A".repeat(21),
      "A".repeat(23),
      `${"A".repeat(21)}B`,
      `${"A".repeat(22)}==`,
      `${"A".repeat(21)} `,
      `${"A".repeat(20)}+/`,
      `${"A".repeat(21)}Á`,
      7,
      null,
    ];
    for (const text of wrong) expect(accepts(DeviceId, text)).toBe(false);
    expect(accepts(Hash, "A".repeat(43))).toBe(true);
    expect(accepts(Signature, "A".repeat(86))).toBe(true);
    expect(accepts(Hash, "A".repeat(22))).toBe(false);
  });

  it("are bounded where their length is free", () => {
    const schema = boundedBase64Url(4);
    for (const text of ["", "AA", "AAAA", "AAAAAA"]) expect(accepts(schema, text)).toBe(true);
    for (const text of ["A", "AAAAAAAA", "A".repeat(100_000), "AB"]) expect(accepts(schema, text)).toBe(false);
  });

  it("of devices and links depend on the key, the workspace and what they name", () => {
    fc.assert(
      fc.property(workspaceId, workspaceId, fc.uint8Array({ minLength: 32, maxLength: 32 }), (here, there, key) => {
        fc.pre(here !== there);
        const names = [
          deviceIdOfSigningKey(here, key),
          deviceIdOfSigningKey(there, key),
          linkIdOfSigningKey(here, key),
          linkIdOfSigningKey(there, key),
          workspaceIdOfRootKey(key),
        ];
        expect(new Set<string>(names).size).toBe(names.length);
      }),
    );
  });
});

it("base64url is read in its canonical form only", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 50 }), (bytes) => {
      expect(decodeBase64Url(encodeBase64Url(bytes))).toEqual(bytes);
    }),
  );
  fc.assert(
    fc.property(
      fc.string({ unit: fc.constantFrom("A", "Q", "g", "w", "_", "-", "9", "z", "=", "+", " ", "\u0141") }),
      (text) => {
        const bytes = decodeBase64Url(text);
        if (bytes !== undefined) expect(encodeBase64Url(bytes)).toBe(text);
      },
    ),
  );
  for (const text of ["A", "AB", "AAB", "A=", "AA==", "A A", "AA\n", "+/AA"])
    expect(decodeBase64Url(text)).toBeUndefined();
});

it("base64url is what others write and read", () => {
  const read = (text: string): Uint8Array | undefined => {
    try {
      return base64urlnopad.decode(text);
    } catch {
      return undefined;
    }
  };
  fc.assert(fc.property(fc.uint8Array(), (bytes) => encodeBase64Url(bytes) === base64urlnopad.encode(bytes)));
  fc.assert(
    fc.property(fc.string({ unit: fc.constantFrom("A", "B", "I", "Q", "g", "w", "_", "-", "9", "z", "=") }), (text) => {
      expect(decodeBase64Url(text)).toEqual(read(text));
    }),
  );
});
