/** Two devices, each with its own store and engine, through the real server: the main job. */
import { defineDocument, defineSchema, field } from "@cairn/schema";
import { freshDatabase } from "@cairn/testkit/postgres";
import { startTestServer } from "@cairn/testkit/server";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { OpenCairn } from "../src/page/OpenCairn.ts";
import { startNodeEngine } from "../src/platform/node-engine.ts";

const schema = defineSchema({
  version: 1,
  documents: {
    note: defineDocument({
      fields: {
        title: field.string({ default: "", list: true, search: true }),
        body: field.text({ search: true }),
        files: field.attachments(),
      },
    }),
  },
});

const cleanups: Array<() => Promise<unknown>> = [];
let server: Awaited<ReturnType<typeof startTestServer>>;
let directory: string;

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "cairn-two-"));
  server = await startTestServer({ databaseUrl: await freshDatabase() });
});
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).toReversed()) await cleanup();
  await server.close();
  await rm(directory, { recursive: true, force: true });
});

const device = async (name: string, origin: string | undefined = server.origin) => {
  const cairn = new OpenCairn({
    schema,
    ...(await startNodeEngine({ schema, directory: join(directory, name), server: origin, deviceName: name })),
  });
  cleanups.push(() => cairn.close());
  return cairn;
};

const until = async (holds: () => boolean | Promise<boolean>): Promise<void> => {
  await expect.poll(holds, { timeout: 15_000, interval: 10 }).toBe(true);
};

describe("two devices", () => {
  it("share a notebook through a link and converge, both ways", async () => {
    const laptop = await device("laptop");
    const notebook = await laptop.workspace();
    const note = await notebook.create("note", (edit) => {
      edit.title.set("Shopping");
      edit.body.insert(0, "milk 🥛");
    });
    await notebook.flush({ tier: "server", timeout: 15_000 });
    expect(notebook.sync().pendingDocuments).toBe(0);

    const { url } = await notebook.createLink({ role: "writer", label: "phone" });
    const phone = await device("phone");
    const joined = await phone.join(url);
    expect(joined.id).toBe(notebook.id);
    await until(async () => (await joined.query("note")).length === 1);
    const [row] = await joined.query("note", { search: "MILK" });
    expect(row?.fields.title).toBe("Shopping");

    const copy = await joined.open("note", note.id);
    expect(copy.read().body).toBe("milk 🥛");
    copy.edit((edit) => edit.body.insert(0, "bread, "));
    await until(() => note.read().body === "bread, milk 🥛");
    note.edit((edit) => edit.title.set("Groceries"));
    await until(() => copy.read().title === "Groceries");

    expect((await joined.devices()).map(({ name }) => name).toSorted()).toEqual(["laptop", "phone"]);
  });
});
