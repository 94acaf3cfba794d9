import { defineDocument, evolveSchema, field } from "@cairn/schema";
import { Schema } from "effect";
import { previewLength } from "../preview.ts";
import { checklistLines } from "./checklist-lines.ts";
import { version2 } from "./version-2.ts";

/** Where a note stands: on top of the list, in it, or out of sight. */
export const Shelf = Schema.Literals(["pinned", "normal", "archived"]);
export type Shelf = typeof Shelf.Type;

/**
 * An item of a checklist. Its id is a number, because a search would take a text for a word. Whether it is ticked stands
 * beside the list: who ticks an item and who rewords it at the same moment both get what they wanted.
 */
export const ChecklistItem = Schema.Struct({ id: Schema.Int, label: Schema.String });
export type ChecklistItem = typeof ChecklistItem.Type;

/** Notes that can be archived as well as pinned, and checklists whose items are moved, ticked and reworded one by one. */
export const version3 = evolveSchema(version2, {
  version: 3,
  documents: {
    note: defineDocument({
      fields: {
        title: field.string({ list: true, indexed: true, searchable: true }),
        body: field.text({ list: "preview", preview: previewLength, searchable: true }),
        tags: field.set(Schema.String, { list: true, indexed: true, searchable: true }),
        attachments: field.attachments({ list: true, searchable: true }),
        shelf: field.value(Shelf, { default: "normal", list: true, indexed: true }),
        checklist: field.movableList(ChecklistItem, { list: true, searchable: true }),
        /** The ids of those items. */
        ticked: field.set(Schema.String, { list: true }),
      },
    }),
  },
  steps: (step) => [
    step.convert("note", {
      from: "pinned",
      to: "shelf",
      up: (pinned) => (pinned ? "pinned" : "normal"),
      // An older app has an archived note in its list.
      down: (shelf) => shelf === "pinned",
    }),
    step.change("note", {
      from: ["checklist"],
      to: ["checklist", "ticked"],
      up: ({ checklist }) => {
        const seen = new Map<string, number>();
        const items = checklistLines(checklist).map(({ label, ticked }) => {
          const before = seen.get(label) ?? 0;
          seen.set(label, before + 1);
          return { id: idOf(label, before), label, ticked };
        });
        return {
          checklist: items.map(({ id, label }) => ({ id, label })),
          ticked: items.flatMap(({ id, ticked }) => (ticked ? [String(id)] : [])),
        };
      },
    }),
  ],
});

/**
 * The id of a line's item: from its words and from how many lines before it have the same, so that it is the same item on
 * every device, wherever the line stands and whether it is ticked. Below 2^52; two hashes (FNV-1a, with different offsets).
 */
const idOf = (label: string, before: number): number => {
  const text = `${before} ${label}`;
  let high = 0x811c9dc5;
  let low = 0x1b873593;
  for (let index = 0; index < text.length; index += 1) {
    const unit = text.charCodeAt(index);
    high = Math.imul(high ^ unit, 0x01000193);
    low = Math.imul(low ^ unit ^ (low >>> 13), 0x01000193);
  }
  return (high >>> 12) * 2 ** 32 + (low >>> 0);
};
