/** Rule 18, hazard L4: replicas of equal version and different content find out, and the wrong one is built anew. */
import { Effect } from "effect";
import { LoroDoc } from "loro-crdt";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { makePlace, type Place, schema, until } from "./notebook.ts";
import { openDevice } from "./whole/device.ts";

let place: Place;
beforeEach(async () => {
  place = await makePlace();
});
afterEach(() => place.leave());

const open = (name: string) =>
  openDevice({
    schema,
    directory: place.folder(name),
    server: place.origin(),
    deviceName: name,
    // Every entry carries a mark.
    stateMarkMillis: 0,
  });

describe("state marks", () => {
  it("notice a silent divergence, and the document is built anew from the log, in the open handle too", async () => {
    const laptop = await open("laptop");
    const notebook = await laptop.cairn.workspace();
    const note = await notebook.create("note", (edit) => edit.body.insert(0, "hello"));
    await notebook.flush({ tier: "server", timeout: 20_000 });
    const { url } = await notebook.createLink({ role: "writer" });
    const first = await open("phone");
    const joined = await first.cairn.join(url);
    await until(async () => (await joined.query("note")).length === 1);
    await first.cairn.close();

    // The same operations by name, and other text: what two writers under one peer id leave behind.
    const broken = await open("phone");
    const forged = new LoroDoc();
    const changes = JSON.stringify(note.loro.exportJsonUpdates(undefined, undefined, false));
    forged.importJsonUpdates(changes.replace("hello", "jello"));
    expect([...forged.version().toJSON()]).toEqual([...note.loro.version().toJSON()]);
    const stored = await Effect.runPromise(broken.store.openDocument(joined.id, note.id));
    await Effect.runPromise(
      broken.store.fold(
        {
          workspace: joined.id,
          document: note.id,
          through: stored?.through ?? 0,
          snapshot: forged.export({ mode: "snapshot" }),
        },
        stored?.updates.map(({ id }) => id) ?? [],
      ),
    );
    await broken.cairn.close();

    const phone = await open("phone");
    const copy = await (await phone.cairn.workspace(joined.id)).open("note", note.id);
    expect(copy.read().body).toBe("jello");
    note.edit((edit) => edit.body.insert(5, "!"));
    await until(() => copy.read().body === "hello!");
    // And it goes on from there, both ways.
    copy.edit((edit) => edit.body.insert(6, "?"));
    await until(() => note.read().body === "hello!?");
    await phone.cairn.close();
    const again = await open("phone");
    const reopened = await (await again.cairn.workspace(joined.id)).open("note", note.id);
    expect(reopened.read().body).toBe("hello!?");
    await again.cairn.close();
    await laptop.cairn.close();
  });
});
