/** Backups of documents that were split into several, in another workspace. */
import { DocumentId, hashFromBytes, WorkspaceId } from "@cairn/protocol";
import {
  defineDocument,
  defineSchema,
  editDocument,
  evolveSchema,
  type ExtractedDocument,
  extractedFrom,
  field,
  readDocument,
  writeContribution,
} from "@cairn/schema";
import { Schema } from "effect";
import { LoroDoc, type PeerID } from "loro-crdt";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { stateDigest } from "../src/backup/document-digest.ts";
import type { BackupHeader } from "../src/backup/format.ts";
import { importItems, type ImportTarget } from "../src/backup/import-backup.ts";
import type { BackupItem } from "../src/backup/read-backup.ts";
import { reauthor } from "../src/documents/reauthor.ts";
import { firstFormOf } from "../src/engine/entry-content.ts";
import { rebaseDocument } from "../src/documents/rebase-document.ts";
import { type Cairn, openCairn, type Workspace } from "../src/node.ts";
import { until } from "./notebook.ts";

const Task = Schema.Struct({ id: Schema.String, label: Schema.String, done: Schema.Boolean });
const first = defineSchema({
  version: 1,
  documents: { note: defineDocument({ fields: { title: field.string({ list: true }), tasks: field.list(Task) } }) },
});
const second = evolveSchema(first, {
  version: 2,
  documents: {
    note: defineDocument({ fields: { title: field.string({ list: true }) } }),
    task: defineDocument({
      fields: {
        label: field.text({ list: "preview" }),
        done: field.boolean({ list: true }),
        note: field.reference("note", { list: true }),
      },
    }),
  },
  steps: (step) => [
    step.addType("task"),
    step.extract("note", {
      from: ["tasks"],
      into: "task",
      to: ["label", "done", "note"],
      up: ({ tasks }, note) => tasks.map(({ id, label, done }) => ({ key: id, values: { label, done, note } })),
    }),
  ],
});
type First = typeof first;
type Second = typeof second;

let directory: string;
let open: Array<Cairn<First> | Cairn<Second>> = [];
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "cairn-extracted-"));
});
afterEach(async () => {
  for (const cairn of open) await cairn.close();
  open = [];
  await rm(directory, { recursive: true, force: true });
});

const close = async (): Promise<void> => {
  for (const cairn of open.splice(0)) await cairn.close();
};
const older = async (name: string): Promise<Workspace<First>> => {
  await close();
  const cairn = await openCairn({ schema: first, directory: join(directory, name) });
  open.push(cairn);
  return cairn.workspace();
};
const newer = async (name: string): Promise<Workspace<Second>> => {
  await close();
  const cairn = await openCairn({ schema: second, directory: join(directory, name) });
  open.push(cairn);
  return cairn.workspace();
};
const tasksOf = async (workspace: Workspace<Second>): Promise<ReadonlyArray<string>> =>
  (await workspace.query("task")).map(({ fields }) => `${fields.label}${fields.done ? " done" : ""}`).toSorted();
const untilTasks = (workspace: Workspace<Second>, ...expected: ReadonlyArray<string>): Promise<void> =>
  until(async () => JSON.stringify(await tasksOf(workspace)) === JSON.stringify(expected));
const task = (id: string, done = false) => ({ id, label: `${id}!`, done });

/** A note whose tasks became documents, one of which was edited since. */
const written = async () => {
  const before = await older("from");
  const { id } = await before.create("note", (draft) => draft.tasks.push(task("sand"), task("stone")));
  await before.flush();
  const workspace = await newer("from");
  await untilTasks(workspace, "sand!", "stone!");
  const sand = (await workspace.query("task")).find(({ fields }) => fields.label === "sand!");
  const handle = await workspace.open("task", sand?.id ?? id);
  handle.edit((edit) => edit.label.insert(0, "wet "));
  await handle.close();
  await workspace.flush();
  const backup = await new Response(await workspace.exportBackup()).blob();
  return { id, sand: sand?.id, backup };
};

test.each([
  ["the app of today", newer],
  ["an older app", older],
])("restored by %s, each is there once, and hears what an older app writes later", async (_, by) => {
  const { id, sand, backup } = await written();
  const into = await by("into");
  expect(await into.importBackup(backup)).toMatchObject({ documents: 3, copies: 0 });
  await into.flush();
  const late = await older("into");
  const note = await late.open("note", id);
  note.edit((edit) => {
    edit.tasks.delete(1, 1);
    edit.tasks.push(task("stone", true), task("water"));
  });
  await note.close();
  await late.flush();
  const now = await newer("into");
  await untilTasks(now, "stone! done", "water!", "wet sand!");
  expect((await now.query("task")).some((row) => row.id === sand)).toBe(true);
  // Once more, and nothing is added.
  expect(await now.importBackup(backup, { dryRun: true })).toMatchObject({ documents: 3 });
  const again = await newer("into");
  await (await again.open("note", id)).close();
  await again.flush();
  expect(await tasksOf(again)).toEqual(["stone! done", "water!", "wet sand!"]);
});

test("a document that nobody has split yet is split where it is restored", async () => {
  const before = await older("from");
  await before.create("note", (draft) => draft.tasks.push(task("sand"), task("stone")));
  await before.flush();
  const backup = await new Response(await before.exportBackup()).blob();
  const into = await newer("into");
  await into.importBackup(backup);
  await untilTasks(into, "sand!", "stone!");
  expect((await into.query("note")).map(({ fields }) => fields)).toEqual([{ title: "" }]);
});

test("what was restored elsewhere and comes back is known", async () => {
  const { backup } = await written();
  const into = await newer("into");
  await into.importBackup(backup);
  await untilTasks(into, "stone!", "wet sand!");
  await into.flush();
  const back = await new Response(await into.exportBackup()).blob();
  const from = await newer("from");
  expect(await from.importBackup(back)).toMatchObject({ newDocuments: 0, copies: 0 });
  expect(await tasksOf(from)).toEqual(["stone!", "wet sand!"]);
});

test("whoever gives edits up leaves it to the engine to make the row, which splits the document first", () => {
  const server = new LoroDoc();
  const edited = new LoroDoc();
  edited.setPeerId("1");
  const update = (change: () => void): Uint8Array => {
    const from = edited.version();
    change();
    edited.commit();
    return edited.export({ mode: "update", from });
  };
  const parked = [update(() => editDocument(first.documents.note, edited).title.set("refused"))];
  const later = [update(() => editDocument(first.documents.note, edited).tasks.push(task("sand")))];
  const request = { parked, later, peer: "2" as const, digest: hashFromBytes(new Uint8Array(32)) };
  const discarded = rebaseDocument(second, "note", server, { ...request, mode: "reapply" });
  expect(discarded.row.projection).toBeUndefined();
  const forked = rebaseDocument(second, "note", server, { ...request, mode: "copy" });
  expect(forked.copy?.row.projection).toBeUndefined();
  expect(forked.row.projection).toBeUndefined();
});

test("edits that are made anew under another peer: what their source says next counts", () => {
  // Of one device: the page's, the engine's, and the one that takes their place.
  const device = 0x0001_0203_0405n << 16n;
  const peer = (lease: number, of = device): PeerID => `${Number(of) + lease}`;
  const source = "DAAAAAAAAAAAAAAAAAAAAA";
  const says = (doc: LoroDoc): ExtractedDocument => {
    const [said] = extractedFrom(second, "note", doc, source, 1);
    if (said === undefined) throw new Error("it says something");
    return said;
  };
  const note = new LoroDoc();
  note.setPeerId(peer(1));
  editDocument(first.documents.note, note).tasks.push(task("sand"));
  note.commit();
  const made = new LoroDoc();
  made.setPeerId(peer(2));
  writeContribution(made, source, says(note));
  made.commit();
  const update = made.export({ mode: "update" });

  const anew = reauthor(
    {
      acknowledged: [],
      elsewhere: [],
      own: [{ id: 1, update, time: 1, firstForm: firstFormOf({ update, time: 1 }) }],
      madeAnew: [],
      ends: new Set(),
      type: "task",
      peer: peer(0, device * 2n),
    },
    second,
  );
  const target = new LoroDoc();
  for (const one of anew) if (one.update !== undefined) target.import(one.update);
  expect(readDocument(second.documents.task, target).label).toBe("sand!");
  // The source was made anew as well: nobody has the operations that its register was written from.
  const again = new LoroDoc();
  again.setPeerId(peer(0, device * 2n));
  const tasks = editDocument(first.documents.note, again).tasks;
  tasks.push(task("sand"));
  tasks.delete(0, 1);
  tasks.push({ ...task("sand"), label: "wet sand" });
  again.commit();
  expect(writeContribution(target, source, says(again))).toBe(true);
  target.commit();
  expect(readDocument(second.documents.task, target).label).toBe("wet sand");
});

test("repeating an import adds nothing", async () => {
  const { backup } = await written();
  const into = await newer("into");
  await into.importBackup(backup);
  await untilTasks(into, "stone!", "wet sand!");
  expect(await into.importBackup(backup)).toMatchObject({ newDocuments: 0, copies: 0 });
  expect(await tasksOf(into)).toEqual(["stone!", "wet sand!"]);
});

test("a document that a restored source made here before takes the backup's content under its own id", async () => {
  const [source, id] = ["DAAAAAAAAAAAAAAAAAAAAA", DocumentId.make("EAAAAAAAAAAAAAAAAAAAAA")];
  const made = (peer: PeerID): LoroDoc => {
    const [note, doc] = [new LoroDoc(), new LoroDoc()];
    note.setPeerId(peer);
    doc.setPeerId(peer);
    editDocument(first.documents.note, note).tasks.push(task("sand"));
    note.commit();
    for (const said of extractedFrom(second, "note", note, source, 1)) writeContribution(doc, source, said);
    doc.commit();
    return doc;
  };
  const edited = (doc: LoroDoc): LoroDoc => {
    editDocument(second.documents.task, doc).label.insert(0, "wet ");
    doc.commit();
    return doc;
  };
  const header: BackupHeader = { workspace: WorkspaceId.make("A".repeat(22)), name: "", createdAt: 0, documents: 1 };
  const placeOf = async (present: LoroDoc, doc: LoroDoc): Promise<DocumentId | undefined> => {
    let restored: DocumentId | undefined;
    const document = {
      id,
      type: "task",
      createdAt: 1,
      updatedAt: 1,
      deleted: false,
      doc,
      digest: await stateDigest(doc),
    };
    const items = async function* (): AsyncGenerator<BackupItem> {
      yield { type: "header", header };
      yield { type: "document", document };
      yield { type: "document-end" };
    };
    const target: ImportTarget = {
      find: () => Promise.resolve(present),
      has: () => Promise.resolve(false),
      singleton: () => Promise.reject(new Error("it is none")),
      mayTakeOwnId: () => Promise.resolve(true),
      storeChunk: () => Promise.reject(new Error("it has no attachments")),
      restore: (one) => {
        restored = one.id;
        return Promise.resolve();
      },
    };
    await importItems(items(), target, { dryRun: false });
    return restored;
  };
  expect(await placeOf(made("1"), edited(made("2")))).toBe(id);
  expect(await placeOf(made("1"), made("2"))).toBeUndefined();
  // What somebody has edited here stays as it is.
  const beside = await placeOf(edited(made("1")), edited(made("2")));
  expect(beside).toBeDefined();
  expect(beside).not.toBe(id);
});
