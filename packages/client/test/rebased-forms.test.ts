/** Edits of several versions of an app, made again in a document that lacks what they were made on. */
import { hashFromBytes } from "@cairn/protocol";
import { type DocumentSchema, editDocument, readDocument } from "@cairn/schema";
import * as fc from "fast-check";
import type { LoroDoc, PeerID } from "loro-crdt";
import { describe, expect, test } from "vitest";
import { applyUnsaved } from "../src/documents/apply-unsaved.ts";
import { rebaseDocument } from "../src/documents/rebase-document.ts";
import {
  type Edit,
  edits,
  first,
  make,
  note1,
  note2,
  note3,
  replica,
  ROWS,
  second,
  third,
  write,
} from "./evolving-rows.ts";

const OLD: PeerID = "11";
const NEW: PeerID = "33";

interface Story {
  readonly before: ReadonlyArray<Edit>;
  readonly givenUp: ReadonlyArray<Edit>;
  readonly later: ReadonlyArray<Edit>;
  readonly meanwhile: ReadonlyArray<Edit>;
}

const story: fc.Arbitrary<Story> = fc.record({
  before: edits(4),
  givenUp: edits(4),
  later: edits(5),
  meanwhile: edits(3),
});

/** Plays a story; `again` makes the later edits anew in a document that never had those that were given up. */
const play = (
  { before, givenUp, later, meanwhile }: Story,
  again: (server: LoroDoc, page: LoroDoc, parked: Uint8Array, behind: Uint8Array) => LoroDoc,
): void => {
  const base = replica("22");
  write(base, before, "b");
  const page = replica(OLD, base);
  const parked = write(page, givenUp, "g");
  const atParking = readDocument(note3, page);
  const behind = write(page, later, "l");
  const shown = readDocument(note3, page);
  const server = replica("44", base);
  write(server, meanwhile, "m");
  const held = readDocument(note3, server);

  const doc = again(server, page, parked, behind);
  expect(doc.oplogVersion().get(OLD)).toBeUndefined();
  const now = readDocument(note3, doc);
  const second = readDocument(note2, doc);
  const isLater = (id: string): boolean => id.startsWith("l");
  const keysOf = (record: object): ReadonlyArray<string> => Object.keys(record).toSorted();
  expect(keysOf(now.lines)).toEqual([...keysOf(held.lines), ...keysOf(shown.lines).filter(isLater)].toSorted());
  expect(now.sum).toBe(held.sum + shown.sum - atParking.sum);
  // What an app of version 2 or before wrote is in version 2, once.
  const older = later.flatMap(({ version, what }, index) => (what === "line" && version < 3 ? [`l${index}`] : []));
  expect(
    second.lines
      .map(({ id }) => id)
      .filter(isLater)
      .toSorted(),
  ).toEqual(older.toSorted());
  for (const row of ROWS) {
    const words = now.rows[row]?.words;
    if (words === undefined) continue;
    const wanted = [
      ...keysOf(held.rows[row]?.words ?? {}),
      ...keysOf(shown.rows[row]?.words ?? {}).filter((id) => isLater(id)),
    ];
    expect(keysOf(words)).toEqual(wanted.toSorted());
  }
  const expected = (name: "heading" | "color"): string => (isLater(shown[name]) ? shown[name] : held[name]);
  if (isLater(shown.heading) && isLater(shown.color)) {
    expect([now.heading, now.color]).toEqual([expected("heading"), expected("color")]);
  }
  expect(now.heading.startsWith("g") || now.color.startsWith("g")).toBe(false);
};

const giveUp = (schema: DocumentSchema, server: LoroDoc, parked: Uint8Array, later: Uint8Array) =>
  rebaseDocument(schema, "note", server, {
    parked: [parked],
    later: [later],
    peer: NEW,
    mode: "reapply",
    digest: hashFromBytes(new Uint8Array(32)),
  });

const rebuiltWith = (server: LoroDoc, update: Uint8Array | undefined): LoroDoc => {
  const rebuilt = replica("55", server);
  const status = update === undefined ? undefined : rebuilt.import(update);
  expect(status?.pending ?? null).toBeNull();
  return rebuilt;
};

describe("edits of several versions, made again without what they were made on", () => {
  test("promises 4 and 10: behind edits that are given up (property)", () => {
    fc.assert(
      fc.property(story, (drawn) =>
        play(drawn, (server, _, parked, behind) => rebuiltWith(server, giveUp(third, server, parked, behind).update)),
      ),
    );
  });

  test("promises 4 and 10: so they are by an app of an older version, where it knows their forms (property)", () => {
    fc.assert(
      fc.property(story, fc.constantFrom(1, 2), (drawn, version) =>
        play(drawn, (server, _, parked, behind) => {
          const { update, needsNewerApp } = giveUp(version === 1 ? first : second, server, parked, behind);
          if (!needsNewerApp) return rebuiltWith(server, update);
          expect(update).toBeUndefined();
          // The color is one of version 2, whoever sets it.
          const isNewer = (later: Edit): boolean => (later.what === "color" ? 2 : later.version) > version;
          expect(drawn.later.some(isNewer)).toBe(true);
          return rebuiltWith(server, giveUp(third, server, parked, behind).update);
        }),
      ),
    );
  });

  test("promises 4 and 10: that were not stored yet (property)", () => {
    fc.assert(
      fc.property(story, (drawn) =>
        play(drawn, (server, page, _, behind) => {
          const open = replica(NEW, server);
          applyUnsaved(page, [behind], open, note3);
          open.commit();
          return open;
        }),
      ),
    );
  });
});

describe("an app of an older version, where edits are given up", () => {
  const base = (): LoroDoc => {
    const doc = replica("22");
    make(doc, { version: 1, what: "row", row: "r", amount: 0 }, "");
    make(doc, { version: 3, what: "word", row: "r", amount: 0 }, "word");
    return doc;
  };
  /** What an app of version 1 makes of the edits behind those that are given up. */
  const outcome = (givenUp: (page: LoroDoc) => void, later: (page: LoroDoc) => void) => {
    const server = base();
    const page = replica(OLD, server);
    const updateOf = (change: (page: LoroDoc) => void): Uint8Array => {
      const before = page.oplogVersion();
      change(page);
      page.commit();
      return page.export({ mode: "update", from: before });
    };
    const parked = updateOf(givenUp);
    const { update, needsNewerApp, after } = giveUp(first, server, parked, updateOf(later));
    return { needsNewerApp, after, doc: rebuiltWith(server, update) };
  };

  test.each<[string, (page: LoroDoc) => void]>([
    ["a container that was changed", (page) => void editDocument(note3, page).lines.ensure("later")],
    ["a value that was converted", (page) => editDocument(note2, page).color.set("later")],
    ["a container within a record", (page) => void editDocument(note3, page).rows.edit("r")?.words.ensure("later")],
  ])("promise 10: applies nothing again that newer apps wrote behind them, in %s", (_, later) => {
    const { needsNewerApp, after, doc } = outcome((page) => {
      const note = editDocument(note1, page);
      note.lines.push("given up");
      note.title.set("given up");
      note.rows.edit("r")?.words.push("given up");
    }, later);
    expect(needsNewerApp).toBe(true);
    expect(after).toBeUndefined();
    expect(doc.toJSON()).toEqual(base().toJSON());
  });

  test.each<[string, (page: LoroDoc) => void, object]>([
    ["removed a record in which newer apps wrote", (page) => editDocument(note1, page).rows.remove("r"), {}],
    [
      "removed one, and made it again",
      (page) => {
        editDocument(note1, page).rows.remove("r");
        editDocument(note1, page).rows.ensure("r").words.push("later");
      },
      { r: { words: { later: { done: false } } } },
    ],
  ])("promise 4: keeps what it did itself: it %s", (_, later, rows) => {
    const { needsNewerApp, doc } = outcome((page) => void editDocument(note3, page).lines.ensure("given up"), later);
    expect(needsNewerApp).toBe(false);
    expect(readDocument(note3, doc)).toMatchObject({ lines: {}, rows });
  });
});
