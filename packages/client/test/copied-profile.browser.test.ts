/** Rule 12, hazard L4, in a browser: a copied profile, with its keys that nobody can export, goes on beside the other one. */
import { Dexie } from "dexie";
import { afterEach, expect, inject, test, vi } from "vitest";
import { freshProfile, killTabs, openProfile } from "./fixtures/tabs.ts";

const server = inject("cairnServerOrigin");
const patience = { timeout: 30_000, interval: 50 };

afterEach(killTabs);

/** All of a database under another name, as copying a browser's folder does. */
const copyDatabase = async (from: string, to: string): Promise<void> => {
  const source = await new Dexie(from).open();
  const stores = Object.fromEntries(
    source.tables.map(({ name, schema }) => [
      name,
      [schema.primKey.src, ...schema.indexes.map(({ src }) => src)].join(", "),
    ]),
  );
  const target = new Dexie(to);
  target.version(source.verno).stores(stores);
  await target.open();
  for (const { name } of source.tables) {
    const rows: ReadonlyArray<unknown> = await source.table(name).toArray();
    await target.table(name).bulkAdd(rows);
  }
  source.close();
  target.close();
};

test("both copies converge, with everything once", async () => {
  const [one, other] = [freshProfile(), freshProfile()];
  const founder = await openProfile(one, server);
  const note = await founder.workspace.create("note", (edit) => edit.body.insert(0, "base."));
  await founder.workspace.flush({ tier: "server", timeout: 20_000 });
  await founder.cairn.close();
  await copyDatabase(one, other);

  const first = await openProfile(one, server);
  const mine = await first.workspace.open("note", note.id);
  mine.edit((edit) => edit.body.insert(5, " one"));
  await first.workspace.flush({ tier: "server", timeout: 20_000 });

  const second = await openProfile(other, server);
  expect(second.workspace.id).toBe(first.workspace.id);
  const theirs = await second.workspace.open("note", note.id);
  theirs.edit((edit) => edit.body.insert(5, " other"));
  await second.workspace.flush({ tier: "server", timeout: 30_000 });
  await vi.waitFor(() => {
    expect(mine.read().body).toBe(theirs.read().body);
    expect(mine.read().body.split(" one")).toHaveLength(2);
    expect(mine.read().body.split(" other")).toHaveLength(2);
  }, patience);
  expect(mine.loro.peerIdStr).not.toBe(theirs.loro.peerIdStr);
  await vi.waitFor(async () => expect(await first.workspace.devices()).toHaveLength(2), patience);
  for (const { workspace } of [first, second]) {
    await vi.waitFor(
      () => expect(workspace.sync()).toMatchObject({ status: "up-to-date", problem: undefined, pendingDocuments: 0 }),
      patience,
    );
  }
}, 120_000);
