import { CairnError } from "@cairn/client";
import { describe, expect, test } from "vitest";
import { explain, explainCode, explanations } from "../src/notebook/explain.ts";

/* That no code is missing is a matter of types: `explanations` has to have every one of them. */

describe("every failure has words and a way out", () => {
  test("in whole sentences, that say more than the title and nothing of the inside", () => {
    for (const [code, { title, detail }] of Object.entries(explanations)) {
      expect([code, title]).toEqual([code, expect.stringMatching(/^[A-Z0-9].{7,70}[^.]$/)]);
      expect([code, detail]).toEqual([code, expect.stringMatching(/^[A-Z].{10,}\.$/)]);
      expect([code, detail.includes(title)]).toEqual([code, false]);
      expect([code, title]).toEqual([code, expect.not.stringContaining(code.includes("-") ? code : "\0")]);
    }
  });

  test("nobody is told to wait for what does not go on by itself", () => {
    const stopped = codes()
      .map((code) => new CairnError(code))
      .filter(({ action }) => action === "stop");
    expect(stopped.filter((error) => explain(error).wayOut === "wait").map(({ code }) => code)).toEqual(goesOn);
  });

  test("what this page does not know is shown in the engine's own words", () => {
    const newer = Object.assign(new Error("Words of a newer engine."), { code: "of-a-newer-engine", action: "stop" });
    expect(explain(newer).detail).toBe("Words of a newer engine.");
    expect(explain(new TypeError("a defect")).detail).toBe("a defect");
    expect(explainCode("internal", "Words of the engine.").detail).toBe("Words of the engine.");
    expect(explainCode("revoked", "").title).toBe(explanations.revoked.title);
  });
});

/** Where there is nothing to do but wait, or nothing at all. */
const goesOn = ["document-unknown", "dead-letter-unknown", "grant-unknown"];

const codes = (): ReadonlyArray<CairnError["code"]> =>
  Object.keys(explanations).filter((code): code is CairnError["code"] => code in explanations);
