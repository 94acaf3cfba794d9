/** Versions of a schema: what each step does to documents that older and newer apps write at the same time. */
import { Schema } from "effect";
import { LoroDoc } from "loro-crdt";
import { describe, expect, expectTypeOf, test } from "vitest";

import {
  SchemaDefinitionError,
  type View,
  defineDocument,
  defineSchema,
  editDocument,
  evolveSchema,
  field,
  inspectDocument,
  project,
  readDocument,
} from "@cairn/schema";

const replica = (peer: number, from?: LoroDoc): LoroDoc => {
  const doc = new LoroDoc();
  doc.setPeerId(BigInt(peer));
  if (from !== undefined) doc.import(from.export({ mode: "snapshot" }));
  return doc;
};

const meet = (one: LoroDoc, other: LoroDoc): void => {
  one.import(other.export({ mode: "update", from: one.version() }));
  other.import(one.export({ mode: "update", from: other.version() }));
};

const first = defineSchema({
  version: 1,
  documents: {
    note: defineDocument({
      fields: {
        title: field.string({ list: true, searchable: true }),
        pinned: field.boolean({ list: true, filterable: true }),
        name: field.string({ default: "nobody" }),
        body: field.text(),
        lines: field.list(Schema.String),
        outline: field.text(),
      },
    }),
  },
});

const Task = Schema.Struct({ id: Schema.String, label: Schema.String, done: Schema.Boolean });

const second = evolveSchema(first, {
  version: 2,
  documents: {
    note: defineDocument({
      fields: {
        heading: field.string({ list: true, searchable: true }),
        priority: field.integer({ list: true, filterable: true }),
        first: field.string(),
        last: field.string(),
        color: field.string({ default: "grey" }),
        body: field.text(),
        tasks: field.movableList(Task, { list: true }),
        outline: field.tree({ label: field.string() }),
      },
    }),
  },
  steps: (step) => [
    step.rename("note", { from: "title", to: "heading" }),
    step.convert("note", {
      from: "pinned",
      to: "priority",
      up: (pinned) => (pinned ? 5 : 0),
      down: (priority) => priority > 0,
    }),
    step.split("note", {
      from: "name",
      to: ["first", "last"],
      up: (name) => ({ first: name.split(" ")[0] ?? "", last: name.split(" ").slice(1).join(" ") }),
      down: ({ first, last }) => (last === "" ? first : `${first} ${last}`),
    }),
    step.add("note", "color"),
    step.change("note", {
      from: ["lines"],
      to: ["tasks"],
      up: ({ lines }) => ({ tasks: lines.map((label) => ({ id: label, label, done: false })) }),
    }),
    step.change("note", {
      from: ["outline"],
      to: ["outline"],
      up: ({ outline }) => ({
        outline: outline
          .split("\n")
          .filter((label) => label !== "")
          .map((label) => ({ id: label, label, children: [] })),
      }),
    }),
  ],
});

const older = first.documents.note;
const newer = second.documents.note;

const old = (): LoroDoc => {
  const doc = replica(1);
  const edit = editDocument(older, doc);
  edit.title.set("Walls");
  edit.pinned.set(true);
  edit.name.set("Ada Lovelace");
  edit.lines.push("stone", "sand");
  edit.outline.insert(0, "one\ntwo");
  doc.commit();
  return doc;
};

test("a document of the version before opens directly, and reading it writes nothing", () => {
  const doc = old();
  const before = doc.opCount();
  expect(readDocument(newer, doc)).toEqual({
    heading: "Walls",
    priority: 5,
    first: "Ada",
    last: "Lovelace",
    color: "grey",
    body: "",
    tasks: [
      { id: "stone", label: "stone", done: false },
      { id: "sand", label: "sand", done: false },
    ],
    outline: [
      { id: "one", label: "one", children: [] },
      { id: "two", label: "two", children: [] },
    ],
  });
  expect(project(newer, doc).fields).toMatchObject({ heading: "Walls", priority: 5, tasks: [{}, {}] });
  expect(doc.opCount()).toBe(before);
});

test("types: what a step names exists, and its functions take and give what the fields hold", () => {
  expectTypeOf<View<typeof newer>["tasks"][number]["done"]>().toEqualTypeOf<boolean>();
  const wrong = () =>
    evolveSchema(first, {
      version: 2,
      documents: second.documents,
      steps: (step) => [
        // @ts-expect-error -- no such field in version 1
        step.rename("note", { from: "titel", to: "heading" }),
        // @ts-expect-error -- no such type
        step.add("notes", "color"),
        // @ts-expect-error -- a number is expected
        step.convert("note", { from: "pinned", to: "priority", up: () => "high", down: () => true }),
        // @ts-expect-error -- a text is not a plain field
        step.convert("note", { from: "body", to: "heading", up: (text: string) => text, down: (text) => text }),
        // @ts-expect-error -- `last` is missing
        step.split("note", { from: "name", to: ["first", "last"], up: () => ({ first: "" }), down: () => "" }),
      ],
    });
  expect(wrong).toThrow(SchemaDefinitionError);
});

test("what a change made changes as a whole, and says so", () => {
  const lines = defineSchema({
    version: 1,
    documents: { note: defineDocument({ fields: { tasks: field.text() } }) },
  });
  const task = { label: field.string() };
  const tasks = evolveSchema(lines, {
    version: 2,
    documents: { note: defineDocument({ fields: { tasks: field.records(task) } }) },
    steps: (step) => [
      step.change("note", {
        from: ["tasks"],
        to: ["tasks"],
        up: ({ tasks: text }) => ({ tasks: Object.fromEntries(text.split("\n").map((label) => [label, { label }])) }),
      }),
    ],
  });
  const timed = { ...task, minutes: field.integer({ default: 5 }) };
  const documents = { note: defineDocument({ fields: { tasks: field.records(timed) } }) };
  expect(() =>
    evolveSchema(tasks, { version: 3, documents, steps: (step) => [step.add("note.tasks", "minutes")] }),
  ).toThrow("a step.change(…) made it, so it changes as a whole: use step.change(…)");
  const changed = evolveSchema(tasks, {
    version: 3,
    documents,
    steps: (step) => [
      step.change("note", {
        from: ["tasks"],
        to: ["tasks"],
        up: ({ tasks: before }) => ({
          tasks: Object.fromEntries(Object.entries(before).map(([key, { label }]) => [key, { label, minutes: 7 }])),
        }),
      }),
    ],
  });
  const doc = new LoroDoc();
  editDocument(lines.documents.note, doc).tasks.insert(0, "sweep\nmop");
  doc.commit();
  const seven = (label: string) => ({ label, minutes: 7 });
  expect(readDocument(changed.documents.note, doc).tasks).toEqual({ sweep: seven("sweep"), mop: seven("mop") });
});

describe("plain fields", () => {
  test("the older view is `down` of the newer one, and what has no older form stays while nobody else writes", () => {
    const doc = old();
    editDocument(newer, doc).priority.set(3);
    doc.commit();
    expect(readDocument(older, doc).pinned).toBe(true);
    expect(readDocument(newer, doc).priority).toBe(3);
    // The same value again, by an older app: nothing was said about which of the newer ones it is.
    editDocument(older, doc).pinned.set(true);
    doc.commit();
    expect(readDocument(newer, doc).priority).toBe(3);
    editDocument(older, doc).pinned.set(false);
    doc.commit();
    expect(readDocument(newer, doc).priority).toBe(0);
  });

  test("rule 17: of concurrent writes the same one wins every register, also where the older form did not change", () => {
    // Peers in both orders: the greater one wins where the clocks are equal.
    for (const [left, right] of [
      [2, 3],
      [3, 2],
    ] as const) {
      const base = old();
      editDocument(newer, base).priority.set(0);
      base.commit();
      const one = replica(left, base);
      const other = replica(right, base);
      // One's clock is ahead, and the older form of its value is there already.
      editDocument(newer, one).body.insert(0, "ahead");
      editDocument(newer, one).priority.set(-1);
      editDocument(newer, other).priority.set(3);
      one.commit();
      other.commit();
      meet(one, other);
      const { priority } = readDocument(newer, one);
      expect([-1, 3]).toContain(priority);
      expect(readDocument(newer, other).priority).toBe(priority);
      expect(readDocument(older, one).pinned).toBe(priority > 0);
    }
  });

  test("a value that the step cannot convert reads as the default, is reported, and is not overwritten", () => {
    const broken = evolveSchema(first, {
      version: 2,
      documents: {
        note: defineDocument({
          fields: {
            title: field.string({ list: true, searchable: true }),
            pinned: field.boolean({ list: true, filterable: true }),
            size: field.integer({ default: 7 }),
            body: field.text(),
            lines: field.list(Schema.String),
            outline: field.text(),
          },
        }),
      },
      steps: (step) => [
        step.convert("note", { from: "name", to: "size", up: (name) => Number(name), down: (size) => `${size}` }),
      ],
    }).documents.note;
    const doc = old();
    const before = doc.opCount();
    expect(inspectDocument(broken, doc)).toMatchObject({
      view: { size: 7 },
      invalid: [{ path: ["size"], reason: "conversion" }],
    });
    expect(doc.opCount()).toBe(before);
    expect(readDocument(older, doc).name).toBe("Ada Lovelace");
  });

  test("rubbish in a shadow register is reported, and the older form is taken", () => {
    const doc = old();
    for (const rubbish of [1, "x", { value: {} }, { value: { priority: "high" }, base: { pinned: true } }]) {
      doc.getMap("fields").set("$v2.priority", rubbish);
      doc.commit();
      expect(inspectDocument(newer, doc)).toMatchObject({
        view: { priority: 5 },
        invalid: [{ path: ["priority"], reason: "misfit" }],
      });
    }
  });
});

describe("promise 10: containers", () => {
  test("two devices that know different things change the same field at once: nothing twice, nothing lost", () => {
    const base = old();
    const one = replica(2, base);
    const other = replica(3, base);
    // The second one knows a line that the first one does not.
    editDocument(older, base).lines.push("water");
    base.commit();
    other.import(base.export({ mode: "update" }));
    editDocument(newer, one).tasks.replace(0, { id: "stone", label: "stone", done: true });
    editDocument(newer, one).outline.create("one", 0, { key: "below" });
    editDocument(newer, other).tasks.push({ id: "lime", label: "lime", done: false });
    editDocument(newer, other).outline.move("two", undefined, 0);
    one.commit();
    other.commit();
    meet(one, other);
    const view = readDocument(newer, one);
    expect(readDocument(newer, other)).toEqual(view);
    expect(view.tasks.map(({ id }) => id).toSorted()).toEqual(["lime", "sand", "stone", "water"]);
    expect(view.tasks.find(({ id }) => id === "stone")?.done).toBe(true);
    expect(view.outline.map(({ id }) => id)).toEqual(["two", "one"]);
    expect(view.outline[1]?.children.map(({ id }) => id)).toEqual(["below"]);
  });

  test("a late edit of an older app appears in the newer form at once, and stays when that is edited", () => {
    const base = old();
    const late = replica(2, base);
    editDocument(newer, base).tasks.replace(1, { id: "sand", label: "sand", done: true });
    base.commit();
    editDocument(older, late).lines.insert(1, "water");
    editDocument(older, late).lines.delete(0);
    late.commit();
    meet(base, late);
    const carried = [
      { id: "water", label: "water", done: false },
      { id: "sand", label: "sand", done: true },
    ];
    expect(readDocument(newer, base).tasks).toEqual(carried);
    expect(readDocument(newer, late).tasks).toEqual(carried);
    editDocument(newer, base).tasks.push({ id: "lime", label: "lime", done: false });
    base.commit();
    meet(base, late);
    expect(readDocument(newer, late).tasks).toEqual([...carried, { id: "lime", label: "lime", done: false }]);
    // The older app has its own lines, and all of them.
    expect(readDocument(older, base).lines).toEqual(["water", "sand"]);
  });

  test("everything else in the document is edited together with older apps", () => {
    const base = old();
    const late = replica(2, base);
    editDocument(newer, base).tasks.push({ id: "lime", label: "lime", done: false });
    editDocument(newer, base).body.insert(0, "new ");
    base.commit();
    editDocument(older, late).body.insert(0, "old ");
    late.commit();
    meet(base, late);
    expect(readDocument(newer, base).body).toBe(readDocument(older, late).body);
    expect(readDocument(newer, base).body.split(" ").toSorted().join(" ").trim()).toBe("new old");
  });

  test("half a successor, or one of rubbish, is as if it were not there", () => {
    const doc = old();
    const expected = readDocument(newer, doc).tasks;
    const root = doc.getMap("$v2.tasks");
    root.set("$winner", "9.9");
    root.set("rubbish", "text");
    const half = root.ensureMergeableMap("9.9");
    half.ensureMergeableMovableList("tasks").push({ id: "x", label: "x", done: true });
    doc.commit();
    expect(readDocument(newer, doc).tasks).toEqual(expected);
    half.set("$covers", "rubbish");
    half.set("$created", [{ peer: "x", counter: 1 }]);
    doc.commit();
    expect(readDocument(newer, doc).tasks).toEqual(expected);
  });

  test("what does not fit is reported each time, however often the document was read", () => {
    const doc = old();
    editDocument(newer, doc).tasks.push({ id: "lime", label: "lime", done: false });
    doc.commit();
    const winner = String(doc.getMap("$v2.tasks").get("$winner"));
    doc.getMap("$v2.tasks").ensureMergeableMap(winner).ensureMergeableMovableList("tasks").push({ id: 7 });
    doc.commit();
    for (let turn = 0; turn < 2; turn += 1) {
      expect(inspectDocument(newer, doc).invalid).toEqual([{ path: ["tasks", 3], reason: "misfit" }]);
    }
    expect(readDocument(newer, doc).tasks).toHaveLength(3);
  });

  test("what a step cannot convert is left out and reported, and the rest of the field stays", () => {
    const careless = evolveSchema(first, {
      version: 2,
      documents: {
        note: defineDocument({
          fields: {
            title: field.string({ list: true, searchable: true }),
            pinned: field.boolean({ list: true, filterable: true }),
            name: field.string({ default: "nobody" }),
            body: field.text(),
            tasks: field.records({ label: field.string({ maxLength: 5 }), done: field.boolean() }),
            outline: field.text(),
          },
        }),
      },
      steps: (step) => [
        step.change("note", {
          from: ["lines"],
          to: ["tasks"],
          up: ({ lines }) => ({ tasks: Object.fromEntries(lines.map((label) => [label, { label, done: false }])) }),
        }),
      ],
    }).documents.note;
    const doc = old();
    editDocument(older, doc).lines.push("", "gravel and lime");
    doc.commit();
    for (let turn = 0; turn < 2; turn += 1) {
      expect(inspectDocument(careless, doc)).toMatchObject({
        view: {
          tasks: { stone: { label: "stone" }, sand: { label: "sand" }, "gravel and lime": { label: "" } },
        },
        invalid: [
          { path: ["tasks", ""], reason: "conversion" },
          { path: ["tasks", "gravel and lime", "label"], reason: "conversion" },
        ],
      });
    }
  });

  test("what older versions stored is known, and what newer ones store is seen as unknown and stays", () => {
    const doc = old();
    editDocument(newer, doc).tasks.push({ id: "lime", label: "lime", done: false });
    editDocument(newer, doc).priority.set(2);
    editDocument(newer, doc).color.set("red");
    doc.commit();
    expect(inspectDocument(newer, doc)).toMatchObject({ invalid: [], unknown: [] });
    expect(inspectDocument(older, doc).unknown).toEqual([
      ["$v2.tasks"],
      ["fields", "$v2.priority"],
      ["fields", "color"],
    ]);
    editDocument(older, doc).title.set("Older apps go on");
    doc.commit();
    expect(readDocument(newer, doc)).toMatchObject({ heading: "Older apps go on", color: "red", priority: 2 });
  });
});

describe("declarations that contradict themselves", () => {
  const note = (fields: Parameters<typeof defineDocument>[0]["fields"]) => ({ note: defineDocument({ fields }) });
  const base = defineSchema({
    version: 1,
    documents: { note: defineDocument({ fields: { title: field.string(), lines: field.list(Schema.String) } }) },
  });
  const lines = field.list(Schema.String);
  const refused = (run: () => unknown): string => {
    try {
      run();
    } catch (error) {
      if (error instanceof SchemaDefinitionError) return error.message;
      throw error;
    }
    return "not refused";
  };

  test.each([
    ["a field that is gone", note({ lines }), "/note/title: the field is gone"],
    [
      "a field that is new",
      note({ title: field.string(), lines, color: field.string() }),
      "/note/color: the field is new",
    ],
    ["another default", note({ title: field.string({ default: "x" }), lines }), "step.convert(…)"],
    ["another kind", note({ title: field.string(), lines: field.movableList(Schema.String) }), "step.change(…)"],
    ["a type that is gone", {}, "/note: the type is gone"],
  ])("%s needs a step", (_, documents, message) => {
    expect(refused(() => evolveSchema(base, { version: 2, documents, steps: () => [] }))).toContain(message);
  });

  test("a key that something was stored under is never used again", () => {
    const without = evolveSchema(base, {
      version: 2,
      documents: note({ lines }),
      steps: (step) => [step.remove("note", "title")],
    });
    const again = evolveSchema(without, {
      version: 3,
      documents: note({ lines, title: field.string() }),
      steps: (step) => [step.add("note", "title")],
    });
    const doc = replica(1);
    doc.getMap("fields").set("title", "of the first version");
    doc.commit();
    expect(readDocument(again.documents.note, doc)).toMatchObject({ title: "" });
    expect(
      refused(() =>
        evolveSchema(without, {
          version: 3,
          documents: note({ lines, title: field.string({ physical: "title" }) }),
          steps: (step) => [step.add("note", "title")],
        }),
      ),
    ).toContain('something else was stored as "title" before');
  });

  test("a version follows the one before", () => {
    expect(refused(() => evolveSchema(base, { version: 3, documents: base.documents, steps: () => [] }))).toContain(
      "the version after 1 is 2",
    );
  });
});
