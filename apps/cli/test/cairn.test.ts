/** The command without a server: out, back in, and what it says when something does not work. */
import { openCairn } from "@cairn/client";
import { defineDocument, defineSchema, field } from "@cairn/schema";
import { readFile, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, describe, expect, it } from "vitest";
import { isFound, titleOf } from "../src/documents.ts";
import { cairn, folder, removeFolders, resultOf } from "./cairn-command.ts";

afterEach(removeFolders);

/** An app's profile, whose schema the command does not know. */
const schema = defineSchema({
  version: 1,
  documents: {
    recipe: defineDocument({
      fields: { title: field.string({ list: true }), steps: field.text(), pictures: field.attachments() },
    }),
  },
});

const PICTURE = Uint8Array.from({ length: 1_500_000 }, (_, index) => (index * 7) & 0xff);

const kitchen = async () => {
  const directory = await folder();
  const app = await openCairn({ schema, directory });
  const workspace = await app.createWorkspace({ name: "Kitchen" });
  const bread = await workspace.create("recipe", (edit) => {
    edit.title.set("Bread");
    edit.steps.insert(0, "Knead for ten minutes. 🥖");
  });
  await workspace.attach(bread.id, { name: "bread.jpg", mediaType: "image/jpeg", size: PICTURE.length, data: PICTURE });
  const soup = await workspace.create("recipe", (edit) => edit.title.set("Soup"));
  await workspace.delete(soup.id);
  const [bare, deleted] = [bread.id, soup.id];
  await app.close();
  return { directory, bread: bare, soup: deleted };
};

describe("cairn", () => {
  it("exports a profile, and imports it into another one, once (promise 12)", async () => {
    const { directory, bread } = await kitchen();
    const file = join(directory, "kitchen.cairn");
    const exported = await cairn(directory, ["--json", "export", file]);
    expect(resultOf(exported)).toMatchObject({ file, documents: 2, attachments: 1, verified: true });
    expect((await stat(file)).mode & 0o777).toBe(0o600);
    await expect(stat(`${file}.part`)).rejects.toThrow();

    const other = await folder();
    const dry = await cairn(other, ["--json", "import", "--dry-run", file]);
    expect(resultOf(dry)).toMatchObject({ dryRun: true, newDocuments: 2, newAttachments: 1 });
    expect(resultOf(await cairn(other, ["--json", "list"]))).toEqual([]);
    const imported = await cairn(other, ["import", file]);
    expect(imported).toMatchObject({ code: 0 });
    expect(imported.stdout).toContain("New: 2 documents, with 1 attachments");
    expect((await cairn(other, ["import", file])).stdout).toContain("All of it is here already");

    expect(resultOf(await cairn(other, ["--json", "list", "--search", "knead TEN"]))).toMatchObject([
      { id: bread, type: "recipe", title: "Bread", deleted: false },
    ]);
    expect(resultOf(await cairn(other, ["--json", "list", "--search", "soup"]))).toEqual([]);
    expect(resultOf(await cairn(other, ["--json", "ls", "--deleted"]))).toMatchObject([{ title: "Soup" }]);
    const shown = await cairn(other, ["show", bread.slice(0, 8)]);
    expect(JSON.parse(shown.stdout)).toMatchObject({ fields: { title: "Bread" }, steps: "Knead for ten minutes. 🥖" });

    // The app finds everything again, picture included.
    const app = await openCairn({ schema, directory: other });
    const workspace = await app.workspace();
    const note = await workspace.open("recipe", bread);
    const [attachment = ""] = Object.keys(note.read().pictures);
    const picture = await new Response(await workspace.readAttachment(bread, attachment)).arrayBuffer();
    expect(Buffer.compare(Buffer.from(picture), PICTURE)).toBe(0);
    await app.close();
  });

  it("protects a backup by a passphrase", async () => {
    const { directory } = await kitchen();
    const file = join(directory, "kitchen.cairn");
    const secret = { CAIRN_PASSPHRASE: "tomato" };
    expect(await cairn(directory, ["export", "--passphrase", file])).toMatchObject({ code: 1 });
    expect(await cairn(directory, ["export", "--passphrase", file], secret)).toMatchObject({ code: 0 });
    expect((await readFile(file)).includes("Knead")).toBe(false);
    const refused = await cairn(directory, ["--json", "import", file]);
    expect(refused.code).toBe(5);
    expect(JSON.parse(refused.stderr)).toMatchObject({ error: { code: "backup-protected" } });
    expect(await cairn(directory, ["import", "--passphrase", file], secret)).toMatchObject({ code: 0 });
  });

  it("says what is wrong, on stderr, with an exit code", async () => {
    const directory = await folder();
    const file = join(directory, "no.cairn");
    await writeFile(file, "not a backup");
    expect(await cairn(directory, ["import", file])).toMatchObject({ code: 5, stdout: "" });
    expect(await cairn(directory, ["import", join(directory, "none")])).toMatchObject({ code: 1, stdout: "" });
    const taken = await cairn(directory, ["export", file]);
    expect(taken).toMatchObject({ code: 1, stdout: "" });
    expect(taken.stderr).toContain("--force");
    expect(await readFile(file, "utf8")).toBe("not a backup");
    expect((await cairn(directory, ["show", "nothing"])).stderr).toContain("[document-unknown]");
    expect((await cairn(directory, ["join", "https://example.test/join#x"])).stderr).toContain("[link-malformed]");
    expect((await cairn(directory, ["--server", "nonsense", "status"])).stderr).toContain("looks like https://");
    expect((await cairn(directory, ["link"])).stderr).toContain("[no-server]");
    expect(await cairn(directory, ["bogus"])).toMatchObject({ code: 1 });
    const help = await cairn(directory, ["--help"]);
    expect(help.code).toBe(0);
    for (const name of ["export", "import", "join", "status", "list", "show", "link"])
      expect(help.stdout).toContain(name);
  });

  it("says what was typed wrong, and blames no server for it", async () => {
    const directory = await folder();
    for (const [args, argument] of [
      [["link", "--label", "x".repeat(3000)], "label"],
      [["link", "--uses", "-1"], "devices"],
    ] as const) {
      const refused = await cairn(directory, args);
      expect([args[1], refused.code, refused.stderr]).toEqual([
        args[1],
        1,
        expect.stringMatching(/\[invalid-argument\]/),
      ]);
      expect(refused.stderr).toContain(argument);
      expect(refused.stderr).not.toMatch(/server|request id/);
    }
  });

  it("says so when another process has the profile", async () => {
    const directory = await folder();
    const app = await openCairn({ schema, directory });
    expect((await cairn(directory, ["status"])).stderr).toContain("[profile-in-use]");
    await app.close();
    expect(resultOf(await cairn(directory, ["--json", "status"]))).toMatchObject({ sync: { status: "local-only" } });
  });
});

describe("documents of any app", () => {
  it("have a title where some text says so", () => {
    expect(titleOf({ fields: { name: "A name" } })).toBe("A name");
    expect(titleOf({ cairn: {}, body: "# First line\nsecond" })).toBe("# First line");
    expect(titleOf({ fields: { title: "\u001b[31mred\u0007" } })).toBe("[31mred");
    expect(titleOf({ count: 1 })).toBe("");
    expect(titleOf(undefined)).toBe("");
  });

  it("are found by all words, anywhere in them", () => {
    expect(isFound({ a: { b: ["Ünder the", "SUN"] } }, "sun ünder")).toBe(true);
    expect(isFound({ a: "sun" }, "sun moon")).toBe(false);
    expect(isFound({}, "")).toBe(true);
  });
});
