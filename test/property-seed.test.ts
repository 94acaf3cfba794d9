import * as fc from "fast-check";
import { expect, inject, test } from "vitest";

test("property tests begin where the run says, so that runs of one commit try the same", () => {
  expect(fc.readConfigureGlobal().seed).toBe(inject("propertySeed"));
});
