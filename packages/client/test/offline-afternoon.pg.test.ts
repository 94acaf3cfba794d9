/** What an afternoon offline costs when the network is back. */
import { EntryKind } from "@cairn/protocol";
import { afterEach, beforeEach, expect, it } from "vitest";
import { makeSteering, openSteered, type SteeredDevice } from "./fixtures/steered-device.ts";
import { makePlace, type Place, until } from "./notebook.ts";

const DOCUMENTS = 50;
const EDITS = 10_000;

let place: Place;
let device: SteeredDevice | undefined;
beforeEach(async () => {
  place = await makePlace();
});
afterEach(async () => {
  await device?.crash();
  await place.leave();
});

it(
  "one afternoon offline, 10,000 edits in 50 documents, goes up in one entry per document",
  { timeout: 120_000 },
  async () => {
    const steering = makeSteering();
    device = await openSteered(place.folder("offline"), place.origin(), steering, {});
    const notebook = await device.cairn.workspace();
    await notebook.flush({ tier: "server", timeout: 15_000 });
    const { url } = await notebook.createLink({ role: "writer" });
    await notebook.simulateOffline(true);
    await until(() => notebook.sync().status === "offline");
    const pushesBefore = steering.pushed.length;

    const notes = await Promise.all(
      Array.from({ length: DOCUMENTS }, (_, index) =>
        notebook.create("note", (edit) => edit.title.set(`Note ${index}`)),
      ),
    );
    for (let edit = 0; edit < EDITS; edit += 1) {
      const note = notes[edit % DOCUMENTS];
      note?.edit(({ body }) => body.insert(note.read().body.length, `${edit} `));
      // As slowly as the store takes them, so that they are edits of their own there.
      if (edit % 500 === 499) await notebook.flush();
    }
    await notebook.flush();
    await until(() => notebook.outbox().states.PENDING === DOCUMENTS);
    expect(notebook.outbox().oldestAt).toBeDefined();

    await notebook.simulateOffline(false);
    await notebook.flush({ tier: "server", timeout: 60_000 });
    const sent = steering.pushed.slice(pushesBefore).flat();
    const updates = sent.filter(({ header }) => header.kind === EntryKind.update);
    expect(updates).toHaveLength(DOCUMENTS);
    expect(new Set(updates.map(({ header }) => header.document)).size).toBe(DOCUMENTS);
    expect(steering.pushed.length - pushesBefore).toBeLessThanOrEqual(2);

    const joined = await (await place.device("phone")).join(url);
    await until(async () => (await joined.query("note")).length === DOCUMENTS, 60_000);
    for (const note of notes) {
      const copy = await joined.open("note", note.id);
      await until(() => copy.read().body === note.read().body);
      await copy.close();
    }
  },
);
