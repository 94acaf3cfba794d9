import { expect, test } from "vitest";
import { violations } from "../scripts/import-rules.ts";

const imports = (path: string, ...specifiers: ReadonlyArray<string>) =>
  violations(path, specifiers.map((specifier, index) => `import * as x${index} from "${specifier}";`).join("\n"));

test("promise 6: the server imports nothing that could read content", () => {
  for (const specifier of ["@cairn/schema", "@cairn/crypto", "@cairn/sync", "@cairn/client", "loro-crdt"]) {
    expect(imports("packages/server/src/EntryLog.ts", specifier)).toHaveLength(1);
    expect(imports("apps/server/src/main.ts", specifier)).toHaveLength(1);
  }
  expect(imports("packages/protocol/src/entry.ts", "loro-crdt")).toHaveLength(1);
  // What could open a seal or a document is as many packages as there are: those that may be imported are named instead.
  for (const specifier of ["@noble/ciphers/aes.js", "@hpke/core", "yjs", "name"]) {
    expect(imports("packages/server/src/EntryLog.ts", specifier)).toHaveLength(1);
  }
  expect(violations("packages/server/src/EntryLog.ts", "const load = (name) => import(name);")).toHaveLength(1);
  expect(imports("packages/server/src/EntryLog.ts", "@cairn/protocol", "node:crypto", "effect")).toEqual([]);
});

test("types, re-exports and dynamic imports count as imports", () => {
  const path = "packages/server/src/EntryLog.ts";
  expect(violations(path, 'import type { Doc } from "loro-crdt";')).toHaveLength(1);
  expect(violations(path, 'export * from "@cairn/client";')).toHaveLength(1);
  expect(violations(path, 'export { seal } from "@cairn/crypto";')).toHaveLength(1);
  expect(violations(path, 'const load = () => import("loro-crdt");')).toHaveLength(1);
});

test("pure packages import no platform", () => {
  for (const name of ["protocol", "schema", "crypto", "sync"]) {
    expect(imports(`packages/${name}/src/index.ts`, "node:fs")).toHaveLength(1);
    expect(imports(`packages/${name}/src/index.ts`, "fs")).toHaveLength(1);
    expect(imports(`packages/${name}/test/index.test.ts`, "node:fs")).toEqual([]);
  }
});

test("arrows point down", () => {
  expect(imports("packages/protocol/src/index.ts", "@cairn/sync")).toHaveLength(1);
  expect(imports("packages/sync/src/index.ts", "@cairn/client")).toHaveLength(1);
  expect(imports("packages/client/src/index.ts", "@cairn/react")).toHaveLength(1);
  expect(imports("packages/client/src/index.ts", "@cairn/sync", "@cairn/crypto", "@cairn/client/worker")).toEqual([]);
  expect(imports("apps/web/src/main.tsx", "@cairn/protocol")).toHaveLength(1);
  expect(imports("apps/web/src/main.tsx", "dexie")).toHaveLength(1);
  expect(imports("apps/cli/src/main.ts", "node:https")).toHaveLength(1);
  expect(imports("apps/web/src/main.tsx", "@cairn/client", "@cairn/react", "@cairn/schema", "react")).toEqual([]);
});

test("nobody reaches into another package", () => {
  expect(imports("packages/client/src/index.ts", "../../sync/src/machine.ts")).toHaveLength(1);
  expect(imports("packages/client/test/a.test.ts", "../../sync/src/machine.ts")).toHaveLength(1);
  expect(imports("packages/client/src/index.ts", "@cairn/sync/src/machine.ts")).toHaveLength(1);
  expect(imports("packages/client/test/a.test.ts", "../src/index.ts")).toEqual([]);
});

test("the testkit is for tests and benchmarks", () => {
  expect(imports("packages/client/src/index.ts", "@cairn/testkit")).toHaveLength(1);
  expect(imports("packages/client/test/a.test.ts", "@cairn/testkit/postgres")).toEqual([]);
  expect(imports("apps/bench/src/main.ts", "@cairn/testkit")).toEqual([]);
});
