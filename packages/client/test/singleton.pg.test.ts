/** Documents of which a workspace has one: devices that make them independently make the same one. */
import { defineDocument, defineSchema, field } from "@cairn/schema";
import { Schema } from "effect";
import { afterEach, beforeEach, describe, expect, expectTypeOf, test } from "vitest";
import { type Cairn, openCairn, type Workspace } from "../src/node.ts";
import { makePlace, type Place, until } from "./notebook.ts";

const Shortcut = Schema.Struct({ keys: Schema.String });
const schema = defineSchema({
  version: 1,
  documents: {
    settings: defineDocument({
      fields: {
        theme: field.string({ default: "light", list: true }),
        greeting: field.text(),
        pinned: field.set(Schema.String),
        shortcuts: field.map(Shortcut),
        opened: field.counter(),
        people: field.records({ name: field.string(), about: field.text() }),
      },
    }),
    day: defineDocument({ fields: { lines: field.list(Schema.String, { list: true }) } }),
  },
});
type App = typeof schema;

let place: Place;
let open: Array<Cairn<App>> = [];
beforeEach(async () => {
  place = await makePlace();
});
afterEach(async () => {
  for (const cairn of open) await cairn.close();
  open = [];
  await place.leave();
});

const device = async (name: string, server: string | undefined = place.origin()): Promise<Cairn<App>> => {
  const cairn = await openCairn({ schema, directory: place.folder(name), server, deviceName: name });
  open.push(cairn);
  return cairn;
};
const close = async (cairn: Cairn<App>): Promise<void> => {
  open = open.filter((other) => other !== cairn);
  await cairn.close();
};
const settingsOf = async (workspace: Workspace<App>) => {
  const handle = await workspace.singleton("settings");
  try {
    return handle.read();
  } finally {
    await handle.close();
  }
};

describe("two devices", () => {
  test("that make the same singleton while neither hears of the other have one document with what both wrote", async () => {
    const laptop = await (await device("laptop")).workspace();
    await laptop.flush({ tier: "server", timeout: 15_000 });
    const { url } = await laptop.createLink({ role: "writer" });
    const phone = await (await device("phone")).join(url);
    await laptop.simulateOffline(true);
    await phone.simulateOffline(true);

    for (const [workspace, name] of [
      [laptop, "laptop"],
      [phone, "phone"],
    ] as const) {
      const settings = await workspace.singleton("settings");
      expectTypeOf(settings.read().theme).toEqualTypeOf<string>();
      settings.edit((edit) => {
        edit.greeting.insert(0, `${name}! `);
        edit.pinned.add(name);
        edit.pinned.add("both");
        edit.shortcuts.set(name, { keys: name });
        edit.opened.add(1);
        edit.people.ensure("ada").about.insert(0, `by ${name}. `);
      });
      if (name === "phone") settings.edit((edit) => edit.theme.set("dark"));
      const day = await workspace.singleton("day", "2026-11-22");
      day.edit((edit) => edit.lines.push(name));
      await workspace.flush();
    }
    await laptop.simulateOffline(false);
    await phone.simulateOffline(false);
    await laptop.flush({ tier: "server", timeout: 15_000 });
    await phone.flush({ tier: "server", timeout: 15_000 });

    await until(async () => (await settingsOf(laptop)).opened === 2 && (await settingsOf(phone)).opened === 2);
    const merged = await settingsOf(laptop);
    expect(await settingsOf(phone)).toEqual(merged);
    expect(merged).toMatchObject({
      theme: "dark",
      shortcuts: { laptop: { keys: "laptop" }, phone: { keys: "phone" } },
      opened: 2,
    });
    expect([...merged.pinned].toSorted()).toEqual(["both", "laptop", "phone"]);
    expect(["laptop! phone! ", "phone! laptop! "]).toContain(merged.greeting);
    expect(["by laptop. by phone. ", "by phone. by laptop. "]).toContain(merged.people["ada"]?.about);
    for (const workspace of [laptop, phone]) {
      await until(async () => (await workspace.query("day"))[0]?.fields.lines.length === 2);
      expect(await workspace.query("day")).toHaveLength(1);
      const [row, ...others] = await workspace.query("settings");
      expect(others).toEqual([]);
      expect(row?.fields).toEqual({ theme: "dark" });
      expect(row?.createdAt).toBeGreaterThan(0);
    }
  });

  test("find it again under the same id, and another one under another key, type or workspace", async () => {
    const first = await device("laptop", undefined);
    const home = await first.workspace();
    const ids = async (workspace: Workspace<App>) => {
      const found: Array<string> = [];
      for (const handle of [
        await workspace.singleton("settings"),
        await workspace.singleton("settings", "ada"),
        await workspace.singleton("day"),
        await workspace.singleton("day", "ada"),
      ]) {
        found.push(handle.id);
        await handle.close();
      }
      return found;
    };
    const made = await ids(home);
    const others = await ids(await first.createWorkspace({ name: "Another" }));
    expect(new Set([...made, ...others]).size).toBe(8);
    await close(first);
    expect(await ids(await (await device("laptop", undefined)).workspace(home.id))).toEqual(made);
  });
});

test("opening one writes nothing, and what is handed in wrong is refused", async () => {
  const workspace = await (await device("laptop", undefined)).workspace();
  const settings = await workspace.singleton("settings");
  expect(settings.read()).toMatchObject({ theme: "light", greeting: "" });
  settings.edit(() => undefined);
  await settings.close();
  await workspace.flush();
  expect(await workspace.query("settings")).toEqual([]);
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- a caller without types
  await expect(workspace.singleton("nothing" as "settings")).rejects.toMatchObject({ code: "type-unknown" });
  for (const key of ["\ud800", "x".repeat(201)]) {
    await expect(workspace.singleton("settings", key)).rejects.toMatchObject({ code: "invalid-argument" });
  }
});

test("a backup brings it back where another workspace has it; what is there already stays, with the other beside", async () => {
  const cairn = await device("laptop", undefined);
  const from = await cairn.workspace();
  const settings = await from.singleton("settings");
  settings.edit((edit) => edit.theme.set("dark"));
  await settings.close();
  const day = await from.singleton("day", "monday");
  day.edit((edit) => edit.lines.push("one"));
  await day.close();
  await from.flush();
  const backup = await new Response(await from.exportBackup()).blob();

  const into = await cairn.createWorkspace({ name: "Another" });
  expect(await into.importBackup(backup)).toMatchObject({ newDocuments: 2, copies: 0 });
  expect((await settingsOf(into)).theme).toBe("dark");
  const monday = await into.singleton("day", "monday");
  expect(monday.read().lines).toEqual(["one"]);
  expect(await into.importBackup(backup)).toMatchObject({ newDocuments: 0, copies: 0 });
  expect(await into.query("settings")).toHaveLength(1);

  const third = await cairn.createWorkspace({ name: "A third" });
  const own = await third.singleton("settings");
  own.edit((edit) => edit.theme.set("blue"));
  await own.close();
  expect(await third.importBackup(backup)).toMatchObject({ newDocuments: 2, copies: 1 });
  expect((await settingsOf(third)).theme).toBe("blue");
  expect((await third.query("settings")).map(({ fields }) => fields.theme).toSorted()).toEqual(["blue", "dark"]);

  // The one beside is a document like any other: it never takes the place of the one that it was.
  const again = await new Response(await third.exportBackup()).blob();
  const fourth = await cairn.createWorkspace({ name: "A fourth" });
  expect(await fourth.importBackup(again)).toMatchObject({ newDocuments: 3, copies: 0 });
  expect((await settingsOf(fourth)).theme).toBe("blue");
});
