/** Commits as one update: the same operations, whatever else the document holds. */
import fc from "fast-check";
import { LoroDoc } from "loro-crdt";
import { describe, expect, it } from "vitest";
import { holdsSeveralChanges } from "../src/documents/join-updates.ts";
import { mergeCommits } from "../src/documents/merge-commits.ts";
import { rangesOfUpdate } from "../src/documents/update-ranges.ts";

const writer = (peer: `${number}`) => {
  const doc = new LoroDoc();
  doc.setPeerId(peer);
  const updates: Array<Uint8Array> = [];
  doc.subscribeLocalUpdates((update) => updates.push(update));
  const write = (place: number, letters: string): void => {
    const text = doc.getText("text");
    const at = place % (text.length + 1);
    if (letters === "" && at < text.length) text.delete(at, 1);
    else text.insert(at, letters === "" ? "x" : letters);
    doc.commit();
  };
  return { doc, updates, write };
};

const edits = fc.array(fc.tuple(fc.nat(), fc.stringMatching(/^[a-z]{0,3}$/u)), { minLength: 1, maxLength: 40 });

describe("merged commits", () => {
  it("hold what the single ones hold, and nothing that came from others in between", () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(edits, edits), { minLength: 1, maxLength: 5 }), (turns) => {
        const mine = writer("7");
        const theirs = writer("8");
        const replica = new LoroDoc();
        for (const [own, other] of turns) {
          mine.updates.length = 0;
          for (const [place, letters] of other) theirs.write(place, letters);
          for (const [index, [place, letters]] of own.entries()) {
            if (index === own.length >> 1) mine.doc.import(theirs.doc.export({ mode: "update" }));
            mine.write(place, letters);
          }
          replica.import(theirs.doc.export({ mode: "update" }));
          const merged = mergeCommits(mine.doc, mine.updates);
          expect(merged).toHaveLength(1);
          for (const update of merged) {
            expect(rangesOfUpdate(update)).toMatchObject({ success: [{ peer: "7" }] });
            expect(replica.import(update).pending).toBeNull();
          }
        }
        expect(replica.toJSON()).toEqual(mine.doc.toJSON());
        expect(replica.version().toJSON()).toEqual(mine.doc.version().toJSON());
      }),
      { numRuns: 50 },
    );
  });

  it("are written as one change where they follow each other", () => {
    const { doc, updates, write } = writer("7");
    for (const letter of "a line of words") write(doc.getText("text").length, letter);
    const [merged = new Uint8Array(0)] = mergeCommits(doc, updates);
    expect(holdsSeveralChanges(merged)).toBe(false);
    expect(merged.length).toBeLessThan(150);
  });

  it("leave alone what is not committed yet", () => {
    const { doc, updates, write } = writer("7");
    for (const letter of "committed") write(doc.getText("text").length, letter);
    doc.getText("text").insert(0, "not committed, ");
    expect(doc.getPendingTxnLength()).toBeGreaterThan(0);
    const replica = new LoroDoc();
    for (const update of mergeCommits(doc, updates)) replica.import(update);
    expect(replica.getText("text").toString()).toBe("committed");
    expect(doc.getPendingTxnLength()).toBeGreaterThan(0);
    expect(updates).toHaveLength(9);
  });

  it("stay as they are where they are damaged, and where there are none", () => {
    const { doc, updates, write } = writer("7");
    for (const letter of "letters") write(0, letter);
    const damaged = updates.map((update) => update.toReversed());
    expect(mergeCommits(doc, damaged)).toEqual(damaged);
    expect(mergeCommits(doc, [])).toEqual([]);
  });
});
