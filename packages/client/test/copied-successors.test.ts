/** Copies of documents with newer forms that whoever copies them does not know: backups restored by older apps, or by none. */
import { hashFromBytes } from "@cairn/protocol";
import {
  defineDocument,
  defineSchema,
  type DocumentType,
  editDocument,
  evolveSchema,
  field,
  readDocument,
  stateDigestInput,
} from "@cairn/schema";
import { Schema } from "effect";
import fc from "fast-check";
import { LoroDoc, type PeerID } from "loro-crdt";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { copyDocument } from "../src/backup/copy-document.ts";
import { contentText } from "../src/backup/document-digest.ts";
import { writeDocumentAlike } from "../src/backup/write-alike.ts";
import { openCairn } from "../src/node.ts";
import { first, second } from "./evolving-notes.ts";

const DIGEST = hashFromBytes(new Uint8Array(32));
const note1 = first.documents.note;
const note2 = second.documents.note;

const make = (peer: PeerID, ...from: ReadonlyArray<LoroDoc>): LoroDoc => {
  const doc = new LoroDoc();
  doc.setPeerId(peer);
  for (const one of from) doc.import(one.export({ mode: "snapshot" }));
  return doc;
};
const on = (doc: LoroDoc, change: (doc: LoroDoc) => void): LoroDoc => {
  change(doc);
  doc.commit();
  return doc;
};
const copied = (doc: LoroDoc, type: DocumentType | undefined): LoroDoc => {
  const { snapshot, updates } = copyDocument(doc, {
    peer: "77",
    digest: DIGEST,
    relocate: (manifest) => manifest,
    type,
  });
  const copy = make("88");
  for (const { update } of updates) expect(copy.import(update).pending).toBeNull();
  const same = make("89");
  same.import(snapshot);
  expect(stateDigestInput(same)).toEqual(stateDigestInput(copy));
  return copy;
};
const labels = (doc: LoroDoc): ReadonlyArray<string> => readDocument(note2, doc).tasks.map(({ label }) => label);
const push = (label: string) => (doc: LoroDoc) => editDocument(note2, doc).tasks.push({ label, done: false });
const pushOlder = (label: string) => (doc: LoroDoc) => editDocument(note1, doc).tasks.push(label);

describe.each([
  ["an app that knows a document's newer form", note2],
  ["an app of the version before", note1],
  ["one that knows no type", undefined],
])("a copy by %s", (_, type) => {
  test.each([
    ["before", "7" as const, 0],
    ["after", "99" as const, 100],
  ])("keeps all of it where a device that did not have it wrote to the document: it counts %s", (__, peer, ahead) => {
    const base = on(make("1"), pushOlder("bread"));
    const left = on(make("2", base), push("left"));
    const right = on(make("3", base), push("right"));
    // What both wrote is carried over, or was before it is copied.
    const both = make("4", left, right);
    const carried = on(make("5", both), push("after"));
    for (const source of [both, carried, on(on(make("6", carried), pushOlder("older")), push("late"))]) {
      const copy = copied(source, type);
      // Of two successors that do not know each other the one of the later clock counts, and of equal ones that of the higher peer.
      const elsewhere = on(make(peer), (doc) => doc.getText("else").insert(0, " ".repeat(ahead)));
      on(elsewhere, push("elsewhere"));
      const merged = make("98", copy, elsewhere);
      const all = [...labels(source), "elsewhere"];
      expect(labels(merged).toSorted()).toEqual(all.toSorted());
      on(merged, push("last"));
      expect(labels(merged).toSorted()).toEqual([...all, "last"].toSorted());
    }
  });
});

describe("a copy by an app that does not know a document's newer form", () => {
  test.each([
    ["no type", undefined],
    ["the type of the version before", note1],
  ])("keeps what older apps wrote to the older form afterwards: %s", (_, type) => {
    const doc = on(make("1"), pushOlder("bread"));
    on(doc, push("butter"));
    on(doc, pushOlder("salt"));
    expect(labels(doc).toSorted()).toEqual(["bread", "butter", "salt"]);
    const copy = copied(doc, type);
    expect(labels(copy).toSorted()).toEqual(["bread", "butter", "salt"]);
    on(copy, pushOlder("later"));
    on(copy, push("last"));
    expect(labels(copy).toSorted()).toEqual(["bread", "butter", "last", "later", "salt"]);
    // Copied once more, it says the same.
    expect(labels(copied(copy, type)).toSorted()).toEqual(["bread", "butter", "last", "later", "salt"]);
  });

  test("keeps what was written to newer forms that do not count", () => {
    const base = on(make("1"), pushOlder("bread"));
    const left = on(on(make("2", base), push("left")), push("more"));
    const right = on(on(make("3", base), push("right")), pushOlder("older"));
    const both = on(make("4", left, right), pushOlder("late"));
    const all = ["bread", "late", "left", "more", "older", "right"];
    expect(labels(both).toSorted()).toEqual(all);
    const copy = copied(both, undefined);
    expect(labels(copy).toSorted()).toEqual(all);
    on(copy, push("last"));
    expect(labels(copy).toSorted()).toEqual(["bread", "last", "late", "left", "more", "older", "right"]);
    // What was carried over and written down since needs no version of its own any more.
    const settled = on(make("5", both), push("last"));
    on(settled, pushOlder("too late"));
    expect(labels(copied(settled, undefined)).toSorted()).toEqual([...all, "last", "too late"].toSorted());
  });

  test("keeps attachments away that a newer app has taken out", () => {
    const v1 = defineSchema({
      version: 1,
      documents: { plan: defineDocument({ fields: { files: field.attachments() } }) },
    });
    const v2 = evolveSchema(v1, {
      version: 2,
      documents: { plan: defineDocument({ fields: { papers: field.attachments() } }) },
      steps: (step) => [
        step.change("plan", { from: ["files"], to: ["papers"], up: ({ files }) => ({ papers: files }) }),
      ],
    });
    const [plan1, plan2] = [v1.documents.plan, v2.documents.plan];
    const hash = (seed: number) => hashFromBytes(new Uint8Array(32).fill(seed));
    const file = (seed: number) => ({
      name: `${seed}`,
      mediaType: "text/plain",
      size: 1,
      chunkSize: 1024 * 1024,
      createdAt: 1,
      epoch: 1,
      chunks: [{ sealedHash: hash(seed), plainHash: hash(seed + 100) }],
    });
    const papers = (doc: LoroDoc) => Object.keys(readDocument(plan2, doc).papers).toSorted();
    const doc = on(make("1"), (one) => {
      editDocument(plan1, one).files.set("kept", file(1));
      editDocument(plan1, one).files.set("removed", file(2));
      editDocument(plan1, one).files.set("gone", file(3));
    });
    on(doc, (one) => editDocument(plan2, one).papers.delete("removed"));
    on(doc, (one) => editDocument(plan1, one).files.delete("gone"));
    on(doc, (one) => editDocument(plan1, one).files.set("late", file(4)));
    expect(papers(doc)).toEqual(["kept", "late"]);
    expect(papers(copied(doc, undefined))).toEqual(["kept", "late"]);
  });

  test("keeps texts with their marks, nodes of trees, records and counters through all of that", () => {
    const v1 = defineSchema({
      version: 1,
      documents: {
        plan: defineDocument({
          fields: {
            body: field.text(),
            seen: field.counter(),
            outline: field.tree({ label: field.string(), points: field.text() }),
            rows: field.records({ name: field.string(), items: field.text() }),
          },
        }),
      },
    });
    const Items = field.list(Schema.String);
    const lines = (text: string): ReadonlyArray<string> => (text === "" ? [] : text.split("\n"));
    const v2 = evolveSchema(v1, {
      version: 2,
      documents: {
        plan: defineDocument({
          fields: {
            body: field.text(),
            seen: field.counter(),
            outline: field.tree({ label: field.string(), points: Items }),
            rows: field.records({ name: field.string(), items: Items }),
          },
        }),
      },
      steps: (step) => [
        step.change("plan.outline", {
          from: ["points"],
          to: ["points"],
          up: (node) => ({ points: lines(node.points) }),
        }),
        step.change("plan.rows", { from: ["items"], to: ["items"], up: (row) => ({ items: lines(row.items) }) }),
      ],
    });
    const [plan1, plan2] = [v1.documents.plan, v2.documents.plan];
    const doc = make("1");
    const old = () => editDocument(plan1, doc);
    const newer = () => editDocument(plan2, doc);
    old().body.insert(0, "hello 🥛 world");
    old().seen.add(3);
    const top = old().outline.create();
    old().outline.edit(top)?.points.insert(0, "one");
    old().rows.ensure("a").items.insert(0, "flour");
    doc.commit();
    const below = newer().outline.create(top);
    newer().outline.edit(top)?.points.push("newer");
    newer().rows.edit("a")?.items.push("sugar");
    newer().body.delete(0, 6);
    newer().seen.add(-5);
    doc.commit();
    old().outline.edit(top)?.points.insert(3, "\nlate");
    old().outline.move(below, undefined, 0);
    old().rows.edit("a")?.items.insert(5, "\nsalt");
    old().body.insert(2, "!");
    doc.commit();
    const before = readDocument(plan2, doc);
    expect(JSON.stringify(before)).toMatch(/late.*salt/);
    const copy = copied(doc, undefined);
    expect(readDocument(plan2, copy)).toEqual(before);
    expect(readDocument(plan1, copy)).toEqual(readDocument(plan1, doc));
  });
});

describe("a document made like another one, version after version", () => {
  const word = fc.constantFrom("a", "bc", "🥛", "d🥛e");
  const change = fc.record({
    kind: fc.constantFrom(
      "text",
      "delete",
      "mark",
      "unmark",
      "map",
      "child",
      "list",
      "move",
      "count",
      "node",
      "drop",
      "fork",
    ),
    at: fc.nat(9),
    word,
  });
  /** Between two characters. */
  const whole = (text: string, at: number): number => {
    const position = Math.min(at, text.length);
    return (text.codePointAt(position - 1) ?? 0) > 0xffff ? position - 1 : position;
  };
  const apply = (doc: LoroDoc, { kind, at, word: said }: { kind: string; at: number; word: string }): void => {
    const text = doc.getText("text");
    const list = doc.getMovableList("list");
    const tree = doc.getTree("tree");
    const nodes = tree.getNodes();
    const node = nodes[at % Math.max(1, nodes.length)];
    const start = whole(text.toString(), at);
    const end = whole(text.toString(), at + 2);
    if (kind === "text") text.insert(start, said);
    else if (kind === "delete" && start < end) text.delete(start, end - start);
    else if (kind === "mark" && start < end) text.mark({ start, end }, said.length > 1 ? "bold" : "link", said);
    else if (kind === "unmark" && start < end) text.unmark({ start, end }, "bold");
    else if (kind === "map") doc.getMap("map").set(`k${at % 3}`, at % 2 === 0 ? { said } : said);
    else if (kind === "child")
      doc
        .getMap("map")
        .ensureMergeableText(`t${at % 2}`)
        .insert(0, said);
    else if (kind === "list") list.insert(Math.min(at, list.length), said);
    else if (kind === "move" && list.length > 1) list.move(at % list.length, 0);
    else if (kind === "count") doc.getCounter("count").increment(at - 4);
    else if (kind === "node") tree.createNode(node?.id).data.set("said", said);
    else if (kind === "drop" && at === 3 && node !== undefined) tree.delete(node.id);
    doc.commit();
  };

  test("says the same each time", () => {
    fc.assert(
      fc.property(fc.array(change, { maxLength: 40 }), fc.array(fc.nat(), { maxLength: 6 }), (changes, order) => {
        const configured = (doc: LoroDoc): LoroDoc => {
          doc.configDefaultTextStyle({ expand: "after" });
          return doc;
        };
        const replicas = [configured(make("1")), configured(make("2"))];
        const versions: Array<ReturnType<LoroDoc["frontiers"]>> = [[]];
        changes.forEach((one, index) => {
          const doc = replicas[index % 2];
          if (doc === undefined) return;
          apply(doc, one);
          versions.push(doc.frontiers());
          if (one.kind === "fork") for (const other of replicas) doc.import(other.export({ mode: "snapshot" }));
        });
        const source = configured(make("3", ...replicas));
        const target = configured(make("4"));
        for (const place of [...order, undefined]) {
          if (place === undefined) source.checkoutToLatest();
          else source.checkout(versions[place % versions.length] ?? []);
          writeDocumentAlike(source, target, { spend: () => undefined, relocate: (manifest) => manifest });
          target.commit();
          expect(JSON.parse(contentText(target))).toEqual(JSON.parse(contentText(source)));
        }
        expect(target.oplogVersion().toJSON().size).toBeLessThan(2);
      }),
      { numRuns: 100 },
    );
  });
});

describe("a backup with a form that is newer than the app", () => {
  let directory: string;
  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), "cairn-restored-"));
  });
  afterEach(() => rm(directory, { recursive: true, force: true }));

  test("is restored by an older app, and a newer one misses nothing", async () => {
    const [from, into] = [join(directory, "from"), join(directory, "into")];
    const oldest = await openCairn({ schema: first, directory: from });
    const { id } = await (await oldest.workspace()).create("note", (draft) => draft.tasks.push("bread"));
    await oldest.close();
    const newer = await openCairn({ schema: second, directory: from });
    const edited = await (await newer.workspace()).open("note", id);
    edited.edit((draft) => draft.tasks.push({ label: "butter", done: true }));
    await newer.close();
    const older = await openCairn({ schema: first, directory: from });
    const late = await (await older.workspace()).open("note", id);
    late.edit((draft) => draft.tasks.push("salt"));
    const backup = await (await older.workspace()).exportBackup();
    const bytes = await new Response(backup).blob();
    await older.close();

    const restoring = await openCairn({ schema: first, directory: into });
    expect(await (await restoring.workspace()).importBackup(bytes)).toMatchObject({ newDocuments: 1 });
    expect(await (await restoring.workspace()).importBackup(bytes)).toMatchObject({ newDocuments: 0 });
    await restoring.close();
    const updated = await openCairn({ schema: second, directory: into });
    const note = await (await updated.workspace()).open("note", id);
    expect(
      note
        .read()
        .tasks.map(({ label }) => label)
        .toSorted(),
    ).toEqual(["bread", "butter", "salt"]);
    await updated.close();
  });
});
