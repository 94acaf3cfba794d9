/** Two devices, each with its own store and engine, through the real server: the main job. */
import { freshDatabase } from "@cairn/testkit/postgres";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { makePlace, type Place, until } from "./notebook.ts";

let place: Place;
beforeEach(async () => {
  place = await makePlace();
});
afterEach(() => place.leave());

/** A laptop with a note, and a phone that joined by a link. */
const pair = async (role: "writer" | "reader" = "writer") => {
  const laptop = await place.device("laptop");
  const notebook = await laptop.workspace();
  const note = await notebook.create("note", (edit) => {
    edit.title.set("Shopping");
    edit.body.insert(0, "milk 🥛");
  });
  await notebook.flush({ tier: "server", timeout: 15_000 });
  const { url, link } = await notebook.createLink({ role, label: "phone" });
  const phone = await place.device("phone");
  const joined = await phone.join(url);
  await until(async () => (await joined.query("note")).length === 1);
  const copy = await joined.open("note", note.id);
  return { laptop, notebook, note, phone, joined, copy, url, link };
};

describe("two devices", () => {
  it("share a notebook through a link and converge, both ways", async () => {
    const { notebook, note, joined, copy } = await pair();
    expect(joined.id).toBe(notebook.id);
    const [row] = await joined.query("note", { search: "MILK" });
    expect(row?.fields.title).toBe("Shopping");
    expect(copy.read().body).toBe("milk 🥛");
    copy.edit((edit) => edit.body.insert(0, "bread, "));
    await until(() => note.read().body === "bread, milk 🥛");
    note.edit((edit) => edit.title.set("Groceries"));
    await until(() => copy.read().title === "Groceries");
    await until(async () => (await joined.devices()).length === 2);
    expect((await joined.devices()).map(({ name }) => name).toSorted()).toEqual(["laptop", "phone"]);
  });

  it("get links that begin with the address under which the server says that it is reached", async () => {
    await place.stopServer();
    await place.startServer(undefined, { publicUrl: "https://notes.example.org" });
    const notebook = await (await place.device("laptop")).workspace();
    const { url } = await notebook.createLink({ role: "writer" });
    expect(url).toMatch(/^https:\/\/notes\.example\.org\/join#/);
  });

  it("the name of the workspace arrives, and changes, without anybody who listens for it", async () => {
    const { notebook, joined } = await pair();
    await notebook.rename("Errands");
    await until(() => joined.info().name === "Errands");
    await joined.rename("Chores");
    await until(() => notebook.info().name === "Chores");
    expect(joined.info().name).toBe("Chores");
  });

  it("Promise 4: write without the server, keep it through a restart, and merge later", async () => {
    const { laptop, note, notebook, joined, copy } = await pair();
    await place.stopServer();
    await until(() => notebook.sync().status === "offline");
    note.edit((edit) => edit.body.insert(0, "offline laptop, "));
    copy.edit((edit) => edit.body.insert(0, "offline phone, "));
    await notebook.flush();
    await joined.flush();
    await expect(notebook.flush({ tier: "server", timeout: 50 })).rejects.toMatchObject({ code: "timeout" });
    expect(notebook.sync().pendingDocuments).toBe(1);
    await place.close(laptop);
    const reopened = await (await place.device("laptop")).workspace();
    const again = await reopened.open("note", note.id);
    expect(again.read().body).toBe("offline laptop, milk 🥛");
    await place.startServer();
    reopened.syncNow();
    joined.syncNow();
    await until(() => copy.read().body === again.read().body && copy.read().body.includes("offline laptop"));
    expect(copy.read().body).toContain("offline phone");
    await reopened.flush({ tier: "server", timeout: 15_000 });
    expect(reopened.sync().pendingDocuments).toBe(0);
  });

  it("Promise 13: heal a server that lost everything", async () => {
    const { note, notebook, joined, copy } = await pair();
    copy.edit((edit) => edit.body.insert(0, "bread, "));
    await until(() => note.read().body === "bread, milk 🥛");
    await joined.flush({ tier: "server", timeout: 15_000 });
    await place.stopServer();
    await place.startServer(await freshDatabase());
    notebook.syncNow();
    joined.syncNow();
    note.edit((edit) => edit.body.insert(0, "after, "));
    await until(() => copy.read().body === "after, bread, milk 🥛");
    await notebook.flush({ tier: "server", timeout: 15_000 });

    // What the server has now is enough for a third device.
    const { url } = await notebook.createLink({ role: "writer" });
    const third = await (await place.device("tablet")).join(url);
    await until(async () => (await third.query("note", { search: "after bread" })).length === 1);
    expect((await third.open("note", note.id)).read().body).toBe("after, bread, milk 🥛");
  });

  it("Promise 9: a reader reads, and cannot write", async () => {
    const { note, joined, copy } = await pair("reader");
    expect(joined.info().role).toBe("reader");
    const failures: Array<string | undefined> = [];
    copy.onSaved((_, failure) => failures.push(failure?.code));
    copy.edit((edit) => edit.body.insert(0, "graffiti "));
    await until(() => failures.includes("read-only"));
    note.edit((edit) => edit.title.set("Seen"));
    await until(() => copy.read().title === "Seen");
    expect(note.read().body).toBe("milk 🥛");
  });

  it("rule 1: make links while they write, and each entry gets a counter of its own", async () => {
    const { notebook, note, copy } = await pair();
    const shared = new AbortController();
    const sharing = (async () => {
      for (let link = 0; link < 12; link += 1) await notebook.createLink({ role: "writer" });
    })().finally(() => shared.abort());
    let words = 0;
    for (; !shared.signal.aborted; words += 1) {
      note.edit((edit) => edit.body.insert(0, "word "));
      await notebook.flush();
    }
    await sharing;
    await notebook.flush({ tier: "server", timeout: 15_000 });
    expect(await notebook.links()).toHaveLength(13);
    await until(() => copy.read().body === `${"word ".repeat(words)}milk 🥛`);
  });

  it("rule 22: a revoked link lets nobody in, and later edits are sealed under a new key", async () => {
    const { notebook, note, url, link, copy } = await pair();
    await notebook.revokeLink(link);
    const stranger = await place.device("stranger");
    await expect(stranger.join(url)).rejects.toMatchObject({ code: "link-revoked" });
    expect((await notebook.links()).map(({ status }) => status)).toEqual(["revoked"]);
    note.edit((edit) => edit.title.set("After the key change"));
    await until(() => copy.read().title === "After the key change");
    copy.edit((edit) => edit.body.insert(0, "still here, "));
    await until(() => note.read().body.startsWith("still here"));
  });

  it("carries an attachment, verified, and deletes and restores", async () => {
    const { notebook, note, joined } = await pair();
    const bytes = Uint8Array.from({ length: 2_500_000 }, (_, index) => (index * 7919) % 251);
    const attached = await notebook.attach(note.id, {
      name: "picture.png",
      mediaType: "image/png",
      size: bytes.length,
      data: bytes,
    });
    await notebook.flush({ tier: "server", timeout: 20_000 });
    let seen = 0;
    joined.onAttachments(note.id, (attachments) => {
      seen = attachments.length;
    });
    await until(() => seen === 1);
    const stream = await joined.readAttachment(note.id, attached.id);
    const received = new Uint8Array(await new Response(stream).arrayBuffer());
    expect(received).toEqual(bytes);

    await notebook.delete(note.id);
    await until(async () => (await joined.query("note")).length === 0);
    await joined.restore(note.id);
    await until(async () => (await notebook.query("note")).length === 1);
  });
});
