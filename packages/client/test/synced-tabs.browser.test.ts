/** Tabs and profiles in Chromium that sync through a real server. */
import { afterEach, expect, inject, test, vi } from "vitest";
import { freshProfile, killTabs, leaders, openProfile } from "./fixtures/tabs.ts";

const server = inject("cairnServerOrigin");

/** Tabs load the engine anew, on whatever machine. */
const patience = { timeout: 20_000 };

afterEach(killTabs);

test("an edit in a tab that does not lead reaches another profile, also after the leading tab was killed", async () => {
  const profile = freshProfile();
  const leader = await openProfile(profile, server);
  const follower = await openProfile(profile, server);
  await vi.waitFor(async () => expect(await leaders(profile)).toEqual({ held: 1, waiting: 1 }));
  const note = await follower.workspace.create("note", (edit) => edit.title.set("Through the leader"));
  await follower.workspace.flush({ tier: "server", timeout: 20_000 });
  const { url } = await follower.workspace.createLink({ role: "writer" });

  const guest = await openProfile(freshProfile(), server);
  const joined = await guest.cairn.join(url);
  expect(joined.id).toBe(follower.workspace.id);
  await vi.waitFor(async () => expect((await joined.query("note")).map((row) => row.id)).toEqual([note.id]), patience);
  const theirs = await joined.open("note", note.id);
  expect(theirs.read().title).toBe("Through the leader");

  leader.kill();
  note.edit((edit) => edit.body.insert(0, "written after"));
  await vi.waitFor(() => expect(theirs.read().body).toBe("written after"), patience);
  theirs.edit((edit) => edit.body.insert(0, "and "));
  await vi.waitFor(() => expect(note.read().body).toBe("and written after"), patience);

  await vi.waitFor(() => {
    expect(follower.workspace.sync()).toMatchObject({ status: "up-to-date", pendingDocuments: 0, problem: undefined });
    expect(joined.sync()).toMatchObject({ status: "up-to-date", pendingDocuments: 0, problem: undefined });
  }, patience);
}, 90_000);

test("what was saved before the tab was killed arrives once the profile is open again", async () => {
  const profile = freshProfile();
  const first = await openProfile(profile, server);
  const { url } = await first.workspace.createLink({ role: "writer" });
  const guest = await openProfile(freshProfile(), server);
  const joined = await guest.cairn.join(url);

  const note = await first.workspace.create("note", (edit) => edit.title.set("Kept"));
  await vi.waitFor(() => expect(note.saved()).toBe(true));
  first.kill();
  const again = await openProfile(profile, server);
  await again.workspace.flush({ tier: "server", timeout: 20_000 });
  expect(again.workspace.sync().pendingDocuments).toBe(0);
  await vi.waitFor(
    async () => expect((await joined.query("note")).map((row) => row.fields.title)).toEqual(["Kept"]),
    patience,
  );
}, 90_000);

test("promise 14: where one tab has removed a workspace, the other one still leads the rest", async () => {
  const profile = freshProfile();
  const remover = await openProfile(profile, server);
  await vi.waitFor(async () => expect(await leaders(profile)).toEqual({ held: 1, waiting: 0 }), patience);
  const second = await remover.cairn.createWorkspace({ name: "Second" });
  const follower = await openProfile(profile, server);
  expect(follower.workspace.id).toBe(second.id);
  const home = await follower.cairn.workspace(remover.workspace.id);
  await remover.cairn.removeWorkspace(second.id, { force: true });
  await vi.waitFor(() => expect(follower.cairn.workspaces().map(({ id }) => id)).not.toContain(second.id), patience);

  remover.kill();
  await home.create("note", (edit) => edit.title.set("Still sent"));
  await home.flush({ tier: "server", timeout: 20_000 });
  expect(home.sync().pendingDocuments).toBe(0);
}, 90_000);

test("a tab that does not lead shows the outbox as the leader has it, and pauses and resumes it", async () => {
  const profile = freshProfile();
  const leader = await openProfile(profile, server);
  await vi.waitFor(async () => expect(await leaders(profile)).toEqual({ held: 1, waiting: 0 }), patience);
  const note = await leader.workspace.create("note", (edit) => edit.title.set("Seen by both"));
  await leader.workspace.flush({ tier: "server", timeout: 20_000 });
  const follower = await openProfile(profile, server);
  await vi.waitFor(() => {
    expect(follower.workspace.outbox()).toMatchObject({ condition: "LIVE", depth: 0 });
    expect(follower.workspace.outbox().states.SYNCED).toBeGreaterThan(0);
    expect(follower.workspace.sync().status).toBe("up-to-date");
    expect(follower.workspace.connections().map(({ type }) => type)).toContain("live");
  }, patience);

  await follower.workspace.pause();
  await vi.waitFor(() => expect(leader.workspace.sync().status).toBe("paused"), patience);
  note.edit((edit) => edit.body.insert(0, "waits"));
  await leader.workspace.flush();
  for (const { workspace } of [leader, follower]) {
    await vi.waitFor(
      () => expect(workspace.outbox()).toMatchObject({ condition: "PAUSED", paused: true, states: { PENDING: 1 } }),
      patience,
    );
  }
  expect(await follower.workspace.unsynced()).toMatchObject({ documents: 1, edits: 1 });

  await follower.workspace.resume();
  for (const { workspace } of [leader, follower]) {
    await vi.waitFor(() => expect(workspace.outbox()).toMatchObject({ condition: "LIVE", depth: 0 }), patience);
  }
}, 90_000);
