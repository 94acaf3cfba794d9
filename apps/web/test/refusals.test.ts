import { RefusalCode } from "@cairn/protocol";
import { expect, test } from "vitest";
import { refusalOf } from "../src/sync/refusals.ts";

test("every refusal of the protocol has words and something to do", () => {
  for (const code of RefusalCode.literals) {
    const { detail, title } = refusalOf(code, "in the server's words");
    expect([code, title, detail]).not.toContain("in the server's words");
    expect([code, title]).not.toEqual([code, "The server refused them"]);
  }
  expect(refusalOf("of-a-newer-server", "in the server's words").detail).toBe("in the server's words");
});
