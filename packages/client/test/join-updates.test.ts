/** Joining updates by their bytes: what Loro reads from the joined ones is what it reads from each. */
import fc from "fast-check";
import { LoroDoc } from "loro-crdt";
import { describe, expect, it } from "vitest";
import { holdsSeveralChanges, joinUpdates, xxh32 } from "../src/documents/join-updates.ts";
import { rangesOfUpdate } from "../src/documents/update-ranges.ts";

const session = (edits: ReadonlyArray<readonly [place: number, text: string]>, peer = 7) => {
  const doc = new LoroDoc();
  doc.setPeerId(peer);
  const updates: Array<Uint8Array> = [];
  doc.subscribeLocalUpdates((update) => updates.push(update));
  const text = doc.getText("text");
  for (const [place, letters] of edits) {
    const points = Array.from(text.toString());
    const index = points.length === 0 ? 0 : place % points.length;
    const at = points.slice(0, index).join("").length;
    if (letters === "" && points.length > 0) text.delete(at, points[index]?.length ?? 1);
    else text.insert(at, letters === "" ? "x" : letters);
    doc.getMap("fields").set("length", text.length);
    doc.commit();
  }
  return { doc, updates };
};

describe("joined updates", () => {
  it("hold what the single ones hold, whatever was edited and however they are grouped", () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.nat(), fc.string({ unit: "grapheme", maxLength: 6 })), { minLength: 2, maxLength: 60 }),
        fc.integer({ min: 1, max: 20 }),
        (edits, group) => {
          const { doc, updates } = session(edits);
          const replica = new LoroDoc();
          for (let from = 0; from < updates.length; from += group) {
            const joined = joinUpdates(updates.slice(from, from + group));
            expect(joined).toHaveLength(1);
            for (const update of joined) expect(replica.import(update).pending).toBeNull();
          }
          expect(replica.toJSON()).toEqual(doc.toJSON());
          expect(replica.version().toJSON()).toEqual(doc.version().toJSON());
        },
      ),
      { numRuns: 50 },
    );
  });

  it("say which operations they hold, and that they hold several changes", () => {
    const { updates } = session([
      [0, "ab"],
      [1, "c"],
      [0, "🪨"],
    ]);
    const [joined = new Uint8Array(0)] = joinUpdates(updates);
    const ranges = rangesOfUpdate(joined);
    expect(ranges).toMatchObject({ success: [{ peer: "7", start: 0 }] });
    expect(holdsSeveralChanges(joined)).toBe(true);
    expect(updates.map(holdsSeveralChanges)).toEqual([false, false, false]);
  });

  it("join the edits of several writers, and stay in order", () => {
    const one = session([[0, "one"]], 1);
    const two = session([[0, "two"]], 2);
    const [joined = new Uint8Array(0), ...more] = joinUpdates([...one.updates, ...two.updates]);
    expect(more).toEqual([]);
    const replica = new LoroDoc();
    replica.import(joined);
    expect(replica.getText("text").toString()).toHaveLength(6);
  });

  it("leave damaged bytes and snapshots alone", () => {
    const { doc, updates } = session([
      [0, "a"],
      [0, "b"],
      [0, "c"],
      [0, "d"],
    ]);
    const [first = new Uint8Array(0), second = new Uint8Array(0), third = new Uint8Array(0), fourth] = updates;
    const damaged = Uint8Array.from(second);
    damaged[damaged.length - 1] = (damaged.at(-1) ?? 0) ^ 1;
    const snapshot = doc.export({ mode: "snapshot" });
    const empty = new Uint8Array(0);
    expect(joinUpdates([first, damaged, snapshot, empty, third])).toEqual([first, damaged, snapshot, empty, third]);
    expect(joinUpdates([snapshot, third, fourth ?? empty])).toHaveLength(2);
    expect(joinUpdates([])).toEqual([]);
  });
});

describe("XXH32", () => {
  it("gives the published values", () => {
    // The sanity checks of the reference implementation's specification and tools.
    const text = (value: string): Uint8Array => new TextEncoder().encode(value);
    expect(xxh32(text(""), 0)).toBe(0x02cc5d05);
    expect(xxh32(text("a"), 0)).toBe(0x550d7456);
    expect(xxh32(text("abc"), 0)).toBe(0x32d153ff);
    expect(xxh32(text("Nobody inspects the spammish repetition"), 0)).toBe(0xe2293b2f);
  });
});
