/** Documents as they were: the same as a copy made for each version would show. */
import { LoroDoc } from "loro-crdt";
import { expect, test } from "vitest";
import { originalOf, readPast } from "../src/evolution/past-versions.ts";
import { samePlaceIn } from "../src/place.ts";

type Version = ReturnType<LoroDoc["frontiers"]>;

const write = (doc: LoroDoc, text: string): Version => {
  doc.getMap("fields").set("title", text);
  doc.getText("body").insert(0, text);
  doc.getMap("rows").ensureMergeableMap("r").set("label", text);
  doc.commit();
  return doc.frontiers();
};

const shown = (doc: LoroDoc): unknown => doc.toJSON();

const forked = (doc: LoroDoc, version: Version): unknown => {
  const past = doc.forkAt(version);
  const content = shown(past);
  past.free();
  return content;
};

test("every version of many documents reads as a copy at that version, in any order, also while they grow", () => {
  const documents = Array.from({ length: 7 }, () => new LoroDoc());
  const versions: Array<readonly [LoroDoc, Version]> = [];
  for (let round = 0; round < 4; round += 1) {
    for (const doc of documents) versions.push([doc, write(doc, `w${round}`)]);
    for (const [doc, version] of versions.toReversed()) {
      expect(readPast(doc, version, shown)).toEqual(forked(doc, version));
    }
    for (const [doc, version] of versions) expect(readPast(doc, version, shown)).toEqual(forked(doc, version));
  }
  const [first, second] = documents;
  if (first === undefined || second === undefined) throw new Error("no documents");
  const both = second.export({ mode: "update" });
  first.import(both);
  const merged = first.frontiers();
  expect(readPast(first, merged, shown)).toEqual(shown(first));
});

test("the document itself is not touched", () => {
  const doc = new LoroDoc();
  const before = write(doc, "one");
  write(doc, "two");
  let events = 0;
  doc.subscribe(() => (events += 1));
  const content = shown(doc);
  expect(readPast(doc, before, (past) => past.getMap("fields").get("title"))).toBe("one");
  expect([shown(doc), doc.isDetached(), events]).toEqual([content, false, 0]);
});

test("a past version is read in the middle of another one", () => {
  const doc = new LoroDoc();
  const one = write(doc, "one");
  const two = write(doc, "two");
  const three = write(doc, "three");
  const title = (past: LoroDoc): unknown => past.getMap("fields").get("title");
  const seen = readPast(doc, two, (past) => [
    title(past),
    readPast(past, one, title),
    title(past),
    readPast(past, three, title),
    title(past),
    originalOf(past) === doc,
    // Nobody may take it for a document whose content only grows.
    past.isDetached(),
  ]);
  expect(seen).toEqual(["two", "one", "two", "three", "two", true, true]);
  expect(readPast(doc, three, (past) => past.isDetached())).toBe(true);
});

test("a version that is not here is refused, and the next one is read", () => {
  const doc = new LoroDoc();
  const one = write(doc, "one");
  expect(() => readPast(doc, [{ peer: "9", counter: 3 }], shown)).toThrow(/not contained/);
  expect(readPast(doc, one, shown)).toEqual(forked(doc, one));
});

test("a record that did not exist yet holds nothing", () => {
  const doc = new LoroDoc();
  doc.getMap("fields").set("title", "one");
  doc.commit();
  const before = doc.frontiers();
  const node = doc.getTree("tree").createNode();
  node.data.set("label", "new");
  const record = doc.getMap("rows").ensureMergeableMap("r");
  record.set("label", "new");
  doc.commit();
  const labelOf = (past: LoroDoc, map: typeof record): unknown => {
    const place = samePlaceIn(past, { at: "record", doc, map });
    return place.at === "record" ? place.map.get("label") : "the whole document";
  };
  for (const map of [record, node.data]) {
    expect(readPast(doc, doc.frontiers(), (past) => labelOf(past, map))).toBe("new");
    expect(readPast(doc, before, (past) => labelOf(past, map))).toBeUndefined();
    expect(labelOf(doc.forkAt(before), map)).toBeUndefined();
  }
});
