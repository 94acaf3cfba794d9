import fc from "fast-check";
import { describe, expect, test } from "vitest";

import { SEARCH_LIMITS, holdsTerms, searchTerms, wordsOf } from "@cairn/schema";

const isFound = (text: string, search: string): boolean => holdsTerms(wordsOf(text), searchTerms(search));

describe("full-text search", () => {
  test.each([
    ["Dry stone walls", "STONE dry", true],
    ["Dry stone walls", "sto", true],
    ["Dry stone walls", "sto walls", false],
    ["Dry stone walls", "tone", false],
    ["Dry stone walls", "", true],
    ["Dry stone walls", "… !", true],
    ["Übergröße in Ærø", "ubergrosse aero", true],
    ["Übergröße", "übergrö", true],
    ["Ελλάς", "ΕΛΛΆΣ", true],
    ["İstanbul", "istanbul", true],
    ["ﬁne ＷＩＤＥ", "fine wide", true],
    ["don't", "don’t", true],
    ["snake_case v2.0", "snake_c", true],
    ["日本語の本", "日本語", true],
    ["日本語の本", "本語", true],
    ["日本語の本", "語", true],
    ["日本語の本", "本日", false],
    ["日本語の本", "日本 本", true],
    ["iPhoneを買う", "iphone", true],
    ["iPhoneを買う", "買う", true],
    ["東京タワー", "タワー", true],
    ["がくせい", "かくせい", false],
    ["ภาษาไทย", "ไทย", true],
    ["한국어 사전", "한국", true],
    ["हिन्दी", "हिन्दी", true],
    ["हिन्दी", "हन्द", false],
    ["مُحَمَّد", "محمد", true],
  ])("%s, searched for %s: %s", (text, search, expected) => {
    expect(isFound(text, search)).toBe(expected);
  });

  test("any beginning of any word finds a text, and so do all of its words together", () => {
    const word = fc.string({
      unit: fc.constantFrom(...Array.from("aZéß9_日本かタ 😀-'\u0301")),
      minLength: 1,
      maxLength: 12,
    });
    fc.assert(
      fc.property(fc.array(word, { minLength: 1, maxLength: 8 }), fc.nat(), fc.nat(), (words, which, cut) => {
        const text = words.join(" ");
        expect(isFound(text, words.slice(0, SEARCH_LIMITS.terms).join(" "))).toBe(true);
        const one = words[which % words.length] ?? "";
        const characters = Array.from(one);
        const beginning = characters.slice(0, 1 + (cut % characters.length)).join("");
        expect(isFound(text, beginning)).toBe(true);
      }),
      { numRuns: 500 },
    );
  });

  test("is bounded and total, whatever the text", () => {
    const long = "x".repeat(10_000);
    expect(isFound(long, long.slice(0, 400))).toBe(true);
    expect([...wordsOf(long)]).toEqual(["x".repeat(SEARCH_LIMITS.wordLength)]);
    expect(wordsOf(Array.from({ length: 30_000 }, (_, index) => index).join(" ")).size).toBe(SEARCH_LIMITS.words);
    expect(searchTerms("a ".repeat(200)).length).toBe(SEARCH_LIMITS.terms);
    expect(searchTerms("日".repeat(200)).length).toBe(SEARCH_LIMITS.terms);
    fc.assert(
      fc.property(fc.string({ unit: "binary" }), fc.string({ unit: "binary" }), (text, search) => {
        for (const found of wordsOf(text)) expect(found.length).toBeLessThanOrEqual(SEARCH_LIMITS.wordLength);
        isFound(text, search);
      }),
    );
  });
});
