/** Reading a document leaves nothing behind that keeps it in memory after it was freed (hazard L9). */
import { Schema } from "effect";
import { LoroDoc } from "loro-crdt";
import { expect, test, vi } from "vitest";
import {
  createdAt,
  defineDocument,
  describeDocument,
  documentTypeName,
  editDocument,
  field,
  inspectDocument,
  isDeleted,
  project,
  readDocument,
  setDeleted,
} from "../src/index.ts";

const note = defineDocument({
  fields: {
    title: field.string({ list: true }),
    body: field.text({ list: "preview", searchable: true }),
    tags: field.set(Schema.String, { list: true }),
    items: field.movableList(Schema.String, { list: true }),
    lines: field.list(Schema.String),
    pages: field.counter(),
    attachments: field.attachments({ list: true }),
  },
});

const idOf = (container: unknown): unknown =>
  typeof container === "object" && container !== null ? Reflect.get(container, "id") : undefined;

test("every container that reading asks Loro for is given back", () => {
  const doc = new LoroDoc();
  const edit = editDocument(note, doc);
  edit.title.set("Title");
  edit.body.insert(0, "Words");
  edit.tags.add("tag");
  edit.items.push("item");
  edit.lines.push("line");
  edit.pages.add(3);
  doc.commit();

  const methods = ["getText", "getMap", "getList", "getMovableList", "getCounter"] as const;
  const asked = methods.map((method) => vi.spyOn(doc, method));
  describeDocument(doc, { type: "note", createdAt: 1 });
  setDeleted(doc, true);
  setDeleted(doc, false);
  expect(readDocument(note, doc)).toMatchObject({ title: "Title", body: "Words", tags: ["tag"], pages: 3 });
  expect(project(note, doc).search).toContain("Words");
  expect(inspectDocument(note, doc).invalid).toEqual([]);
  expect([isDeleted(doc), createdAt(doc), documentTypeName(doc)]).toEqual([false, 1, "note"]);

  const containers = asked.flatMap(({ mock }) => mock.results.map(({ value }): unknown => value));
  expect(containers.length).toBeGreaterThan(20);
  // A container that was given back is nobody's any more, and says so.
  for (const container of containers) expect(() => String(idOf(container))).toThrow();
  doc.free();
});
