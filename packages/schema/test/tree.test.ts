import { LoroDoc, type LoroTree } from "loro-crdt";
import { describe, expect, test } from "vitest";

import {
  MAX_TREE_DEPTH,
  SchemaDefinitionError,
  SchemaWriteError,
  type TreeNode,
  applyAnyPatch,
  applyPatch,
  attachmentsOf,
  defineDocument,
  derivePatch,
  editDocument,
  field,
  inspectDocument,
  project,
  readDocument,
  stateDigestInput,
} from "@cairn/schema";
import { manifest } from "./notebook.ts";
import { page } from "./outline.ts";

const replica = (peer: number): LoroDoc => {
  const doc = new LoroDoc();
  doc.setPeerId(peer);
  return doc;
};

const exchange = (one: LoroDoc, two: LoroDoc): void => {
  const first = one.export({ mode: "update" });
  one.import(two.export({ mode: "update" }));
  two.import(first);
};

type Shape = ReadonlyArray<readonly [string, Shape]>;

interface Node {
  readonly id: string;
  readonly children: ReadonlyArray<Node>;
}

const shapeOf = (nodes: ReadonlyArray<Node>): Shape => nodes.map(({ id, children }) => [id, shapeOf(children)]);
const outlineOf = (doc: LoroDoc): Shape => shapeOf(readDocument(page, doc).outline);
const digest = (doc: LoroDoc): string => new TextDecoder().decode(stateDigestInput(doc));

const expectSame = (one: LoroDoc, two: LoroDoc): void => {
  exchange(one, two);
  expect(readDocument(page, one)).toEqual(readDocument(page, two));
  expect(digest(one)).toBe(digest(two));
};

describe("tree", () => {
  test("nodes have fields, an order, and an id that stays", () => {
    const doc = replica(1);
    const { outline } = editDocument(page, doc);
    expect(outline.get()).toEqual([]);
    const walls = outline.create();
    const gates = outline.create(undefined, 0);
    const stone = outline.create(walls, undefined, { key: "stone" });
    const copes = outline.create(walls, 0);
    expect(stone).toBe("stone");
    outline.edit(stone)?.label.set("Stone");
    outline.edit(stone)?.steps.ensure("s").label.set("Sort");
    outline.edit(stone)?.notes.text.insert(0, "by size");
    outline.edit(stone)?.notes.mark({ start: 3, end: 7 }, "bold", true);
    doc.commit();
    expect(outlineOf(doc)).toEqual([
      [gates, []],
      [
        walls,
        [
          [copes, []],
          ["stone", []],
        ],
      ],
    ]);
    expect(readDocument(page, doc).outline[1]?.children[1]).toEqual({
      id: "stone",
      label: "Stone",
      done: false,
      notes: [{ insert: "by " }, { insert: "size", attributes: { bold: true } }],
      tags: [],
      files: {},
      about: null,
      steps: { s: { label: "Sort", see: [] } },
      children: [],
    });
    outline.move(stone, gates);
    outline.move(walls, undefined, 0);
    expect(outlineOf(doc)).toEqual([
      [walls, [[copes, []]]],
      [gates, [["stone", []]]],
    ]);
    outline.move(gates, undefined, 0);
    outline.move(gates, undefined, 1);
    outline.delete(walls);
    expect(outlineOf(doc)).toEqual([[gates, [["stone", []]]]]);
    expect(outline.edit(walls)).toBeUndefined();
    expect(outline.edit(copes)).toBeUndefined();
    outline.delete(walls);
    expect(project(page, doc).invalid).toEqual([]);
  });

  test("concurrent moves that would close a circle leave a tree, the same one everywhere", () => {
    const one = replica(1);
    const two = replica(2);
    const { outline } = editDocument(page, one);
    const [a, b] = [outline.create(), outline.create()];
    one.commit();
    exchange(one, two);
    outline.move(a, b);
    editDocument(page, two).outline.move(b, a);
    one.commit();
    two.commit();
    expectSame(one, two);
    const shape = JSON.stringify(outlineOf(one));
    expect([JSON.stringify([[b, [[a, []]]]]), JSON.stringify([[a, [[b, []]]]])]).toContain(shape);
  });

  test("a node that one device deletes with its parent, and another one moves away, stays", () => {
    const one = replica(1);
    const two = replica(2);
    const { outline } = editDocument(page, one);
    const parent = outline.create();
    const child = outline.create(parent);
    one.commit();
    exchange(one, two);
    outline.delete(parent);
    const there = editDocument(page, two).outline;
    there.move(child, undefined);
    there.edit(child)?.label.set("still here");
    one.commit();
    two.commit();
    expectSame(one, two);
    expect(readDocument(page, one).outline).toMatchObject([{ id: child, label: "still here" }]);
  });

  test("hazard L1: devices that make the same container of a node at once lose nothing", () => {
    const one = replica(1);
    const two = replica(2);
    const id = editDocument(page, one).outline.create();
    one.commit();
    exchange(one, two);
    for (const [doc, who] of [
      [one, "one"],
      [two, "two"],
    ] as const) {
      const node = editDocument(page, doc).outline.edit(id);
      node?.notes.text.insert(0, who);
      node?.tags.add(who);
      node?.steps.ensure("s").label.set(who);
      node?.steps.ensure(who).label.set(who);
      doc.commit();
    }
    expectSame(one, two);
    const [node] = readDocument(page, one).outline;
    expect(node?.tags).toEqual(["one", "two"]);
    expect(node?.notes.map(({ insert }) => insert).join("")).toMatch(/onetwo|twoone/);
    expect(Object.keys(node?.steps ?? {})).toEqual(["one", "s", "two"]);
  });

  test("of two nodes with one key the smaller one keeps it; the other is read under its own id, and reported", () => {
    const one = replica(1);
    const two = replica(2);
    for (const doc of [one, two]) {
      const { outline } = editDocument(page, doc);
      outline.create(undefined, undefined, { key: "inbox" });
      outline.edit("inbox")?.label.set(doc === one ? "one" : "two");
      doc.commit();
    }
    expectSame(one, two);
    const { view, invalid } = inspectDocument(page, one);
    expect(view.outline.map(({ id, label }) => [id, label])).toEqual([
      ["inbox", "one"],
      ["0@2", "two"],
    ]);
    expect(invalid).toEqual([{ path: ["outline", "0@2", "$key"], reason: "misfit" }]);
    const { outline } = editDocument(page, two);
    expect(outline.edit("inbox")?.label.get()).toBe("one");
    expect(outline.edit("0@2")?.label.get()).toBe("two");
    // A node is found by the id that it is read under, and by no other.
    expect(outline.edit("0@1")).toBeUndefined();
    outline.delete("inbox");
    expect(outlineOf(two)).toEqual([["inbox", []]]);
  });

  test("no two nodes have the same id, whatever stands for a key", () => {
    const doc = replica(1);
    const tree = doc.getTree("outline");
    const nodes = Array.from({ length: 7 }, () => tree.createNode());
    const keys = [undefined, "0@1", "2@1", "", 7, "x".repeat(5_000), "nine@1"];
    nodes.forEach((node, index) => keys[index] !== undefined && node.data.set("$key", keys[index]));
    doc.commit();
    const { view, invalid } = inspectDocument(page, doc);
    const ids = view.outline.map(({ id }) => id);
    expect(new Set(ids).size).toBe(7);
    expect(ids).toEqual([...nodes.slice(0, 6).map(({ id }) => id), "nine@1"]);
    // What a node is called by nature anyway is no wrong key.
    expect(invalid).toHaveLength(4);
    const { outline } = editDocument(page, doc);
    for (const id of ids) expect(outline.edit(id)).toBeDefined();
    outline.delete(ids[0] ?? "");
    // Its name is nobody's by nature any longer, and goes to who claims it.
    expect(readDocument(page, doc).outline.map(({ id }) => id)[0]).toBe(ids[0]);
  });

  test("a tree of any depth is read as deep as trees go, and what is deeper is reported and stays", () => {
    const doc = replica(1);
    const tree: LoroTree = doc.getTree("outline");
    let node = tree.createNode();
    for (let depth = 2; depth <= 3_000; depth += 1) node = node.createNode();
    doc.commit();
    const { view, invalid } = inspectDocument(page, doc);
    let depth = 0;
    for (let below: ReadonlyArray<TreeNode<{}>> = view.outline; below[0] !== undefined; below = below[0].children)
      depth += 1;
    expect(depth).toBe(MAX_TREE_DEPTH);
    expect(invalid).toHaveLength(1);
    project(page, doc);
    stateDigestInput(doc);
    expect(tree.getNodes()).toHaveLength(3_000);
    const { outline } = editDocument(page, doc);
    expect(() => outline.create(node.id)).toThrow(SchemaWriteError);
    const [root] = view.outline;
    const other = outline.create();
    expect(() => outline.move(root?.id ?? "", other)).toThrow(SchemaWriteError);
  });

  test("what does not fit is refused, and changes nothing", () => {
    const doc = replica(1);
    const { outline } = editDocument(page, doc);
    const a = outline.create(undefined, undefined, { key: "a" });
    const b = outline.create(a);
    const c = outline.create(b);
    doc.commit();
    const before = doc.opCount();
    const refused: ReadonlyArray<readonly [() => unknown, string]> = [
      [() => outline.create("none"), "schema/out-of-range"],
      [() => outline.create("99@1"), "schema/out-of-range"],
      [() => outline.create(undefined, 2), "schema/out-of-range"],
      [() => outline.create(undefined, -1), "schema/out-of-range"],
      [() => outline.create(undefined, 0.5), "schema/out-of-range"],
      [() => outline.create(undefined, 0, { key: "a" }), "schema/invalid-value"],
      [() => outline.create(undefined, 0, { key: "" }), "schema/invalid-value"],
      [() => outline.create(undefined, 0, { key: b }), "schema/invalid-value"],
      [() => outline.create(undefined, 0, { key: "0@1" }), "schema/invalid-value"],
      [() => outline.move("none", undefined), "schema/out-of-range"],
      [() => outline.move(b, "none"), "schema/out-of-range"],
      [() => outline.move(a, undefined, 1), "schema/out-of-range"],
      [() => outline.move(a, a), "schema/invalid-value"],
      [() => outline.move(a, c), "schema/invalid-value"],
    ];
    for (const [write, code] of refused) {
      expect(write).toThrow(SchemaWriteError);
      expect(write).toThrow(expect.objectContaining({ code }));
    }
    doc.commit();
    expect(doc.opCount()).toBe(before);
  });

  test("a tree inside a record is mergeable, and is emptied with it", () => {
    const one = replica(1);
    const two = replica(2);
    for (const doc of [one, two]) {
      const { order } = editDocument(page, doc).sections.ensure("s");
      order.edit(order.create())?.label.set(doc === one ? "one" : "two");
      doc.commit();
    }
    expectSame(one, two);
    expect(readDocument(page, one).sections["s"]?.order.map(({ label }) => label)).toEqual(["one", "two"]);
    const { sections } = editDocument(page, one);
    sections.remove("s");
    expect(sections.ensure("s").order.get()).toEqual([]);
  });

  test("fields of newer apps and their nodes are preserved, and seen as such", () => {
    const doc = replica(1);
    const { outline } = editDocument(page, doc);
    const id = outline.create();
    const data = doc.getTree("outline").roots()[0]?.data;
    data?.set("color", "red");
    data?.set("label", 7);
    data?.ensureMergeableText("tags").insert(0, "x");
    doc.commit();
    const { view, invalid, unknown } = inspectDocument(page, doc);
    expect(view.outline).toMatchObject([{ id, label: "", tags: [] }]);
    expect(invalid).toEqual([
      { path: ["outline", id, "label"], reason: "misfit" },
      { path: ["outline", id, "tags"], reason: "wrong-kind" },
    ]);
    expect(unknown).toEqual([["outline", id, "color"]]);
    expect(() => outline.edit(id)?.tags.add("x")).toThrow(expect.objectContaining({ code: "schema/slot-occupied" }));
  });

  test("attachments of nodes are found at every depth", () => {
    const doc = replica(1);
    const { outline } = editDocument(page, doc);
    const a = outline.create();
    const b = outline.create(a);
    outline.edit(a)?.files.set("f", manifest("a.png"));
    outline.edit(b)?.files.set("g", manifest("b.png"));
    expect(attachmentsOf(page, doc).map(({ id }) => id)).toEqual(["f", "g"]);
  });

  test("a node has an id and children already", () => {
    // @ts-expect-error a node has an id
    expect(() => defineDocument({ fields: { tree: field.tree({ id: field.string() }) } })).toThrow(
      SchemaDefinitionError,
    );
    // @ts-expect-error a node has children
    expect(() => defineDocument({ fields: { tree: field.tree({ children: field.string() }) } })).toThrow(
      SchemaDefinitionError,
    );
  });

  test("what happened says nothing of nodes that stay, whatever others made beside them at the same time", () => {
    const one = replica(1);
    const two = replica(2);
    editDocument(page, one).outline.create();
    one.commit();
    exchange(one, two);
    one.getText("x").insert(0, "so many operations that this is the later one");
    editDocument(page, one).outline.create(undefined, 0);
    one.commit();
    const added = editDocument(page, two).outline.create(undefined, 0);
    two.commit();
    const before = one.frontiers();
    exchange(one, two);
    // Once this fails, Loro says it itself.
    expect(JSON.stringify(one.diff(before, one.frontiers()))).toContain('"action":"delete"');
    const patch = derivePatch(page, one, before, one.frontiers());
    expect(patch.filter(({ op }) => op === "set" || op === "unset")).toEqual([
      { op: "set", path: `outline.${added}`, value: {} },
    ]);
  });

  test("patches make, fill, place and delete nodes, all of it or none", () => {
    const doc = replica(1);
    applyPatch(page, doc, [
      { op: "set", path: "outline.walls", value: { label: "Walls" } },
      { op: "set", path: "outline.stone", value: { label: "Stone", tags: ["grey"] } },
      { op: "place", path: "outline.stone", parent: "walls" },
      { op: "set", path: "outline.stone.done", value: true },
      { op: "set", path: "outline.gates", value: {} },
      { op: "place", path: "outline.gates", parent: null, at: 0 },
    ]);
    doc.commit();
    expect(outlineOf(doc)).toEqual([
      ["gates", []],
      ["walls", [["stone", []]]],
    ]);
    expect(readDocument(page, doc).outline[1]?.children[0]).toMatchObject({
      label: "Stone",
      tags: ["grey"],
      done: true,
    });
    const before = doc.opCount();
    const refused: ReadonlyArray<readonly [unknown, string]> = [
      [{ op: "place", path: "outline.walls", parent: "stone" }, "patch/invalid-value"],
      [{ op: "place", path: "outline.walls", parent: "none" }, "patch/out-of-range"],
      [{ op: "place", path: "outline.walls", parent: 7 }, "patch/malformed"],
      [{ op: "place", path: "outline.walls", parent: null, at: 9 }, "patch/out-of-range"],
      [{ op: "place", path: "outline", parent: null }, "patch/operation-not-allowed"],
      [{ op: "set", path: "outline", value: [] }, "patch/operation-not-allowed"],
      [{ op: "set", path: "outline.none.label", value: "x" }, "patch/out-of-range"],
      [{ op: "set", path: "outline.walls", value: { label: 7 } }, "patch/invalid-value"],
      [{ op: "place", path: "parent", parent: null }, "patch/operation-not-allowed"],
    ];
    for (const [operation, code] of refused) {
      expect(() => applyAnyPatch(page, doc, [{ op: "unset", path: "outline.gates" }, operation])).toThrow(
        expect.objectContaining({ code }),
      );
    }
    doc.commit();
    expect(doc.opCount()).toBe(before);
    applyPatch(page, doc, [{ op: "unset", path: "outline.walls" }]);
    expect(outlineOf(doc)).toEqual([["gates", []]]);
    applyPatch(page, doc, [{ op: "unset", path: "outline" }]);
    expect(outlineOf(doc)).toEqual([]);
  });
});
