/** Hazard L4: operations under a peer id that a copy of the profile used too, made anew under another one. */
import fc from "fast-check";
import { LoroDoc, LoroMap, type PeerID } from "loro-crdt";
import { describe, expect, test } from "vitest";
import type { ReauthorRequest } from "../src/documents/own-edits.ts";
import { reauthor } from "../src/documents/reauthor.ts";
import type { EditsMadeAnew } from "../src/documents/shared-edits.ts";
import { firstFormOf } from "../src/engine/entry-content.ts";
import { rangesOfUpdate } from "../src/documents/update-ranges.ts";
import { Result } from "effect";

const OLD: PeerID = "11";
const OTHERS: PeerID = "22";
const NEW: PeerID = "33";

/** Writes on a copy of what there is, one update for each change. */
const write = (
  peer: PeerID,
  on: ReadonlyArray<Uint8Array>,
  changes: ReadonlyArray<(doc: LoroDoc) => void>,
): ReadonlyArray<Uint8Array> => {
  const doc = new LoroDoc();
  doc.setPeerId(peer);
  if (on.length > 0) doc.importBatch([...on]);
  return changes.map((change) => {
    const before = doc.oplogVersion();
    change(doc);
    doc.commit();
    return doc.export({ mode: "update", from: before });
  });
};
const insert = (position: number, text: string) => (doc: LoroDoc) => doc.getText("body").insert(position, text);
const own = (updates: ReadonlyArray<Uint8Array>, time = 100) =>
  updates.map((update, index) => ({
    id: index + 1,
    update,
    time: time + index,
    firstForm: firstFormOf({ update, time: time + index }),
  }));
const request = (part: Partial<ReauthorRequest>): ReauthorRequest => ({
  acknowledged: [],
  elsewhere: [],
  own: [],
  madeAnew: [],
  ends: new Set(),
  type: "note",
  peer: NEW,
  ...part,
});
const merged = (...updates: ReadonlyArray<Uint8Array | undefined>): LoroDoc => {
  const doc = new LoroDoc();
  doc.importBatch(updates.filter((update) => update !== undefined));
  return doc;
};
const textOf = (doc: LoroDoc): string => doc.getText("body").toString();

describe("edits of a copied profile", () => {
  test("that collide with others of the same peer and counters are made anew, where they were made", () => {
    const base = write(OLD, [], [insert(0, "one two")]);
    const here = write(OLD, base, [insert(3, " HERE"), insert(0, "> ")]);
    const there = write(OLD, base, [insert(7, " THERE")]);
    // The hazard itself: the same operations' names, other content, and no error.
    const oneByOne = (...updates: ReadonlyArray<Uint8Array>): string => {
      const doc = new LoroDoc();
      for (const update of updates) doc.import(update);
      return textOf(doc);
    };
    const [one = base[0], other = base[0]] = [here[0], write(OLD, base, [insert(7, " LESS")])[0]];
    if (one === undefined || other === undefined) throw new Error("no updates");
    expect(oneByOne(...base, one, other)).not.toBe(oneByOne(...base, other, one));

    const anew = reauthor(
      request({ acknowledged: base, elsewhere: there.map((update) => ({ update, time: 500 })), own: own(here) }),
    );
    // Each under its id, with operations of the new peer alone.
    expect(anew.map(({ id, update }) => [id, update !== undefined])).toEqual([
      [1, true],
      [2, true],
    ]);
    for (const { update } of anew) {
      if (update === undefined) continue;
      expect(Result.getOrThrow(rangesOfUpdate(update)).map(({ peer }) => peer)).toEqual([NEW]);
    }
    const replicas = [
      merged(...base, ...there, ...anew.map(({ update }) => update)),
      merged(...anew.map(({ update }) => update), ...there, ...base),
    ];
    for (const replica of replicas) expect(textOf(replica)).toBe("> one HERE two THERE");
  });

  test("that the server has already are not made again", () => {
    const base = write(OLD, [], [insert(0, "base")]);
    const shared = write(OLD, base, [insert(4, " a"), insert(6, " b")]);
    const here = write(OLD, [...base, ...shared], [insert(8, " here")]);
    const there = write(OLD, [...base, ...shared], [insert(8, " there")]);
    const elsewhere = [...shared, ...there].map((update) => ({ update, time: 150 }));
    const anew = reauthor(request({ acknowledged: base, elsewhere, own: own([...shared, ...here]) }));
    expect(anew.map(({ update }) => update !== undefined)).toEqual([false, false, true]);
    expect(anew.map((edit) => edit.elsewhere)).toEqual([0, 1, undefined]);
    const text = textOf(merged(...base, ...shared, ...there, ...anew.map(({ update }) => update)));
    expect(text.replace(" here", "")).toBe("base a b there");

    // The same words, written later than anything that the server has, were written here.
    const later = reauthor(request({ acknowledged: base, elsewhere, own: own(shared, 1_000) }));
    expect(later.some(({ update }) => update !== undefined)).toBe(true);
    // All of them there: nothing is left.
    const settled = reauthor(request({ acknowledged: base, elsewhere, own: own(shared) }));
    expect(settled.every(({ update }) => update === undefined)).toBe(true);
  });

  test("leave alone what others have built on the copy's operations", () => {
    const base = write(OLD, [], [insert(0, "base")]);
    const there = write(OLD, base, [insert(4, " there")]);
    // Received here before anybody knew: it needs operations that this store does not have.
    const theirs = write(OTHERS, [...base, ...there], [insert(10, " theirs")]);
    const here = write(OLD, base, [insert(0, "here ")]);
    const anew = reauthor(
      request({
        acknowledged: [...base, ...theirs],
        elsewhere: there.map((update) => ({ update, time: 500 })),
        own: own(here),
      }),
    );
    expect(textOf(merged(...base, ...there, ...theirs, ...anew.map(({ update }) => update)))).toBe(
      "here base there theirs",
    );
  });

  test("keep every kind of content, in parts where they have to stay apart", () => {
    const base = write(OLD, [], [insert(0, "base"), (doc) => doc.getMap("fields").set("title", "old")]);
    const changes: ReadonlyArray<(doc: LoroDoc) => void> = [
      (doc) => doc.getMap("fields").set("title", "new"),
      (doc) => doc.getMap("fields").set("picture", new Uint8Array([1, 2, 3])),
      (doc) => doc.getMap("notes").ensureMergeableText("one").insert(0, "mergeable"),
      (doc) => doc.getMap("notes").ensureMergeableText("one").insert(9, "!"),
      (doc) => doc.getList("items").insertContainer(0, new LoroMap()).set("done", false),
      (doc) => doc.getMovableList("order").insert(0, "a"),
      (doc) => doc.getMovableList("order").insert(1, "b"),
      (doc) => doc.getMovableList("order").move(0, 1),
      (doc) => doc.getCounter("count").increment(3),
      (doc) => doc.getText("body").mark({ start: 0, end: 2 }, "bold", true),
    ];
    const here = write(OLD, base, changes);
    for (const ends of [new Set<number>(), new Set([3, 6]), new Set(here.map((_, index) => index + 1))]) {
      const anew = reauthor(request({ acknowledged: base, own: own(here), ends }));
      expect(anew.filter(({ update }) => update !== undefined)).toHaveLength(changes.length);
      const expected = merged(...base, ...here);
      const made = merged(...base, ...anew.map(({ update }) => update));
      expect(made.toJSON()).toEqual(expected.toJSON());
      expect(made.getText("body").toDelta()).toEqual(expected.getText("body").toDelta());
    }
  });

  const change = fc.tuple(fc.double({ min: 0, max: 1, noNaN: true }), fc.string({ maxLength: 4 }), fc.nat(3));
  const apply =
    ([at, text, count]: [number, string, number]) =>
    (doc: LoroDoc): void => {
      const body = doc.getText("body");
      const position = Math.floor(at * body.length);
      body.delete(position, Math.min(count, body.length - position));
      body.insert(position, `${text}.`);
    };

  test("promise 4: with those that the server has as they are, make the whole document before anything else comes (property)", () => {
    fc.assert(
      fc.property(
        fc.array(change, { maxLength: 3 }),
        fc.array(change, { maxLength: 4 }),
        fc.array(change, { maxLength: 4 }),
        fc.array(change, { maxLength: 4 }),
        (first, common, mine, clones) => {
          const base = write(OLD, [], [insert(0, "begin"), ...first.map(apply)]);
          const shared = write(OLD, base, common.map(apply));
          const here = write(OLD, [...base, ...shared], mine.map(apply));
          const there = write(OLD, [...base, ...shared], clones.map(apply));
          const elsewhere = [...shared, ...there].map((update) => ({ update, time: 10_000 }));
          const all = own([...shared, ...here]);
          const anew = reauthor(request({ acknowledged: base, elsewhere, own: all }));
          const known = all.filter((_, index) => anew[index]?.elsewhere !== undefined).map(({ update }) => update);
          const local = merged(...base, ...known, ...anew.map(({ update }) => update));
          expect(local.exportPendingUpdates()).toBeUndefined();
          expect(textOf(local)).toBe(textOf(merged(...base, ...shared, ...here)));
        },
      ),
      { numRuns: 60 },
    );
  });

  test("come to the same content whatever they were (property)", () => {
    fc.assert(
      fc.property(
        fc.array(change, { maxLength: 6 }),
        fc.array(change, { minLength: 1, maxLength: 6 }),
        fc.array(change, { maxLength: 4 }),
        (first, mine, clones) => {
          const base = write(OLD, [], [insert(0, "begin"), ...first.map(apply)]);
          const here = write(OLD, base, mine.map(apply));
          const there = write(OLD, base, clones.map(apply));
          const elsewhere = there.map((update) => ({ update, time: 0 }));
          const anew = reauthor(request({ acknowledged: base, elsewhere, own: own(here) }));
          const updates = anew.map(({ update }) => update);
          expect(textOf(merged(...base, ...updates))).toBe(textOf(merged(...base, ...here)));
          // Whoever gets them in whatever order has the same.
          expect(textOf(merged(...base, ...there, ...updates))).toBe(textOf(merged(...updates, ...there, ...base)));
        },
      ),
      { numRuns: 60 },
    );
  });
});

describe("edits of a copy of a store that is used more than once", () => {
  const DEVICES: ReadonlyArray<PeerID> = ["33", "44", "55", "77"];
  const changes: ReadonlyArray<(doc: LoroDoc) => void> = [
    insert(0, "waits "),
    (doc) => doc.getList("items").insertContainer(0, new LoroMap()).set("done", false),
    (doc) => doc.getMap("fields").setContainer("part", new LoroMap()).set("a", 1),
  ];
  /** Changes what edits of the copy made. */
  const tick = (doc: LoroDoc): void => {
    const item = doc.getList("items").get(0);
    if (item instanceof LoroMap) item.set("done", true);
    const part = doc.getMap("fields").get("part");
    if (part instanceof LoroMap) part.set("b", 2);
  };
  /** One use of the copy: what it makes anew, as an entry that says so. */
  const use = (
    peer: PeerID,
    base: ReadonlyArray<Uint8Array>,
    edits: ReadonlyArray<Uint8Array>,
    log: ReadonlyArray<EditsMadeAnew>,
  ): EditsMadeAnew => {
    const anew = reauthor(request({ acknowledged: base, own: own(edits), madeAnew: log, peer }));
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
  const documentOf = (base: ReadonlyArray<Uint8Array>, log: ReadonlyArray<EditsMadeAnew>): LoroDoc =>
    merged(...base, ...log.flatMap(({ updates }) => updates));

  test("promise 2: are made anew once", () => {
    const base = write(OLD, [], [insert(0, "base")]);
    const waiting = write(OLD, base, changes);
    const first = use("33", base, waiting, []);
    const second = use("44", base, waiting, [first]);
    expect(second.updates).toEqual([]);
    // Without its names nobody could know.
    expect(use("44", base, waiting, [{ ...first, edits: [] }]).updates).toHaveLength(3);
    // An older copy, with a part of them.
    expect(use("44", base, waiting.slice(0, 2), [first]).updates).toEqual([]);
  });

  test("promise 4: are not taken for others of the same update, which build on something else", () => {
    const base = write(OLD, [], [insert(0, "base")]);
    const alike = [insert(1, "e"), insert(2, "y ")];
    const other = write(OLD, base, [insert(0, "H"), ...alike]);
    const waiting = write(OLD, base, [insert(0, "J"), ...alike]);
    const namesOf = (updates: ReadonlyArray<Uint8Array>) =>
      updates.slice(1).map((update) => firstFormOf({ update, time: 7 }));
    expect(namesOf(waiting)).toEqual(namesOf(other));
    const first = use("33", base, other, []);
    const second = use("44", base, waiting, [first]);
    expect(
      textOf(documentOf(base, [first, second]))
        .match(/\w+/gu)
        ?.toSorted(),
    ).toEqual(["Hey", "Jey", "base"]);
    // Nobody takes them for the same ones from here on.
    const names = new Set(first.edits.map(({ firstForm }) => firstForm));
    expect(second.edits.some(({ firstForm }) => names.has(firstForm))).toBe(false);
    // What both have from the beginning is there once, also where they went on in different ways.
    const shared = write(OLD, base, [insert(4, " both")]);
    const on = (letter: string) => write(OLD, [...base, ...shared], [insert(0, letter), ...alike]);
    const third = use("33", base, [...shared, ...on("H")], []);
    const fourth = use("44", base, [...shared, ...on("J")], [third]);
    expect(
      textOf(documentOf(base, [third, fourth]))
        .match(/\w+/gu)
        ?.toSorted(),
    ).toEqual(["Hey", "Jey", "base", "both"]);
  });

  test("with more that each of them wrote: what they share is made anew once, and the rest on top of it", () => {
    const base = write(OLD, [], [insert(0, "base")]);
    const waiting = write(OLD, base, changes);
    const more = (text: string) => write(OLD, [...base, ...waiting], [tick, insert(0, text)]);
    const log: Array<EditsMadeAnew> = [];
    for (const [index, text] of ["one ", "two ", "three "].entries()) {
      log.push(use(DEVICES[index] ?? OTHERS, base, [...waiting, ...more(text)], log));
    }
    const doc = documentOf(base, log);
    const text = textOf(doc);
    for (const word of ["waits", "base", "one", "two", "three"]) expect(text.split(word)).toHaveLength(2);
    expect(doc.getList("items").toJSON()).toEqual([{ done: true }]);
    expect(doc.getMap("fields").toJSON()).toEqual({ part: { a: 1, b: 2 } });
    // A copy of the second one, taken before it made anything anew.
    expect(use("66", base, [...waiting, ...more("two ")], log).updates).toEqual([]);
  });

  test("promise 2: are made anew once where more of others' edits has come since", () => {
    const base = write(OLD, [], [insert(0, "base")]);
    const waiting = write(OLD, base, changes);
    const grown = [...base, ...write(OTHERS, base, [insert(4, " grown")])];
    const first = use("33", base, waiting, []);
    const more = write(OLD, [...base, ...waiting], [tick, insert(0, "more ")]);
    const second = use("44", grown, [...waiting, ...more], [first]);
    const doc = documentOf(grown, [first, second]);
    expect(textOf(doc)).toBe("more waits base grown");
    expect(doc.getList("items").toJSON()).toEqual([{ done: true }]);
    expect(second.edits).toHaveLength(2);
  });

  test("where others made them on another base, nothing is lost, and nobody takes them for the same again", () => {
    const base = write(OLD, [], [insert(0, "base")]);
    const waiting = write(OLD, base, [insert(0, "waits ")]);
    const grown = [...base, ...write(OTHERS, base, [insert(4, " grown")])];
    const first = use("33", grown, waiting, []);
    const second = use("44", base, [...waiting, ...write(OLD, [...base, ...waiting], [insert(0, "more ")])], [first]);
    expect(
      textOf(documentOf(grown, [first, second]))
        .match(/waits|more|grown/gu)
        ?.toSorted(),
    ).toEqual(["grown", "more", "waits", "waits"]);
    expect(second.edits).toEqual([]);
  });

  /** A place in the text, `at` of the way through it, that is inside of no word. */
  const betweenWords = (text: string, at: number): number => {
    const parts = text.match(/<\d+>|[^<]/gu) ?? [];
    return parts.slice(0, Math.floor(at * parts.length)).join("").length;
  };
  const step = fc.tuple(fc.double({ min: 0, max: 1, noNaN: true }), fc.nat(2));
  test("promises 2 and 4: every edit is there once, however often copies are used (property)", () => {
    fc.assert(
      fc.property(
        fc.array(step, { minLength: 1, maxLength: 4 }),
        fc.array(fc.tuple(fc.nat(4), fc.array(step, { maxLength: 3 })), { minLength: 2, maxLength: 4 }),
        (waits, uses) => {
          let serial = 0;
          /** Inserts a word that is there only once. */
          const word =
            ([at, kind]: [number, number]) =>
            (doc: LoroDoc): void => {
              serial += 1;
              const items = doc.getList("items");
              const item = items.get(Math.floor(at * items.length));
              if (kind === 0) doc.getText("body").insert(betweenWords(textOf(doc), at), `<${serial}>`);
              else if (kind === 1) items.insertContainer(0, new LoroMap()).set("word", `<${serial}>`);
              else if (item instanceof LoroMap) item.set(`more${serial}`, `<${serial}>`);
            };
          const base = write(OLD, [], [insert(0, "b")]);
          const waiting = write(OLD, base, waits.map(word));
          const expected = new Set<string>();
          const wordsOf = (doc: LoroDoc): ReadonlyArray<string> => JSON.stringify(doc.toJSON()).match(/<\d+>/gu) ?? [];
          const log: Array<EditsMadeAnew> = [];
          uses.forEach(([count, steps], index) => {
            const copied = waiting.slice(0, count);
            const later = write(OLD, [...base, ...copied], steps.map(word));
            for (const found of wordsOf(merged(...base, ...copied, ...later))) expected.add(found);
            log.push(use(DEVICES[index] ?? OTHERS, base, [...copied, ...later], log));
          });
          expect(wordsOf(documentOf(base, log)).toSorted()).toEqual([...expected].toSorted());
        },
      ),
      { numRuns: 100 },
    );
  });
});
