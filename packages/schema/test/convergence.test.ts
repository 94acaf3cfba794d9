/**
 * Promise 5: replicas that create the same document independently and edit it concurrently converge, in any order and
 * any grouping of their updates.
 */
import fc from "fast-check";
import { LoroDoc } from "loro-crdt";
import { describe, expect, test } from "vitest";

import { describeDocument, editDocument, readDocument, setDeleted, stateDigestInput } from "@cairn/schema";
import { manifest, note } from "./notebook.ts";

const digest = (doc: LoroDoc): string => new TextDecoder().decode(stateDigestInput(doc));

const replica = (peer: number): LoroDoc => {
  const doc = new LoroDoc();
  doc.setPeerId(peer);
  return doc;
};

/** One write to one kind of field; `n` makes the value, `at` the place. */
type Write = (doc: LoroDoc, n: number, at: number) => void;

const task = (doc: LoroDoc, at: number) => editDocument(note, doc).tasks.ensure(`t${at % 2}`);

const writes: Readonly<Record<string, Write>> = {
  plain: (doc, n) => editDocument(note, doc).title.set(`title ${n}`),
  plainReset: (doc) => editDocument(note, doc).title.reset(),
  text: (doc, n, at) => {
    const { body } = editDocument(note, doc);
    body.insert(Math.min(at, body.length), `w${n} `);
  },
  textDelete: (doc, n, at) => {
    const { body } = editDocument(note, doc);
    const from = Math.min(at, body.length);
    body.delete(from, Math.min(n % 4, body.length - from));
  },
  set: (doc, n) => editDocument(note, doc).tags.add(`tag${n % 4}`),
  setRemove: (doc, n) => editDocument(note, doc).tags.remove(`tag${n % 4}`),
  list: (doc, n, at) => {
    const { lines } = editDocument(note, doc);
    lines.insert(Math.min(at, lines.entries().length), { text: `line ${n}`, done: n % 2 === 0 });
  },
  listDelete: (doc) => {
    const { lines } = editDocument(note, doc);
    if (lines.entries().length > 0) lines.delete(0);
  },
  movableList: (doc, n) => editDocument(note, doc).order.push(`item ${n}`),
  move: (doc, n, at) => {
    const { order } = editDocument(note, doc);
    const length = order.get().length;
    if (length > 0) order.move(n % length, at % length);
  },
  replace: (doc, n, at) => {
    const { order } = editDocument(note, doc);
    const length = order.get().length;
    if (length > 0) order.replace(at % length, `replaced ${n}`);
  },
  map: (doc, n, at) => editDocument(note, doc).links.set(`k${at % 3}`, { url: `u${n}` }),
  mapDelete: (doc, _n, at) => editDocument(note, doc).links.delete(`k${at % 3}`),
  counter: (doc, n) => editDocument(note, doc).views.add(n - 5),
  attachment: (doc, n, at) => editDocument(note, doc).files.set(`f${at}`, manifest(`file ${n}`, n % 3)),
  recordPlain: (doc, n, at) => task(doc, at).label.set(`label ${n}`),
  recordText: (doc, n, at) => task(doc, at).notes.insert(0, `n${n} `),
  recordSet: (doc, n, at) => task(doc, at).people.add(`p${n % 3}`),
  recordList: (doc, n, at) => task(doc, at).steps.push(`s${n}`),
  recordMovableList: (doc, n, at) => task(doc, at).ranking.push(`r${n}`),
  recordMap: (doc, n, at) => task(doc, at).prices.set("price", n),
  recordCounter: (doc, n, at) => task(doc, at).spent.add(n),
  recordInRecord: (doc, n, at) => task(doc, at).sub.ensure("s").label.set(`sub ${n}`),
  recordRemove: (doc, _n, at) => editDocument(note, doc).tasks.remove(`t${at % 2}`),
  describe: (doc, n) => describeDocument(doc, { type: "note", createdAt: n }),
  deleted: (doc, n) => setDeleted(doc, n % 2 === 0),
};

const kinds = Object.keys(writes);

interface Step {
  readonly replica: number;
  readonly kind: string;
  readonly n: number;
  readonly at: number;
  /** The replica to hear everything from before this step; itself for none. */
  readonly hears: number;
}

const step: fc.Arbitrary<Step> = fc.record({
  replica: fc.nat(2),
  kind: fc.constantFrom(...kinds),
  n: fc.nat(9),
  at: fc.nat(9),
  hears: fc.nat(2),
});

/** Play the steps on three replicas and return every commit's update. */
const play = (steps: ReadonlyArray<Step>): { docs: ReadonlyArray<LoroDoc>; updates: ReadonlyArray<Uint8Array> } => {
  const docs = [replica(1), replica(2), replica(3)];
  const updates: Array<Uint8Array> = [];
  for (const { replica: index, kind, n, at, hears } of steps) {
    const doc = docs[index];
    const other = docs[hears];
    const write = writes[kind];
    if (doc === undefined || other === undefined || write === undefined) throw new Error("no such step");
    if (doc !== other) doc.import(other.export({ mode: "update", from: doc.version() }));
    const before = doc.version();
    write(doc, n, at);
    doc.commit();
    updates.push(doc.export({ mode: "update", from: before }));
  }
  return { docs, updates };
};

describe("convergence", () => {
  test("any edits, any order, any grouping: equal views and equal digests", () => {
    fc.assert(
      fc.property(
        fc.array(step, { minLength: 1, maxLength: 40 }).chain((steps) =>
          fc.record({
            steps: fc.constant(steps),
            order: fc.shuffledSubarray(
              steps.map((_, index) => index),
              { minLength: steps.length },
            ),
            batches: fc.integer({ min: 1, max: 7 }),
          }),
        ),
        ({ steps, order, batches }) => {
          const { docs, updates } = play(steps);
          const late = replica(4);
          const shuffled = order.flatMap((index) => updates[index] ?? []);
          for (let from = 0; from < shuffled.length; from += batches) {
            late.importBatch(shuffled.slice(from, from + batches));
          }
          const merged = docs.map((doc, index) => {
            const all = replica(10 + index);
            all.import(doc.export({ mode: "snapshot" }));
            for (const update of index === 1 ? updates.toReversed() : updates) all.import(update);
            return all;
          });
          for (const doc of merged) {
            expect(digest(doc)).toBe(digest(late));
            expect(readDocument(note, doc)).toEqual(readDocument(note, late));
          }
          // Reading asks for roots, which Loro then lists; the digest must not notice.
          expect(digest(merged[0] ?? late)).toBe(digest(late));
        },
      ),
      { numRuns: 150, seed: 20_261 },
    );
  });

  test("hazard L1, rule 14: two devices that make the same document and the same children at once lose nothing", () => {
    const one = replica(1);
    const two = replica(2);
    for (const [doc, who] of [
      [one, "one"],
      [two, "two"],
    ] as const) {
      const edit = editDocument(note, doc);
      edit.body.insert(0, who);
      edit.tags.add(who);
      edit.lines.push({ text: who, done: false });
      edit.order.push(who);
      edit.links.set(who, { url: who });
      edit.views.add(1);
      edit.files.set(who, manifest(who));
      const record = edit.tasks.ensure("same");
      record.notes.insert(0, who);
      record.people.add(who);
      record.steps.push(who);
      record.ranking.push(who);
      record.prices.set(who, 1);
      record.spent.add(1);
      record.sub.ensure("same").label.set(who);
      record.sub.ensure(who).label.set(who);
      doc.commit();
    }
    const first = one.export({ mode: "update" });
    one.import(two.export({ mode: "update" }));
    two.import(first);
    expect(digest(one)).toBe(digest(two));
    const view = readDocument(note, one);
    for (const who of ["one", "two"]) {
      expect(view.body).toContain(who);
      expect(view.tags).toContain(who);
      expect(view.lines.map((line) => line.text)).toContain(who);
      expect(view.order).toContain(who);
      expect(Object.keys(view.links)).toContain(who);
      expect(Object.keys(view.files)).toContain(who);
      const same = view.tasks["same"];
      expect(same?.notes).toContain(who);
      expect(same?.people).toContain(who);
      expect(same?.steps).toContain(who);
      expect(same?.ranking).toContain(who);
      expect(Object.keys(same?.prices ?? {})).toContain(who);
      expect(Object.keys(same?.sub ?? {})).toContain(who);
    }
    expect(view.views).toBe(2);
    expect(view.tasks["same"]?.spent).toBe(2);
  });

  test("hazard L5: editing never takes a new peer id", () => {
    const doc = replica(7);
    for (let index = 0; index < 100; index += 1) {
      editDocument(note, doc)
        .tasks.ensure(`t${index % 3}`)
        .label.set(`${index}`);
      doc.commit();
    }
    expect([...doc.version().toJSON().keys()]).toEqual(["7"]);
  });

  test("hazard L8, rule 14: creating a document writes nothing under a shared peer id", () => {
    const one = replica(1);
    const two = replica(2);
    describeDocument(one, { type: "note", createdAt: 1 });
    describeDocument(two, { type: "renamed-later", createdAt: 2 });
    one.commit();
    two.commit();
    const status = one.import(two.export({ mode: "update" }));
    two.import(one.export({ mode: "update" }));
    expect(status.pending).toBeNull();
    expect(new Set(one.version().toJSON().keys())).toEqual(new Set(["1", "2"]));
    expect(digest(one)).toBe(digest(two));
  });

  test("hazard L4: replicas that used one peer id twice have equal versions and different digests", () => {
    const one = replica(1);
    const clone = replica(1);
    editDocument(note, one).body.insert(0, "abc");
    editDocument(note, clone).body.insert(0, "xyz");
    one.commit();
    clone.commit();
    expect(one.version().toJSON()).toEqual(clone.version().toJSON());
    expect(digest(one)).not.toBe(digest(clone));
  });
});
