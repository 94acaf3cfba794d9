/** Hazard 20: whoever signs out hears first what only this device has, and leaves nothing behind. */
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { damageSecret } from "./fixtures/damage-secret.ts";
import { makePlace, type Place } from "./notebook.ts";

let place: Place;
beforeEach(async () => {
  place = await makePlace();
});
afterEach(() => place.leave());

it("what is not on the server is told, nothing is deleted then, and open documents stay open", async () => {
  const cairn = await place.device("laptop");
  const notebook = await cairn.workspace();
  const note = await notebook.create("note", (edit) => edit.title.set("Only here"));
  await notebook.flush({ tier: "server", timeout: 15_000 });
  await notebook.pause();
  note.edit((edit) => edit.body.insert(0, "unsent"));
  await expect(cairn.signOut()).rejects.toMatchObject({ code: "pending-edits", unsynced: { documents: 1, edits: 1 } });
  note.edit((edit) => edit.body.insert(0, "still "));
  await notebook.flush();
  expect(note.read().body).toBe("still unsent");
  expect(await cairn.unsynced()).toMatchObject({ documents: 1, edits: 2 });
});

it("nothing of notes or keys is left, and the profile begins as new", async () => {
  const cairn = await place.device("laptop");
  const home = await cairn.workspace();
  const words = await cairn.recoveryWords();
  const other = await cairn.createWorkspace({ name: "Second" });
  for (const notebook of [home, other]) {
    await notebook.create("note", (edit) => edit.title.set("A secret"));
    await notebook.flush({ tier: "server", timeout: 15_000 });
  }
  expect(await readdir(join(place.folder("laptop"), "secrets"))).not.toEqual([]);
  await cairn.signOut();
  expect(cairn.workspaces()).toEqual([]);
  expect(await readdir(join(place.folder("laptop"), "secrets"))).toEqual([]);
  await place.close(cairn);

  const again = await place.device("laptop");
  const fresh = await again.workspace();
  expect([home.id, other.id]).not.toContain(fresh.id);
  expect(await fresh.count("note")).toBe(0);
  expect(await again.recoveryWords()).not.toEqual(words);
});

it("a workspace whose keys are gone does not stand in the way", async () => {
  const cairn = await place.device("laptop");
  const home = await cairn.workspace();
  await home.create("note", (edit) => edit.title.set("Only here"));
  await home.flush({ tier: "server", timeout: 15_000 });
  await place.close(cairn);
  await damageSecret(place.folder("laptop"), `device/${home.id}`);
  const again = await place.device("laptop");
  await expect(again.workspace()).rejects.toMatchObject({ code: "keys-missing" });
  await again.signOut();
  expect((await again.workspace()).id).not.toBe(home.id);
});
