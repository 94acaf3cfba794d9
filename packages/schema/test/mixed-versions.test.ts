/** Promise 10: apps of different versions edit the same documents, and nothing is lost. */
import { editDocument, readDocument } from "@cairn/schema";
import { LoroDoc } from "loro-crdt";
import { setImmediate } from "node:timers/promises";
import { expect, test } from "vitest";
import { runMixedVersions } from "./mixed/run.ts";
import { versions } from "./mixed/versions.ts";

/** A fixed share; `npm run versions` runs any number. */
const RUNS = Number(process.env["CAIRN_MIXED_RUNS"] ?? 300);

test(
  "hazard L8, promise 10: devices of three versions, updated at any moment, lose nothing and double nothing",
  // However slow the machine is.
  { timeout: 1_800_000 },
  async () => {
    const failed: Array<readonly [number, ReadonlyArray<string>]> = [];
    for (let seed = 1; seed <= RUNS && failed.length < 5; seed += 1) {
      const problems = runMixedVersions(seed);
      if (problems.length > 0) failed.push([seed, problems]);
      // Only between two turns is the memory given back of handles that nobody holds.
      await setImmediate();
    }
    expect(failed).toEqual([]);
  },
);

test("a line of no text is no task, and no key of one", () => {
  const doc = new LoroDoc();
  editDocument(versions.one.documents.note, doc).tasks.push("", "bread");
  doc.commit();
  expect(readDocument(versions.two.documents.note, doc).tasks).toEqual([{ id: "bread", label: "bread", done: false }]);
  expect(Object.keys(readDocument(versions.three.documents.note, doc).items)).toEqual(["bread"]);
  doc.free();
});
