/** Four versions of one app, with every kind of step, for runs in which devices of all of them edit one document. */
import { defineDocument, defineSchema, evolveSchema, field } from "@cairn/schema";
import { Schema } from "effect";

const Task = Schema.Struct({ id: Schema.String, label: Schema.String, done: Schema.Boolean });
const Person = Schema.Struct({ first: Schema.String, last: Schema.String });

const one = defineSchema({
  version: 1,
  documents: {
    note: defineDocument({
      fields: {
        title: field.string({ list: true }),
        pinned: field.boolean({ list: true }),
        name: field.string(),
        body: field.text({ list: "preview" }),
        tasks: field.list(Schema.String),
        lines: field.list(Schema.String),
        tags: field.set(Schema.String),
        views: field.counter(),
        rows: field.records({ label: field.string(), done: field.boolean(), words: field.list(Schema.String) }),
      },
    }),
  },
});

const two = evolveSchema(one, {
  version: 2,
  documents: {
    note: defineDocument({
      fields: {
        heading: field.string({ list: true }),
        priority: field.integer({ list: true }),
        first: field.string(),
        last: field.string(),
        color: field.string({ default: "grey" }),
        body: field.text({ list: "preview" }),
        tasks: field.movableList(Task, { list: true }),
        lines: field.list(Schema.String),
        tags: field.set(Schema.String),
        views: field.counter(),
        rows: field.records({
          label: field.string(),
          state: field.string({ default: "open" }),
          words: field.movableList(Schema.String),
        }),
      },
    }),
  },
  steps: (step) => [
    step.rename("note", { from: "title", to: "heading" }),
    step.convert("note", {
      from: "pinned",
      to: "priority",
      up: (pinned) => (pinned ? 2 : 0),
      down: (priority) => priority > 1,
    }),
    step.split("note", {
      from: "name",
      to: ["first", "last"],
      up: (name) => {
        const at = name.indexOf(" ");
        return at < 0 || at === name.length - 1
          ? { first: name, last: "" }
          : { first: name.slice(0, at), last: name.slice(at + 1) };
      },
      down: ({ first, last }) => (last === "" ? first : `${first} ${last}`),
    }),
    step.add("note", "color"),
    step.change("note", {
      from: ["tasks"],
      to: ["tasks"],
      // An empty line is no task: it has no text to be named by.
      up: ({ tasks }) => ({
        tasks: tasks.filter((label) => label !== "").map((label) => ({ id: label, label, done: false })),
      }),
    }),
    step.convert("note.rows", {
      from: "done",
      to: "state",
      up: (done) => (done ? "done" : "open"),
      down: (state) => state === "done",
    }),
    step.change("note.rows", { from: ["words"], to: ["words"], up: ({ words }) => ({ words }) }),
  ],
});

const three = evolveSchema(two, {
  version: 3,
  documents: {
    note: defineDocument({
      fields: {
        heading: field.string({ list: true }),
        urgency: field.value(Schema.Struct({ level: Schema.Int }), { default: { level: 0 } }),
        person: field.value(Person, { default: { first: "", last: "" } }),
        body: field.text({ list: "preview" }),
        items: field.records({ label: field.string(), done: field.boolean(), notes: field.text() }),
        lines: field.movableList(Schema.String),
        tags: field.set(Schema.String),
        views: field.counter(),
        rows: field.records({
          label: field.string(),
          state: field.string({ default: "open" }),
          words: field.movableList(Schema.String),
        }),
      },
    }),
  },
  steps: (step) => [
    step.convert("note", {
      from: "priority",
      to: "urgency",
      up: (level) => ({ level }),
      down: ({ level }) => level,
    }),
    step.merge("note", { from: ["first", "last"], to: "person", up: (older) => older, down: (person) => person }),
    step.remove("note", "color"),
    step.change("note", {
      from: ["tasks"],
      to: ["items"],
      up: ({ tasks }) => ({
        items: Object.fromEntries(tasks.map(({ id, label, done }) => [id, { label, done, notes: "" }])),
      }),
    }),
    step.change("note", { from: ["lines"], to: ["lines"], up: ({ lines }) => ({ lines }) }),
  ],
});

export const versions = { one, two, three } as const;
