/** Promises 2 and 4: what a copy of a store makes anew, after later edits were applied again without what was given up. */
import { hashFromBytes } from "@cairn/protocol";
import fc from "fast-check";
import { LoroDoc, LoroMap, type PeerID } from "loro-crdt";
import { describe, expect, test } from "vitest";
import { rebaseDocument } from "../src/documents/rebase-document.ts";
import type { Reauthored, ReauthorRequest } from "../src/documents/own-edits.ts";
import { remakeOwnEdits } from "../src/documents/remake-own-edits.ts";
import { firstFormOf } from "../src/engine/entry-content.ts";
import { schema } from "./notebook.ts";

const OLD: PeerID = "11";
const OTHERS: PeerID = "22";
const ANEW: PeerID = "33";
const REBASED: PeerID = "44";

type Change = (doc: LoroDoc) => void;
const make = (...updates: ReadonlyArray<Uint8Array>): LoroDoc => {
  const doc = new LoroDoc();
  doc.importBatch([...updates]);
  return doc;
};
const write = (peer: PeerID, on: ReadonlyArray<Uint8Array>, changes: ReadonlyArray<Change>): Array<Uint8Array> => {
  const doc = make(...on);
  doc.setPeerId(peer);
  return changes.map((change) => {
    const before = doc.oplogVersion();
    change(doc);
    doc.commit();
    return doc.export({ mode: "update", from: before });
  });
};
const textOf = (doc: LoroDoc): string => doc.getText("body").toString();
/** Spaces between words are as good as one another. */
const wordsOf = (doc: LoroDoc): ReadonlyArray<string> => (textOf(doc).match(/\w+/gu) ?? []).toSorted();
const lineOf = (doc: LoroDoc): unknown => doc.getList("line").toJSON();
const defined = (edits: Reauthored): ReadonlyArray<Uint8Array> => edits.flatMap(({ update }) => update ?? []);

/** A copy with refused, later and further edits; the log has what others wrote, and the later ones without the refused. */
const story = (refused: ReadonlyArray<Change>, later: ReadonlyArray<Change>, further: ReadonlyArray<Change>) => {
  const base = write(
    OTHERS,
    [],
    [
      (doc) => {
        doc.getText("body").insert(0, "w1 w2 w3 ");
        doc.getList("line").insert(0, 1);
        doc.getList("line").insert(1, 2);
      },
    ],
  );
  const parked = write(OLD, base, refused);
  const behind = write(OLD, [...base, ...parked], later);
  const onCopy = write(OLD, [...base, ...parked, ...behind], further);
  const theirs = write(OTHERS, base, [(doc) => doc.getText("body").insert(9, "theirs ")]);
  const log = [...base, ...theirs];
  const { update: again } = rebaseDocument(schema, "note", make(...log), {
    parked,
    later: behind,
    peer: REBASED,
    mode: "reapply",
    digest: hashFromBytes(new Uint8Array(32)),
  });
  if (again === undefined) throw new Error("nothing was applied again");
  const own = [...parked, ...behind, ...onCopy].map((update, index) => ({
    id: index + 1,
    update,
    time: index,
    firstForm: firstFormOf({ update, time: index }),
  }));
  const request: ReauthorRequest = {
    acknowledged: base,
    elsewhere: [{ update: again, time: 50 }],
    own,
    madeAnew: [],
    appliedAgain: {
      ids: new Set(own.slice(parked.length, parked.length + behind.length).map(({ id }) => id)),
      updates: [...theirs, again],
      holders: [again],
    },
    ends: new Set([parked.length]),
    type: "note",
    peer: ANEW,
  };
  return { request, log: [...log, again], own };
};

const insertBehind =
  (word: string, text: string): Change =>
  (doc) => {
    const body = doc.getText("body");
    const at = body.toString().indexOf(word);
    body.insert(at < 0 ? body.length : at + word.length, text);
  };
const take =
  (word: string): Change =>
  (doc) => {
    const at = textOf(doc).indexOf(word);
    if (at >= 0) doc.getText("body").delete(at, word.length);
  };

test("they are there once, with what was refused before them and written behind them", () => {
  const push =
    (item: number): Change =>
    (doc) =>
      doc.getList("line").push(item);
  const { request, log, own } = story(
    [insertBehind("w3 ", "refused ")],
    [insertBehind("refused ", "later "), push(3)],
    [insertBehind("later ", "further "), take("w1 "), push(4)],
  );
  const edits = remakeOwnEdits(request, schema);
  expect(edits.map(({ update }) => update !== undefined)).toEqual([true, false, false, false, false, true]);
  // Whoever has the same copy knows by that what is in the last one.
  expect(edits.at(-1)?.appliedAgain).toEqual(own.slice(3).map(({ firstForm }) => firstForm));
  const doc = make(...log, ...defined(edits));
  expect(wordsOf(doc)).toEqual(["further", "later", "refused", "theirs", "w2", "w3"]);
  expect(lineOf(doc)).toEqual([1, 2, 3, 4]);
});

test("where what is behind them has no place, all are made anew under other names: twice is better than lost", () => {
  const { request, log } = story([insertBehind("w3 ", "refused ")], [insertBehind("w2 ", "later ")], [take("w3 ")]);
  const lacking = { ...request, appliedAgain: { ids: new Set([2]), updates: [], holders: log.slice(-1) } };
  const edits = remakeOwnEdits(lacking, schema);
  expect(edits[1]?.update).toBeDefined();
  expect(edits[1]?.firstForm).toBeUndefined();
  expect(textOf(make(...log, ...defined(edits))).split("later ")).toHaveLength(3);
});

/** On a copy the refused edits are given up as well, with more behind them, before it knows of the log. */
const givenUpAgain = (told: ReturnType<typeof story>, refused: number, named: ReadonlyArray<number>) => {
  const { request, own } = told;
  const { acknowledged } = request;
  const parked = own.slice(0, refused);
  const later = own.slice(refused).map((edit, index) => ({
    ...edit,
    firstForms: [edit.firstForm],
    isNamed: named.includes(index),
  }));
  const { update } = rebaseDocument(schema, "note", make(...acknowledged), {
    parked: parked.map((edit) => edit.update),
    later: later.map((edit) => edit.update),
    peer: "55",
    mode: "reapply",
    digest: hashFromBytes(new Uint8Array(32)),
  });
  if (update === undefined) throw new Error("nothing was applied again");
  const again = {
    id: 90,
    update,
    time: 90,
    firstForm: firstFormOf({ update, time: 90 }),
    former: { givenUp: parked, later },
  };
  const behind = write("55", [...acknowledged, update], [insertBehind("w1 ", "behind ")]).map((edit) => ({
    id: 91,
    update: edit,
    time: 91,
    firstForm: firstFormOf({ update: edit, time: 91 }),
  }));
  return { ...request, own: [again, ...behind], ends: new Set<number>() };
};

test("of what is applied again on a copy, the log has some: the rest is there once, and what is behind it", () => {
  const told = story(
    [insertBehind("w3 ", "refused ")],
    [insertBehind("refused ", "later ")],
    [insertBehind("later ", "further "), take("w2 ")],
  );
  const { appliedAgain, ...request } = givenUpAgain(told, 1, [0]);
  if (appliedAgain === undefined) throw new Error("the log has nothing");
  const edits = remakeOwnEdits({ ...request, appliedAgain: { ...appliedAgain, ids: new Set() } }, schema);
  expect(edits.map(({ isThere, update }) => [isThere, update !== undefined])).toEqual([
    [false, true],
    [false, true],
  ]);
  expect(edits[0]?.appliedAgain).toEqual(told.own.slice(2).map(({ firstForm }) => firstForm));
  expect(wordsOf(make(...told.log, ...defined(edits)))).toEqual(["behind", "further", "later", "theirs", "w1", "w3"]);
});

test("of what is applied again on a copy, the log has some as it was made: so has it what was given up", () => {
  const told = story(
    [insertBehind("w3 ", "refused ")],
    [insertBehind("refused ", "later ")],
    [insertBehind("later ", "further ")],
  );
  const asMade = told.own.slice(0, 2).map(({ update, time }) => ({ update, time }));
  const updates = [...told.log.slice(1, 2), ...asMade.map(({ update }) => update)];
  const request = {
    ...givenUpAgain(told, 1, []),
    elsewhere: asMade,
    appliedAgain: { ids: new Set<number>(), updates, holders: [] },
  };
  const edits = remakeOwnEdits(request, schema);
  const doc = make(...request.acknowledged, ...updates, ...defined(edits));
  expect(wordsOf(doc)).toEqual(["behind", "further", "later", "refused", "theirs", "w1", "w2", "w3"]);
  // Nothing of it there: it is one edit like others.
  const none = remakeOwnEdits(
    { ...request, elsewhere: [], appliedAgain: { ids: new Set(), updates: [], holders: [] } },
    schema,
  );
  expect(none.map(({ isThere }) => isThere)).toEqual([false, false]);
  expect(wordsOf(make(...request.acknowledged, ...defined(none)))).toEqual([
    "behind",
    "further",
    "later",
    "w1",
    "w2",
    "w3",
  ]);
});

describe("what has the same name in two copies", () => {
  const addItem =
    (name: string): Change =>
    (doc) => {
      const items = doc.getList("items");
      items.insertContainer(items.length, new LoroMap()).set("name", name);
    };
  const finish =
    (name: string): Change =>
    (doc) => {
      const item = doc
        .getList("items")
        .toArray()
        .find((each) => each instanceof LoroMap && each.get("name") === name);
      if (item instanceof LoroMap) item.set("done", true);
    };
  const named = (updates: ReadonlyArray<Uint8Array>) =>
    updates.map((update, index) => ({
      id: index + 1,
      update,
      time: index,
      firstForm: firstFormOf({ update, time: index }),
    }));
  const reapplied = (
    log: ReadonlyArray<Uint8Array>,
    parked: ReadonlyArray<Uint8Array>,
    later: ReadonlyArray<Uint8Array>,
  ) => {
    const { update } = rebaseDocument(schema, "note", make(...log), {
      parked,
      later,
      peer: REBASED,
      mode: "reapply",
      digest: hashFromBytes(new Uint8Array(32)),
    });
    if (update === undefined) throw new Error("nothing was applied again");
    return update;
  };
  const finished = (doc: LoroDoc): ReadonlyArray<unknown> => {
    const items: unknown = doc.getList("items").toJSON();
    if (!Array.isArray(items)) return [];
    return items.flatMap(({ name, done }: { name: string; done?: boolean }) => (done === true ? [name] : []));
  };
  const base = write(OTHERS, [], [insertBehind("", "w1 ")]);
  const refused = write(OLD, base, [insertBehind("w1 ", "refused ")]);

  test.each([false, true])(
    "hazard L4: a list's item is not another one of that name (others wrote, too: %s)",
    (both) => {
      const theirs = both ? write(OTHERS, base, [insertBehind("w1 ", "theirs ")]) : [];
      const later = write(OLD, [...base, ...refused], [addItem("theirs")]);
      const again = reapplied([...base, ...theirs], refused, later);
      // In another tab of the copy, under the peer under which the other copy has applied its own item again.
      const onCopy = write(REBASED, [...base, ...refused, ...later], [addItem("ours"), finish("ours")]);
      const request: ReauthorRequest = {
        acknowledged: base,
        elsewhere: [{ update: again, time: 50 }],
        own: named([...refused, ...later, ...onCopy]),
        madeAnew: [],
        appliedAgain: { ids: new Set([2]), updates: [...theirs, again], holders: [...theirs, again] },
        ends: new Set([1, 3]),
        type: "note",
        peer: ANEW,
      };
      const edits = remakeOwnEdits(request, schema);
      expect(finished(make(...base, ...theirs, again, ...defined(edits)))).toEqual(["ours"]);
    },
  );

  test.each([false, true])("nor is it where both have given up (others wrote, too: %s)", (both) => {
    const theirs = both ? write(OTHERS, base, [insertBehind("w1 ", "theirs ")]) : [];
    const shared = write(OLD, [...base, ...refused], [insertBehind("", "later ")]);
    const here = [...base, ...refused, ...shared];
    const again = reapplied([...base, ...theirs], refused, [...shared, ...write(OLD, here, [addItem("theirs")])]);
    const onCopy = [...shared, ...write(OLD, here, [addItem("ours")])];
    const update = reapplied(base, refused, onCopy);
    const later = named(onCopy).map((edit, index) => ({ ...edit, firstForms: [edit.firstForm], isNamed: index === 0 }));
    const [first, ...behind] = named([update, ...write(REBASED, [...base, update], [finish("ours")])]);
    if (first === undefined) throw new Error("there is one");
    const appliedTwice = later.flatMap(({ firstForms }) => firstForms);
    const request: ReauthorRequest = {
      acknowledged: base,
      elsewhere: [{ update: again, time: 50 }],
      own: [{ ...first, appliedAgain: appliedTwice, former: { givenUp: named(refused), later } }, ...behind],
      madeAnew: [],
      appliedAgain: { ids: new Set(), updates: [...theirs, again], holders: [again] },
      ends: new Set(),
      type: "note",
      peer: ANEW,
    };
    const edits = remakeOwnEdits(request, schema);
    expect(finished(make(...base, ...theirs, again, ...defined(edits)))).toEqual(["ours"]);
  });

  test("promise 4: what the server has as it was made is there for what takes it away", () => {
    const later = write(OLD, [...base, ...refused], [insertBehind("", "later ")]);
    const again = reapplied(base, refused, later);
    const log = [...refused, again];
    const edits = remakeOwnEdits(
      {
        acknowledged: base,
        elsewhere: refused.map((update) => ({ update, time: 50 })),
        own: named([...refused, ...later, ...write(OLD, [...base, ...refused, ...later], [take("refused ")])]),
        madeAnew: [],
        appliedAgain: { ids: new Set([2]), updates: log, holders: [again] },
        ends: new Set([1]),
        type: "note",
        peer: ANEW,
      },
      schema,
    );
    expect(wordsOf(make(...base, ...log, ...defined(edits)))).toEqual(["later", "w1"]);
  });
});

const place = fc.double({ min: 0, max: 1, noNaN: true });
const edit = fc.record({ at: place, takes: fc.boolean() });
test("every word is there once, and nothing goes that nobody took away (property)", () => {
  fc.assert(
    fc.property(
      fc.array(edit, { minLength: 1, maxLength: 3 }),
      fc.array(edit, { minLength: 1, maxLength: 3 }),
      fc.array(edit, { minLength: 1, maxLength: 3 }),
      (refused, later, further) => {
        let serial = 0;
        const written = new Set(["w1", "w2", "w3", "theirs"]);
        const taken = new Set<string>();
        /** Puts in a word of its own between others, or takes one away that all replicas have, which no other change does. */
        const changeOf =
          ({ at, takes }: { readonly at: number; readonly takes: boolean }): Change =>
          (doc) => {
            const words = textOf(doc).match(/\w+ /gu) ?? [];
            const word = words[Math.min(words.length - 1, Math.floor(at * words.length))] ?? "";
            if (takes && /w[123] /u.test(word)) {
              taken.add(word.trim());
              return take(word)(doc);
            }
            serial += 1;
            written.add(`word${serial}`);
            insertBehind(word, `word${serial} `)(doc);
          };
        const { request, log } = story(refused.map(changeOf), later.map(changeOf), further.map(changeOf));
        const doc = make(...log, ...defined(remakeOwnEdits(request, schema)));
        const left = [...written].filter((word) => !taken.has(word));
        expect(wordsOf(doc)).toEqual(left.toSorted());
      },
    ),
    { numRuns: 300 },
  );
});
