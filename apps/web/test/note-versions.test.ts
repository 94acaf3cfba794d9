/**
 * The versions of the notebook's documents (Promise 10): what an app of each version sees and keeps of what the others
 * write, in whatever order it meets.
 */
import { type DocumentType, editDocument, inspectDocument, project, readDocument } from "@cairn/schema";
import fc from "fast-check";
import { LoroDoc } from "loro-crdt";
import { describe, expect, test } from "vitest";
import { checklistLines } from "../src/notebook/schema/checklist-lines.ts";
import { version1 } from "../src/notebook/schema/version-1.ts";
import { version2 } from "../src/notebook/schema/version-2.ts";
import { version3 } from "../src/notebook/schema/version-3.ts";
import {
  addItems,
  moveItem,
  removeItem,
  removeTicked,
  putBack,
  renameItem,
  tickItem,
} from "../src/notes/checklist-edits.ts";

const first = version1.documents.note;
const second = version2.documents.note;
const third = version3.documents.note;

const replica = (peer: number, from?: LoroDoc): LoroDoc => {
  const doc = new LoroDoc();
  doc.setPeerId(BigInt(peer));
  if (from !== undefined) doc.import(from.export({ mode: "snapshot" }));
  return doc;
};

/** Hands over, both ways, what the other side does not have. */
const meet = (...docs: ReadonlyArray<LoroDoc>): void => {
  for (const one of docs) {
    for (const other of docs) if (one !== other) one.import(other.export({ mode: "update", from: one.version() }));
  }
};

const edit = <T extends DocumentType>(
  type: T,
  doc: LoroDoc,
  change: (edit: ReturnType<typeof editDocument<T["fields"]>>) => void,
): void => {
  change(editDocument<T["fields"]>(type, doc));
  doc.commit();
};

/** The checklist as version 3 has it, for comparing: ticked items with a cross in front. */
const listIn = (doc: LoroDoc): ReadonlyArray<string> => {
  const { checklist, ticked } = readDocument(third, doc);
  return checklist.map(({ id, label }) => (ticked.includes(String(id)) ? `x ${label}` : label));
};
const idOf = (doc: LoroDoc, label: string): number => {
  const found = readDocument(third, doc).checklist.find((item) => item.label === label);
  if (found === undefined) throw new Error(`there is no item ${label}`);
  return found.id;
};
const line = (label: string) => [{ label, ticked: false }];

/** A note of version 2, as its app leaves it. */
const shopping = (peer = 1): LoroDoc => {
  const doc = replica(peer);
  edit(second, doc, (note) => {
    note.title.set("Saturday");
    note.body.insert(0, "The market closes at noon.");
    note.tags.add("kitchen");
    note.pinned.set(true);
    note.checklist.insert(0, "[ ] milk\n[x] bread\n[ ] eggs");
  });
  return doc;
};

describe("the lines of a checklist that is text", () => {
  test("are items with and without a box, and whatever somebody typed besides", () => {
    expect(checklistLines("[ ] milk\n[x] bread\n- [X]  eggs \n\nflour\n[ ]\n  * [ ] salt [x]\r\n[y] a\n[x]b")).toEqual([
      { label: "milk", ticked: false },
      { label: "bread", ticked: true },
      { label: "eggs", ticked: true },
      { label: "flour", ticked: false },
      { label: "salt [x]", ticked: false },
      { label: "[y] a", ticked: false },
      { label: "b", ticked: true },
    ]);
  });
});

describe("a note of an earlier version", () => {
  test("of version 1 opens in versions 2 and 3, which write nothing by reading", () => {
    const doc = replica(1);
    edit(first, doc, (note) => {
      note.title.set("Walls");
      note.body.insert(0, "dry stone");
      note.tags.add("craft");
    });
    const before = doc.opCount();
    const shared = { title: "Walls", body: "dry stone", tags: ["craft"], attachments: {} };
    expect(readDocument(second, doc)).toEqual({ ...shared, pinned: false, checklist: "" });
    expect(readDocument(third, doc)).toEqual({ ...shared, shelf: "normal", checklist: [], ticked: [] });
    expect(project(third, doc).fields).toMatchObject({ title: "Walls", shelf: "normal", checklist: [], ticked: [] });
    expect(doc.opCount()).toBe(before);
  });

  test("of version 2 keeps its place and its checklist, in the list's row and in the search as well", () => {
    const doc = shopping();
    const before = doc.opCount();
    expect(readDocument(third, doc)).toMatchObject({ title: "Saturday", shelf: "pinned" });
    expect(listIn(doc)).toEqual(["milk", "x bread", "eggs"]);
    const row = project(third, doc);
    expect(row.fields).toMatchObject({ shelf: "pinned", checklist: [{ label: "milk" }, {}, {}], ticked: [{}] });
    expect(row.search).toContain("bread");
    // Ids are nothing that anybody searches for.
    expect(row.search).not.toMatch(/\d/);
    expect(inspectDocument(third, doc)).toMatchObject({ invalid: [], unknown: [] });
    expect(doc.opCount()).toBe(before);
  });

  test("of version 3 is read by older apps as far as they go, and what they do not know stays", () => {
    const doc = shopping();
    edit(third, doc, (note) => {
      note.shelf.set("archived");
      addItems(note, line("cheese"));
    });
    expect(readDocument(second, doc)).toMatchObject({ pinned: false, checklist: "[ ] milk\n[x] bread\n[ ] eggs" });
    expect(readDocument(first, doc)).toEqual({
      title: "Saturday",
      body: "The market closes at noon.",
      tags: ["kitchen"],
      attachments: {},
    });
    edit(first, doc, (note) => note.body.insert(0, "Late! "));
    expect(readDocument(third, doc)).toMatchObject({ shelf: "archived", body: "Late! The market closes at noon." });
    expect(listIn(doc)).toEqual(["milk", "x bread", "eggs", "cheese"]);
  });
});

describe("the place in the list", () => {
  test("what an older app writes is heard, and a note that it unpins stands where it stood before", () => {
    const doc = shopping();
    edit(third, doc, (note) => note.shelf.set("archived"));
    // The same again says nothing about what it does not know.
    edit(second, doc, (note) => note.pinned.set(false));
    expect(readDocument(third, doc).shelf).toBe("archived");
    edit(second, doc, (note) => note.pinned.set(true));
    expect(readDocument(third, doc).shelf).toBe("pinned");
    edit(second, doc, (note) => note.pinned.set(false));
    expect(readDocument(third, doc).shelf).toBe("archived");
    const never = shopping();
    edit(second, never, (note) => note.pinned.set(false));
    expect(readDocument(third, never).shelf).toBe("normal");
  });

  test("of an older and a newer app that write at once, one wins everywhere, for both forms", () => {
    for (const [old, current] of [
      [2, 3],
      [3, 2],
    ] as const) {
      const base = shopping();
      const one = replica(old, base);
      const other = replica(current, base);
      edit(second, one, (note) => note.pinned.set(false));
      edit(third, other, (note) => note.shelf.set("archived"));
      meet(one, other);
      const { shelf } = readDocument(third, one);
      expect(["normal", "archived"]).toContain(shelf);
      expect(readDocument(third, other).shelf).toBe(shelf);
      for (const doc of [one, other]) expect(readDocument(second, doc).pinned).toBe(false);
    }
  });
});

describe("the checklist", () => {
  test("two devices that are updated at the same moment have every item once, and what each of them did", () => {
    for (const [left, right] of [
      [2, 3],
      [3, 2],
    ] as const) {
      const base = shopping();
      const one = replica(left, base);
      // The second one has not received the last line when it is updated.
      edit(second, base, (note) => note.checklist.insert(note.checklist.length, "\n[ ] salt"));
      const other = replica(right, base);
      edit(third, one, (note) => tickItem(note, idOf(one, "milk"), true));
      edit(third, one, (note) => addItems(note, line("cheese"), idOf(one, "milk")));
      edit(third, other, (note) => renameItem(note, idOf(other, "bread"), "rye bread"));
      edit(third, other, (note) => moveItem(note, idOf(other, "eggs"), 0));
      edit(third, other, (note) => tickItem(note, idOf(other, "salt"), true));
      meet(one, other, base);
      expect(listIn(other)).toEqual(listIn(one));
      expect(listIn(base)).toEqual(listIn(one));
      expect(listIn(one).toSorted()).toEqual(["cheese", "eggs", "x milk", "x rye bread", "x salt"]);
      expect(listIn(one).indexOf("eggs")).toBeLessThan(listIn(one).indexOf("x milk"));
      // And the older apps have their text, each line once.
      expect(readDocument(second, one).checklist).toBe("[ ] milk\n[x] bread\n[ ] eggs\n[ ] salt");
    }
  });

  test("late edits of an older app arrive in the list, also long after it was edited there", () => {
    const base = shopping();
    const old = replica(2, base);
    edit(third, base, (note) => renameItem(note, idOf(base, "eggs"), "six eggs"));
    edit(third, base, (note) => addItems(note, line("cheese")));
    // A line is ticked, one is added, one goes; in the text of then.
    edit(second, old, (note) => note.checklist.update("[x] milk\n[ ] eggs\n[ ] salt"));
    meet(base, old);
    expect(listIn(base)).toEqual(listIn(old));
    expect(listIn(base).toSorted()).toEqual(["cheese", "salt", "six eggs", "x milk"]);
    // Reading twice, or writing it down, doubles nothing.
    edit(third, base, (note) => tickItem(note, idOf(base, "salt"), true));
    edit(second, old, (note) => note.checklist.insert(note.checklist.length, "\n[ ] pepper"));
    meet(base, old);
    expect(listIn(base).toSorted()).toEqual(["cheese", "pepper", "six eggs", "x milk", "x salt"]);
    // What newer apps do stays out of the text: it is the older app's own.
    expect(readDocument(second, base).checklist).toBe("[x] milk\n[ ] eggs\n[ ] salt\n[ ] pepper");
  });

  test("lines that say the same are different items", () => {
    const doc = replica(1);
    edit(second, doc, (note) => note.checklist.insert(0, "[ ] egg\n[x] egg\n[ ] egg"));
    expect(listIn(doc)).toEqual(["egg", "x egg", "egg"]);
    const ids = readDocument(third, doc).checklist.map(({ id }) => id);
    expect(new Set(ids).size).toBe(3);
    edit(third, doc, (note) => removeItem(note, ids[0] ?? 0));
    expect(listIn(doc)).toEqual(["x egg", "egg"]);
  });

  test("an item has the same id on every device and a number of its own, whatever the words are", () => {
    fc.assert(
      fc.property(
        fc.uniqueArray(fc.string({ unit: "grapheme", minLength: 1, maxLength: 12 }), { maxLength: 40 }),
        (words) => {
          const lines = words.map((word) => word.replaceAll("\n", " ").trim()).filter((word) => word !== "");
          const text = lines.map((word) => `[ ] ${word}`).join("\n");
          const [one, other] = [replica(1), replica(2)];
          for (const doc of [one, other]) edit(second, doc, (note) => note.checklist.insert(0, text));
          const { checklist } = readDocument(third, one);
          expect(readDocument(third, other).checklist).toEqual(checklist);
          expect(new Set(checklist.map(({ id }) => id)).size).toBe(checklistLines(text).length);
        },
      ),
      { numRuns: 50 },
    );
  });
});

describe("what people do to a checklist", () => {
  const list = (...labels: ReadonlyArray<string>): LoroDoc => {
    const doc = replica(1);
    edit(third, doc, (note) =>
      addItems(
        note,
        labels.map((label) => ({ label, ticked: false })),
      ),
    );
    return doc;
  };

  test("ticking, rewording and moving the same item at once all happen", () => {
    const base = list("milk", "bread", "eggs");
    const [one, other, another] = [replica(2, base), replica(3, base), replica(4, base)];
    edit(third, one, (note) => tickItem(note, idOf(one, "eggs"), true));
    edit(third, other, (note) => renameItem(note, idOf(other, "eggs"), "six eggs"));
    edit(third, another, (note) => moveItem(note, idOf(another, "eggs"), 0));
    meet(one, other, another);
    for (const doc of [one, other, another]) expect(listIn(doc)).toEqual(["x six eggs", "milk", "bread"]);
  });

  test("an item is added behind another one, moved to both ends, and taken out with its tick", () => {
    const doc = list("milk", "bread", "eggs");
    edit(third, doc, (note) =>
      addItems(note, [...line("cream"), { label: "butter", ticked: true }], idOf(doc, "milk")),
    );
    expect(listIn(doc)).toEqual(["milk", "cream", "x butter", "bread", "eggs"]);
    edit(third, doc, (note) => moveItem(note, idOf(doc, "eggs"), 0));
    edit(third, doc, (note) => moveItem(note, idOf(doc, "milk"), 99));
    expect(listIn(doc)).toEqual(["eggs", "cream", "x butter", "bread", "milk"]);
    edit(third, doc, (note) => removeItem(note, idOf(doc, "butter")));
    expect(readDocument(third, doc).ticked).toEqual([]);
    // What another device took out meanwhile is no error.
    edit(third, doc, (note) => {
      renameItem(note, 7, "gone");
      moveItem(note, 7, 0);
      removeItem(note, 7);
    });
    expect(listIn(doc)).toEqual(["eggs", "cream", "bread", "milk"]);
  });

  test("removing what is ticked takes back", () => {
    const doc = list("milk", "bread", "eggs", "salt");
    edit(third, doc, (note) => {
      tickItem(note, idOf(doc, "milk"), true);
      tickItem(note, idOf(doc, "eggs"), true);
    });
    edit(third, doc, (note) => {
      const taken = removeTicked(note);
      expect(note.checklist.get().map(({ label }) => label)).toEqual(["bread", "salt"]);
      putBack(note, taken);
    });
    expect(listIn(doc)).toEqual(["x milk", "bread", "x eggs", "salt"]);
  });
});
