import { EditorState, type TransactionSpec } from "@codemirror/state";
import fc from "fast-check";
import { LoroDoc, type LoroEventBatch } from "loro-crdt";
import { describe, expect, test } from "vitest";
import { deltaToChanges, smallestChange, writeChanges } from "../src/editor/loro-binding.ts";

/** One person's editor: a document and the editor's text, bound by the functions that the view's binding is made of. */
class Desk {
  readonly doc = new LoroDoc();
  state = EditorState.create({ extensions: EditorState.lineSeparator.of("\n") });
  #version = this.doc.version();

  constructor(peer: number) {
    this.doc.setPeerId(BigInt(peer));
    this.doc.subscribe((batch: LoroEventBatch) => {
      if (batch.origin === "editor") return;
      for (const { target, diff } of batch.events) {
        if (target !== this.doc.getText("body").id || diff.type !== "text") continue;
        this.state = this.state.update({ changes: [...deltaToChanges(diff.diff).changes] }).state;
      }
    });
  }

  edit(spec: TransactionSpec): void {
    const transaction = this.state.update(spec);
    this.state = transaction.state;
    writeChanges(this.doc.getText("body"), transaction.changes, transaction.startState.doc, transaction.newDoc);
    this.doc.commit({ origin: "editor" });
  }

  /** What this desk wrote since it was asked last. */
  takeUpdate(): Uint8Array {
    const update = this.doc.export({ mode: "update", from: this.#version });
    this.#version = this.doc.version();
    return update;
  }

  get shown(): string {
    return this.state.doc.toString();
  }

  get stored(): string {
    return this.doc.getText("body").toString();
  }
}

const text = fc.string({
  unit: fc.constantFrom("a", "b ", "\n", "é", "e\u0301", "漢", "😀", "👩‍👩‍👧", "\r", "🇨🇭"),
  maxLength: 6,
});
const edit = fc.record({ desk: fc.nat(2), at: fc.nat(), length: fc.nat(8), insert: text, second: fc.option(fc.nat()) });
const step = fc.oneof(
  { weight: 4, arbitrary: fc.record({ kind: fc.constant("edit" as const), edit }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("sync" as const), from: fc.nat(2), to: fc.nat(2) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("title" as const), desk: fc.nat(2) }) },
);

describe("the editor's binding", () => {
  test("editors and documents agree after any concurrent edits, surrogate pairs and carriage returns included", () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
        const desks = [new Desk(1), new Desk(2), new Desk(3)] as const;
        const deskAt = (n: number): Desk => desks[n === 0 ? 0 : n === 1 ? 1 : 2];
        for (const one of steps) {
          if (one.kind === "edit") {
            const desk = deskAt(one.edit.desk);
            // A position in the middle of a surrogate pair or of a cluster is allowed: plug-ins and input methods do it.
            const from = one.edit.at % (desk.state.doc.length + 1);
            const to = Math.min(desk.state.doc.length, from + one.edit.length);
            const changes = [{ from, to, insert: one.edit.insert }];
            if (one.edit.second !== null && to < desk.state.doc.length) {
              const more = to + 1 + (one.edit.second % (desk.state.doc.length - to));
              changes.push({ from: more, to: more, insert: "+" });
            }
            desk.edit({ changes });
          } else if (one.kind === "title") {
            // Another container in the same import must not hide the text's own events.
            deskAt(one.desk).doc.getMap("fields").set("title", "t");
            deskAt(one.desk).doc.commit();
          } else if (one.from !== one.to) {
            deskAt(one.to).doc.import(deskAt(one.from).doc.export({ mode: "update" }));
          }
          for (const desk of desks) expect(desk.stored).toBe(desk.shown.toWellFormed());
        }
        for (const a of desks) for (const b of desks) if (a !== b) b.doc.import(a.doc.export({ mode: "update" }));
        expect(new Set(desks.map((desk) => desk.stored)).size).toBe(1);
        for (const desk of desks) expect(desk.stored).toBe(desk.shown.toWellFormed());
      }),
      { numRuns: 300 },
    );
  });

  test("a text event is applied when the same import changed another container first", () => {
    const [a, b] = [new Desk(1), new Desk(2)];
    a.doc.getMap("a-first").set("title", "x");
    a.doc.getText("body").insert(0, "words");
    a.doc.getMap("z-last").set("title", "x");
    a.doc.commit();
    b.doc.import(a.doc.export({ mode: "update" }));
    expect(b.shown).toBe("words");
  });

  test("typing writes only what was typed", () => {
    const desk = new Desk(1);
    desk.edit({ changes: { from: 0, insert: "x".repeat(20_000) } });
    desk.takeUpdate();
    desk.edit({ changes: { from: 10_000, insert: "y" } });
    expect(desk.takeUpdate().length).toBeLessThan(200);
  });
});

describe("smallestChange", () => {
  test("turns one text into the other and touches no common end", () => {
    fc.assert(
      fc.property(text, text, text, text, (start, before, after, end) => {
        const [from, to] = [start + before + end, start + after + end];
        const change = smallestChange(from, to);
        const result = change ? from.slice(0, change.from) + change.insert + from.slice(change.to) : from;
        expect(result).toBe(to);
        const touched = change ? change.to - change.from : 0;
        expect(touched).toBeLessThanOrEqual(before.length);
      }),
    );
  });
});
