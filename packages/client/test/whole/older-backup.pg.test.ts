/**
 * Promise 13: a server that came back from an older backup is healed by its clients. The data folder of the stopped
 * server is copied, the devices go on, and the copy is put back.
 */
import { ServerPlace } from "@cairn/testkit/server-program";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { Cairn } from "../../src/api.ts";
import type { Workspace } from "../../src/workspace-api.ts";
import { type Notebook, until } from "../notebook.ts";
import { WholeDevices } from "./whole-devices.ts";

let place: ServerPlace;
const devices = new WholeDevices();
const open = (name: string) => devices.open({ directory: place.beside(name), server: place.origin, name });

beforeEach(async () => {
  place = await ServerPlace.make();
  await place.start();
});
afterEach(async () => {
  await devices.closeAll();
  await place.leave();
});

const safe = (workspace: Workspace<Notebook>) => workspace.flush({ tier: "server", timeout: 30_000 });

const startLaptop = async () => {
  const laptop = await open("laptop");
  const notebook = await laptop.workspace();
  const note = await notebook.create("note", (edit) => {
    edit.title.set("Log");
    edit.body.insert(0, "before; ");
  });
  await safe(notebook);
  return { laptop, notebook, note };
};

const joinPhone = async (notebook: Workspace<Notebook>, note: { readonly id: string }) => {
  const { url } = await notebook.createLink({ role: "writer", label: "phone" });
  const phone = await open("phone");
  const joined = await phone.join(url);
  await until(async () => (await joined.query("note")).some(({ id }) => id === note.id));
  return { phone, joined, url };
};

/** Copies the data as it is now. */
const backUp = async (): Promise<void> => {
  await place.end("SIGTERM");
  await place.backUp("backup");
  await place.start();
};

const restore = async (): Promise<void> => {
  await place.end("SIGTERM");
  await place.restore("backup");
  await place.start();
};

const titlesOf = async (workspace: Workspace<Notebook>): Promise<ReadonlyArray<string>> =>
  (await workspace.query("note")).map(({ fields }) => fields.title).toSorted((left, right) => (left < right ? -1 : 1));

/** A device that joins only now: what it reads is what the server has. */
const joinCold = async (notebook: Workspace<Notebook>, name = "tablet"): Promise<Workspace<Notebook>> => {
  const { url } = await notebook.createLink({ role: "writer" });
  const tablet: Cairn<Notebook> = await open(name);
  const joined = await tablet.join(url);
  await until(() => joined.sync().status === "up-to-date");
  return joined;
};

const readAll = async (stream: ReadableStream<Uint8Array>): Promise<Uint8Array> =>
  new Uint8Array(await new Response(stream).arrayBuffer());

describe("Promise 13: a server restored from an older backup", () => {
  it("is healed by both devices, and nobody loses, repeats or stops", { timeout: 120_000 }, async () => {
    const { notebook, note } = await startLaptop();
    const { joined } = await joinPhone(notebook, note);
    const copy = await joined.open("note", note.id);
    await backUp();
    notebook.syncNow();
    joined.syncNow();
    // Acknowledged by the server that is about to forget it.
    note.edit((edit) => edit.body.insert(0, "laptop after; "));
    await until(() => copy.read().body.includes("laptop after"));
    copy.edit((edit) => edit.body.insert(0, "phone after; "));
    await joined.create("note", (edit) => edit.title.set("Made on the phone"));
    await notebook.create("note", (edit) => edit.title.set("Made on the laptop"));
    await Promise.all([safe(notebook), safe(joined)]);
    await until(async () => (await titlesOf(notebook)).length === 3);
    await restore();
    // And written while nobody has noticed yet.
    note.edit((edit) => edit.body.insert(0, "laptop since; "));
    copy.edit((edit) => edit.body.insert(0, "phone since; "));
    notebook.syncNow();
    joined.syncNow();
    const parts = ["before; ", "laptop after; ", "phone after; ", "laptop since; ", "phone since; "];
    const whole = (text: string) => text.length === parts.join("").length && parts.every((part) => text.includes(part));
    await until(() => whole(note.read().body) && copy.read().body === note.read().body);
    await Promise.all([safe(notebook), safe(joined)]);
    const cold = await joinCold(notebook);
    // A row is there before its title is.
    await expect
      .poll(() => titlesOf(cold), { timeout: 20_000 })
      .toEqual(["Log", "Made on the laptop", "Made on the phone"]);
    const document = await cold.open("note", note.id);
    await until(() => document.read().body === note.read().body);
    expect(await titlesOf(notebook)).toEqual(await titlesOf(joined));
    for (const workspace of [notebook, joined, cold]) {
      expect(workspace.sync()).toMatchObject({ pendingDocuments: 0, parked: 0, problem: undefined });
    }
  });

  it("is healed where the second device had joined after the backup", { timeout: 120_000 }, async () => {
    const { notebook, note } = await startLaptop();
    await backUp();
    notebook.syncNow();
    await until(() => notebook.sync().status === "up-to-date");
    const { joined } = await joinPhone(notebook, note);
    const copy = await joined.open("note", note.id);
    copy.edit((edit) => edit.body.insert(0, "phone after; "));
    await safe(joined);
    await until(() => note.read().body.includes("phone after"));
    await restore();
    // The one whom the server does not know comes first, with something to say.
    copy.edit((edit) => edit.body.insert(0, "phone since; "));
    joined.syncNow();
    notebook.syncNow();
    // The phone asks again at growing distances until the laptop has brought its admission back.
    await until(() => note.read().body.startsWith("phone since"), 60_000);
    expect(note.read().body).toBe("phone since; phone after; before; ");
    await Promise.all([safe(notebook), safe(joined)]);
    const document = await (await joinCold(notebook)).open("note", note.id);
    await until(() => document.read().body === note.read().body);
  });

  it("gets attachments and later key changes back", { timeout: 120_000 }, async () => {
    const { notebook, note } = await startLaptop();
    const { joined } = await joinPhone(notebook, note);
    const copy = await joined.open("note", note.id);
    await backUp();
    notebook.syncNow();
    joined.syncNow();
    const bytes = Uint8Array.from({ length: 2_300_000 }, (_, index) => (index * 7919) % 251);
    const attached = await notebook.attach(note.id, {
      name: "picture.png",
      mediaType: "image/png",
      size: bytes.length,
      data: bytes,
    });
    await safe(notebook);
    const { link } = await notebook.createLink({ role: "writer", label: "revoked after" });
    await notebook.revokeLink(link);
    note.edit((edit) => edit.body.insert(0, "under the new key; "));
    await safe(notebook);
    await until(() => copy.read().body.startsWith("under the new key"));
    await restore();
    notebook.syncNow();
    joined.syncNow();
    note.edit((edit) => edit.body.insert(0, "since; "));
    await until(() => copy.read().body.startsWith("since; under the new key"));
    await Promise.all([safe(notebook), safe(joined)]);
    const cold = await joinCold(notebook);
    const document = await cold.open("note", note.id);
    await until(() => document.read().body === note.read().body);
    expect(await readAll(await cold.readAttachment(note.id, attached.id))).toEqual(bytes);
    expect((await notebook.links()).find(({ label }) => label === "revoked after")?.status).toBe("revoked");
  });

  it(
    "refuses a link that was made after the backup, because nobody knows its expiry any more, and takes a new one",
    { timeout: 120_000 },
    async () => {
      const { notebook } = await startLaptop();
      await backUp();
      notebook.syncNow();
      await until(() => notebook.sync().status === "up-to-date");
      const { url } = await notebook.createLink({ role: "reader", expiresInMillis: 60_000 });
      await restore();
      notebook.syncNow();
      await until(() => notebook.sync().status === "up-to-date");
      const late = await open("late");
      await expect(late.join(url)).rejects.toMatchObject({ code: "link-unknown" });
      const cold = await joinCold(notebook);
      await until(async () => (await titlesOf(cold)).length === 1);
    },
  );

  it("takes back what one device alone had, though the key has changed meanwhile", { timeout: 120_000 }, async () => {
    const { laptop, notebook, note } = await startLaptop();
    const { link } = await notebook.createLink({ role: "writer", label: "to be revoked" });
    const { joined } = await joinPhone(notebook, note);
    const copy = await joined.open("note", note.id);
    await until(async () => (await notebook.devices()).length === 2);
    await backUp();
    // The laptop is away while the phone writes, and the server acknowledges, and then forgets it.
    await note.close();
    await devices.close(laptop);
    joined.syncNow();
    copy.edit((edit) => edit.body.insert(0, "phone alone; "));
    await safe(joined);
    await restore();
    const again = await (await open("laptop")).workspace();
    await until(() => again.sync().status === "up-to-date");
    await again.revokeLink(link);
    copy.edit((edit) => edit.body.insert(0, "phone since; "));
    joined.syncNow();
    const document = await again.open("note", note.id);
    await until(() => document.read().body === "phone since; phone alone; before; ");
    await safe(joined);
    expect(joined.sync()).toMatchObject({ pendingDocuments: 0, parked: 0, problem: undefined });
  });
});
