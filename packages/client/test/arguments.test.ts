/** What is handed in wrong is said where it was made: typed, named, before anything changes, and never as the server's fault. */
import { afterEach, describe, expect, it } from "vitest";
import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { LinkId } from "@cairn/protocol";
import { CairnError, openCairn, type OpenOptions } from "../src/node.ts";
import { damageSecret } from "./fixtures/damage-secret.ts";
import { cleanUp, freshNotebook, type Notebook, schema } from "./fixtures/backup-profiles.ts";

const folders: Array<string> = [];
afterEach(async () => {
  await cleanUp();
  for (const folder of folders.splice(0)) await rm(folder, { recursive: true, force: true });
});

const folder = async (): Promise<string> => {
  const made = await mkdtemp(join(tmpdir(), "cairn-arguments-"));
  folders.push(made);
  return made;
};

const refused = (argument: string) => ({ name: "CairnError", code: "invalid-argument", action: "stop", argument });

describe("what is handed in wrong", () => {
  it("to openCairn is refused before anything is made", async () => {
    const directory = await folder();
    const open = (options: Partial<OpenOptions<typeof schema>>) => openCairn({ schema, directory, ...options });
    await expect(open({ deviceName: "ü".repeat(513) })).rejects.toMatchObject(refused("deviceName"));
    for (const server of ["notes", "ftp://notes.example", "https://notes.example/under/a/path", ""]) {
      await expect(open({ server })).rejects.toMatchObject(refused("server"));
    }
    await expect(open({ directory: undefined })).rejects.toMatchObject(refused("directory"));
    expect(await readdir(directory)).toEqual([]);
    // At the bounds it works; a slash at the end of an origin is one of those that people add.
    const cairn = await open({ deviceName: "ü".repeat(512), server: "http://127.0.0.1:9/" });
    expect((await cairn.workspace()).info().server).toBe("http://127.0.0.1:9");
    await cairn.close();
  });

  it("for a link is refused without asking anybody", async () => {
    const notebook = await freshNotebook();
    const make = (options: Partial<Parameters<Notebook["createLink"]>[0]>) =>
      notebook.createLink({ role: "writer", ...options });
    await expect(make({ label: "x".repeat(1025) })).rejects.toMatchObject(refused("label"));
    for (const maxUses of [-1, 1.5, Number.NaN, Infinity, 2 ** 40]) {
      await expect(make({ maxUses })).rejects.toMatchObject(refused("maxUses"));
    }
    for (const expiresInMillis of [0, -1, Number.NaN, Infinity]) {
      await expect(make({ expiresInMillis })).rejects.toMatchObject(refused("expiresInMillis"));
    }
    // An app without types.
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion
    await expect(make({ role: "owner" as "writer" })).rejects.toMatchObject(refused("role"));
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion
    await expect(notebook.revokeLink("no link" as LinkId)).rejects.toMatchObject(refused("link"));
    // What is right gets as far as it can without a server.
    await expect(make({ label: "x".repeat(1024), maxUses: 3 })).rejects.toMatchObject({ code: "no-server" });
  });

  it("for a workspace, a document or a file is refused", async () => {
    const notebook = await freshNotebook();
    await expect(notebook.rename("x".repeat(1001))).rejects.toMatchObject(refused("name"));
    const note = await notebook.create("note");
    const data = new Uint8Array(3);
    const attach = (size: number) => notebook.attach(note.id, { name: "a", mediaType: "", size, data });
    for (const size of [-1, Number.NaN, 0.5]) await expect(attach(size)).rejects.toMatchObject(refused("size"));
    expect((await attach(3)).size).toBe(3);
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion
    const id = "short" as typeof note.id;
    const attempts = [
      () => notebook.open("note", id),
      () => notebook.delete(id),
      () => notebook.contentOf(id),
      () => notebook.attach(id, { name: "a", mediaType: "", size: 3, data }),
      () => notebook.append(id, "note", data),
    ];
    for (const attempt of attempts) await expect(attempt()).rejects.toMatchObject(refused("id"));
    for (const timeout of [-1, Number.NaN]) {
      await expect(notebook.flush({ tier: "server", timeout })).rejects.toMatchObject(refused("timeout"));
    }
  });
});

describe("what fails inside", () => {
  it("is not blamed on the server", () => {
    expect(new CairnError("internal").message).not.toMatch(/server|host/i);
  });

  it("because a device's key is damaged says so, and the other workspaces go on", async () => {
    const directory = await folder();
    const before = await openCairn({ schema, directory });
    const home = await before.workspace();
    await home.create("note", (edit) => edit.title.set("Only here"));
    await home.flush();
    const other = await before.createWorkspace({ name: "Other" });
    await before.close();
    await damageSecret(directory, `device/${home.id}`);

    const cairn = await openCairn({ schema, directory });
    expect(cairn.workspaces().map(({ id }) => id)).toEqual([home.id, other.id]);
    await expect(cairn.workspace(home.id)).rejects.toMatchObject({ code: "keys-missing" });
    const works = await cairn.workspace(other.id);
    await works.create("note");
    await works.flush();
    // The way out is a link, for which the damaged copy has to go; what is only in it is counted first.
    await expect(cairn.removeWorkspace(home.id)).rejects.toMatchObject({ code: "pending-edits" });
    await cairn.removeWorkspace(home.id, { force: true });
    expect(cairn.workspaces().map(({ id }) => id)).toEqual([other.id]);
    await cairn.close();
  });
});
