/** The minimum version of a workspace: raised by an owner, obeyed by older apps, which lose nothing (Promises 4 and 10). */
import { join } from "node:path";
import { LoroDoc } from "loro-crdt";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { DocumentHandle } from "../src/document-api.ts";
import type { SyncState } from "../src/workspace-api.ts";
import type { CairnError } from "../src/errors.ts";
import { makeSteering, openSteered, type SteeredDevice } from "./fixtures/steered-device.ts";
import { makePlace, type Notebook, type Place, until } from "./notebook.ts";

let place: Place;
let steered: Array<SteeredDevice> = [];
beforeEach(async () => {
  place = await makePlace();
  steered = [];
});
afterEach(async () => {
  for (const { crash } of steered) await crash();
  await place.leave();
});

const SYNC = { tier: "server", timeout: 15_000 } as const;
const outdated = {
  code: "app-outdated",
  action: "pause",
  appOutdated: { version: 1, minimum: 2 },
} satisfies Partial<CairnError>;

/** An owner's laptop with version 2 of the app, its note, and a link for writers. */
const laptopWithNote = async () => {
  const laptop = await place.device("laptop", { version: 2 });
  const notebook = await laptop.workspace();
  const note = await notebook.create("note", (edit) => edit.body.insert(0, "milk"));
  await notebook.flush(SYNC);
  const { url } = await notebook.createLink({ role: "writer" });
  return { laptop, notebook, note, url };
};

/** The same, and a phone with version 1 that has joined and has the note open. */
const pair = async () => {
  const made = await laptopWithNote();
  const phone = await place.device("phone");
  const joined = await phone.join(made.url);
  await until(async () => (await joined.query("note")).length === 1);
  const copy = await joined.open("note", made.note.id);
  return { ...made, phone, joined, copy };
};

type Handle = DocumentHandle<Notebook, "note">;
const codeOf = (attempt: () => unknown): string => {
  try {
    attempt();
    return "nothing was thrown";
  } catch (error) {
    return error instanceof Error && "code" in error ? String(error.code) : String(error);
  }
};
const bodyOf = (handle: Handle): string => handle.read().body;

describe("raising the minimum version", () => {
  it("reaches devices with older apps, which say so and go on reading", async () => {
    const { notebook, note, joined, copy } = await pair();
    const states: Array<SyncState["appOutdated"]> = [];
    joined.onSync(({ appOutdated }) => states.push(appOutdated));
    const reasons: Array<string | undefined> = [];
    copy.onReadOnly((reason) => reasons.push(reason?.code));
    expect([joined.minimumVersion(), joined.sync().minimumVersion, copy.readOnly()]).toEqual([1, 1, undefined]);

    expect(await notebook.raiseMinimumVersion()).toBe(2);
    expect([notebook.minimumVersion(), notebook.info().minimumVersion]).toEqual([2, 2]);
    expect(notebook.sync()).toMatchObject({ minimumVersion: 2, appOutdated: undefined });
    await until(() => joined.minimumVersion() === 2);
    expect(joined.sync()).toMatchObject({ minimumVersion: 2, appOutdated: outdated.appOutdated });
    expect(states.at(-1)).toEqual(outdated.appOutdated);
    expect(reasons).toEqual([undefined, "app-outdated"]);
    expect(copy.readOnly()).toMatchObject(outdated);

    // The owner's app writes on, and the older one shows it, in the open note and in a list.
    const lists: Array<ReadonlyArray<string>> = [];
    const stop = joined.liveQuery("note", {}, (rows) => void lists.push(rows.map(({ fields }) => fields.title)));
    note.edit((edit) => {
      edit.title.set("Shopping");
      edit.body.insert(0, "bread, ");
    });
    await until(() => bodyOf(copy) === "bread, milk" && lists.at(-1)?.[0] === "Shopping");
    stop();
  });

  it("makes every call that would write refuse before anything changes", async () => {
    const { notebook, joined, copy } = await pair();
    const file = { name: "a", mediaType: "text/plain", size: 1, data: Uint8Array.of(1) };
    const attached = await joined.attach(copy.id, file);
    await joined.flush(SYNC);
    const backup = await new Response(await joined.exportBackup()).blob();
    await notebook.raiseMinimumVersion();
    await until(() => joined.sync().appOutdated !== undefined);
    const before = JSON.stringify(copy.read());

    expect(codeOf(() => copy.edit((edit) => edit.title.set("x")))).toBe("app-outdated");
    expect(codeOf(() => copy.patch([{ op: "set", path: ["title"], value: "x" }]))).toBe("app-outdated");
    const opened = await joined.open("note", copy.id);
    expect(opened.readOnly()).toMatchObject(outdated);
    expect(codeOf(() => opened.edit((edit) => edit.title.set("x")))).toBe("app-outdated");
    const update = new LoroDoc().export({ mode: "update" });
    const attempts: ReadonlyArray<() => Promise<unknown>> = [
      () => joined.create("note"),
      () => joined.delete(copy.id),
      () => joined.restore(copy.id),
      () => joined.rename("x"),
      () => joined.attach(copy.id, file),
      () => joined.removeAttachment(copy.id, attached.id),
      () => joined.append(copy.id, "note", update),
      () => joined.importBackup(backup),
      () => joined.forkDeadLetter(copy.id),
      () => joined.discardDeadLetter(copy.id),
      () => joined.raiseMinimumVersion(1),
    ];
    for (const attempt of attempts) await expect(attempt()).rejects.toMatchObject(outdated);
    expect(JSON.stringify(copy.read())).toBe(before);
    expect((await joined.query("note", { deleted: "include" })).length).toBe(1);
    expect(await joined.unsynced()).toMatchObject({ edits: 0 });
    await until(() => joined.outbox().depth === 0);
    // What changes nothing works.
    expect(await joined.importBackup(backup, { dryRun: true })).toMatchObject({ dryRun: true, newDocuments: 0 });
    expect((await joined.readAttachment(copy.id, attached.id)).locked).toBe(false);
  });

  it("is an owner's, up to the app's own version, and once is enough", async () => {
    const { notebook, joined } = await pair();
    for (const version of [0, -1, 1.5, 3, Number.NaN])
      await expect(notebook.raiseMinimumVersion(version)).rejects.toMatchObject({
        code: "invalid-argument",
        argument: "version",
      });
    await expect(joined.raiseMinimumVersion()).rejects.toMatchObject({ code: "owner-required" });
    expect(await notebook.raiseMinimumVersion(1)).toBe(1);
    expect(await Promise.all([notebook.raiseMinimumVersion(2), notebook.raiseMinimumVersion()])).toEqual([2, 2]);
    expect(await notebook.raiseMinimumVersion(1)).toBe(2);
    await until(() => notebook.outbox().depth === 0);
  });

  it("needs the server, and says what is missing", async () => {
    const alone = await place.device("alone", { server: undefined, version: 2 });
    await expect((await alone.workspace()).raiseMinimumVersion()).rejects.toMatchObject({ code: "no-server" });
    const { notebook } = await laptopWithNote();
    await place.stopServer();
    await until(() => notebook.sync().status === "offline");
    await expect(notebook.raiseMinimumVersion()).rejects.toMatchObject({ code: "offline" });
    expect(await notebook.unsynced()).toMatchObject({ edits: 0 });
    await place.startServer();
    notebook.syncNow();
    await until(() => notebook.sync().status === "up-to-date");
    expect(await notebook.raiseMinimumVersion()).toBe(2);
  });
});

describe("a device with an older app", () => {
  it("still sends what was written while it had not heard, and knows on its own after a restart", async () => {
    const { notebook, note, phone, joined, copy } = await pair();
    await joined.simulateOffline(true);
    copy.edit((edit) => edit.body.insert(4, ", eggs"));
    const made = await joined.create("note", (edit) => edit.title.set("Made offline"));
    await joined.flush();
    await notebook.raiseMinimumVersion();
    expect(joined.sync().appOutdated).toBeUndefined();

    await joined.simulateOffline(false);
    await until(() => bodyOf(note) === "milk, eggs");
    await until(async () => (await notebook.query("note")).length === 2);
    await joined.flush(SYNC);
    await until(() => joined.sync().appOutdated !== undefined && joined.sync().pendingDocuments === 0);
    expect(codeOf(() => made.edit((edit) => edit.title.set("x")))).toBe("app-outdated");

    // Rule 20: the chain is here, and so is what it says.
    await place.close(phone);
    await place.stopServer();
    const restarted = await place.device("phone");
    const again = await restarted.workspace(joined.id);
    expect(again.sync().appOutdated).toEqual(outdated.appOutdated);
    const reopened = await again.open("note", note.id);
    expect(bodyOf(reopened)).toBe("milk, eggs");
    expect(codeOf(() => reopened.edit((edit) => edit.title.set("x")))).toBe("app-outdated");
    await place.close(restarted);

    // The app is updated, still offline: the device writes again.
    const updated = await (await place.device("phone", { version: 2 })).workspace(joined.id);
    expect(updated.sync().appOutdated).toBeUndefined();
    const writable = await updated.open("note", note.id);
    expect(writable.readOnly()).toBeUndefined();
    writable.edit((edit) => edit.body.insert(0, "updated: "));
    await place.startServer();
    updated.syncNow();
    notebook.syncNow();
    await until(() => bodyOf(note) === "updated: milk, eggs");
  });

  it("keeps what was not acknowledged through a crash, and sends it afterwards", async () => {
    const { notebook, note, url } = await laptopWithNote();
    const steering = makeSteering();
    const open = async () => {
      const device = await openSteered(join(place.folder("steered")), place.origin(), steering, {
        backoff: { baseMillis: 5, ceilingMillis: 40 },
      });
      steered.push(device);
      return device;
    };
    const first = await open();
    const joined = await first.cairn.join(url);
    await until(async () => (await joined.query("note")).length === 1);
    await joined.flush(SYNC);
    const copy = await joined.open("note", note.id);
    // From here on the server's answers are lost, and what it was given is frozen in the outbox.
    steering.fate = () => ({ type: "silence" });
    copy.edit((edit) => edit.body.insert(4, ", eggs"));
    await until(() => joined.outbox().states.IN_FLIGHT === 1);
    copy.edit((edit) => edit.body.insert(0, "bread, "));
    await joined.flush();
    await notebook.raiseMinimumVersion();
    await until(() => joined.sync().appOutdated !== undefined);
    expect(joined.sync().pendingDocuments).toBe(1);
    await first.crash();

    steering.fate = () => undefined;
    const second = await open();
    const again = await second.cairn.workspace(joined.id);
    expect(again.sync().appOutdated).toEqual(outdated.appOutdated);
    expect(bodyOf(await again.open("note", note.id))).toBe("bread, milk, eggs");
    await until(() => bodyOf(note) === "bread, milk, eggs");
    await again.flush(SYNC);
    expect(await again.unsynced()).toMatchObject({ edits: 0 });
  });

  it("stores what an editor had begun, and says of what comes later that it is not stored", async () => {
    const { notebook, note, joined, copy } = await pair();
    // As a binding writes: into the Loro document, with the commit still to come.
    copy.loro.getText("body").insert(4, ", eggs");
    await notebook.raiseMinimumVersion();
    await until(() => copy.readOnly() !== undefined);
    await joined.flush(SYNC);
    await until(() => bodyOf(note) === "milk, eggs");

    const told: Array<readonly [boolean, string | undefined]> = [];
    copy.onSaved((saved, failure) => told.push([saved, failure?.code]));
    copy.loro.getText("body").insert(0, "REFUSED ");
    copy.loro.commit();
    expect(told).toEqual([
      [true, undefined],
      [false, "app-outdated"],
    ]);
    expect(copy.saved()).toBe(false);
    await expect(joined.flush()).rejects.toMatchObject(outdated);
    expect(await joined.unsynced()).toMatchObject({ edits: 0 });
    // What others write still arrives in it, and is not mixed with what was refused anywhere else.
    note.edit((edit) => edit.title.set("Shopping"));
    await until(() => copy.read().title === "Shopping");
    await expect(copy.close()).rejects.toMatchObject(outdated);
    const opened = await joined.open("note", note.id);
    expect(bodyOf(opened)).toBe("milk, eggs");
    expect((await joined.query("note", { search: "refused" })).length).toBe(0);
  });

  it("decides about refused edits only as far as nothing new is written", async () => {
    const { notebook, note, url } = await laptopWithNote();
    const steering = makeSteering();
    const device = await openSteered(join(place.folder("steered")), place.origin(), steering, {
      batch: { entries: 1 },
    });
    steered.push(device);
    const joined = await device.cairn.join(url);
    await until(async () => (await joined.query("note")).length === 1);
    const copy = await joined.open("note", note.id);
    steering.fate = ([first]) => (first?.header.document === note.id ? { type: "refuse", code: "invalid" } : undefined);
    copy.edit((edit) => edit.body.insert(4, ", eggs"));
    await until(async () => (await joined.deadLetters()).length === 1);
    await notebook.raiseMinimumVersion();
    await until(() => joined.sync().appOutdated !== undefined);
    await expect(joined.forkDeadLetter(note.id)).rejects.toMatchObject(outdated);
    await expect(joined.discardDeadLetter(note.id)).rejects.toMatchObject(outdated);
    expect((await joined.previewDiscard(note.id)).edits).toBe(1);
    expect((await joined.exportDeadLetter(note.id)).updates.length).toBe(1);
    expect((await joined.deadLetters()).length).toBe(1);
    steering.fate = () => undefined;
    await joined.retryDeadLetter(note.id);
    await until(() => bodyOf(note) === "milk, eggs");
  });

  it("joins, reads, and writes nothing", async () => {
    const { notebook, note, url } = await laptopWithNote();
    await notebook.raiseMinimumVersion();
    const late = await (await place.device("late")).join(url);
    await until(async () => (await late.query("note")).length === 1 && late.sync().appOutdated !== undefined);
    const copy = await late.open("note", note.id);
    expect(bodyOf(copy)).toBe("milk");
    expect(codeOf(() => copy.edit((edit) => edit.title.set("x")))).toBe("app-outdated");
    await until(async () => (await notebook.devices()).length === 2);
  });
});
