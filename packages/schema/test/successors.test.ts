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
