/** Joining a workspace of many documents: what arrives is brought into the lists together, and none is left behind. */
import { Effect } from "effect";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { ImporterUnavailable, type ImporterShape } from "../src/documents/Importer.ts";
import { makePlace, type Place, schema, until } from "./notebook.ts";
import { openDevice } from "./whole/device.ts";

/** More than the engine looks for at once. */
const NOTES = 600;

let place: Place;
beforeEach(async () => {
  place = await makePlace();
});
afterEach(() => place.leave());

const linkToMany = async (): Promise<string> => {
  const laptop = await place.device("laptop");
  const notebook = await laptop.workspace();
  const written = Array.from({ length: NOTES }, async (_, index) => {
    const note = await notebook.create("note", (edit) => edit.title.set(`note ${index}`));
    await note.close();
  });
  await Promise.all(written);
  await notebook.flush({ tier: "server", timeout: 60_000 });
  return (await notebook.createLink({ role: "writer" })).url;
};

const join = async (url: string, importer: (real: ImporterShape) => ImporterShape) => {
  const { cairn } = await openDevice({
    schema,
    directory: place.folder("phone"),
    server: place.origin(),
    deviceName: "phone",
    importer,
  });
  const joined = await cairn.join(url);
  const titled = async () => (await joined.query("note")).filter(({ fields }) => fields.title !== "").length;
  return { cairn, joined, titled };
};

describe("a workspace of many documents", () => {
  it("is brought into the lists many documents at a time, and says how much is still to come", async () => {
    const url = await linkToMany();
    let alone = 0;
    let together = 0;
    const { cairn, joined, titled } = await join(url, (real) => ({
      ...real,
      apply: (request) => {
        alone += 1;
        return real.apply(request);
      },
      applyTogether: (requests) => {
        together += requests.length;
        return real.applyTogether(requests);
      },
    }));
    const incoming: Array<number> = [];
    joined.onSync((state) => incoming.push(state.incoming));
    await expect.poll(titled, { timeout: 60_000 }).toBe(NOTES);
    expect(together).toBeGreaterThanOrEqual(NOTES - alone);
    expect(alone).toBeLessThan(NOTES / 10);
    await until(() => joined.sync().status === "up-to-date");
    expect(Math.max(...incoming)).toBeGreaterThan(0);
    expect(joined.sync().incoming).toBe(0);
    await cairn.close();
  }, 120_000);

  it("Promise 14: is brought there whole where that takes longer than anything waits for it", async () => {
    const url = await linkToMany();
    const { cairn, titled } = await join(url, (real) => ({
      ...real,
      apply: (request) => Effect.andThen(Effect.sleep("25 millis"), real.apply(request)),
      applyTogether: () => Effect.fail(new ImporterUnavailable({ cause: "one by one" })),
    }));
    await expect.poll(titled, { timeout: 60_000 }).toBe(NOTES);
    await cairn.close();
  }, 120_000);
});
