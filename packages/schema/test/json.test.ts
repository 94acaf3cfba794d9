import fc from "fast-check";
import { describe, expect, test } from "vitest";

import { canonicalJson, isJsonWithin } from "@cairn/schema";

describe("canonical JSON (RFC 8785)", () => {
  test("sorts keys by UTF-16 code units (section 3.2.3)", () => {
    const sorted = ["\r", "1", "\u0080", "\u00f6", "\u20ac", "\ud83d\ude00", "\ufb33"];
    const text = canonicalJson(Object.fromEntries(sorted.toReversed().map((key) => [key, key])));
    expect(Array.from(text.matchAll(/"([^"]+)":/g), ([, key]): unknown => JSON.parse(`"${key}"`))).toEqual(sorted);
    expect(text.indexOf('"1"')).toBeLessThan(text.indexOf('"\u0080"'));
    expect(text.indexOf('"\u{1f600}"')).toBeLessThan(text.indexOf('"\ufb33"'));
  });

  test("writes numbers, strings and literals as the RFC does (section 3.2.2)", () => {
    expect(
      canonicalJson({
        numbers: [Number("333333333.33333329"), 1e30, 4.5, 2e-3, 0.000000000000000000000000001, -0],
        string: '\u20ac$\u000f\nA\'B"\\\\"/',
        literals: [null, true, false],
      }),
    ).toBe(
      '{"literals":[null,true,false],"numbers":[333333333.3333333,1e+30,4.5,0.002,1e-27,0],' +
        '"string":"\u20ac$\\u000f\\nA\'B\\"\\\\\\\\\\"/"}',
    );
  });

  test("equal values have equal texts, whatever the order of their keys", () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        const reordered: unknown = JSON.parse(JSON.stringify(value), (_key, part: unknown) =>
          typeof part === "object" && part !== null && !Array.isArray(part)
            ? Object.fromEntries(Object.entries(part).toReversed())
            : part,
        );
        expect(canonicalJson(reordered)).toBe(canonicalJson(value));
        expect(JSON.parse(canonicalJson(value))).toEqual(JSON.parse(JSON.stringify(value)));
      }),
      { seed: 20_263 },
    );
  });

  test("refuses what JSON cannot say", () => {
    let deep: unknown = 0;
    for (let depth = 0; depth < 10_000; depth += 1) deep = [deep];
    for (const value of [undefined, Number.NaN, 1n, "\ud800", { "\udfff": 1 }, new Uint8Array(1), [undefined], deep]) {
      expect(() => canonicalJson(value)).toThrow(TypeError);
    }
  });

  test("a bound is a bound", () => {
    expect(isJsonWithin("abcd", 5)).toBe(true);
    expect(isJsonWithin("abcd", 4)).toBe(false);
    expect(
      isJsonWithin(
        Array.from({ length: 10 }, () => 1),
        10,
      ),
    ).toBe(false);
    expect(isJsonWithin({ a: new Uint8Array(1) }, 100)).toBe(false);
    expect(isJsonWithin({ a: undefined }, 100)).toBe(false);
  });
});
