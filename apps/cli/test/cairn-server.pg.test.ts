/** The command with a real server: two profiles share a workspace, and a lost one comes back from its backup. */
import { freshDatabase } from "@cairn/testkit/postgres";
import { startTestServer } from "@cairn/testkit/server";
import { openCairn } from "@cairn/client";
import { Redacted } from "effect";
import { defineDocument, defineSchema, field } from "@cairn/schema";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { cairn, folder, removeFolders, resultOf } from "./cairn-command.ts";

const schema = defineSchema({
  version: 1,
  documents: { note: defineDocument({ fields: { title: field.string({ list: true }), body: field.text() } }) },
});

let server: Awaited<ReturnType<typeof startTestServer>>;
beforeEach(async () => {
  server = await startTestServer({ databaseUrl: await freshDatabase() });
});
afterEach(async () => {
  await server.close();
  await removeFolders();
});

describe("cairn with a server", () => {
  it("links, joins, and restores beside nothing what the other device still has", async () => {
    const owner = await folder();
    const app = await openCairn({ schema, directory: owner, server: server.origin });
    const home = await app.workspace();
    const note = await home.create("note", (edit) => {
      edit.title.set("Shared");
      edit.body.insert(0, "text");
    });
    await home.flush({ tier: "server", timeout: 15_000 });
    const { id } = note;
    await app.close();

    const made = await cairn(owner, ["link", "--role", "writer"]);
    expect(made.code).toBe(0);
    const link = made.stdout.trim();
    const guest = await folder();
    expect(resultOf(await cairn(guest, ["--json", "join", link]))).toMatchObject({ role: "writer", upToDate: true });
    expect(resultOf(await cairn(guest, ["--json", "list"]))).toMatchObject([{ id, title: "Shared" }]);
    expect(resultOf(await cairn(guest, ["--json", "status"]))).toMatchObject({
      sync: { status: "up-to-date", pendingDocuments: 0 },
    });

    // A third device joins and imports in its first breath: what is on its way from the server is not written again.
    const file = join(guest, "backup.cairn");
    expect(resultOf(await cairn(guest, ["--json", "export", file]))).toMatchObject({ documents: 1, verified: true });
    const third = await folder();
    await cairn(third, ["join", link]);
    expect(resultOf(await cairn(third, ["--json", "import", file]))).toMatchObject({ documents: 1, newDocuments: 0 });

    // A new person's home gets it all, and sends it to the server.
    const stranger = await folder();
    const imported = await cairn(stranger, ["--server", server.origin, "--json", "import", file]);
    expect(resultOf(imported)).toMatchObject({ newDocuments: 1 });
    expect(resultOf(await cairn(stranger, ["--json", "status"]))).toMatchObject({ sync: { pendingDocuments: 0 } });
  });

  it("is of no version of an app: it imports where older apps may not write", async () => {
    const file = join(await folder(), "backup.cairn");
    const source = await folder();
    const writing = await openCairn({ schema, directory: source });
    await (await (await writing.workspace()).create("note", (edit) => edit.title.set("Kept"))).close();
    await writing.close();
    expect(resultOf(await cairn(source, ["--json", "export", file]))).toMatchObject({ documents: 1 });

    const owner = await folder();
    const app = await openCairn({ schema: { ...schema, version: 9 }, directory: owner, server: server.origin });
    const home = await app.workspace();
    await home.flush({ tier: "server", timeout: 15_000 });
    expect(await home.raiseMinimumVersion()).toBe(9);
    await app.close();
    expect(resultOf(await cairn(owner, ["--json", "import", file]))).toMatchObject({ newDocuments: 1 });
  });

  it("brings a workspace to a server that asks for an invitation, once it is given", async () => {
    await server.close();
    const settings = { registration: "invite", invites: [Redacted.make("spring")] } as const;
    server = await startTestServer({ databaseUrl: await freshDatabase(), settings });
    const directory = await folder();
    const at = ["--server", server.origin];
    const status = await cairn(directory, [...at, "status"]);
    expect(status.stdout).toMatch(/problem: .*--invite, or in CAIRN_INVITE\. \[invite-invalid\]/);
    const refused = await cairn(directory, [...at, "--invite", "winter", "--json", "link"]);
    expect([refused.code, JSON.parse(refused.stderr)]).toMatchObject([
      1,
      { error: { code: "invite-invalid", action: "stop" } },
    ]);
    expect(resultOf(await cairn(directory, [...at, "--json", "link"], { CAIRN_INVITE: "spring" }))).toMatchObject({
      role: "writer",
    });
    // It stays in the profile, for what the profile brings next.
    expect((await cairn(directory, [...at, "link"])).code).toBe(0);
  });

  it("says at once what a closed server says", async () => {
    await server.close();
    server = await startTestServer({ databaseUrl: await freshDatabase(), settings: { registration: "closed" } });
    const refused = await cairn(await folder(), ["--server", server.origin, "--invite", "spring", "link"]);
    expect([refused.code, refused.stderr]).toEqual([1, expect.stringContaining("[registration-closed]")]);
  });

  it("works on without the server, and says what waits", async () => {
    const directory = await folder();
    await cairn(directory, ["--server", server.origin, "status"]);
    await server.close();
    const file = join(directory, "backup.cairn");
    const exported = await cairn(directory, ["--json", "export", file]);
    expect(resultOf(exported)).toMatchObject({ verified: true, upToDate: false });
    expect(exported.stderr).toContain("cannot be reached");
    expect((await cairn(directory, ["link"])).code).toBe(3);
    server = await startTestServer({ databaseUrl: await freshDatabase() });
  });
});
