import fc from "fast-check";
import { LoroDoc } from "loro-crdt";
import { describe, expect, expectTypeOf, test } from "vitest";

import {
  type AnyPatch,
  PatchInvalid,
  type Patch,
  applyAnyPatch,
  applyPatch,
  derivePatch,
  editDocument,
  readDocument,
  stateDigestInput,
} from "@cairn/schema";
import { note } from "./notebook.ts";

const problem = (doc: LoroDoc, patch: unknown): string => {
  try {
    applyAnyPatch(note, doc, patch);
  } catch (error) {
    if (error instanceof PatchInvalid) return `${error.code} ${error.index} ${error.path.join(".")}`;
    throw error;
  }
  return "applied";
};

describe("patches", () => {
  test("change several fields at once, as operations that merge", () => {
    const doc = new LoroDoc();
    const patch: Patch<typeof note> = [
      { op: "set", path: "title", value: "Walls" },
      { op: "splice", path: "body", at: 0, insert: "dry stone" },
      { op: "splice", path: "body", at: 4, delete: 5, insert: "walls" },
      { op: "insert", path: "tags", values: ["craft", "stone"] },
      { op: "remove", path: "tags", values: ["stone"] },
      { op: "insert", path: "order", values: ["a", "b", "c"] },
      { op: "move", path: "order", from: 0, to: 2 },
      { op: "remove", path: "order", at: 0 },
      { op: "increment", path: "views", by: 3 },
      { op: "set", path: "links.home", value: { url: "https://example.org" } },
      { op: "set", path: "links.home.url", value: "https://example.com" },
      { op: "set", path: "tasks.t1", value: { label: "Carry", people: ["Ada"] } },
      { op: "increment", path: "tasks.t1.spent", by: 2 },
      { op: "increment", path: "rank", by: 0.25 },
    ];
    applyPatch(note, doc, patch);
    expect(readDocument(note, doc)).toMatchObject({
      title: "Walls",
      body: "dry walls",
      tags: ["craft"],
      order: ["c", "a"],
      views: 3,
      rank: 0.75,
      links: { home: { url: "https://example.com" } },
      tasks: { t1: { label: "Carry", people: ["Ada"], spent: 2 } },
    });
    applyPatch(note, doc, [
      { op: "unset", path: "tasks.t1" },
      { op: "unset", path: "body" },
      { op: "unset", path: "rank" },
    ]);
    expect(readDocument(note, doc)).toMatchObject({ body: "", rank: 0.5, tasks: {} });
    // Rule 16: what was cleared does not come back.
    applyPatch(note, doc, [{ op: "set", path: ["tasks", "t1"], value: {} }]);
    expect(readDocument(note, doc).tasks["t1"]).toMatchObject({ label: "", people: [], spent: 0 });
  });

  test.each([
    [[{ op: "set", path: "nothing", value: 1 }], "patch/unknown-field 0 nothing"],
    [[{ op: "set", path: "title", value: 1 }], "patch/invalid-value 0 title"],
    [[{ op: "increment", path: "title", by: 1 }], "patch/operation-not-allowed 0 title"],
    [[{ op: "set", path: "views", value: 1 }], "patch/operation-not-allowed 0 views"],
    [[{ op: "move", path: "lines", from: 0, to: 0 }], "patch/operation-not-allowed 0 lines"],
    [[{ op: "splice", path: "body", at: 9, insert: "" }], "patch/out-of-range 0 body"],
    [[{ op: "splice", path: "body", at: 1, insert: "x" }], "patch/out-of-range 0 body"],
    [[{ op: "remove", path: "order", at: 0 }], "patch/out-of-range 0 order"],
    [[{ op: "splice", path: "tasks.t.notes", at: 0, delete: 1 }], "patch/out-of-range 0 tasks.t.notes"],
    [[{ op: "unset", path: "tasks.t.label" }], "patch/out-of-range 0 tasks.t.label"],
    [
      [
        { op: "set", path: "tasks.t.notes", value: "x" },
        { op: "set", path: "color", value: "green" },
      ],
      "patch/invalid-value 1 color",
    ],
    [[{ op: "jump", path: "title" }], "patch/malformed 0 "],
    [[{ op: "set", path: 7, value: 1 }], "patch/malformed 0 "],
    [{}, "patch/malformed 0 "],
  ])("are refused whole, with the operation's index and path, number %#", (patch, expected) => {
    const doc = new LoroDoc();
    editDocument(note, doc).body.insert(0, "\u{1f600}");
    doc.commit();
    const before = stateDigestInput(doc);
    expect(problem(doc, patch)).toBe(expected);
    doc.commit();
    expect(stateDigestInput(doc)).toEqual(before);
  });

  const key = fc.constantFrom("t1", "t2", "a.b");
  const word = fc.constantFrom("x", "Übung", "\u{1f600}", "");
  const small = fc.nat({ max: 3 });
  const operation = fc.oneof(
    fc.record({ op: fc.constant("set"), path: fc.constant("title"), value: word }),
    fc.record({
      op: fc.constant("set"),
      path: fc.constant("body"),
      value: fc.array(word).map((words) => words.join(" ")),
    }),
    fc.record({ op: fc.constant("splice"), path: fc.constant("body"), at: small, insert: word, delete: small }),
    fc.record({
      op: fc.constantFrom("insert", "remove"),
      path: fc.constant("tags"),
      values: fc.array(word, { maxLength: 2 }),
    }),
    fc.record({
      op: fc.constant("insert"),
      path: fc.constantFrom("order"),
      at: small,
      values: fc.array(word, { maxLength: 3 }),
    }),
    fc.record({ op: fc.constant("remove"), path: fc.constant("order"), at: small }),
    fc.record({ op: fc.constant("move"), path: fc.constant("order"), from: small, to: small }),
    fc.record({ op: fc.constant("increment"), path: fc.constant("views"), by: fc.integer({ min: -3, max: 3 }) }),
    fc.record({ op: fc.constant("set"), path: key.map((name) => ["tasks", name, "label"]), value: word }),
    fc.record({ op: fc.constant("set"), path: key.map((name) => ["links", name]), value: fc.record({ url: word }) }),
    fc.record({ op: fc.constant("unset"), path: key.map((name) => ["links", name]) }),
    fc.record({
      op: fc.constant("splice"),
      path: key.map((name) => ["tasks", name, "notes"]),
      at: fc.constant(0),
      insert: word,
    }),
    fc.record({
      op: fc.constant("unset"),
      path: fc.oneof(
        key.map((name) => ["tasks", name]),
        fc.constantFrom("done", "order"),
      ),
    }),
  );
  const patches = fc.array(fc.array(operation, { maxLength: 4 }), { maxLength: 8 });

  test("what happened between two versions is a patch that makes the later one of the earlier", () => {
    fc.assert(
      fc.property(patches, fc.nat(), (all, at) => {
        const doc = new LoroDoc();
        const versions = [doc.frontiers()];
        for (const patch of all) {
          problem(doc, patch);
          doc.commit();
          versions.push(doc.frontiers());
        }
        const from = versions[at % versions.length] ?? [];
        const before = doc.forkAt(from);
        const derived: AnyPatch = derivePatch(note, doc, from, doc.frontiers());
        applyAnyPatch(note, before, structuredClone(derived));
        expect(readDocument(note, before)).toEqual(readDocument(note, doc));
      }),
      { numRuns: 200 },
    );
  });

  test("wrong patches do not compile", () => {
    const wrong = (): ReadonlyArray<Patch<typeof note>> => [
      // @ts-expect-error no such field
      [{ op: "set", path: "nothing", value: 1 }],
      // @ts-expect-error a title is a text
      [{ op: "set", path: "title", value: 1 }],
      // @ts-expect-error a counter is not set
      [{ op: "set", path: "views", value: 1 }],
      // @ts-expect-error a text is spliced
      [{ op: "insert", path: "body", values: ["x"] }],
      // @ts-expect-error not a movable list
      [{ op: "move", path: "lines", from: 0, to: 1 }],
    ];
    expectTypeOf(wrong).toBeFunction();
  });
});
