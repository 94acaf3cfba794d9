import { readFile } from "node:fs/promises";
import { stripTypeScriptTypes } from "node:module";
import { Schema } from "effect";
import { LoroDoc } from "loro-crdt";
import { expect, test } from "vitest";
import * as schema from "@cairn/schema";

const IMPORT = /^import \{([^}]*)\} from "([^"]+)";$/gmu;
const modules: Readonly<Record<string, object>> = {
  effect: { Schema },
  "loro-crdt": { LoroDoc },
  "@cairn/schema": schema,
};

test("the README's examples run one after the other, and read what they say", async () => {
  const readme = await readFile(new URL("../README.md", import.meta.url), "utf8");
  const examples = [...readme.matchAll(/```ts\n([\s\S]*?)```/gu)].map(([, code]) => code ?? "");
  expect(examples).toHaveLength(2);
  const body = stripTypeScriptTypes(
    examples
      .join("\n")
      .replaceAll(IMPORT, (_match, names: string, module: string) => `const {${names}} = modules["${module}"];`)
      .replace("readDocument(note, doc).tasks;", "const tasks = readDocument(note, doc).tasks;")
      .replace("project(note, doc).fields;", "const listed = project(note, doc).fields;"),
  );
  const result = "return { tasks, listed, newer: readDocument(next.documents.note, doc) };";
  // The examples are this repository's own text: running them is the point of the test.
  // oxlint-disable-next-line no-implied-eval, no-new-func, typescript/no-unsafe-assignment, typescript/no-unsafe-call
  const read = new Function("modules", `${body}\n${result}`)(modules);
  expect(read).toMatchObject({
    tasks: { t1: { label: "Sort the stones", done: false } },
    listed: { title: "Dry stone walls", body: "Two faces, filled with rubble.", tags: ["craft"] },
    newer: { heading: "Dry stone walls", tasks: { t1: { label: "Sort the stones", state: "open" } } },
  });
});
