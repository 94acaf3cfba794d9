/** Three versions of one app, as its releases declared them. */
import { defineDocument, defineSchema, evolveSchema, field } from "@cairn/schema";
import { Schema } from "effect";

const Task = Schema.Struct({ label: Schema.String, done: Schema.Boolean });

const note = {
  title: field.string({ list: true, search: true, indexed: true }),
  pinned: field.boolean({ list: true, indexed: true }),
  body: field.text({ list: "preview", search: true }),
  tasks: field.list(Schema.String),
  files: field.attachments(),
};

export const first = defineSchema({
  version: 1,
  documents: {
    note: defineDocument({ fields: note }),
    memo: defineDocument({ fields: { text: field.string({ list: true }) } }),
    sketch: defineDocument({ fields: { title: field.string({ list: true }) } }),
  },
});

const { pinned: _, ...unchanged } = note;

export const second = evolveSchema(first, {
  version: 2,
  documents: {
    note: defineDocument({
      fields: {
        ...unchanged,
        priority: field.integer({ list: true, indexed: true }),
        tasks: field.movableList(Task, { list: true }),
      },
    }),
    memo: defineDocument({ fields: { text: field.string({ list: true }) }, deprecated: true }),
  },
  steps: (step) => [
    step.convert("note", {
      from: "pinned",
      to: "priority",
      up: (pinned) => (pinned ? 2 : 0),
      down: (priority) => priority > 1,
    }),
    step.change("note", {
      from: ["tasks"],
      to: ["tasks"],
      up: ({ tasks }) => ({ tasks: tasks.map((label) => ({ label, done: false })) }),
    }),
    step.deprecateType("memo"),
    step.removeType("sketch"),
  ],
});

export const third = evolveSchema(second, {
  version: 3,
  documents: {
    note: defineDocument({
      fields: {
        ...unchanged,
        urgency: field.value(Schema.Struct({ level: Schema.Int }), { default: { level: 0 }, list: true }),
        tasks: field.movableList(Task, { list: true }),
        files: field.attachments(),
      },
    }),
    memo: defineDocument({ fields: { text: field.string({ list: true }) }, deprecated: true }),
  },
  steps: (step) => [
    step.convert("note", {
      from: "priority",
      to: "urgency",
      up: (level) => ({ level }),
      down: ({ level }) => level,
    }),
  ],
});
