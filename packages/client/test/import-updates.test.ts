import { LoroDoc, type PeerID } from "loro-crdt";
import { expect, it } from "vitest";
import { importUpdates } from "../src/documents/import-updates.ts";

const writer = (peer: PeerID): LoroDoc => {
  const doc = new LoroDoc();
  doc.setPeerId(peer);
  return doc;
};

it("takes one writer's large updates one after the other, and concurrent ones together, to the same text", () => {
  const alone = writer("1");
  const updates = Array.from({ length: 8 }, (_, index) => {
    const before = alone.oplogVersion();
    alone.getText("body").insert(0, String(index).repeat(200_000));
    alone.commit();
    return alone.export({ mode: "update", from: before });
  });
  const other = writer("2");
  other.getText("body").insert(0, "concurrent");
  other.commit();
  const late = other.export({ mode: "update" });

  const one = new LoroDoc();
  // Eight seconds' worth and more of a batch, which would exceed the importer's budget many times.
  importUpdates(one, updates);
  expect(one.getText("body").toString()).toBe(alone.getText("body").toString());

  const both = new LoroDoc();
  importUpdates(both, [...updates.slice(0, 1), late]);
  const expected = new LoroDoc();
  for (const update of [late, ...updates.slice(0, 1)]) expected.import(update);
  expect(both.getText("body").toString()).toBe(expected.getText("body").toString());
});

it("leaves updates that wait for another one pending, whatever their order", () => {
  const alone = writer("1");
  const updates = ["a", "b", "c"].map((letter) => {
    const before = alone.oplogVersion();
    alone.getText("body").insert(0, letter);
    alone.commit();
    return alone.export({ mode: "update", from: before });
  });
  const doc = new LoroDoc();
  importUpdates(doc, updates.slice(1).toReversed());
  expect(doc.getText("body").toString()).toBe("");
  importUpdates(doc, updates.slice(0, 1));
  expect(doc.getText("body").toString()).toBe("cba");
});
