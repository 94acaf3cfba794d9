/**
 * Tabs of one browser profile, in Chromium: each an iframe with a page, an engine's worker and an import worker of its
 * own, over one IndexedDB, one set of Web Locks and one BroadcastChannel. Closing an iframe ends all of it at once, as
 * closing a tab does.
 */
import type { DocumentHandle } from "@cairn/client";
import { Dexie } from "dexie";
import { afterEach, describe, expect, test, vi } from "vitest";
import type { schema } from "./fixtures/import-schema.ts";
import { freshProfile, killTabs, leaders, openProfile } from "./fixtures/tabs.ts";

type Note = DocumentHandle<typeof schema, "note">;

afterEach(killTabs);

const bodyOf = (note: Note): string => note.read().body;
const shows = (note: Note, text: string): Promise<unknown> =>
  vi.waitFor(() => expect(bodyOf(note)).toBe(text), { timeout: 10_000, interval: 10 });

const leasesOf = async (profile: string): Promise<ReadonlyArray<string>> => {
  const { held } = await navigator.locks.query();
  const prefix = `cairn/v1/${profile}/peer/`;
  return (held ?? [])
    .flatMap(({ name }) => (name?.startsWith(prefix) === true ? [name.slice(name.lastIndexOf("/") + 1)] : []))
    .toSorted();
};

describe("two tabs of one profile", () => {
  test("edit one document: each shows the other's edits, and one of them leads", async () => {
    const profile = freshProfile();
    const one = await openProfile(profile);
    const note = await one.workspace.create("note", (edit) => edit.title.set("Shared"));
    note.edit((edit) => edit.body.insert(0, "one"));
    await one.workspace.flush();

    const other = await openProfile(profile);
    expect(other.workspace.id).toBe(one.workspace.id);
    const same = await other.workspace.open("note", note.id);
    expect(bodyOf(same)).toBe("one");
    await vi.waitFor(async () => expect(await leaders(profile)).toEqual({ held: 1, waiting: 1 }));
    // Rule 13: each writer has a peer id of its own.
    expect(await leasesOf(profile)).toEqual(["0", "1"]);
    expect(same.loro.peerIdStr).not.toBe(note.loro.peerIdStr);

    same.edit((edit) => edit.body.insert(3, " two"));
    await shows(note, "one two");
    note.edit((edit) => edit.body.insert(7, " three"));
    await shows(same, "one two three");

    // Both at once, on either side: the same text in the end (promise 5).
    for (let round = 0; round < 20; round += 1) {
      note.edit((edit) => edit.body.insert(0, `a${round} `));
      same.edit((edit) => edit.body.insert(0, `b${round} `));
    }
    await vi.waitFor(() => {
      expect(bodyOf(note)).toBe(bodyOf(same));
      for (let round = 0; round < 20; round += 1) {
        expect(bodyOf(note)).toContain(`a${round} `);
        expect(bodyOf(note)).toContain(`b${round} `);
      }
    });
    expect(note.loro.version().toJSON().size).toBe(2);

    await one.cairn.close();
    await other.cairn.close();
    // Nothing stays held. The browser takes back what a worker lets go of without a word to it: soon, not at once.
    await vi.waitFor(
      async () => {
        expect(await leasesOf(profile)).toEqual([]);
        expect(await leaders(profile)).toEqual({ held: 0, waiting: 0 });
      },
      { timeout: 10_000 },
    );
  });

  test("see each other's documents in their lists, without opening them", async () => {
    const profile = freshProfile();
    const one = await openProfile(profile);
    const other = await openProfile(profile);
    const titles: Array<ReadonlyArray<string>> = [];
    const stop = other.workspace.liveQuery("note", { sort: { by: "$created" } }, (rows) => {
      titles.push(rows.map((row) => row.fields.title));
    });
    const first = await one.workspace.create("note", (edit) => edit.title.set("First"));
    await vi.waitFor(() => expect(titles.at(-1)).toEqual(["First"]));
    first.edit((edit) => edit.title.set("Renamed"));
    await vi.waitFor(() => expect(titles.at(-1)).toEqual(["Renamed"]));
    stop();
  });

  test("what a tab calls saved is there after it is killed, and its peer id is used again (promise 4, L5)", async () => {
    const profile = freshProfile();
    const first = await openProfile(profile);
    const note = await first.workspace.create("note", (edit) => edit.title.set("Kept"));
    let text = "";
    for (let edit = 0; edit < 30; edit += 1) {
      const part = `${edit} `;
      note.edit((document) => document.body.insert(text.length, part));
      text += part;
    }
    await vi.waitFor(() => expect(note.saved()).toBe(true));
    const { id } = note;
    const peer = note.loro.peerIdStr;
    first.kill();

    for (let reload = 0; reload < 2; reload += 1) {
      const again = await openProfile(profile);
      expect(again.workspace.id).toBe(first.workspace.id);
      const reopened = await again.workspace.open("note", id);
      expect(reopened.read()).toEqual({ title: "Kept", body: text });
      expect(reopened.loro.peerIdStr).toBe(peer);
      reopened.edit((document) => document.body.insert(text.length, "more "));
      text += "more ";
      await again.workspace.flush();
      expect(reopened.loro.version().toJSON().size).toBe(1);
      again.kill();
    }
  });

  test("when the leading tab is killed, the other leads and still saves", async () => {
    const profile = freshProfile();
    const leader = await openProfile(profile);
    await vi.waitFor(async () => expect(await leaders(profile)).toEqual({ held: 1, waiting: 0 }));
    const follower = await openProfile(profile);
    await vi.waitFor(async () => expect(await leaders(profile)).toEqual({ held: 1, waiting: 1 }));
    leader.kill();
    await vi.waitFor(async () => expect(await leaders(profile)).toEqual({ held: 1, waiting: 0 }));
    const note = await follower.workspace.create("note", (edit) => edit.title.set("After"));
    await follower.workspace.flush();
    expect((await follower.workspace.query("note")).map((row) => row.id)).toEqual([note.id]);
  });
});

describe("storage (hazard 19)", () => {
  test("asks to be kept with the first edit, and shows what came of it", async () => {
    const { workspace, cairn } = await openProfile(freshProfile());
    const seen: Array<string> = [];
    const stop = cairn.onStorage(({ keeping }) => seen.push(keeping));
    await vi.waitFor(() => expect(seen.length).toBeGreaterThan(0));
    const note = await workspace.create("note", (edit) => edit.title.set("Something to lose"));
    await workspace.flush();
    await vi.waitFor(async () => expect((await cairn.storage()).keeping).not.toBe("not-asked"));
    const state = await cairn.keepStorage();
    expect(state.problem?.code).toBe(state.persisted ? undefined : "storage-not-kept");
    stop();
    await note.close();
  });

  test("a database that the browser deleted is told, and nothing is made in its place until a person says so", async () => {
    const profile = freshProfile();
    const first = await openProfile(profile);
    await first.workspace.create("note", (edit) => edit.title.set("Gone"));
    const words = await first.cairn.recoveryWords();
    await first.cairn.close();
    await Dexie.delete(profile);
    for (let attempt = 0; attempt < 2; attempt += 1) {
      await expect(openProfile(profile)).rejects.toMatchObject({ code: "storage-lost", action: "stop" });
    }
    const anew = await openProfile(profile, undefined, { afterLoss: "start-anew" });
    expect(await anew.workspace.query("note")).toEqual([]);
    expect(await anew.cairn.recoveryWords()).not.toEqual(words);
    await anew.cairn.close();
    const again = await openProfile(profile);
    expect(again.workspace.id).toBe(anew.workspace.id);
  });

  test("a database that is deleted under an open tab is a state with a way out", async () => {
    const profile = freshProfile();
    const { cairn, workspace } = await openProfile(profile);
    const problems: Array<string | undefined> = [];
    cairn.onStorage(({ problem }) => problems.push(problem?.remedy));
    await Dexie.delete(profile);
    await expect(workspace.query("note")).rejects.toMatchObject({ code: "storage-lost" });
    await vi.waitFor(() => expect(problems.at(-1)).toBe("start-anew"));
  });
});

describe("two versions of the app", () => {
  test("the newer leads, the older goes on storing and is told to reload, and leads again when it is alone", async () => {
    const profile = freshProfile();
    const older = await openProfile(profile, undefined, { appVersion: 1 });
    const states: Array<string> = [];
    older.cairn.onUpdate(({ status }) => states.push(status));
    expect(states).toEqual(["current"]);
    const newer = await openProfile(profile, undefined, { appVersion: 2 });
    await vi.waitFor(() => expect(states).toEqual(["current", "outdated"]));
    const counts: Array<number> = [];
    newer.cairn.onUpdate(({ olderTabs }) => counts.push(olderTabs));
    expect(counts).toEqual([1]);
    // The older one has given the lock away and does not wait for it.
    await vi.waitFor(async () => expect(await leaders(profile)).toEqual({ held: 1, waiting: 0 }), { timeout: 5_000 });
    const note = await older.workspace.create("note", (edit) => edit.title.set("From the older tab"));
    await older.workspace.flush();
    const same = await newer.workspace.open("note", note.id);
    expect(same.read().title).toBe("From the older tab");
    await newer.cairn.close();
    await vi.waitFor(() => expect(states).toEqual(["current", "outdated", "current"]));
    await vi.waitFor(async () => expect(await leaders(profile)).toEqual({ held: 1, waiting: 0 }));
  });
});

describe("opening", () => {
  test("a profile works at once without any server, and says so", async () => {
    const { workspace, cairn } = await openProfile(freshProfile());
    expect(workspace.sync()).toMatchObject({ status: "local-only", server: undefined, problem: undefined });
    expect(cairn.workspaces().map(({ id, role, createdHere }) => [id, role, createdHere])).toEqual([
      [workspace.id, "owner", true],
    ]);
    expect(await cairn.recoveryWords()).toHaveLength(24);
    const storage = await cairn.storage();
    expect([typeof storage.persisted, typeof storage.usage, typeof storage.quota]).toEqual([
      "boolean",
      "number",
      "number",
    ]);
    // Nothing to lose yet, so nobody was asked for anything.
    expect(storage).toMatchObject({ keeping: storage.persisted ? "kept" : "not-asked", problem: undefined });
  });

  test("after closing, calls reject, and the profile can be opened again", async () => {
    const profile = freshProfile();
    const { cairn, workspace } = await openProfile(profile);
    await cairn.close();
    await expect(workspace.query("note")).rejects.toMatchObject({ code: "closed", action: "stop" });
    const again = await openProfile(profile);
    expect(again.workspace.id).toBe(workspace.id);
  });
});
