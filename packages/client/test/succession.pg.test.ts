/**
 * Identity succession (rule 12, hazard L4): a profile's folder is copied, both copies go on, and both end with the same
 * documents: nothing lost, nothing twice, no error left.
 */
import { cp } from "node:fs/promises";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { Cairn } from "../src/api.ts";
import type { Workspace } from "../src/workspace-api.ts";
import { makePlace, type Notebook, type Place, until } from "./notebook.ts";

let place: Place;
beforeEach(async () => {
  place = await makePlace();
});
afterEach(() => place.leave());

type Open = { readonly cairn: Cairn<Notebook>; readonly notebook: Workspace<Notebook> };

const open = async (name: string): Promise<Open> => {
  const cairn = await place.device(name);
  return { cairn, notebook: await cairn.workspace() };
};

/** Works on a profile while no server is to be had, and closes it. */
const offline = async (name: string, work: (device: Open) => Promise<void>): Promise<void> => {
  await place.stopServer();
  const device = await open(name);
  await work(device);
  await place.close(device.cairn);
  await place.startServer();
};

/** Copies the folder of a closed profile. */
const copy = (from: string, to: string): Promise<void> =>
  cp(place.folder(from), place.folder(to), { recursive: true, errorOnExist: true, force: false });

const quiet = async ({ notebook }: Open): Promise<void> => {
  notebook.syncNow();
  await notebook.flush({ tier: "server", timeout: 20_000 });
  await until(() => notebook.sync().status === "up-to-date");
  expect(notebook.sync()).toMatchObject({ problem: undefined, pendingDocuments: 0 });
};

const bodies = async ({ notebook }: Open): Promise<Readonly<Record<string, string>>> => {
  const rows = await notebook.query("note");
  const found = await Promise.all(
    rows.map(async ({ id }) => {
      const note = await notebook.open("note", id);
      const { title, body } = note.read();
      await note.close();
      return [title, body] as const;
    }),
  );
  return Object.fromEntries(found.toSorted(([left], [right]) => (left < right ? -1 : 1)));
};

/** A notebook with one note on the server, whose folder was closed. */
const founded = async (name = "laptop") => {
  const laptop = await open(name);
  const note = await laptop.notebook.create("note", (edit) => {
    edit.title.set("Log");
    edit.body.insert(0, "base.");
  });
  await quiet(laptop);
  const { url } = await laptop.notebook.createLink({ role: "writer" });
  return { laptop, note: note.id, url };
};

const append = async ({ notebook }: Open, id: Awaited<ReturnType<typeof founded>>["note"], text: string) => {
  const note = await notebook.open("note", id);
  note.edit((edit) => edit.body.insert(note.read().body.length, text));
  await note.close();
};

const converged = async (...devices: ReadonlyArray<Open>): Promise<Readonly<Record<string, string>>> => {
  for (const device of devices) await quiet(device);
  await until(async () => {
    const all = await Promise.all(devices.map(bodies));
    return all.every((found) => JSON.stringify(found) === JSON.stringify(all[0]));
  });
  const [first] = devices;
  return first === undefined ? {} : bodies(first);
};

const times = (text: string, part: string): number => text.split(part).length - 1;

describe("rule 12, hazard L4: a copied profile", () => {
  it("edited in both copies: both converge, with everything once", async () => {
    const { laptop, note } = await founded();
    await place.close(laptop.cairn);
    await copy("laptop", "copy");
    // Both write while nobody sees them, under the same identity, the same peers and the same counters.
    for (const [profile, name] of [
      ["laptop", "one"],
      ["copy", "other"],
    ] as const) {
      await offline(profile, async (device) => {
        for (let round = 0; round < 3; round += 1) await append(device, note, ` ${name}${round}`);
        await device.notebook.create("note", (edit) => edit.title.set(`Of ${name}`));
      });
    }
    const first = await open("laptop");
    await quiet(first);
    const second = await open("copy");
    const result = await converged(first, second);
    expect(Object.keys(result).toSorted()).toEqual(["Log", "Of one", "Of other"]);
    const body = result["Log"] ?? "";
    for (const part of ["base.", " one0", " one1", " one2", " other0", " other1", " other2"]) {
      expect(times(body, part)).toBe(1);
    }
    // Whose entries came first keeps the identity; the other is a device of its own now.
    const devices = await first.notebook.devices();
    expect(devices.map(({ name, role, active }) => [name, role, active])).toEqual([
      ["laptop", "owner", true],
      ["copy", "owner", true],
    ]);

    // Both go on, live, and after a restart.
    await append(first, note, " later-one");
    await append(second, note, " later-other");
    await place.close(second.cairn);
    const again = await open("copy");
    const after = (await converged(first, again))["Log"] ?? "";
    for (const part of [" later-one", " later-other", " other2"]) expect(times(after, part)).toBe(1);
    expect(await again.notebook.devices()).toHaveLength(2);
  });

  it("with edits that both copies have and neither had sent: they are there once", async () => {
    const { laptop, note } = await founded();
    await place.close(laptop.cairn);
    await offline("laptop", async (before) => {
      await append(before, note, " shared0");
      await append(before, note, " shared1");
    });
    await copy("laptop", "copy");
    await offline("copy", (other) => append(other, note, " other"));
    const one = await open("laptop");
    await append(one, note, " one");
    await quiet(one);
    const body = (await converged(one, await open("copy")))["Log"] ?? "";
    for (const part of [" shared0", " shared1", " one", " other"]) expect(times(body, part)).toBe(1);
  });

  it("used more than once: what waits in it is made anew once, with what each use adds", async () => {
    const { laptop, note } = await founded();
    await place.close(laptop.cairn);
    await copy("laptop", "older");
    await offline("laptop", async (device) => {
      await append(device, note, " waiting0");
      await append(device, note, " waiting1");
    });
    // The older copy sends something else under the counters that those would have had.
    const older = await open("older");
    await append(older, note, " older");
    await quiet(older);
    await place.close(older.cairn);
    const copies: Array<Open> = [];
    for (const name of ["one", "two", "three"]) {
      await copy("laptop", name);
      if (name !== "three") await offline(name, (device) => append(device, note, ` ${name}`));
      const device = await open(name);
      await quiet(device);
      copies.push(device);
    }
    const body = (await converged(...copies, await open("older")))["Log"] ?? "";
    for (const part of ["base.", " waiting0", " waiting1", " older", " one", " two"]) expect(times(body, part)).toBe(1);
    expect(await copies[0]?.notebook.devices()).toHaveLength(4);
  });

  it("of a writer that came in by a link: both copies go on as writers", async () => {
    const { laptop, note, url } = await founded();
    const phone = await place.device("phone");
    const joined = { cairn: phone, notebook: await phone.join(url) };
    await append(joined, note, " phone");
    await quiet(joined);
    await place.close(phone);
    await copy("phone", "copy");
    const again = await open("phone");
    await append(again, note, " again");
    await quiet(again);
    const other = await open("copy");
    await append(other, note, " copied");
    const body = (await converged(laptop, again, other))["Log"] ?? "";
    for (const part of ["base.", " phone", " again", " copied"]) expect(times(body, part)).toBe(1);
    expect((await laptop.notebook.devices()).map(({ role }) => role)).toEqual(["owner", "writer", "writer"]);
  });

  it("both copies at once, and a third: each finds an identity of its own", async () => {
    const { laptop, note } = await founded();
    await place.close(laptop.cairn);
    await copy("laptop", "copy");
    await copy("laptop", "third");
    const names = ["laptop", "copy", "third"] as const;
    for (const name of names) await offline(name, (device) => append(device, note, ` ${name}`));
    const devices = await Promise.all(names.map((name) => open(name)));
    const body = (await converged(...devices))["Log"] ?? "";
    for (const name of names) expect(times(body, ` ${name}`)).toBe(1);
    const [first] = devices;
    expect((await first?.notebook.devices())?.length).toBe(3);
  });

  it("while a document is open: it goes on under a new peer, with what was not saved", async () => {
    const { laptop, note } = await founded();
    await place.close(laptop.cairn);
    await copy("laptop", "copy");
    await offline("copy", (other) => append(other, note, " other"));
    const one = await open("laptop");
    await append(one, note, " one");
    await quiet(one);

    await place.stopServer();
    const again = await open("copy");
    const handle = await again.notebook.open("note", note);
    const peer = handle.loro.peerIdStr;
    let replaced = 0;
    handle.onChange(({ origin }) => {
      if (origin !== "replaced") return;
      replaced += 1;
    });
    await place.startServer();
    again.notebook.syncNow();
    let words = 0;
    const goesOn = (): boolean => replaced === 0 || words % 20 !== 0;
    for (; goesOn(); words += 1) {
      handle.edit((edit) => edit.body.insert(handle.read().body.length, ` w${words}.`));
      await new Promise((resolve) => setImmediate(resolve));
    }
    expect(handle.loro.peerIdStr).not.toBe(peer);
    const body = (await converged(one, again))["Log"] ?? "";
    expect(handle.read().body).toBe(body);
    for (const part of [" one", " other"]) expect(times(body, part)).toBe(1);
    for (let word = 0; word < words; word += 1) expect(times(body, ` w${word}.`)).toBe(1);
  });

  it("that is a restored older copy: what the server knows comes back, once", async () => {
    const { laptop, note } = await founded();
    await place.close(laptop.cairn);
    await copy("laptop", "backup");
    const later = await open("laptop");
    for (let round = 0; round < 5; round += 1) {
      await append(later, note, ` kept${round}`);
      await quiet(later);
    }
    await place.close(later.cairn);
    const restored = await open("backup");
    await append(restored, note, " restored");
    // The chain and the device go on: what it writes now is acknowledged under the new identity.
    const body = (await converged(restored))["Log"] ?? "";
    for (let round = 0; round < 5; round += 1) expect(times(body, ` kept${round}`)).toBe(1);
    expect(times(body, " restored")).toBe(1);
  });
});
