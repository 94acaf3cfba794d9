/** Steps are typed by both versions: each mistake below differs in one place from what compiles, and does not compile. */
import { type Steps, defineDocument, defineSchema, evolveSchema, field, readDocument } from "@cairn/schema";
import { Schema } from "effect";
import { LoroDoc } from "loro-crdt";
import { expect, expectTypeOf, test } from "vitest";

const Task = Schema.Struct({ id: Schema.String, label: Schema.String });

const older = defineSchema({
  version: 1,
  documents: {
    note: defineDocument({
      fields: {
        title: field.string(),
        pinned: field.boolean(),
        name: field.string(),
        street: field.string(),
        number: field.integer(),
        color: field.string(),
        body: field.text(),
        tasks: field.list(Schema.String),
        links: field.list(Schema.String),
        sheet: field.reference("sheet"),
        rows: field.records({ done: field.boolean(), label: field.string() }),
      },
    }),
    sheet: defineDocument({ fields: { label: field.string() } }),
    draft: defineDocument({ fields: { label: field.string() } }),
    gone: defineDocument({ fields: { label: field.string() } }),
  },
});

const newer = {
  note: defineDocument({
    fields: {
      heading: field.string(),
      priority: field.integer(),
      first: field.string(),
      last: field.string(),
      address: field.string({ default: " 0" }),
      shade: field.integer({ default: 1 }),
      body: field.text(),
      tasks: field.movableList(Task),
      sheet: field.reference("sheet"),
      rows: field.records({ state: field.string({ default: "open" }), text: field.string() }),
    },
  }),
  sheet: defineDocument({ fields: { label: field.string() } }),
  draft: defineDocument({ fields: { label: field.string() }, deprecated: true }),
  link: defineDocument({ fields: { address: field.string(), note: field.reference("note"), seen: field.integer() } }),
};

type Made = ReturnType<Steps<typeof older.documents, typeof newer>["add"]>;

test("steps that name what is there, and make what is declared, compile", () => {
  const schema = evolveSchema(older, {
    version: 2,
    documents: newer,
    steps: (step) => [
      step.rename("note", { from: "title", to: "heading" }),
      step.add("note", "shade"),
      step.remove("note", "color"),
      step.convert("note", {
        from: "pinned",
        to: "priority",
        up: (pinned) => (pinned ? 1 : 0),
        down: (priority) => priority > 0,
      }),
      step.split("note", {
        from: "name",
        to: ["first", "last"],
        up: (name) => ({ first: name, last: "" }),
        down: ({ first, last }) => `${first}${last}`,
      }),
      step.merge("note", {
        from: ["street", "number"],
        to: "address",
        up: ({ street, number }) => `${street} ${number}`,
        down: (address) => ({ street: address.slice(0, address.lastIndexOf(" ")), number: 0 }),
      }),
      step.change("note", {
        from: ["tasks"],
        to: ["tasks"],
        up: ({ tasks }) => ({ tasks: tasks.map((label) => ({ id: label, label })) }),
        accept: ["schema/drops-duplicates"],
      }),
      step.convert("note.rows", {
        from: "done",
        to: "state",
        up: (done) => (done ? "done" : "open"),
        down: (state) => state === "done",
      }),
      step.rename("note.rows", { from: "label", to: "text" }),
      step.addType("link"),
      step.extract("note", {
        from: ["links"],
        reading: ["title"],
        into: "link",
        to: ["address", "note", "seen"],
        up: ({ links, title }, note) =>
          links.map((address) => ({ key: address, values: { address, note, seen: title.length } })),
        combine: (said) => said[0] ?? { address: "", note: null, seen: 0 },
        accept: ["schema/drops-duplicates"],
      }),
      step.deprecateType("draft"),
      step.removeType("gone"),
    ],
  });
  expect(readDocument(schema.documents.note, new LoroDoc())).toMatchObject({ heading: "", priority: 0, address: " 0" });
});

test("steps that name what is not there do not compile", () => {
  const wrong = (step: Steps<typeof older.documents, typeof newer>): ReadonlyArray<Made> => [
    // @ts-expect-error version 1 has no such field
    step.rename("note", { from: "heading", to: "heading" }),
    // @ts-expect-error version 2 has no such field
    step.rename("note", { from: "title", to: "title" }),
    // @ts-expect-error it is a field of the records, not of the note
    step.rename("note", { from: "label", to: "heading" }),
    // @ts-expect-error there are no such records
    step.rename("note.lines", { from: "label", to: "text" }),
    // @ts-expect-error a text has no fields
    step.rename("note.body", { from: "label", to: "text" }),
    // @ts-expect-error version 2 does not have the type
    step.rename("gone", { from: "label", to: "label" }),
    // @ts-expect-error version 2 has no such field
    step.add("note", "color"),
    // @ts-expect-error version 1 has no such field
    step.remove("note", "shade"),
    // @ts-expect-error version 2 has no such type
    step.addType("gone"),
    // @ts-expect-error version 1 has no such type
    step.removeType("link"),
    // @ts-expect-error neither has it
    step.deprecateType("drafts"),
    // @ts-expect-error version 1 has no such field
    step.convert("note", { from: "priority", to: "priority", up: () => 0, down: () => true }),
    // @ts-expect-error version 2 has no such field
    step.convert("note", { from: "pinned", to: "pinned", up: () => true, down: () => true }),
    // @ts-expect-error a list is not a plain field
    step.convert("note", { from: "tasks", to: "heading", up: () => "", down: () => [] }),
    // @ts-expect-error a movable list is not a plain field
    step.convert("note", { from: "name", to: "tasks", up: () => [], down: () => "" }),
    // @ts-expect-error version 2 has no `middle`
    step.split("note", { from: "name", to: ["middle"], up: (middle) => ({ middle }), down: () => "" }),
    // @ts-expect-error version 1 has no `town`
    step.merge("note", { from: ["town"], to: "address", up: () => "", down: (town) => ({ town }) }),
    // @ts-expect-error version 1 has no `items`
    step.change("note", { from: ["items"], to: ["tasks"], up: () => ({ tasks: [] }) }),
    // @ts-expect-error version 2 has no `items`
    step.change("note", { from: ["tasks"], to: ["items"], up: () => ({ items: [] }) }),
    // @ts-expect-error a step accepts only what can be accepted
    step.change("note", { from: ["tasks"], to: ["tasks"], up: () => ({ tasks: [] }), accept: ["schema/law"] }),
    // @ts-expect-error version 1 has no `addresses`
    step.extract("note", { from: ["addresses"], into: "link", to: ["address"], up: () => [] }),
    // @ts-expect-error it is read of version 1
    step.extract("note", { from: ["links"], reading: ["heading"], into: "link", to: ["address"], up: () => [] }),
    // @ts-expect-error version 2 has no such type
    step.extract("note", { from: ["links"], into: "links", to: ["address"], up: () => [] }),
    // @ts-expect-error links have no such field
    step.extract("note", { from: ["links"], into: "link", to: ["url"], up: () => [] }),
    // @ts-expect-error documents are left, not records within them
    step.extract("note.rows", { from: ["label"], into: "link", to: ["address"], up: () => [] }),
  ];
  expectTypeOf(wrong).toBeFunction();
});

test("steps whose functions take or make other values than the fields have do not compile", () => {
  const wrong = (step: Steps<typeof older.documents, typeof newer>): ReadonlyArray<Made> => [
    // @ts-expect-error a priority is a number
    step.convert("note", { from: "pinned", to: "priority", up: (pinned) => pinned, down: (level) => level > 0 }),
    // @ts-expect-error pinned is true or false
    step.convert("note", { from: "pinned", to: "priority", up: () => 0, down: (level) => level }),
    // @ts-expect-error pinned is no text
    step.convert("note", { from: "pinned", to: "priority", up: (pinned: string) => pinned.length, down: () => true }),
    // @ts-expect-error a priority is no text
    step.convert("note", { from: "pinned", to: "priority", up: () => 0, down: (level: string) => level === "" }),
    // @ts-expect-error a value goes both ways
    step.convert("note", { from: "pinned", to: "priority", up: () => 0 }),
    // @ts-expect-error what older apps read is never nothing
    step.convert("note", { from: "pinned", to: "priority", up: () => 0, down: () => undefined }),
    // @ts-expect-error a state is a text
    step.convert("note.rows", { from: "done", to: "state", up: (done) => done, down: (state) => state === "done" }),
    // @ts-expect-error `last` is missing
    step.split("note", { from: "name", to: ["first", "last"], up: (first) => ({ first }), down: ({ first }) => first }),
    step.split("note", {
      from: "name",
      to: ["first", "last"],
      up: () => ({ first: "", last: "" }),
      // @ts-expect-error a name is one text
      down: (both) => both,
    }),
    step.split("note", {
      from: "name",
      to: ["first", "last"],
      up: (first) => ({ first, last: "" }),
      // @ts-expect-error there is no middle
      down: ({ middle }) => String(middle),
    }),
    step.merge("note", {
      from: ["street", "number"],
      to: "address",
      // @ts-expect-error an address is one text
      up: (both) => both,
      down: () => ({ street: "", number: 0 }),
    }),
    // @ts-expect-error the number is missing
    step.merge("note", { from: ["street", "number"], to: "address", up: () => "", down: (street) => ({ street }) }),
    step.merge("note", {
      from: ["street", "number"],
      to: "address",
      up: () => "",
      // @ts-expect-error a number is no text
      down: () => ({ street: "", number: "0" }),
    }),
    // @ts-expect-error a task has an id
    step.change("note", { from: ["tasks"], to: ["tasks"], up: () => ({ tasks: [{ label: "" }] }) }),
    step.change("note", {
      from: ["tasks"],
      to: ["tasks"],
      // @ts-expect-error an older task is a text
      up: (from) => ({ tasks: from.tasks.map((task) => ({ id: task, label: String(task.label) })) }),
    }),
    // @ts-expect-error all that it makes
    step.change("note", { from: ["tasks", "body"], to: ["tasks", "body"], up: ({ body }) => ({ body }) }),
    step.change("note", {
      from: ["body"],
      to: ["tasks"],
      // @ts-expect-error it reads what it names
      up: ({ title }) => ({ tasks: [{ id: String(title), label: "" }] }),
    }),
    // @ts-expect-error there is no way back
    step.change("note", { from: ["body"], to: ["body"], up: ({ body }) => ({ body }), down: () => ({ body: "" }) }),
    step.extract("note", {
      from: ["links"],
      into: "link",
      to: ["address"],
      // @ts-expect-error an address is a text
      up: () => [{ key: "", values: { address: 1 } }],
    }),
    // @ts-expect-error the address is missing
    step.extract("note", { from: ["links"], into: "link", to: ["address"], up: () => [{ key: "", values: {} }] }),
    // @ts-expect-error it says for whom
    step.extract("note", { from: ["links"], into: "link", to: ["address"], up: () => [{ values: { address: "" } }] }),
    step.extract("note", {
      from: ["links"],
      into: "link",
      to: ["address"],
      // @ts-expect-error it reads what it names
      up: ({ title }) => [{ key: String(title), values: { address: "" } }],
    }),
    // @ts-expect-error it makes what it is asked for
    step.extract("note", { from: ["links"], into: "link", to: ["seen"], up: () => [], combine: (said) => said.length }),
    step.extract("note", {
      from: ["links"],
      into: "link",
      to: ["seen"],
      up: () => [],
      // @ts-expect-error several are given to it, and not one
      combine: ({ seen }) => ({ seen: Number(seen) }),
    }),
  ];
  expectTypeOf(wrong).toBeFunction();
});
