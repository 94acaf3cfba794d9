/** Backups as a person uses them: out of one profile, into another, again, damaged, protected. */
import { DocumentId } from "@cairn/protocol";
import { LoroDoc } from "loro-crdt";
import { afterEach, describe, expect, it } from "vitest";
import { openBackup } from "../src/backup/backup-file.ts";
import { readItems } from "../src/backup/read-backup.ts";
import type { CairnError } from "../src/errors.ts";
import {
  backupOf,
  blob,
  bytesOf,
  cleanUp,
  everythingIn,
  freshNotebook,
  type Notebook,
} from "./fixtures/backup-profiles.ts";

afterEach(cleanUp);

const PICTURE = Uint8Array.from({ length: 2 * 1024 * 1024 + 777 }, (_, index) => (index * 31 + (index >> 8)) & 0xff);

const write = async (notebook: Notebook, title: string, body: string) => {
  const note = await notebook.create("note", (edit) => {
    edit.title.set(title);
    edit.body.insert(0, body);
  });
  await note.close();
  return note.id;
};

const edit = async (notebook: Notebook, id: DocumentId, more: string) => {
  const note = await notebook.open("note", id);
  note.edit(({ body }) => body.insert(0, more));
  await note.close();
};

const bodyOf = async (notebook: Notebook, id: DocumentId): Promise<string> => {
  const note = await notebook.open("note", id);
  const { body } = note.read();
  await note.close();
  return body;
};

const filled = async () => {
  const notebook = await freshNotebook();
  const first = await write(notebook, "Shopping", "milk 🥛 and bread");
  const second = await write(notebook, "Gone", "in the bin");
  await notebook.delete(second);
  const attachment = await notebook.attach(first, {
    name: "picture.png",
    mediaType: "image/png",
    size: PICTURE.length,
    data: PICTURE,
  });
  return { notebook, first, second, attachment };
};

const failureOf = async (attempt: Promise<unknown>): Promise<CairnError["code"] | undefined> =>
  attempt.then(
    () => undefined,
    (error: CairnError) => error.code,
  );

/** The documents of a backup, read without any workspace. */
const documentsIn = async (backup: Uint8Array<ArrayBuffer>): Promise<ReadonlyArray<LoroDoc>> => {
  const documents: Array<LoroDoc> = [];
  for await (const item of readItems(await openBackup(blob(backup), undefined))) {
    if (item.type === "document") documents.push(item.document.doc);
  }
  return documents;
};

const withoutMarks = (everything: Readonly<Record<string, unknown>>): unknown =>
  JSON.parse(
    JSON.stringify(everything, (key, value: unknown) =>
      ["restored", "sealedHash", "epoch", "updatedAt"].includes(key) ? undefined : value,
    ),
  );

describe("a backup", () => {
  it("brings notes, bin and pictures into the new profile of a wiped device, and doubles nothing (promise 12)", async () => {
    const { notebook, first, attachment } = await filled();
    const before = await everythingIn(notebook);
    const backup = await backupOf(notebook);

    const fresh = await freshNotebook();
    expect(fresh.id).not.toBe(notebook.id);
    const all = { documents: 2, newDocuments: 2, copies: 0, attachments: 1, newAttachments: 1 };
    expect(await fresh.importBackup(blob(backup), { dryRun: true })).toMatchObject({ ...all, dryRun: true });
    expect(await everythingIn(fresh)).toEqual({});

    expect(await fresh.importBackup(blob(backup))).toMatchObject({ ...all, dryRun: false });
    const after = await everythingIn(fresh);
    expect(withoutMarks(after)).toEqual(withoutMarks(before));
    expect(await fresh.query("note", { search: "BREAD" })).toHaveLength(1);
    expect(await fresh.query("note", { deleted: "only" })).toHaveLength(1);
    expect(Buffer.compare(await bytesOf(await fresh.readAttachment(first, attachment.id)), PICTURE)).toBe(0);

    for (const again of [blob(backup), blob(await backupOf(fresh))]) {
      expect(await fresh.importBackup(again)).toMatchObject({
        documents: 2,
        newDocuments: 0,
        newUpdates: 0,
        newAttachments: 0,
      });
    }
    expect(await everythingIn(fresh)).toEqual(after);
    // A restored document is one like any other: it goes on from there.
    await edit(fresh, first, "butter, ");
    expect(await fresh.importBackup(blob(backup))).toMatchObject({ newDocuments: 0 });
    expect(await bodyOf(fresh, first)).toBe("butter, milk 🥛 and bread");
  });

  it("changes nothing where everything is here, and what was deleted since stays deleted", async () => {
    const { notebook, first } = await filled();
    const backup = await backupOf(notebook);
    await edit(notebook, first, "more ");
    await notebook.delete(first);
    const before = await everythingIn(notebook);
    expect(await notebook.importBackup(blob(backup))).toMatchObject({ documents: 2, newDocuments: 0 });
    expect(await everythingIn(notebook)).toEqual(before);
  });

  it("is brought in once where that is asked for twice at the same time (promise 2)", async () => {
    const { notebook, first } = await filled();
    const backup = await backupOf(notebook);
    const fresh = await freshNotebook();
    const reports = await Promise.all([fresh.importBackup(blob(backup)), fresh.importBackup(blob(backup))]);
    expect(reports.reduce((sum, { newDocuments }) => sum + newDocuments, 0)).toBe(2);
    expect(await bodyOf(fresh, first)).toBe("milk 🥛 and bread");
    // Who waits for another one can change their mind.
    const change = new AbortController();
    const other = await backupOf(await freshNotebook());
    const under = fresh.importBackup(blob(backup));
    const waiting = fresh.importBackup(blob(other), { signal: change.signal });
    change.abort();
    expect(await failureOf(waiting)).toBe("aborted");
    await under;
  });

  it("is put beside what is here in another state, once, and overwrites nothing (hazard 24)", async () => {
    const { notebook, first } = await filled();
    const fresh = await freshNotebook();
    await fresh.importBackup(blob(await backupOf(notebook)));
    await edit(fresh, first, "mine ");
    await edit(notebook, first, "theirs ");
    const later = await backupOf(notebook);
    expect(await fresh.importBackup(blob(later))).toMatchObject({ newDocuments: 1, copies: 1, newAttachments: 1 });
    const rows = await fresh.query("note", { search: "milk" });
    const bodies = await Promise.all(rows.map(({ id }) => bodyOf(fresh, id)));
    expect(bodies.toSorted()).toEqual(["mine milk 🥛 and bread", "theirs milk 🥛 and bread"]);
    expect(await bodyOf(fresh, first)).toBe("mine milk 🥛 and bread");
    expect(await fresh.importBackup(blob(later))).toMatchObject({ newDocuments: 0 });
    // And back: the copy that was edited there is new here, the other one is the same as what is here.
    expect(await notebook.importBackup(blob(await backupOf(fresh)))).toMatchObject({ documents: 3, newDocuments: 2 });
  });

  it("is told apart from one that is cut off or has a changed byte, before anything changes (promise 11)", async () => {
    const notebook = await freshNotebook();
    const id = await write(notebook, "One", "some text");
    await notebook.attach(id, { name: "a", mediaType: "text/plain", size: 3, data: Uint8Array.of(1, 2, 3) });
    const backup = await backupOf(notebook);
    const fresh = await freshNotebook();
    const refused = async (bytes: Uint8Array<ArrayBuffer>) => failureOf(fresh.importBackup(blob(bytes)));
    for (const length of [0, 9, 10, 100, backup.length - 33, backup.length - 1]) {
      expect(await refused(backup.slice(0, length)), `cut at ${length}`).toBe("backup-malformed");
    }
    for (let position = 0; position < backup.length; position += 101) {
      const flipped = backup.slice();
      flipped[position] = (flipped[position] ?? 0) ^ 4;
      expect(await refused(flipped), `changed at ${position}`).toBe("backup-malformed");
    }
    expect(await refused(Uint8Array.from([...backup, 0]))).toBe("backup-malformed");
    expect(await refused(new TextEncoder().encode("not a backup at all"))).toBe("backup-malformed");
    expect(await everythingIn(fresh)).toEqual({});
    expect(await failureOf(fresh.importBackup(blob(backup)))).toBeUndefined();
  });

  it("opens with its passphrase alone, and is as strict then", async () => {
    const { notebook } = await filled();
    const passphrase = "correct horse ŝtono";
    const backup = await backupOf(notebook, { passphrase });
    expect(Buffer.from(backup).includes("Shopping")).toBe(false);
    const fresh = await freshNotebook();
    expect(await failureOf(fresh.importBackup(blob(backup)))).toBe("backup-protected");
    expect(await failureOf(fresh.importBackup(blob(backup), { passphrase: "wrong" }))).toBe("backup-wrong-key");
    const open = (bytes: Uint8Array<ArrayBuffer>) =>
      fresh.importBackup(blob(bytes), { passphrase: passphrase.normalize("NFD") });
    const segment = 64 * 1024 + 16;
    const cutAtSegment = backup.slice(0, 29 + segment * 2);
    expect(await failureOf(open(cutAtSegment))).toBe("backup-malformed");
    const swapped = backup.slice();
    swapped.copyWithin(29 + segment, 29 + segment * 2, 29 + segment * 3);
    expect(await failureOf(open(swapped))).toBe("backup-malformed");
    expect(await open(backup)).toMatchObject({ newDocuments: 2, newAttachments: 1 });
  });

  it("is not protected by nothing", async () => {
    const notebook = await freshNotebook();
    const refused = { code: "invalid-argument", argument: "passphrase" };
    await expect(notebook.exportBackup({ passphrase: "" })).rejects.toMatchObject(refused);
    await expect(notebook.importBackup(blob(), { passphrase: "" })).rejects.toMatchObject(refused);
  });

  it("tells how far it is, up to the end, in both directions", async () => {
    const { notebook } = await filled();
    const out: Array<number> = [];
    const backup = await backupOf(notebook, { onProgress: (done) => out.push(done) });
    expect(out.at(-1)).toBe(backup.length);
    const fresh = await freshNotebook();
    const read = async (dryRun: boolean) => {
      const told: Array<readonly [number, number]> = [];
      await fresh.importBackup(blob(backup), { dryRun, onProgress: (done, total) => told.push([done, total]) });
      expect(told.map(([done]) => done)).toEqual(told.map(([done]) => done).toSorted((a, b) => a - b));
      return told.at(-1);
    };
    expect(await read(true)).toEqual([backup.length, backup.length]);
    expect(await read(false)).toEqual([backup.length * 2, backup.length * 2]);
    // Nothing is new any more: it is read once.
    expect(await read(false)).toEqual([backup.length, backup.length * 2]);
  });

  it("is given up when that is asked for, and goes on where it was when it is imported again", async () => {
    const { notebook } = await filled();
    const exporting = new AbortController();
    const stream = await notebook.exportBackup({ signal: exporting.signal });
    exporting.abort();
    expect(await failureOf(bytesOf(stream))).toBe("aborted");

    const backup = await backupOf(notebook);
    const fresh = await freshNotebook();
    const importing = new AbortController();
    const stopped = fresh.importBackup(blob(backup), {
      signal: importing.signal,
      // In the middle of the second reading.
      onProgress: (done) => void (done > backup.length * 1.2 && importing.abort()),
    });
    expect(await failureOf(stopped)).toBe("aborted");
    expect(await failureOf(fresh.importBackup(blob(backup), { signal: AbortSignal.abort() }))).toBe("aborted");
    expect(await fresh.importBackup(blob(backup))).toMatchObject({ documents: 2 });
    expect(await fresh.importBackup(blob(backup), { dryRun: true })).toMatchObject({ newDocuments: 0 });
  });

  it("can be given as a stream of any pieces", async () => {
    const { notebook } = await filled();
    const backup = await backupOf(notebook);
    const fresh = await freshNotebook();
    const stream = new ReadableStream<Uint8Array>({
      start(controller) {
        for (let offset = 0; offset < backup.length; offset += 65_537) {
          controller.enqueue(backup.subarray(offset, offset + 65_537));
          controller.enqueue(new Uint8Array(0));
        }
        controller.close();
      },
    });
    expect(await fresh.importBackup(stream)).toMatchObject({ newDocuments: 2, newAttachments: 1 });
  });

  it("holds documents of types that the app does not know, and updates that wait for others (hazard L2)", async () => {
    const notebook = await freshNotebook();
    const lease = await notebook.leasePeer();
    const author = new LoroDoc();
    author.setPeerId(lease.peer);
    const words = (text: string): Uint8Array => {
      const before = author.oplogVersion();
      author.getText("words").insert(0, text);
      author.commit();
      return author.export({ mode: "update", from: before });
    };
    const first = words("known");
    const lost = words("lost ");
    const waiting = words("waiting ");
    const id = DocumentId.make("AAAAAAAAAAAAAAAAAAAAAQ");
    // A type of a newer app.
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion
    const board = "board" as "note";
    await notebook.append(id, board, first);
    await notebook.append(id, board, waiting);
    await lease.release();

    const backup = await backupOf(notebook);
    const fresh = await freshNotebook();
    expect(await fresh.importBackup(blob(backup))).toMatchObject({ documents: 1, newDocuments: 1 });
    const { type, content } = await fresh.contentOf(id);
    expect(type).toBe("board");
    expect(content).toMatchObject({ words: "known" });
    // What waits is in the file: with what it waits for, it is whole.
    const documents = await documentsIn(backup);
    documents.forEach((doc) => doc.import(lost));
    expect(documents.map((doc) => doc.getText("words").toString())).toEqual(["waiting lost known"]);
  });

  it("is not made without an attachment that is lost, unless that is asked for", async () => {
    const { notebook, first } = await filled();
    const lost = { sealedHash: "A".repeat(43), plainHash: "A".repeat(43) };
    const note = await notebook.open("note", first);
    note.edit(({ files }) =>
      files.set("lost", {
        name: "lost.bin",
        mediaType: "",
        size: 5,
        chunkSize: 4096,
        chunks: [lost],
        epoch: 1,
        createdAt: 0,
      }),
    );
    await note.close();
    expect(await failureOf(backupOf(notebook))).toBe("attachment-unavailable");
    const partial = await backupOf(notebook, { partial: true });
    const fresh = await freshNotebook();
    expect(await fresh.importBackup(blob(partial))).toMatchObject({ newDocuments: 2, newAttachments: 2 });
    expect(await fresh.importBackup(blob(partial))).toMatchObject({ newDocuments: 0 });
  });
});
