/** Edits of several versions of an app, made again in a document that lacks what they were made on. */
import { hashFromBytes } from "@cairn/protocol";
import { readDocument } from "@cairn/schema";
import * as fc from "fast-check";
import type { LoroDoc, PeerID } from "loro-crdt";
import { describe, expect, test } from "vitest";
import { applyUnsaved } from "../src/documents/apply-unsaved.ts";
import { rebaseDocument } from "../src/documents/rebase-document.ts";
import { type Edit, edits, note2, note3, replica, ROWS, third, write } from "./evolving-rows.ts";

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

describe("edits of several versions, made again without what they were made on", () => {
  test("promises 4 and 10: behind edits that are given up (property)", () => {
    fc.assert(
      fc.property(story, (drawn) =>
        play(drawn, (server, _, parked, behind) => {
          const { update } = rebaseDocument(third, "note", server, {
            parked: [parked],
            later: [behind],
            peer: NEW,
            mode: "reapply",
            digest: hashFromBytes(new Uint8Array(32)),
          });
          const rebuilt = replica("55", server);
          const status = update === undefined ? undefined : rebuilt.import(update);
          expect(status?.pending ?? null).toBeNull();
          return rebuilt;
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
