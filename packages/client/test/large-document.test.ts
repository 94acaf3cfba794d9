/** What an open document does with edits and rows: quick bursts, large texts, two handles of one document. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { type Cairn, openCairn } from "../src/node.ts";
import { type Notebook, schema } from "./notebook.ts";

let directory: string;
let cairn: Cairn<Notebook>;
const open = () => openCairn({ schema, directory });
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "cairn-large-"));
  cairn = await open();
});
afterEach(async () => {
  await cairn.close();
  await rm(directory, { recursive: true, force: true });
});

const titles = async (): Promise<ReadonlyArray<string>> => {
  const workspace = await cairn.workspace();
  return (await workspace.query("note")).map(({ fields }) => fields.title);
};

test("hazard 12: a large document's row follows its edits, and is right after a restart", async () => {
  const workspace = await cairn.workspace();
  const note = await workspace.create("note", (draft) => {
    draft.title.set("long");
    draft.body.insert(0, "walls ".repeat(5_000));
  });
  for (const title of ["longer", "longest"]) {
    note.edit((draft) => draft.title.set(title));
    await workspace.flush({ tier: "device" });
  }
  await vi.waitFor(async () => expect(await titles()).toEqual(["longest"]), { timeout: 20_000 });
  note.edit((draft) => draft.title.set("after all"));
  const { id } = note;
  await cairn.close();
  cairn = await open();
  const again = await (await cairn.workspace()).open("note", id);
  expect(again.read().title).toBe("after all");
  await vi.waitFor(async () => expect(await titles()).toEqual(["after all"]), { timeout: 20_000 });
});

test("a burst of commits reaches another handle of the document, and the store, as it was typed", async () => {
  const workspace = await cairn.workspace();
  const note = await workspace.create("note");
  const other = await workspace.open("note", note.id);
  for (let index = 0; index < 600; index += 1) {
    note.edit((draft) => draft.body.insert(index % 7, String(index % 10)));
    if (index % 50 === 0) await new Promise((resolve) => setImmediate(resolve));
  }
  await workspace.flush({ tier: "device" });
  const typed = note.read().body;
  expect(typed).toHaveLength(600);
  await vi.waitFor(() => expect(other.read().body).toBe(typed), { timeout: 20_000 });
  other.edit((draft) => draft.body.insert(0, "other"));
  await vi.waitFor(() => expect(note.read().body).toBe(`other${typed}`), { timeout: 20_000 });
  await workspace.flush({ tier: "device" });
  const { content } = await workspace.contentOf(note.id);
  expect(content).toMatchObject({ body: `other${typed}` });
});
