/** Documents without some of their edits, and updates cut into pieces. */
import { hashFromBytes } from "@cairn/protocol";
import * as fc from "fast-check";
import { LoroDoc, LoroMap } from "loro-crdt";
import { describe, expect, it } from "vitest";
import { rebaseDocument } from "../src/documents/rebase-document.ts";
import { splitUpdate } from "../src/documents/split-update.ts";
import { type Sequence, type Step, transformDelta } from "../src/documents/transform-delta.ts";
import { schema } from "./notebook.ts";

const DIGEST = hashFromBytes(new Uint8Array(32));

/** Applies a delta to a text. */
const apply = (text: string, delta: ReadonlyArray<Step<Sequence>>): string => {
  let at = 0;
  let result = "";
  for (const step of delta) {
    if ("insert" in step) result += typeof step.insert === "string" ? step.insert : "";
    else if ("retain" in step) {
      result += text.slice(at, at + step.retain);
      at += step.retain;
    } else at += step.delete;
  }
  return result + text.slice(at);
};

/** A delta that fits a text of this length, with letters of its own. */
const delta = (length: number, letter: string): fc.Arbitrary<ReadonlyArray<Step<string>>> =>
  fc
    .array(fc.tuple(fc.constantFrom("retain", "insert", "delete"), fc.integer({ min: 1, max: 5 })), { maxLength: 8 })
    .map((parts) => {
      let left = length;
      return parts.flatMap(([kind, size]): ReadonlyArray<Step<string>> => {
        if (kind === "insert") return [{ insert: letter.repeat(size) }];
        const part = Math.min(left, size);
        left -= part;
        if (part === 0) return [];
        return kind === "retain" ? [{ retain: part }] : [{ delete: part }];
      });
    });

describe("moving a change over another one", () => {
  it("keeps what was written, takes out what was taken out, and touches nothing else", () => {
    const start = "abcdefghijklmno";
    fc.assert(
      fc.property(delta(start.length, "X"), delta(start.length, "y"), (change, base) => {
        const without = apply(start, base);
        const moved = apply(without, transformDelta(change, base));
        // Every letter of the change is there, and every letter of the base.
        const count = (text: string, letter: string) => text.split(letter).length - 1;
        expect(count(moved, "X")).toBe(count(apply(start, change), "X"));
        expect(count(moved, "y")).toBe(count(without, "y"));
        // Of the common text exactly what both have kept is left, in order.
        const kept = (text: string) => Array.from(text).filter((letter) => start.includes(letter));
        const byBoth = kept(without).filter((letter) => kept(apply(start, change)).includes(letter));
        expect(kept(moved)).toEqual(byBoth);
      }),
    );
  });

  it("is nothing over nothing", () => {
    const change: ReadonlyArray<Step<string>> = [{ retain: 2 }, { insert: "x" }, { delete: 1 }];
    expect(transformDelta(change, [])).toEqual(change);
  });
});

/** What the server has, edits that it refuses, and later ones. */
const story = (later: (doc: LoroDoc) => void) => {
  const server = new LoroDoc();
  server.setPeerId("1");
  server.getText("body").insert(0, "The server has this.");
  server.getMap("fields").set("title", "First");
  server.commit();
  const local = new LoroDoc();
  local.import(server.export({ mode: "snapshot" }));
  local.setPeerId("2");
  const before = local.oplogVersion();
  local.getText("body").insert(4, "REFUSED ");
  local.getMap("fields").set("title", "Refused");
  local.getList("list").insert(0, "refused");
  local.commit();
  const parked = local.export({ mode: "update", from: before });
  const between = local.oplogVersion();
  later(local);
  local.commit();
  const behind = local.export({ mode: "update", from: between });
  return { server, parked: [parked], later: [behind] };
};

const rebase = (later: (doc: LoroDoc) => void) => {
  const { server, ...edits } = story(later);
  const rebased = rebaseDocument(schema, "note", server, { ...edits, peer: "3", mode: "reapply", digest: DIGEST });
  // Another device, which has what the server has, gets the later edits anew.
  const other = new LoroDoc();
  other.import(server.export({ mode: "snapshot" }));
  const status = rebased.update === undefined ? undefined : other.import(rebased.update);
  return { rebased, other, pending: status?.pending };
};

describe("hazard 15: a document without its refused edits", () => {
  it("keeps later edits of texts, maps and lists, and others can apply them at once", () => {
    const { rebased, other, pending } = rebase((doc) => {
      const body = doc.getText("body");
      body.insert(body.length, " And more.");
      body.insert(0, "> ");
      doc.getMap("fields").set("tag", "later");
      doc.getList("list").insert(1, "later");
    });
    expect(rebased.notReapplied).toEqual([]);
    expect(pending).toBeNull();
    expect(other.toJSON()).toEqual(rebased.after);
    expect(rebased.after).toMatchObject({
      body: "> The server has this. And more.",
      fields: { title: "First", tag: "later" },
      list: ["later"],
    });
    expect(rebased.before).toMatchObject({
      body: "> The REFUSED server has this. And more.",
      fields: { title: "Refused" },
    });
  });

  it("says what of the later edits has no place any more", () => {
    const { rebased, pending } = rebase((doc) => {
      doc.getText("body").insert(0, "still ");
    });
    expect(rebased.notReapplied).toEqual([]);
    expect(pending).toBeNull();

    const { server } = story(() => undefined);
    const local = new LoroDoc();
    local.import(server.export({ mode: "snapshot" }));
    local.setPeerId("2");
    const before = local.oplogVersion();
    const made = local.getList("list").insertContainer(0, new LoroMap());
    local.commit();
    const parked = local.export({ mode: "update", from: before });
    const between = local.oplogVersion();
    made.set("inside", "what is given up");
    local.getText("body").insert(0, "kept ");
    local.commit();
    const later = local.export({ mode: "update", from: between });
    const lost = rebaseDocument(schema, "note", server, {
      parked: [parked],
      later: [later],
      peer: "3",
      mode: "reapply",
      digest: DIGEST,
    });
    expect(lost.notReapplied).toHaveLength(1);
    expect(lost.after).toMatchObject({ body: "kept The server has this." });
  });

  it("is what the server has where nothing came later", () => {
    const { rebased } = rebase(() => undefined);
    expect(rebased.update).toBeUndefined();
    expect(rebased.after).toMatchObject({ body: "The server has this.", fields: { title: "First" } });
  });

  it("can go on as a copy", () => {
    const { server, ...edits } = story((doc) => doc.getText("body").insert(0, "> "));
    const { copy, after } = rebaseDocument(schema, "note", server, {
      ...edits,
      peer: "3",
      mode: "copy",
      digest: DIGEST,
    });
    const made = new LoroDoc();
    for (const { update } of copy?.updates ?? []) made.import(update);
    expect(made.toJSON()).toMatchObject({ body: "> The REFUSED server has this.", fields: { title: "Refused" } });
    expect(after).toMatchObject({ body: "The server has this." });
  });
});

describe("cutting an update", () => {
  it("gives pieces that fit, in order, with exactly its operations", () => {
    fc.assert(
      fc.property(fc.array(fc.string({ minLength: 1, maxLength: 400 }), { minLength: 1, maxLength: 6 }), (texts) => {
        const doc = new LoroDoc();
        doc.setPeerId("7");
        for (const text of texts) {
          doc.getText("body").insert(0, text);
          doc.getList("list").push(text.length);
        }
        doc.commit();
        const update = doc.export({ mode: "update" });
        const pieces = splitUpdate(doc, update, 250);
        const other = new LoroDoc();
        for (const piece of pieces) expect(other.import(piece).pending).toBeNull();
        expect(other.toJSON()).toEqual(doc.toJSON());
        expect(other.version().compare(doc.version())).toBe(0);
        if (update.length > 600) expect(pieces.length).toBeGreaterThan(1);
        other.free();
        doc.free();
      }),
      { numRuns: 60 },
    );
  });

  it("leaves whole what has only one operation, and what the document does not have", () => {
    const doc = new LoroDoc();
    doc.getMap("app").set("picture", "x".repeat(5_000));
    doc.commit();
    const update = doc.export({ mode: "update" });
    expect(splitUpdate(doc, update, 100)).toHaveLength(1);
    expect(splitUpdate(new LoroDoc(), update, 100)).toEqual([update]);
    expect(splitUpdate(doc, Uint8Array.of(1, 2, 3), 100)).toEqual([Uint8Array.of(1, 2, 3)]);
  });
});
