/** The backup's records and the copies of documents, without any workspace around them. */
import {
  type DocumentId,
  documentIdFromBytes,
  type Hash,
  hashFromBytes,
  LIMITS,
  workspaceIdFromBytes,
} from "@cairn/protocol";
import { defineDocument, editDocument, field, PLAIN_ROOT, readDocument, style } from "@cairn/schema";
import { Schema } from "effect";
import fc from "fast-check";
import { LoroDoc, LoroList, type LoroMap, LoroMap as Map_, LoroText, type Value } from "loro-crdt";
import { createHash } from "node:crypto";
import { describe, expect, it } from "vitest";
import { openBackup, sealBackup } from "../src/backup/backup-file.ts";
import { containersOf } from "../src/backup/attachments-in.ts";
import { copyDocument } from "../src/backup/copy-document.ts";
import { besideId, contentText, restoredFrom, stateDigest } from "../src/backup/document-digest.ts";
import { BACKUP_LIMITS, RecordType } from "../src/backup/format.ts";
import { type BackupItem, readItems } from "../src/backup/read-backup.ts";
import { encodeJson, RecordWriter } from "../src/backup/records.ts";
import { backupPrefix, type BackupSource, writeRecords } from "../src/backup/write-backup.ts";
import { CairnError } from "../src/errors.ts";

const workspace = workspaceIdFromBytes(new Uint8Array(16).fill(1));
const documentId = (n: number): DocumentId => documentIdFromBytes(new Uint8Array(16).fill(n));
const hashOf = (bytes: Uint8Array): Hash => hashFromBytes(createHash("sha256").update(bytes).digest());

const fileOf = async (source: BackupSource): Promise<Uint8Array<ArrayBuffer>> => {
  const pieces: Array<Uint8Array> = [];
  for await (const piece of await sealBackup(writeRecords(source), undefined)) pieces.push(piece);
  return Uint8Array.from(Buffer.concat(pieces));
};

const sourceOf = (docs: ReadonlyArray<LoroDoc>, chunks: ReadonlyMap<string, Uint8Array> = new Map()): BackupSource => ({
  header: { workspace, name: "Home", createdAt: 5, documents: docs.length },
  documents: async function* () {
    for (const [index, doc] of docs.entries()) {
      yield { id: documentId(index), type: "note", createdAt: 1, updatedAt: 2, deleted: false, doc };
    }
  },
  chunk: ({ plainHash }) => Promise.resolve(chunks.get(plainHash)),
});

const itemsIn = async (file: Uint8Array<ArrayBuffer>): Promise<ReadonlyArray<BackupItem>> => {
  const items: Array<BackupItem> = [];
  for await (const item of readItems(await openBackup(new Blob([file]), undefined))) items.push(item);
  return items;
};

const codeOf = async (file: Uint8Array<ArrayBuffer>): Promise<string | undefined> => {
  try {
    await itemsIn(file);
    return undefined;
  } catch (error) {
    return error instanceof CairnError ? error.code : String(error);
  }
};

const chunk = Uint8Array.of(1, 2, 3, 4);
const manifest = (chunks: ReadonlyArray<Uint8Array>, chunkSize = 4096) => ({
  name: "a.bin",
  mediaType: "application/octet-stream",
  size: chunks.reduce((sum, { length }) => sum + length, 0),
  chunkSize,
  chunks: chunks.map((bytes) => ({ sealedHash: hashOf(Uint8Array.of(0, ...bytes)), plainHash: hashOf(bytes) })),
  epoch: 1,
  createdAt: 0,
});

const smallDocument = (): LoroDoc => {
  const doc = new LoroDoc();
  doc.setPeerId("11");
  doc.getText("body").insert(0, "hello 😀");
  doc.getMap("files").set("one", manifest([chunk]));
  doc.commit();
  return doc;
};

const smallFile = () => fileOf(sourceOf([smallDocument()], new Map([[hashOf(chunk), chunk]])));

describe("a backup's records", () => {
  it("give back what was written", async () => {
    const items = await itemsIn(await smallFile());
    expect(items.map(({ type }) => type)).toEqual(["header", "document", "attachment", "chunk", "document-end", "end"]);
    expect(items[0]).toMatchObject({ header: { workspace, name: "Home", createdAt: 5, documents: 1 } });
    expect(items[3]).toMatchObject({ content: chunk, plainHash: hashOf(chunk) });
    expect(items[5]).toMatchObject({ end: { documents: 1, attachments: 1, missing: 0 } });
    const lost = await itemsIn(await fileOf(sourceOf([smallDocument()])));
    expect(lost[5]).toMatchObject({ end: { documents: 1, attachments: 1, missing: 1 } });
  });

  it("are refused with every byte missing from the end, and with every byte changed (promise 11)", async () => {
    const file = await smallFile();
    for (let length = 0; length < file.length; length += 1) {
      expect(await codeOf(file.slice(0, length)), `cut at ${length}`).toBe("backup-malformed");
    }
    for (let position = 0; position < file.length; position += 1) {
      const changed = file.slice();
      changed[position] = (changed[position] ?? 0) ^ (1 << (position % 8));
      expect(await codeOf(changed), `changed at ${position}`).toBe("backup-malformed");
    }
  });

  it("never make a reader fail otherwise, whatever the bytes are", async () => {
    const prefix = backupPrefix(0);
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ maxLength: 200 }), async (bytes) => {
        expect(await codeOf(Uint8Array.from([...prefix, ...bytes]))).toBe("backup-malformed");
      }),
    );
  });

  it("can grow: unknown records of even types and unknown members are passed over, odd types refuse", async () => {
    const file = async (extra: number | undefined, end: object = {}) => {
      const records = new RecordWriter();
      const header = { workspace, name: "", createdAt: 0, documents: 0, madeBy: "a newer one" };
      const parts = [
        backupPrefix(0),
        ...records.record(RecordType.header, encodeJson(header)),
        ...(extra === undefined ? [] : records.record(extra, chunk)),
        ...records.end(encodeJson({ documents: 0, attachments: 0, missing: 0, ...end })),
      ];
      return Uint8Array.from(Buffer.concat(parts));
    };
    expect(await codeOf(await file(undefined))).toBeUndefined();
    expect(await codeOf(await file(200))).toBeUndefined();
    expect(await codeOf(await file(201))).toBe("backup-malformed");
    expect(await codeOf(await file(undefined, { documents: 1 }))).toBe("backup-malformed");
    const newer = await file(undefined);
    newer[8] = 2;
    expect(await codeOf(newer)).toBe("backup-malformed");
  });

  it("are bounded: a length that no record has is refused before anything is allocated", async () => {
    const announced = Uint8Array.of(...backupPrefix(0), RecordType.header, 0xff, 0xff, 0x7f);
    expect(await codeOf(announced)).toBe("backup-malformed");
    expect(0x1fffff).toBeGreaterThan(BACKUP_LIMITS.record);
  });

  it("hold what can be read without Loro and without Cairn (promise 12)", async () => {
    const text = Buffer.from(await smallFile()).toString("utf8");
    expect(text).toContain('"body":"hello 😀"');
  });
});

/** Writes something into a map: plain values, and children of every kind, mergeable or not. */
type Write = (map: LoroMap, key: string, depth: number) => void;

// oxlint-disable-next-line typescript/no-unsafe-type-assertion -- JSON without lone surrogates, which Loro would change
const json = fc.jsonValue({ maxDepth: 2 }).map((value) => wellFormed(value) as Value);
const wellFormed = (value: unknown): unknown =>
  typeof value === "string"
    ? value.toWellFormed()
    : Array.isArray(value)
      ? value.map(wellFormed)
      : typeof value === "object" && value !== null
        ? Object.fromEntries(Object.entries(value).map(([key, item]) => [key.toWellFormed(), wellFormed(item)]))
        : value;
const text = fc.string({ unit: "grapheme", maxLength: 30 }).map((value) => value.toWellFormed());

const styled = (target: LoroText, value: string): void => {
  target.insert(0, value);
  if (value.length > 2) target.mark({ start: 0, end: Math.ceil(value.length / 2) }, "bold", true);
};

const writes: fc.Arbitrary<Write> = fc.oneof(
  json.map(
    (value): Write =>
      (map, key) =>
        map.set(key, value),
  ),
  fc.uint8Array({ maxLength: 8 }).map(
    (value): Write =>
      (map, key) =>
        map.set(key, value),
  ),
  text.map(
    (value): Write =>
      (map, key) =>
        styled(map.ensureMergeableText(key), value),
  ),
  text.map(
    (value): Write =>
      (map, key) =>
        styled(map.setContainer(key, new LoroText()), value),
  ),
  fc.integer({ min: -5, max: 5 }).map(
    (by): Write =>
      (map, key) =>
        map.ensureMergeableCounter(key).increment(by),
  ),
  fc.array(json, { maxLength: 4 }).map((items): Write => (map, key) => {
    const list = map.ensureMergeableList(key);
    items.forEach((item, index) => list.insert(index, item));
    const inner = list.insertContainer(0, new Map_());
    inner.set("in a list", items.length);
    list.insertContainer(0, new LoroList()).insert(0, "x");
  }),
  fc.array(json, { minLength: 2, maxLength: 4 }).map((items): Write => (map, key) => {
    const list = map.ensureMergeableMovableList(key);
    items.forEach((item) => list.push(item));
    list.move(0, 1);
    list.set(0, "set");
  }),
);

const documents = fc
  .record({
    words: text,
    roots: fc.array(
      fc.tuple(
        fc.constantFrom("fields", "records", "cairn"),
        fc.string({ minLength: 1, maxLength: 5 }),
        writes,
        fc.boolean(),
      ),
      { maxLength: 8 },
    ),
    count: fc.integer({ min: -3, max: 3 }),
  })
  .map(({ words, roots, count }) => {
    const doc = new LoroDoc();
    doc.setPeerId("5");
    styled(doc.getText("words"), words);
    doc.getCounter("count").increment(count);
    for (const [root, key, write, nested] of roots) {
      const safe = `${root}${key.toWellFormed()}`;
      const map = nested ? doc.getMap(root).ensureMergeableMap("nested") : doc.getMap(root);
      if (map.get(safe) === undefined) write(map, safe, 0);
    }
    doc.commit();
    return doc;
  });

/** Ids of children that are named by their place, not by the operation that made them. */
const mergeableIn = (doc: LoroDoc): ReadonlyArray<string> =>
  [...containersOf(doc)]
    .map(({ id }): string => id)
    .filter((id) => id.startsWith("cid:root-🤝"))
    .toSorted();

const copyOf = (updates: ReadonlyArray<{ readonly update: Uint8Array }>): LoroDoc => {
  const copy = new LoroDoc();
  for (const { update } of updates) copy.import(update);
  return copy;
};

const unmoved = { relocate: <M>(found: M): M => found };

describe("a copied document", () => {
  it("says the same, under the new peer alone, with children that merge where they merged before (rules 13, 16)", () => {
    fc.assert(
      fc.property(documents, (doc) => {
        const digest = hashOf(Uint8Array.of(7));
        const { updates } = copyDocument(doc, { peer: "99", digest, ...unmoved });
        const copy = copyOf(updates);
        expect(contentText(copy)).toBe(contentText(doc));
        expect([...copy.oplogVersion().toJSON().keys()]).toEqual(["99"]);
        expect(restoredFrom(copy)).toEqual([digest]);
        expect(mergeableIn(copy)).toEqual(mergeableIn(doc));
      }),
      { numRuns: 300 },
    );
  });

  it("says the same where a value has a key that JavaScript takes for the prototype", () => {
    const doc = new LoroDoc();
    doc.getMap("fields").set("value", JSON.parse('{"__proto__":{"a":1},"b":2}'));
    doc.commit();
    const { updates } = copyDocument(doc, { peer: "99", digest: hashOf(chunk), ...unmoved });
    expect(contentText(copyOf(updates))).toBe(contentText(doc));
  });

  it("has mergeable children under the same ids, so that two devices write to the same ones", () => {
    const doc = new LoroDoc();
    doc.getMap("records").ensureMergeableMap("a").ensureMergeableText("t").insert(0, "text");
    const copy = copyOf(copyDocument(doc, { peer: "99", digest: hashOf(chunk), ...unmoved }).updates);
    const idIn = (of: LoroDoc) => of.getMap("records").ensureMergeableMap("a").ensureMergeableText("t").id;
    expect(idIn(copy)).toBe(idIn(doc));
  });

  it("is cut into updates that fit an entry, between characters, with at most as many refs as an entry has", () => {
    const doc = new LoroDoc();
    doc.getText("body").insert(0, `x${"😀".repeat(1_800_000)}`);
    const files = doc.getMap("files");
    for (let index = 0; index < 5; index += 1) {
      const chunks = Array.from({ length: 900 }, (_, part) => Uint8Array.of(index, part & 0xff, part >> 8, 1));
      files.set(`file ${index}`, { ...manifest(chunks), size: 900 * 4096 });
    }
    doc.getMap(PLAIN_ROOT).set("title", "large");
    const { updates } = copyDocument(doc, { peer: "99", digest: hashOf(chunk), ...unmoved });
    expect(updates.length).toBeGreaterThan(2);
    for (const { update, refs } of updates) {
      expect(update.length).toBeLessThan(LIMITS.entryBytes - LIMITS.headerBytes - 64 * 1024);
      expect(refs.length).toBeLessThanOrEqual(LIMITS.refs);
    }
    expect(new Set(updates.flatMap(({ refs }) => refs)).size).toBe(4_500);
    // Not `toBe`: it would print megabytes.
    expect(contentText(copyOf(updates)) === contentText(doc)).toBe(true);
  });

  it("copies trees, whose nodes keep the ids that they are read under, and says the same again", () => {
    const page = defineDocument({ fields: { outline: field.tree({ title: field.string(), body: field.richText() }) } });
    const doc = new LoroDoc();
    doc.setPeerId(1);
    const { outline } = editDocument(page, doc);
    const root = outline.create();
    const child = outline.create(root);
    outline.create(root, 0, { key: "named" });
    outline.edit(root)?.title.set("one");
    outline.edit(child)?.body.text.insert(0, "two");
    // Two devices made a node of the same key.
    doc.getTree("outline").createNode().data.set("$key", "named");
    doc.commit();
    const { updates } = copyDocument(doc, { peer: "99", digest: hashOf(chunk), ...unmoved });
    const copy = copyOf(updates);
    expect(readDocument(page, copy)).toEqual(readDocument(page, doc));
    expect(contentText(copy)).toBe(contentText(doc));
    const again = copyOf(copyDocument(copy, { peer: "98", digest: hashOf(chunk), ...unmoved }).updates);
    expect(readDocument(page, again)).toEqual(readDocument(page, doc));
    expect(contentText(again)).toBe(contentText(doc));
    editDocument(page, again).outline.move(child, undefined);
    expect(contentText(again)).not.toBe(contentText(doc));
  });

  it("copies trees of any depth", () => {
    const doc = new LoroDoc();
    let node = doc.getTree("outline").createNode();
    for (let depth = 1; depth < 2_000; depth += 1) node = node.createNode();
    doc.commit();
    const { updates } = copyDocument(doc, { peer: "99", digest: hashOf(chunk), ...unmoved });
    expect(copyOf(updates).getTree("outline").getNodes()).toHaveLength(2_000);
  });

  it("has marks that grow as its type says", () => {
    const page = defineDocument({
      fields: { body: field.richText({ styles: { link: style.value(Schema.String, { expand: "none" }) } }) },
    });
    const doc = new LoroDoc();
    const { body } = editDocument(page, doc);
    body.text.insert(0, "a link");
    body.mark({ start: 2, end: 6 }, "link", "x");
    body.text.mark({ start: 0, end: 1 }, "of:another", 1);
    const copy = copyOf(copyDocument(doc, { peer: "99", digest: hashOf(chunk), ...unmoved, type: page }).updates);
    copy.getText("body").insert(6, "s");
    expect(readDocument(page, copy).body).toEqual([
      { insert: "a " },
      { insert: "link", attributes: { link: "x" } },
      { insert: "s" },
    ]);
    expect(copy.getText("body").toDelta()[0]).toEqual({ insert: "a", attributes: { "of:another": 1 } });
  });
});

describe("digests", () => {
  it("tell states apart by their version, contents by what they say", async () => {
    const [one, other] = [new LoroDoc(), new LoroDoc()];
    for (const doc of [one, other]) doc.getText("body").insert(0, "same");
    expect(await stateDigest(one)).not.toBe(await stateDigest(other));
    expect(contentText(one)).toBe(contentText(other));
    other.getMap("cairn").set("deleted", true);
    expect(contentText(one)).not.toBe(contentText(other));
  });

  it("place the same state of the same document in the same place", () => {
    const [state, later] = [hashOf(Uint8Array.of(1)), hashOf(Uint8Array.of(2))];
    const ids = [besideId(documentId(1), state), besideId(documentId(1), later), besideId(documentId(2), state)];
    expect(new Set(ids).size).toBe(3);
    expect(besideId(documentId(1), state)).toBe(ids[0]);
  });
});
