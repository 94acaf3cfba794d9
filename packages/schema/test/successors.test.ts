/** Successors that do not count: what was done to them is carried over, whatever their ids and however many there are. */
import { Schema } from "effect";
import { LoroDoc } from "loro-crdt";
import { describe, expect, test } from "vitest";

import { defineDocument, defineSchema, editDocument, evolveSchema, field, readDocument } from "@cairn/schema";

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

const Task = Schema.Struct({ id: Schema.String, label: Schema.String, done: Schema.Boolean });

const first = defineSchema({
  version: 1,
  documents: { note: defineDocument({ fields: { body: field.text(), lines: field.list(Schema.String) } }) },
});

const second = evolveSchema(first, {
  version: 2,
  documents: { note: defineDocument({ fields: { body: field.text(), tasks: field.movableList(Task) } }) },
  steps: (step) => [
    step.change("note", {
      from: ["lines"],
      to: ["tasks"],
      up: ({ lines }) => ({ tasks: lines.map((label) => ({ id: label, label, done: false })) }),
    }),
  ],
});

const older = first.documents.note;
const newer = second.documents.note;

const stone = { id: "stone", label: "stone", done: false };
const cheese = { id: "cheese", label: "cheese", done: false };

const tasksOf = (doc: LoroDoc) => editDocument(newer, doc).tasks;
const cheeseIn = (tasks: ReturnType<typeof tasksOf>): number => tasks.get().findIndex(({ id }) => id === "cheese");

/** The peers decide the order of the ids as texts: both orders. */
describe.each([
  [9, 1],
  [1, 9],
])("promise 10: a loser that knew another loser (peers %i, %i)", (earlier, later) => {
  const run = (edit: (tasks: ReturnType<typeof tasksOf>) => void) => {
    const base = replica(5);
    editDocument(older, base).lines.push("stone");
    base.commit();
    const late = replica(6, base);
    const winner = replica(7, base);
    const one = replica(earlier, base);
    tasksOf(one).push(cheese);
    one.commit();
    // An older app's late edit makes the next edit a successor of its own.
    editDocument(older, late).lines.push("water");
    late.commit();
    const other = replica(later, one);
    meet(other, late);
    edit(tasksOf(other));
    other.commit();
    editDocument(newer, winner).body.insert(0, "a clock that is ahead of the others' by far".repeat(10));
    tasksOf(winner).replace(0, { ...stone, done: true });
    winner.commit();
    for (const doc of [one, other, late]) meet(winner, doc);
    meet(winner, other);
    meet(winner, one);
    expect(String(winner.getMap("$v2.tasks").get("$winner"))).toMatch(/^7\./);
    const { tasks } = readDocument(newer, winner);
    expect(readDocument(newer, one).tasks).toEqual(tasks);
    // The next edit writes down what reading carried over.
    tasksOf(one).push({ id: "lime", label: "lime", done: false });
    one.commit();
    expect(readDocument(newer, one).tasks.filter(({ id }) => id !== "lime")).toEqual(tasks);
    return new Map(tasks.map(({ id, label, done }) => [id, `${label} ${done}`]));
  };

  test("keeps its rewording of what the other one added", () => {
    const tasks = run((list) => list.replace(cheeseIn(list), { ...cheese, label: "old Gouda" }));
    expect(tasks).toEqual(
      new Map([
        ["stone", "stone true"],
        ["cheese", "old Gouda false"],
        ["water", "water false"],
      ]),
    );
  });

  test("keeps its deletion of what the other one added", () => {
    const tasks = run((list) => list.delete(cheeseIn(list)));
    expect([...tasks.keys()].toSorted()).toEqual(["stone", "water"]);
  });
});

/** One field of one kind, made of lines of the version before, or of a text. */
const listOf = (kind: "list" | "movableList") => {
  const Box = Schema.Struct({ label: Schema.String, done: Schema.Boolean });
  const before = defineSchema({
    version: 1,
    documents: { note: defineDocument({ fields: { lines: field.list(Schema.String), seen: field.counter() } }) },
  });
  const after = evolveSchema(before, {
    version: 2,
    documents: {
      note: defineDocument({
        fields: { boxes: kind === "list" ? field.list(Box) : field.movableList(Box), seen: field.counter() },
      }),
    },
    steps: (step) => [
      step.change("note", {
        from: ["lines", "seen"],
        to: ["boxes", "seen"],
        up: ({ lines, seen }) => ({ boxes: lines.map((label) => ({ label, done: false })), seen }),
      }),
    ],
  });
  return { before: before.documents.note, after: after.documents.note };
};

describe.each(["list", "movableList"] as const)("items without an id in a %s", (kind) => {
  const { before, after } = listOf(kind);
  const boxesOf = (doc: LoroDoc) => editDocument(after, doc).boxes;
  const tick = (doc: LoroDoc, label: string): void => {
    const boxes = boxesOf(doc);
    const at = boxes.get().findIndex((box) => box.label === label);
    boxes.delete(at);
    boxes.insert(at, { label, done: true });
    doc.commit();
  };
  const pair = (...lines: ReadonlyArray<string>) => {
    const base = replica(5);
    editDocument(before, base).lines.push(...lines);
    base.commit();
    return [replica(1, base), replica(2, base)] as const;
  };
  const shown = (one: LoroDoc, other: LoroDoc): ReadonlyArray<string> => {
    meet(one, other);
    const { boxes } = readDocument(after, one);
    expect(readDocument(after, other).boxes).toEqual(boxes);
    return boxes.map(({ label, done }) => (done ? `${label}!` : label));
  };

  test("one that two devices change alike is there once", () => {
    const [one, other] = pair("stone", "sand", "lime");
    tick(one, "sand");
    tick(other, "sand");
    expect(shown(one, other)).toEqual(["stone", "sand!", "lime"]);
  });

  test("so it is where one of them changes its neighbour as well, and adds what the other adds", () => {
    const [one, other] = pair("stone", "sand", "lime");
    tick(one, "sand");
    tick(other, "sand");
    tick(other, "lime");
    for (const doc of [one, other]) {
      boxesOf(doc).push({ label: "water", done: false });
      doc.commit();
    }
    expect(shown(one, other)).toEqual(["stone", "sand!", "lime!", "water"]);
  });

  test("what two devices add in different places is there twice", () => {
    const [one, other] = pair("stone", "sand");
    boxesOf(one).insert(0, { label: "water", done: false });
    boxesOf(other).push({ label: "water", done: false });
    one.commit();
    other.commit();
    expect(shown(one, other)).toEqual(["water", "stone", "sand", "water"]);
  });

  test("two devices that count the same count twice", () => {
    const [one, other] = pair("stone");
    for (const doc of [one, other]) {
      editDocument(after, doc).seen.add(1);
      doc.commit();
    }
    meet(one, other);
    expect(readDocument(after, one).seen).toBe(2);
  });

  test("of thousands of items, all changed at both ends by both devices, each is there once", () => {
    const lines = Array.from({ length: 2_500 }, (_, index) => `line ${index}`);
    const [one, other] = pair(...lines);
    boxesOf(one).delete(0);
    boxesOf(one).push({ label: "water", done: false });
    boxesOf(one).delete(1_000);
    boxesOf(other).insert(0, { label: "sand", done: false });
    boxesOf(other).delete(2_500);
    boxesOf(other).delete(2_000);
    one.commit();
    other.commit();
    expect(shown(one, other)).toEqual([
      "sand",
      ...lines.filter((_, at) => ![0, 1_001, 1_999, 2_499].includes(at)),
      "water",
    ]);
  });
});

test("promise 10: an item that one device moves and another one deletes is away, and so is its neighbour that nobody moved", () => {
  const base = replica(5);
  editDocument(older, base).lines.push("stone", "sand", "lime");
  base.commit();
  for (const gone of ["stone", "sand"]) {
    const [one, other, late] = [replica(1, base), replica(2, base), replica(3, base)];
    tasksOf(one).move(0, 1);
    one.commit();
    tasksOf(other).delete(
      tasksOf(other)
        .get()
        .findIndex(({ id }) => id === gone),
    );
    other.commit();
    editDocument(older, late).lines.delete(["stone", "sand"].indexOf(gone));
    late.commit();
    for (const deleted of [other, late]) {
      const both = replica(4, one);
      both.import(deleted.export({ mode: "snapshot" }));
      expect(readDocument(newer, both).tasks.map(({ id }) => id)).toEqual(
        ["sand", "stone", "lime"].filter((id) => id !== gone),
      );
    }
  }
});

describe.each([
  [1, 2, 3],
  [3, 1, 2],
  [2, 3, 1],
])("promise 10: of several wordings (peers %i, %i, %i)", (first_, second_, last) => {
  const reword = (doc: LoroDoc, label: string, ...added: ReadonlyArray<string>): void => {
    const tasks = tasksOf(doc);
    for (const id of added) tasks.insert(0, { id, label: id, done: false });
    const at = tasks.get().findIndex(({ id }) => id === "stone");
    tasks.replace(at, { ...stone, label });
    doc.commit();
  };

  test("the one of somebody who knew the others stays, whoever wins", () => {
    const base = replica(5);
    editDocument(older, base).lines.push("stone");
    base.commit();
    const late = replica(6, base);
    const winner = replica(7, base);
    const [one, other] = [replica(first_, base), replica(second_, base)];
    reword(one, "granite", "a", "b", "c", "d", "e", "f");
    reword(other, "marble", "g", "h");
    const knowing = replica(last + 10, one);
    meet(knowing, other);
    editDocument(older, late).lines.push("water");
    late.commit();
    meet(knowing, late);
    reword(knowing, "slate");
    editDocument(newer, winner).body.insert(0, "a clock that is ahead of the others' by far".repeat(10));
    const front = Array.from({ length: 20 }, (_, index) => ({ id: `front ${index}`, label: "lime", done: false }));
    tasksOf(winner).insert(0, ...front);
    winner.commit();
    meet(winner, knowing);
    expect(String(winner.getMap("$v2.tasks").get("$winner"))).toMatch(/^7\./);
    const { tasks } = readDocument(newer, winner);
    expect(tasks.find(({ id }) => id === "stone")?.label).toBe("slate");
    expect(tasks).toHaveLength(30);
  });
});

const outlineOne = defineSchema({
  version: 1,
  documents: { note: defineDocument({ fields: { text: field.text() } }) },
});
const outlineTwo = evolveSchema(outlineOne, {
  version: 2,
  documents: { note: defineDocument({ fields: { nodes: field.tree({ label: field.text() }) } }) },
  steps: (step) => [
    step.change("note", {
      from: ["text"],
      to: ["nodes"],
      up: ({ text }) => ({ nodes: text.split(" ").map((label) => ({ id: label, label, children: [] })) }),
    }),
  ],
});

test("promise 10: a node that one device deletes stays away, where another one moved it", () => {
  const tree = outlineTwo.documents.note;
  const base = replica(5);
  editDocument(outlineOne.documents.note, base).text.insert(0, "stone sand lime");
  base.commit();
  for (const [left, right] of [
    [1, 2],
    [2, 1],
  ] as const) {
    const [one, other] = [replica(left, base), replica(right, base)];
    const { nodes } = editDocument(tree, one);
    nodes.create(undefined, 0, { key: "first" });
    nodes.move("sand", "lime", 0);
    one.commit();
    editDocument(tree, other).nodes.delete("sand");
    other.commit();
    meet(one, other);
    expect(readDocument(tree, one).nodes.map(({ id }) => id)).toEqual(["first", "stone", "lime"]);
  }
});

test("a text that two devices correct alike is corrected once, beside what each did alone", () => {
  const texts = evolveSchema(outlineOne, {
    version: 2,
    documents: { note: defineDocument({ fields: { story: field.text() } }) },
    steps: (step) => [step.change("note", { from: ["text"], to: ["story"], up: ({ text }) => ({ story: text }) })],
  }).documents.note;
  const base = replica(5);
  editDocument(outlineOne.documents.note, base).text.insert(0, "Teh fox and teh dog");
  base.commit();
  const [one, other] = [replica(1, base), replica(2, base)];
  for (const [doc, added] of [
    [one, "!"],
    [other, " barked"],
  ] as const) {
    const { story } = editDocument(texts, doc);
    story.delete(12, 3);
    story.insert(12, "the");
    story.insert(story.length, added);
    doc.commit();
  }
  meet(one, other);
  expect(readDocument(texts, one).story).toMatch(/^Teh fox and the dog( barked!|! barked)$/);
});
