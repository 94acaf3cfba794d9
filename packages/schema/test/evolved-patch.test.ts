/** Patches of documents that several versions of an app edit. */
import fc from "fast-check";
import { LoroDoc } from "loro-crdt";
import { expect, test } from "vitest";
import {
  applyAnyPatch,
  derivePatch,
  defineDocument,
  defineSchema,
  type DocumentType,
  editDocument,
  evolveSchema,
  field,
  PatchInvalid,
  readDocument,
} from "@cairn/schema";
import { Schema } from "effect";
import { type Device, Run } from "./mixed/run.ts";
import { versions } from "./mixed/versions.ts";

const { one, two, three } = versions;
const notes: ReadonlyArray<DocumentType> = [one.documents.note, two.documents.note, three.documents.note];

test("what any version derives from any two moments makes the later view of the earlier one", () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 2 ** 31 }),
      fc.array(fc.tuple(fc.nat(), fc.nat(12), fc.nat()), { minLength: 4, maxLength: 40 }),
      fc.nat(),
      (seed, edits, moment) => {
        const run = new Run(seed);
        const [watched = run.devices[0]] = run.devices.slice(1);
        if (watched === undefined) throw new Error("a run has devices");
        const moments = [watched.doc.frontiers()];
        for (const [which, kind, meet] of edits) {
          const device: Device | undefined = run.devices[which % run.devices.length];
          if (device !== undefined) run.edit(device, kind);
          device?.doc.commit();
          const other = run.devices[meet % run.devices.length];
          if (other !== undefined) watched.doc.import(other.doc.export({ mode: "update" }));
          moments.push(watched.doc.frontiers());
        }
        const from = moments[moment % moments.length] ?? [];
        for (const note of notes) {
          const earlier = watched.doc.forkAt(from);
          applyAnyPatch(note, earlier, structuredClone(derivePatch(note, watched.doc, from, watched.doc.frontiers())));
          expect(readDocument(note, earlier)).toEqual(readDocument(note, watched.doc));
        }
      },
    ),
    { numRuns: 60 },
  );
});

test("a refused patch of a field in another form makes no successor", () => {
  const doc = new LoroDoc();
  editDocument(one.documents.note, doc).tasks.push("carry");
  doc.commit();
  const before = doc.version().toJSON();
  for (const operation of [
    { op: "insert", path: "tasks", at: 7, values: [{ id: "a", label: "a", done: false }] },
    { op: "remove", path: "tasks", at: 7 },
    { op: "insert", path: "tasks", values: ["no task"] },
  ]) {
    expect(() => applyAnyPatch(two.documents.note, doc, [operation])).toThrow(PatchInvalid);
  }
  doc.commit();
  expect(doc.version().toJSON()).toEqual(before);
});

const lines = defineSchema({
  version: 1,
  documents: { outline: defineDocument({ fields: { lines: field.list(Schema.String) } }) },
});
const outlines = evolveSchema(lines, {
  version: 2,
  documents: {
    outline: defineDocument({
      fields: {
        points: field.tree({ label: field.string(), tags: field.set(Schema.String) }),
        summary: field.richText({}),
        votes: field.counter(),
        links: field.map(Schema.String),
      },
    }),
  },
  steps: (step) => [
    step.change("outline", {
      from: ["lines"],
      to: ["points", "summary", "votes", "links"],
      up: (older) => ({
        points: older.lines.map((label, at) => ({ id: `line-${at}`, label, tags: [], children: [] })),
        summary: older.lines.length === 0 ? [] : [{ insert: older.lines.join(" ") }],
        votes: older.lines.length,
        links: Object.fromEntries(older.lines.map((label, at) => [`l${at}`, label])),
      }),
    }),
  ],
});

test("trees, rich texts, counters and maps in another form derive what makes them", () => {
  const { outline } = outlines.documents;
  fc.assert(
    fc.property(
      fc.array(fc.tuple(fc.nat(7), fc.nat(5), fc.nat(5)), { minLength: 1, maxLength: 20 }),
      fc.nat(),
      (edits, moment) => {
        const doc = new LoroDoc();
        editDocument(lines.documents.outline, doc).lines.push("one", "two", "three");
        doc.commit();
        const moments = [[], doc.frontiers()];
        for (const [kind, first, second] of edits) {
          const edit = editDocument(outline, doc);
          const ids = edit.points.get().flatMap(function below(node): ReadonlyArray<string> {
            return [node.id, ...node.children.flatMap(below)];
          });
          const [one, two] = [ids[first % ids.length], ids[second % ids.length]];
          try {
            if (kind === 0) edit.points.create(one);
            else if (kind === 1 && one !== undefined) edit.points.move(one, two);
            else if (kind === 2 && one !== undefined) edit.points.delete(one);
            else if (kind === 3 && one !== undefined) edit.points.edit(one)?.tags.add(`t${second}`);
            else if (kind === 4) edit.summary.text.insert(0, "né😀");
            else if (kind === 5) edit.votes.add(first - second);
            else if (kind === 6) edit.links.set(`l${first}`, `x${second}`);
            else editDocument(lines.documents.outline, doc).lines.insert(0, `late${first}`);
          } catch {
            // A node cannot be moved below itself.
          }
          doc.commit();
          moments.push(doc.frontiers());
        }
        const from = moments[moment % moments.length] ?? [];
        const earlier = doc.forkAt(from);
        applyAnyPatch(outline, earlier, structuredClone(derivePatch(outline, doc, from, doc.frontiers())));
        expect(readDocument(outline, earlier)).toEqual(readDocument(outline, doc));
      },
    ),
    { numRuns: 100 },
  );
});
