/** Rule 12: newer forms of fields that copies of one store make under the same peer. */
import { editDocument, readDocument } from "@cairn/schema";
import { Result } from "effect";
import * as fc from "fast-check";
import type { LoroDoc, PeerID } from "loro-crdt";
import { describe, expect, test } from "vitest";
import { reauthor } from "../src/documents/reauthor.ts";
import type { EditsMadeAnew } from "../src/documents/shared-edits.ts";
import { rangesOfUpdate } from "../src/documents/update-ranges.ts";
import { firstFormOf } from "../src/engine/entry-content.ts";
import { type Edit, note1, note2, note3, replica, ROWS, third, write } from "./evolving-rows.ts";

const OLD: PeerID = "11";
const COPIES: ReadonlyArray<PeerID> = ["33", "44", "55"];

/** One update for each edit, by one of the copies that have these edits. */
const writeEach = (
  base: LoroDoc,
  had: ReadonlyArray<Uint8Array>,
  made: ReadonlyArray<Edit>,
  name: string,
): ReadonlyArray<Uint8Array> => {
  const doc = replica(OLD, base);
  for (const update of had) doc.import(update);
  return made.map((one, index) => write(doc, [one], `${name}${index}.`));
};

/** What the log has behind the base. */
interface Log {
  /** Edits of the copy that keeps the identity. */
  readonly kept: ReadonlyArray<Uint8Array>;
  /** Of each other copy what it made anew. */
  readonly madeAnew: ReadonlyArray<EditsMadeAnew>;
}

/** A copy finds out that it is one, and makes its edits anew. */
const succeed = (
  base: LoroDoc,
  own: ReadonlyArray<Uint8Array>,
  { kept, madeAnew }: Log,
  peer: PeerID,
  schema: typeof third | undefined = third,
): EditsMadeAnew => {
  const anew = reauthor(
    {
      acknowledged: [base.export({ mode: "snapshot" })],
      elsewhere: kept.map((update) => ({ update, time: 0 })),
      own: own.map((update, index) => ({
        id: index + 1,
        update,
        time: index + 1,
        firstForm: firstFormOf({ update, time: index + 1 }),
      })),
      madeAnew,
      ends: new Set(),
      type: "note",
      peer,
    },
    schema,
  );
  const made = anew.flatMap(({ update, firstForm }) => {
    const end = update && Result.getOrThrow(rangesOfUpdate(update)).find((range) => range.peer === peer)?.end;
    return update === undefined || end === undefined ? [] : [{ update, firstForm, end }];
  });
  return {
    peer,
    updates: made.map(({ update }) => update),
    edits: made.flatMap(({ firstForm, end }) => (firstForm === undefined ? [] : [{ firstForm, end }])),
  };
};

const documentOf = (base: LoroDoc, { kept, madeAnew }: Log): LoroDoc => {
  const doc = replica("99", base);
  const updates = [...kept, ...madeAnew.flatMap((anew) => anew.updates)];
  for (const update of updates) expect(doc.import(update).pending).toBeNull();
  return doc;
};

/** All that a note of version 2 says, in order. */
const idsIn = (doc: LoroDoc): ReadonlyArray<string> => {
  const { lines, rows } = readDocument(note2, doc);
  return [...lines, ...ROWS.flatMap((row) => rows[row]?.words ?? [])].map(({ id }) => id).toSorted();
};

const line: Edit = { version: 2, what: "line", row: "r", amount: 0 };
const word: Edit = { version: 2, what: "word", row: "r", amount: 0 };

/** All that it says as version 3 has it. */
const keysIn = (doc: LoroDoc): ReadonlyArray<string> => {
  const { lines, rows } = readDocument(note3, doc);
  return [lines, ...ROWS.map((row) => rows[row]?.words ?? {})].flatMap((all) => Object.keys(all)).toSorted();
};

/** A note of the first version, with something in it that newer forms are made of. */
const older = (): LoroDoc => {
  const base = replica("22");
  const note = editDocument(note1, base);
  for (const row of ROWS) note.rows.ensure(row);
  note.lines.push("one", "two");
  note.rows.edit("r")?.words.push("three");
  base.commit();
  return base;
};

describe("newer forms that two copies of a store make by operations of one name", () => {
  test.each([
    ["an app that knows them", third],
    ["one that does not know the type", undefined],
  ])("promise 2: do not become one, in which all is twice, where the edits are made anew by %s", (_, schema) => {
    const base = older();
    const kept = writeEach(base, [], [line, word], "kept");
    const copied = writeEach(base, [], [line, word], "copied");
    const anew = succeed(base, copied, { kept, madeAnew: [] }, "33", schema);
    expect(idsIn(documentOf(base, { kept, madeAnew: [anew] }))).toEqual([
      "copied0.0",
      "copied1.0",
      "kept0.0",
      "kept1.0",
      "one",
      "three",
      "two",
    ]);
  });

  test("promise 2: that come of what others have made anew, do so by the name it has there", () => {
    const base = older();
    const waiting = writeEach(base, [], [{ ...line, version: 1 }], "waiting");
    const first = succeed(base, waiting, { kept: [], madeAnew: [] }, "33");
    const own = [...waiting, ...writeEach(base, waiting, [line], "later")];
    const second = succeed(base, own, { kept: [], madeAnew: [first] }, "44");
    expect(second.updates).toHaveLength(1);
    const doc = documentOf(base, { kept: [], madeAnew: [first, second] });
    // An older app goes on: nothing but what it writes is carried over.
    write(doc, [{ ...line, version: 1 }], "last");
    expect(idsIn(doc)).toEqual(["last0", "later0.0", "one", "three", "two", "waiting0.0"]);
  });

  test("promise 2: of an edit that waits in several copies are the same one, also behind it", () => {
    const base = older();
    const waiting = writeEach(base, [], [line, word], "waiting");
    let log: Log = { kept: writeEach(base, [], [line, word], "kept"), madeAnew: [] };
    for (const peer of COPIES) {
      const later = writeEach(base, waiting, [line, word], `${peer}-`);
      const anew = succeed(base, [...waiting, ...later], log, peer);
      // Whoever comes first makes those anew that all of them have.
      expect(anew.updates).toHaveLength(log.madeAnew.length === 0 ? 4 : 2);
      log = { ...log, madeAnew: [...log.madeAnew, anew] };
    }
    const before = ["one", "three", "two", "kept0.0", "kept1.0", "waiting0.0", "waiting1.0"];
    const later = ["33-0.0", "33-1.0", "44-0.0", "44-1.0", "55-0.0", "55-1.0"];
    expect(idsIn(documentOf(base, log))).toEqual([...before, ...later].toSorted());
  });

  // Each leaves a name of its own, so that no two of them have the same bytes.
  const edit = fc.record({
    what: fc.constantFrom("line" as const, "word" as const),
    row: fc.constantFrom(...ROWS),
    amount: fc.constant(0),
  });
  const some = (maxLength: number) => fc.array(edit, { maxLength });
  const uses = fc.array(fc.record({ copied: fc.nat(4), later: some(3) }), { minLength: 1, maxLength: 3 });

  test("promises 2, 4 and 10: every edit is there once, however often copies are used (property)", () => {
    fc.assert(
      fc.property(fc.constantFrom(2 as const, 3 as const), some(4), some(3), uses, (version, waits, keeps, copies) => {
        const base = older();
        const wrote = (had: ReadonlyArray<Uint8Array>, made: ReadonlyArray<Omit<Edit, "version">>, name: string) =>
          writeEach(
            base,
            had,
            made.map((one) => ({ ...one, version })),
            name,
          );
        const waiting = wrote([], waits, "waiting");
        let log: Log = { kept: wrote([], keeps, "kept"), madeAnew: [] };
        const expected = new Set(keysIn(documentOf(base, log)));
        let shared = 0;
        for (const [index, { copied, later }] of copies.entries()) {
          const had = waiting.slice(0, copied);
          const own = [...had, ...wrote(had, later, `${index}-`)];
          const doc = replica("88", base);
          for (const update of own) doc.import(update);
          for (const key of keysIn(doc)) expected.add(key);
          const anew = succeed(base, own, log, COPIES[index] ?? OLD);
          expect(anew.updates).toHaveLength(own.length - Math.min(shared, had.length));
          shared = Math.max(shared, had.length);
          log = { ...log, madeAnew: [...log.madeAnew, anew] };
        }
        const doc = documentOf(base, log);
        expect(keysIn(doc)).toEqual([...expected].toSorted());
        const ids = idsIn(doc);
        expect(new Set(ids).size).toBe(ids.length);
      }),
      { numRuns: 60 },
    );
  });
});
