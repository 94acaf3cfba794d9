/** Documents that several versions of an app read and edit, through the real store. */
import { hashFromBytes } from "@cairn/protocol";
import { editDocument, readDocument, SUCCESSOR_ORIGIN } from "@cairn/schema";
import { LoroDoc, type PeerID, UndoManager } from "loro-crdt";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, expectTypeOf, test } from "vitest";
import { copyDocument } from "../src/backup/copy-document.ts";
import { applyUnsaved } from "../src/documents/apply-unsaved.ts";
import { firstFormOf } from "../src/engine/entry-content.ts";
import { reauthor } from "../src/documents/reauthor.ts";
import { rebaseDocument } from "../src/documents/rebase-document.ts";
import { type CreatableTypeName, openCairn, type TypeName } from "../src/node.ts";
import { schemaFingerprint } from "../src/platform/schema-fingerprint.ts";
import { first, second, third } from "./evolving-notes.ts";

const DIGEST = hashFromBytes(new Uint8Array(32));
const note1 = first.documents.note;
const note2 = second.documents.note;

let directory: string;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "cairn-versions-"));
});
afterEach(() => rm(directory, { recursive: true, force: true }));

describe("a document of an older version", () => {
  test("is edited in place: the successor and the edit are both stored before it is saved, in order", async () => {
    const old = await openCairn({ schema: first, directory });
    const written = await (
      await old.workspace()
    ).create("note", (draft) => {
      draft.title.set("Walls");
      draft.pinned.set(true);
      draft.tasks.push("carry", "stack");
    });
    const { id } = written;
    await old.close();

    const app = await openCairn({ schema: third, directory });
    const workspace = await app.workspace();
    const note = await workspace.open("note", id);
    expect(note.read()).toMatchObject({ urgency: { level: 2 }, tasks: [{ label: "carry" }, { label: "stack" }] });
    const undo = new UndoManager(note.loro, { excludeOriginPrefixes: [SUCCESSOR_ORIGIN] });
    const seen: Array<boolean> = [];
    note.onSaved((saved) => seen.push(saved));
    note.edit((draft) => {
      draft.title.set("Dry walls");
      draft.tasks.push({ label: "cap", done: true });
    });
    expect(note.saved()).toBe(false);
    await workspace.flush({ tier: "device" });
    expect(seen).toEqual([true, false, true]);
    const now = note.read();
    expect(now.tasks.map(({ label }) => label)).toEqual(["carry", "stack", "cap"]);
    const other = await app.workspace().then((here) => here.inspect(id));
    expect(other).toMatchObject({ type: "note", declared: true, invalid: [], unknown: [] });
    // Undoing takes back what the person did, and never the successor.
    for (let step = 0; step < 5 && undo.canUndo(); step += 1) undo.undo();
    expect(note.read()).toMatchObject({ title: "Walls", tasks: [{ label: "carry" }, { label: "stack" }] });
    undo.redo();
    undo.redo();
    expect(note.read()).toEqual(now);
    undo.free();
    await app.close();

    const again = await openCairn({ schema: third, directory });
    expect((await (await again.workspace()).open("note", id)).read()).toEqual(now);
    await again.close();
    // The older app reads what it wrote itself, under the titles of today.
    const back = await openCairn({ schema: first, directory });
    const seenByOld = await (await back.workspace()).open("note", id);
    expect(seenByOld.read()).toMatchObject({ title: "Dry walls", pinned: true, tasks: ["carry", "stack"] });
    expect(seenByOld.inspect().unknown).toEqual([["$v2.tasks"]]);
    await back.close();
  });

  test("takes a patch whole or not at all, and derives one", async () => {
    const old = await openCairn({ schema: first, directory });
    const { id } = await (await old.workspace()).create("note", (draft) => draft.tasks.push("carry"));
    await old.close();
    const app = await openCairn({ schema: second, directory });
    const workspace = await app.workspace();
    const note = await workspace.open("note", id);
    const before = note.loro.frontiers();
    expect(() =>
      note.patch([
        { op: "insert", path: "tasks", values: [{ label: "stack", done: false }] },
        { op: "remove", path: "tasks", at: 9 },
      ]),
    ).toThrow(expect.objectContaining({ code: "patch-invalid" }));
    expect(note.loro.frontiers()).toEqual(before);
    expect(note.saved()).toBe(true);
    note.patch([
      { op: "insert", path: "tasks", values: [{ label: "stack", done: false }] },
      { op: "set", path: "priority", value: 3 },
    ]);
    expect(note.patchSince(before)).toEqual([
      { op: "insert", path: "tasks", at: 1, values: [{ label: "stack", done: false }] },
      { op: "set", path: "priority", value: 3 },
    ]);
    await app.close();
  });
});

describe("types", () => {
  test("that are deprecated are read and edited, and no new ones are made", async () => {
    const old = await openCairn({ schema: first, directory });
    const before = await old.workspace();
    const { id } = await before.create("memo", (draft) => draft.text.set("old"));
    await before.create("sketch", (draft) => draft.title.set("kept"));
    await before.create("sketch");
    expect(await before.unknownDocuments()).toEqual([]);
    await old.close();

    const app = await openCairn({ schema: second, directory });
    const workspace = await app.workspace();
    // @ts-expect-error no new memos
    await expect(workspace.create("memo")).rejects.toMatchObject({ code: "type-deprecated" });
    const memo = await workspace.open("memo", id);
    memo.edit((draft) => draft.text.set("newer"));
    await memo.close();
    expect((await workspace.query("memo")).map(({ fields }) => fields.text)).toEqual(["newer"]);
    // What this version does not declare is here, and says so.
    expect(await workspace.unknownDocuments()).toEqual([{ type: "sketch", documents: 2 }]);
    const rows = await Array.fromAsync(workspace.documents());
    const sketch = rows.find(({ type }) => type === "sketch");
    if (sketch === undefined) throw new Error("it is here");
    expect(await workspace.inspect(sketch.id)).toMatchObject({ type: "sketch", declared: false, invalid: [] });
    await app.close();

    const back = await openCairn({ schema: first, directory });
    const titles = (await (await back.workspace()).query("sketch")).map(({ fields }) => fields.title);
    expect(titles.toSorted()).toEqual(["", "kept"]);
    await back.close();
  });

  test("of which documents can be made are told apart by the compiler", () => {
    expectTypeOf<CreatableTypeName<typeof second>>().toEqualTypeOf<"note">();
    expectTypeOf<TypeName<typeof second>>().toEqualTypeOf<"note" | "memo">();
    expectTypeOf<CreatableTypeName<typeof first>>().toEqualTypeOf<"note" | "memo" | "sketch">();
  });

  test("builds whose fields have the same names and kinds in other forms are told apart", () => {
    const prints = [first, second, third].map(schemaFingerprint);
    expect(new Set(prints).size).toBe(3);
    // By the form alone.
    expect(schemaFingerprint({ ...second, documents: third.documents })).not.toBe(schemaFingerprint(second));
  });
});

describe("edits that are written anew under another peer", () => {
  const OLD: PeerID = "11";
  const NEW: PeerID = "33";
  const make = (peer: PeerID, ...from: ReadonlyArray<LoroDoc>): LoroDoc => {
    const doc = new LoroDoc();
    doc.setPeerId(peer);
    for (const one of from) doc.import(one.export({ mode: "snapshot" }));
    return doc;
  };
  const wrote = (doc: LoroDoc, change: () => void): Uint8Array => {
    const version = doc.oplogVersion();
    change();
    doc.commit();
    return doc.export({ mode: "update", from: version });
  };
  const labels = (doc: LoroDoc): ReadonlyArray<string> => readDocument(note2, doc).tasks.map(({ label }) => label);
  /** A note of version 1 that version 2 has edited under `OLD`, and whose older form was edited once more. */
  const edited = () => {
    const base = make("22");
    editDocument(note1, base).tasks.push("one", "two");
    base.commit();
    const doc = make(OLD, base);
    const own = [
      wrote(doc, () => editDocument(note2, doc).tasks.push({ label: "three", done: true })),
      wrote(doc, () => editDocument(note1, doc).tasks.push("late")),
      wrote(doc, () => editDocument(note2, doc).priority.set(7)),
    ];
    return { base, doc, own };
  };
  /** An older app and a newer one go on with it. */
  const goesOn = (doc: LoroDoc): void => {
    expect(labels(doc).toSorted()).toEqual(["late", "one", "three", "two"]);
    editDocument(note1, doc).tasks.push("later");
    doc.commit();
    expect(labels(doc).toSorted()).toEqual(["late", "later", "one", "three", "two"]);
    editDocument(note2, doc).tasks.push({ label: "last", done: false });
    doc.commit();
    expect(labels(doc).toSorted()).toEqual(["last", "late", "later", "one", "three", "two"]);
  };

  test("say the same, and late edits of older apps are carried over all the same", () => {
    const { base, own } = edited();
    const anew = reauthor(
      {
        acknowledged: [base.export({ mode: "snapshot" })],
        elsewhere: [],
        own: own.map((update, index) => ({
          id: index + 1,
          update,
          time: index,
          firstForm: firstFormOf({ update, time: index }),
        })),
        madeAnew: [],
        ends: new Set(),
        type: "note",
        peer: NEW,
      },
      second,
    );
    const target = make("44", base);
    for (const { update } of anew) if (update !== undefined) target.import(update);
    expect(target.oplogVersion().get(OLD)).toBeUndefined();
    expect(readDocument(note2, target).priority).toBe(7);
    goesOn(target);
  });

  test("keep what they made of a newer form, also where the one that somebody else made counts", () => {
    const base = make("22");
    editDocument(note1, base).tasks.push("one", "two");
    base.commit();
    const mine = make(OLD, base);
    // The successor comes into being in the same update as the edit.
    const own = [wrote(mine, () => editDocument(note2, mine).tasks.push({ label: "mine", done: true }))];
    const others = make("99", base);
    for (const label of ["theirs", "too"]) editDocument(note2, others).tasks.push({ label, done: false });
    others.commit();
    const anew = reauthor(
      {
        acknowledged: [base.export({ mode: "snapshot" })],
        elsewhere: [],
        own: own.map((update, index) => ({
          id: index + 1,
          update,
          time: index,
          firstForm: firstFormOf({ update, time: index }),
        })),
        madeAnew: [],
        ends: new Set(),
        type: "note",
        peer: NEW,
      },
      second,
    );
    const target = make("44", base, others);
    for (const { update } of anew) if (update !== undefined) target.import(update);
    const all = ["mine", "one", "theirs", "too", "two"];
    expect(labels(target).toSorted()).toEqual(all);

    const open = make(NEW, base);
    applyUnsaved(mine, own, open, note2);
    open.commit();
    expect(labels(make("55", open, others)).toSorted()).toEqual(all);
    const parked = wrote(make("66", base), () => undefined);
    const { update } = rebaseDocument(second, "note", base, {
      parked: [parked],
      later: own,
      peer: NEW,
      mode: "reapply",
      digest: DIGEST,
    });
    const rebuilt = make("77", base, others);
    if (update !== undefined) rebuilt.import(update);
    expect(labels(rebuilt).toSorted()).toEqual(all);
  });

  test("that were not durable yet, in an open document", () => {
    const { base, doc, own } = edited();
    const target = make(NEW, base);
    applyUnsaved(doc, own, target, note2);
    target.commit();
    expect(readDocument(note2, target).priority).toBe(7);
    goesOn(target);
  });

  test("as a copy", () => {
    const { doc } = edited();
    const { snapshot, updates } = copyDocument(doc, {
      peer: NEW,
      digest: DIGEST,
      relocate: (manifest) => manifest,
      type: note2,
    });
    const copy = make("44");
    copy.import(snapshot);
    goesOn(copy);
    const fromUpdates = make("55");
    for (const { update } of updates) fromUpdates.import(update);
    expect(labels(fromUpdates).toSorted()).toEqual(["late", "one", "three", "two"]);
  });

  test("behind edits that are given up", () => {
    const { base, own } = edited();
    const refused = make(OLD, base);
    const parked = wrote(refused, () => editDocument(note2, refused).title.set("refused"));
    const later = wrote(refused, () => editDocument(note2, refused).tasks.push({ label: "three", done: true }));
    const request = { parked: [parked], later: [later], peer: NEW, digest: DIGEST } as const;
    const { update, notReapplied } = rebaseDocument(second, "note", base, { ...request, mode: "reapply" });
    if (update === undefined) throw new Error("the later edit is made again");
    expect(notReapplied).toEqual([]);
    const rebuilt = make("44", base);
    rebuilt.import(update);
    expect(readDocument(note2, rebuilt)).toMatchObject({ title: "" });
    editDocument(note1, rebuilt).tasks.push("late");
    rebuilt.commit();
    goesOn(rebuilt);
    expect(own).toHaveLength(3);
  });

  test("behind edits that are given up, while an older app went on writing", () => {
    const { base } = edited();
    const refused = make(OLD, base);
    const parked = wrote(refused, () => editDocument(note2, refused).title.set("refused"));
    const later = wrote(refused, () => editDocument(note2, refused).tasks.push({ label: "three", done: true }));
    const server = make("99", base);
    wrote(server, () => editDocument(note1, server).tasks.push("late"));
    const full = make("98", refused, server);
    expect(labels(full).toSorted()).toEqual(["late", "one", "three", "two"]);
    const { update, notReapplied } = rebaseDocument(second, "note", server, {
      parked: [parked],
      later: [later],
      peer: NEW,
      digest: DIGEST,
      mode: "reapply",
    });
    if (update === undefined) throw new Error("the later edit is made again");
    expect(notReapplied).toEqual([]);
    const rebuilt = make("44", server);
    rebuilt.import(update);
    expect(rebuilt.oplogVersion().get(OLD)).toBeUndefined();
    expect(readDocument(note2, rebuilt).title).toBe("");
    goesOn(rebuilt);
  });

  test("behind edits that are given up and had made the newer form", () => {
    const { base } = edited();
    const refused = make(OLD, base);
    const parked = wrote(refused, () => editDocument(note2, refused).tasks.push({ label: "refused", done: true }));
    const later = wrote(refused, () => editDocument(note2, refused).tasks.push({ label: "three", done: true }));
    const { update, notReapplied } = rebaseDocument(second, "note", base, {
      parked: [parked],
      later: [later],
      peer: NEW,
      digest: DIGEST,
      mode: "reapply",
    });
    if (update === undefined) throw new Error("the later edit is made again");
    expect(notReapplied).toEqual([]);
    const rebuilt = make("44", base);
    rebuilt.import(update);
    editDocument(note1, rebuilt).tasks.push("late");
    rebuilt.commit();
    goesOn(rebuilt);
  });

  test("that were not durable yet, in an open document that has received more", () => {
    const { base } = edited();
    const page = make(OLD, base);
    const unsaved = [
      wrote(page, () => editDocument(note2, page).tasks.push({ label: "three", done: true })),
      wrote(page, () => editDocument(note2, page).priority.set(7)),
    ];
    const received = make("99", base);
    wrote(received, () => editDocument(note1, received).tasks.push("late"));
    const target = make(NEW, received);
    applyUnsaved(page, unsaved, target, note2);
    target.commit();
    expect(readDocument(note2, target).priority).toBe(7);
    goesOn(target);
  });

  test("that were not durable yet, where the newer form was there and an older app went on writing", () => {
    const { base } = edited();
    const known = make("98", base);
    wrote(known, () => editDocument(note2, known).tasks.push({ label: "three", done: true }));
    wrote(known, () => editDocument(note1, known).tasks.push("late"));
    const page = make(OLD, known);
    const unsaved = [wrote(page, () => editDocument(note2, page).tasks.push({ label: "mine", done: true }))];
    const received = make("99", known);
    wrote(received, () => editDocument(note1, received).tasks.push("later"));
    const target = make(NEW, received);
    applyUnsaved(page, unsaved, target, note2);
    target.commit();
    expect(labels(target).toSorted()).toEqual(["late", "later", "mine", "one", "three", "two"]);
    wrote(target, () => editDocument(note2, target).tasks.push({ label: "last", done: false }));
    expect(labels(target).toSorted()).toEqual(["last", "late", "later", "mine", "one", "three", "two"]);
  });
});
