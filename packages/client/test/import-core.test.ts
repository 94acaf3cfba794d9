import { LoroDoc } from "loro-crdt";
import { expect, test, vi } from "vitest";
import { type ImportCoreOptions, makeImportCore } from "../src/documents/import-core.ts";
import { documentId, replica, workspace, write } from "./fixtures/devices.ts";
import { schema } from "./fixtures/import-schema.ts";

const filled = (limits: Partial<ImportCoreOptions>, documents: number) => {
  const core = makeImportCore({ schema, now: () => 0, ...limits });
  const update = write(replica(1), "x".repeat(1_000));
  const request = (n: number, base: boolean) => ({
    workspace,
    document: documentId(n),
    type: "note",
    known: base ? 0 : 1,
    base: base ? { snapshot: undefined } : undefined,
    updates: base ? [{ id: 1, update }] : [],
    want: {},
  });
  for (let n = 1; n <= documents; n += 1) core.apply(request(n, true));
  return {
    core,
    size: update.length,
    holds: (n: number): boolean => core.apply(request(n, false)).type === "applied",
  };
};

test("the cache keeps the documents that were used last, and frees the others (L9)", () => {
  const free = vi.spyOn(LoroDoc.prototype, "free");
  const { core, holds } = filled({ maxDocuments: 3 }, 3);
  expect(free).not.toHaveBeenCalled();
  expect(holds(1)).toBe(true);
  core.apply({
    workspace,
    document: documentId(4),
    type: "note",
    known: 0,
    base: { snapshot: undefined },
    updates: [],
    want: {},
  });
  expect(free).toHaveBeenCalledTimes(1);
  expect([1, 2, 3, 4].map((n) => n === 4 || holds(n))).toEqual([true, false, true, true]);
  core.close();
  expect(free).toHaveBeenCalledTimes(4);
  free.mockRestore();
});

test("the cache is bounded by bytes too, and always keeps the document in use", () => {
  const { size } = filled({}, 1);
  const two = filled({ maxBytes: size * 2 }, 4);
  expect([1, 2, 3, 4].map(two.holds)).toEqual([false, false, true, true]);
  const none = filled({ maxBytes: 1 }, 2);
  expect([1, 2].map(none.holds)).toEqual([false, true]);
});
