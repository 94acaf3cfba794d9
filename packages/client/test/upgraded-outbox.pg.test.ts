/** A device whose store an older Cairn wrote, with edits that no server has: killed while it upgrades, it loses none. */
import { EntryKind } from "@cairn/protocol";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { afterEach, beforeEach, expect, test } from "vitest";
import { makeOlderTables } from "./fixtures/older-tables.ts";
import { makeSteering, openSteered, type SteeredDevice } from "./fixtures/steered-device.ts";
import { makePlace, type Place, until } from "./notebook.ts";

let place: Place;
let devices: Array<SteeredDevice> = [];
beforeEach(async () => {
  place = await makePlace();
  devices = [];
});
afterEach(async () => {
  for (const { crash } of devices) await crash();
  await place.leave();
});

const QUICK = { backoff: { baseMillis: 5, ceilingMillis: 40 }, stallMillis: 60_000, batch: { entries: 1 } };
const open = async (steering = makeSteering()) => {
  const device = await openSteered(place.folder("upgraded"), place.origin(), steering, QUICK);
  devices.push(device);
  return { ...device, notebook: await device.cairn.workspace() };
};

/** Upgrades the tables up to a statement, and dies. */
const upgradeAndDie = async (after: string): Promise<void> => {
  const script = join(import.meta.dirname, "fixtures/dying-upgrade.ts");
  const child = spawn(process.execPath, ["--conditions=source", script, place.folder("upgraded"), after], {
    stdio: "inherit",
  });
  const ended: ReadonlyArray<unknown> = await once(child, "exit");
  expect({ after, ended }).toEqual({ after, ended: [null, "SIGKILL"] });
};

/** What is nowhere else, with the tables' version. */
const unsent = () => {
  const database = new DatabaseSync(join(place.folder("upgraded"), "cairn.db"));
  const all = (sql: string) =>
    database
      .prepare(sql)
      .all()
      .map((row) => ({ ...row }));
  const found = {
    waiting: all("SELECT id, document, bytes, time FROM updates WHERE state = 0 ORDER BY id"),
    outgoing: all("SELECT counter, document, hash FROM outgoing ORDER BY counter"),
    entries: all("SELECT counter, entry FROM log WHERE seq IS NULL ORDER BY counter"),
    version: all("PRAGMA user_version")[0]?.["user_version"],
  };
  database.close();
  return found;
};

test.each([
  [
    6,
    [
      ["ALTER TABLE updates ADD COLUMN former_edits", 6],
      ["PRAGMA user_version = 7", 6],
    ],
  ],
  [
    5,
    [
      ["ALTER TABLE updates ADD COLUMN applied_again", 5],
      ["PRAGMA user_version = 6", 5],
    ],
  ],
  [
    4,
    [
      ["ALTER TABLE workspaces ADD COLUMN rebuilds", 4],
      ["PRAGMA user_version = 5", 4],
    ],
  ],
  [
    3,
    [
      ["ALTER TABLE updates ADD COLUMN first_form", 3],
      ["PRAGMA user_version = 4", 3],
    ],
  ],
  [
    2,
    [
      ["ALTER TABLE documents ADD COLUMN deleted", 2],
      ["DROP TABLE old_views", 2],
      ["PRAGMA user_version = 3", 2],
      ["ALTER TABLE updates ADD COLUMN first_form", 3],
      ["PRAGMA user_version = 4", 3],
    ],
  ],
] as const)("tables of version %i", async (version, deaths) => {
  const steering = makeSteering();
  const { notebook, crash } = await open(steering);
  const one = await notebook.create("note", (edit) => edit.title.set("one"));
  await notebook.flush({ tier: "server", timeout: 15_000 });
  const { url } = await notebook.createLink({ role: "writer" });
  const joined = await (await place.device("phone")).join(url);
  await until(async () => (await joined.query("note")).length === 1);

  // One entry on its way, edits behind it, and a document that nobody else knows.
  steering.fate = ([entry]) => (entry?.header.kind === EntryKind.update ? { type: "silence" } : undefined);
  one.edit((edit) => edit.body.insert(0, "on its way"));
  await until(() => notebook.outbox().states.IN_FLIGHT === 1);
  one.edit((edit) => edit.body.insert(0, "behind it, "));
  const two = await notebook.create("note", (edit) => edit.title.set("two"));
  await notebook.flush();
  await crash();

  makeOlderTables(place.folder("upgraded"), version);
  const { version: _, ...before } = unsent();
  expect(before.waiting.length).toBeGreaterThan(1);
  expect(before.outgoing.length).toBeGreaterThan(0);
  for (const [after, left] of deaths) {
    await upgradeAndDie(after);
    expect({ after, ...unsent() }).toEqual({ after, ...before, version: left });
  }

  const again = await open();
  await again.notebook.flush({ tier: "server", timeout: 15_000 });
  expect(again.notebook.outbox()).toMatchObject({ depth: 0 });
  await until(async () => (await joined.query("note")).length === 2);
  const copy = await joined.open("note", one.id);
  await until(() => copy.read().body === "behind it, on its way");
  expect((await joined.open("note", two.id)).read().title).toBe("two");
});
