/** `cairn schema` on small apps: real files, and the real command. */
import { mkdir, readFile, symlink, writeFile } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import { afterEach, describe, expect, it } from "vitest";
import { nextFile, nextIndex, nextName, nextVersion } from "../src/schema/next-version.ts";
import { cairn, folder, type Ran, removeFolders, resultOf } from "./cairn-command.ts";

afterEach(removeFolders);

const MODULES = resolve(import.meta.dirname, "../../../node_modules");

const index = (version: number): string =>
  `import { v${version} } from "./v${version}.ts";\n\nexport const schema = v${version};\nexport type AppSchema = typeof schema;\n`;

const V1 = `import { defineDocument, defineSchema, field } from "@cairn/schema";

export const v1 = defineSchema({
  version: 1,
  documents: {
    note: defineDocument({
      fields: { title: field.string({ list: true }), pinned: field.boolean() },
    }),
  },
});
`;

const V2 = `import { defineDocument, evolveSchema, field } from "@cairn/schema";
import { v1 } from "./v1.ts";

export const v2 = evolveSchema(v1, {
  version: 2,
  documents: {
    note: defineDocument({
      fields: { title: field.string({ list: true }), priority: field.integer() },
    }),
  },
  steps: (step) => [
    step.convert("note", {
      from: "pinned",
      to: "priority",
      up: (pinned) => (pinned ? 2 : 0),
      down: (priority) => priority > 1,
    }),
  ],
});
`;

/** An app with its schema in `schema/`, and the command on it. */
const app = async (files: Readonly<Record<string, string>>) => {
  const directory = await folder();
  await symlink(MODULES, join(directory, "node_modules"), "dir");
  const write = async (name: string, text: string): Promise<void> => {
    const file = join(directory, name);
    await mkdir(dirname(file), { recursive: true });
    await writeFile(file, text);
  };
  await write("package.json", '{ "type": "module" }\n');
  for (const [name, text] of Object.entries(files)) await write(`schema/${name}`, text);
  return {
    write: (name: string, text: string) => write(`schema/${name}`, text),
    read: (name: string) => readFile(join(directory, "schema", name), "utf8"),
    run: (...args: ReadonlyArray<string>): Promise<Ran> =>
      cairn(directory, ["schema", ...args], { FORCE_COLOR: "0" }, directory),
  };
};

// Each runs the command several times, and a loaded machine takes seconds to start it.
describe("cairn schema", { timeout: 240_000 }, () => {
  it("goes with an app from its first version to its third", async () => {
    const { write, read, run } = await app({ "index.ts": index(1), "v1.ts": V1 });
    await run("release", "--none");
    const first = await run("check");
    expect(first).toMatchObject({ code: 0, stderr: "" });
    expect(first.stdout).toContain("version 1; released: none; not released: 1.");
    expect((await run("new")).stderr).toContain("[schema-not-released]");
    expect((await run("release")).stdout).toContain("version 1 recorded");

    expect((await run("new")).stdout).toContain("v2.ts: version 2, as version 1 is.");
    expect(await read("index.ts")).toBe(index(2));
    expect(await read("v1.ts")).toBe(V1);
    const skeleton = await run("check", "--json");
    expect(resultOf(skeleton)).toMatchObject({
      ok: true,
      version: 2,
      unreleased: [2],
      seed: 1,
      findings: [{ code: "schema/empty-version" }],
    });

    await write("v2.ts", V2);
    expect(resultOf(await run("release", "--json"))).toMatchObject({ findings: [{ code: "schema/loses" }] });
    const diff = await run("diff");
    expect(diff.stdout).toBe(
      "Version 2\n- note: pinned (boolean) becomes priority (integer), and older apps keep writing the older form\n",
    );
    const recorded = await read("cairn-schema.json");
    expect(recorded).toContain('\n            {"given":{"pinned":true},"made":{"priority":2}}');
    expect(recorded.split("\n").find((line) => line.includes('"note.priority"'))).toContain('"kind":"plain"');

    // The file of the next version is never written over.
    await write("v3.ts", "// mine\n");
    expect(await run("new")).toMatchObject({ code: 1 });
    expect(await read("v3.ts")).toBe("// mine\n");
    expect(await read("index.ts")).toBe(index(2));
    expect(await read("cairn-schema.json")).toBe(recorded);
  });

  it("fails where no record says what was released, and begins one that says nothing was", async () => {
    const { read, run } = await app({ "index.ts": index(2), "v1.ts": V1, "v2.ts": V2 });
    const without = await run("check");
    expect(without).toMatchObject({ code: 1 });
    expect(without.stdout).toContain("error  version 2: there is no schema/cairn-schema.json");
    expect(without.stdout).toContain("[schema/no-record]");
    expect(without.stdout).toContain("cairn schema release --none");
    expect(without.stderr).toContain("schema/index.ts has 1 error;");
    const elsewhere = await run("check", "--record", "schema/other.json", "--json");
    expect(JSON.parse(elsewhere.stdout)).toMatchObject({ ok: false, findings: [{ code: "schema/no-record" }, {}] });

    expect((await run("release", "--none")).stdout).toContain("schema/cairn-schema.json: nothing is released yet.");
    expect(JSON.parse(await read("cairn-schema.json"))).toMatchObject({ format: 1, versions: {} });
    expect(resultOf(await run("check", "--json"))).toMatchObject({ ok: true, released: [], unreleased: [1, 2] });
    await run("release");
    const recorded = await read("cairn-schema.json");
    expect(await run("release", "--none")).toMatchObject({ code: 1, stdout: "" });
    expect(await read("cairn-schema.json")).toBe(recorded);
  });

  it("fails when what was released was edited, and does not record the edit", async () => {
    const { write, read, run } = await app({ "index.ts": index(2), "v1.ts": V1, "v2.ts": V2 });
    expect(await run("release")).toMatchObject({ code: 0 });
    const recorded = await read("cairn-schema.json");
    await write("v1.ts", V1.replace("field.boolean()", "field.boolean({ default: true })"));
    await write("v2.ts", V2.replace("pinned ? 2 : 0", "pinned ? 3 : 0"));
    const declared = await run("check");
    expect(declared.code).toBe(1);
    expect(declared.stdout).toContain("error  version 1, note.pinned: the released version was edited: storage was");
    expect(declared.stdout).toContain("make it in the next version: cairn schema new.");
    expect(declared.stdout).toContain(
      "error  version 2, note.priority: convert: up made 2 of true when the version was released, and makes 3 [schema/behaviour-edited]",
    );
    expect(declared.stderr).toContain(
      "schema/index.ts has 2 errors; what to do is said with each. [schema-check-failed]",
    );
    expect(await run("release")).toMatchObject({ code: 1 });
    expect(await read("cairn-schema.json")).toBe(recorded);
  });

  it("fails when a released version is missing, and when the record is not what was written", async () => {
    const { write, read, run } = await app({ "index.ts": index(2), "v1.ts": V1, "v2.ts": V2 });
    await run("release");
    await write("index.ts", index(1));
    const newest = await run("check", "--json");
    expect(newest.code).toBe(1);
    expect(JSON.parse(newest.stdout)).toMatchObject({
      ok: false,
      findings: [{ severity: "error", code: "schema/missing-version", version: 2 }],
    });
    expect(JSON.parse(newest.stderr)).toMatchObject({ error: { code: "schema-check-failed" } });
    const recorded = await read("cairn-schema.json");
    await write("cairn-schema.json", recorded.replace('"note.title": {"at":"title"', '"note.title": {"at":"name"'));
    expect((await run("check")).stdout).toContain("[schema/record-damaged]");
    await write("cairn-schema.json", `<<<<<<< ours\n${recorded}`);
    expect((await run("check")).stderr).toContain("unsettled merge");
  });

  it("fails when a step is missing, a function breaks what it owes, or there is no schema", async () => {
    const missing = await app({
      "index.ts": index(2),
      "v1.ts": V1,
      "v2.ts": V2.replace(/step\.convert[\s\S]*?\}\),/, ""),
    });
    const unsaid = await missing.run("check");
    expect(unsaid).toMatchObject({ code: 1, stdout: "" });
    expect(unsaid.stderr).toMatch(/schema\/v2\.ts:4: .*\/note\/pinned: the field is gone; say where: step\.remove/);
    expect(unsaid.stderr).toContain("[schema/invalid-definition]");

    await missing.write("v2.ts", V2.replace("priority > 1", "priority > 2"));
    const law = await missing.run("check");
    expect(law).toMatchObject({ code: 1 });
    expect(law.stdout).toContain(
      "error  version 2, note.priority: convert: down(up(x)) is not x: up makes 2 of true, and down makes false of that [schema/law]",
    );
    expect(law.stdout).toContain("from seed 1 (--seed)");

    await missing.write("v2.ts", V2.replace("field.integer()", "field.integer({ default: 7 })"));
    await missing.run("release", "--none");
    expect(await missing.run("check")).toMatchObject({ code: 0 });
    expect(await missing.run("check", "--strict")).toMatchObject({ code: 1 });

    expect(await missing.run("check", "--runs", "0")).toMatchObject({ code: 1, stdout: "" });
    await missing.write("index.ts", "export const other = 1;\n");
    expect((await missing.run("check")).stderr).toContain("[schema-not-found]");
    await missing.write("index.ts", 'document.title = "x";\n');
    expect((await missing.run("check")).stderr).toContain(
      "schema/index.ts:1 cannot be loaded: document is not defined",
    );
  });
});

describe("the next version's source", () => {
  it("carries everything over but the steps", () => {
    const exported = { name: "v2", from: "./v2.ts" };
    const next = nextVersion("v2.ts", V2, exported);
    expect(next?.version).toBe(3);
    expect(next?.source).toBe(
      V2.replace('import { v1 } from "./v1.ts"', 'import { v2 } from "./v2.ts"')
        .replace("export const v2 = evolveSchema(v1", "export const v3 = evolveSchema(v2")
        .replace("version: 2", "version: 3")
        .replace(/steps: [\s\S]*?\n {2}\],/, "steps: () => [],"),
    );
  });

  it("keeps an import that something else needs, and follows the names", () => {
    const source = V2.replace("title: field.string({ list: true })", "title: v1.documents.note.fields.title");
    const next = nextVersion("v2.ts", `${source}export type V2 = typeof v2;\n`, { name: "v2", from: "./v2.ts" });
    expect(next?.source).toContain('import { v1 } from "./v1.ts";\nimport { v2 } from "./v2.ts";\n');
    expect(next?.source).toContain("typeof v3;");
  });

  it("knows both ways in which an index names the newest version", () => {
    const passed = 'export { v9 as schema } from "./v9.ts";\n';
    expect(nextIndex("index.ts", passed, { name: "v9", from: "./v9.ts" }, 10)).toBe(
      'export { v10 as schema } from "./v10.ts";\n',
    );
    expect(nextIndex("index.ts", index(1), { name: "v1", from: "./v1.ts" }, 2)).toBe(index(2));
    expect([nextName("first", 2), nextFile("./first.ts", 2)]).toEqual(["firstV2", "./first-v2.ts"]);
  });

  it("refuses what it cannot read", () => {
    const exported = { name: "v1", from: "./v1.ts" };
    expect(nextVersion("v1.ts", "export const v1 = make();\n", exported)).toBeUndefined();
    expect(nextVersion("v1.ts", V1.replace("version: 1", "version: one"), exported)).toBeUndefined();
    expect(nextVersion("v1.ts", "export const v1 = {\n", exported)).toBeUndefined();
  });
});
