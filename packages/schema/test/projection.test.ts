import fc from "fast-check";
import { type Container, LoroDoc, LoroList, LoroMap, LoroText } from "loro-crdt";
import { describe, expect, test } from "vitest";

import {
  PROJECTION_LIMITS,
  canonicalJson,
  editDocument,
  inspectDocument,
  project,
  readDocument,
  stateDigestInput,
} from "@cairn/schema";
import { manifest, note } from "./notebook.ts";

describe("projection", () => {
  test("holds the listed fields, the searchable words, and the document's state", () => {
    const doc = new LoroDoc();
    const edit = editDocument(note, doc);
    edit.title.set("Walls");
    edit.body.insert(0, "dry stone");
    edit.tags.add("craft");
    edit.files.set("f", manifest("wall.png"));
    edit.lines.push({ text: "not listed, not searched", done: false });
    doc.getMap("fields").set("done", "yes");
    expect(project(note, doc)).toEqual({
      fields: {
        title: "Walls",
        body: "dry stone",
        done: false,
        dueAt: null,
        color: "none",
        tags: ["craft"],
        order: [],
        views: 0,
        files: [{ id: "f", name: "wall.png", mediaType: "image/png", size: 65_536 }],
      },
      search: "Walls\ndry stone\ncraft\nwall.png",
      deleted: false,
      createdAt: null,
      invalid: ["/done"],
    });
  });

  test("is bounded, and cuts between code points", () => {
    const doc = new LoroDoc();
    const edit = editDocument(note, doc);
    edit.title.set("x".repeat(100) + "😀".repeat(440));
    edit.body.insert(0, "😀".repeat(150_000));
    for (let index = 0; index < 200; index += 1) edit.tags.add(`tag ${index}`);
    edit.order.push("x".repeat(3_000), ...Array.from({ length: 200 }, (_, index) => `item ${index}`));
    for (let index = 0; index < 50; index += 1) doc.getMap("tags").set(`bad ${index}`, index);
    const { fields, search, invalid } = project(note, doc);
    expect(fields.title).toBe("x".repeat(100) + "😀".repeat(PROJECTION_LIMITS.string - 100));
    expect(fields.body).toBe("😀".repeat(200));
    expect(fields.tags).toHaveLength(PROJECTION_LIMITS.items);
    expect(fields.order).toHaveLength(PROJECTION_LIMITS.items - 1);
    expect(Array.from(search).length).toBeLessThanOrEqual(PROJECTION_LIMITS.search);
    expect(search.isWellFormed()).toBe(true);
    expect(invalid).toHaveLength(PROJECTION_LIMITS.invalid);
  });

  // Containers and values of any kind at the places that the type declares, as a bug or a hostile peer would leave them.
  const names = [
    "fields cairn title body done tags lines order urls views files tasks".split(" "),
    "t notes people sub $removed deleted createdAt __proto__ constructor".split(" "),
    "",
  ];
  const name = fc.constantFrom(...names.flat());
  const rubbish: fc.Arbitrary<unknown> = fc.oneof(
    fc.constantFrom<unknown>(null, true, 0, -1, 1.5, Number.NaN, Number.POSITIVE_INFINITY, 2 ** 60, "", "x"),
    fc.string({ unit: "binary" }),
    fc.uint8Array({ maxLength: 8 }),
    fc.jsonValue({ maxDepth: 3 }),
    fc.constant(manifest("x")),
    fc.constant({ ...manifest("x"), chunks: "none" }),
  );
  const action = fc.record({
    root: name,
    kind: fc.constantFrom("map", "list", "movableList", "text", "counter", "tree"),
    keys: fc.array(name, { maxLength: 3 }),
    child: fc.constantFrom("value", "map", "list", "text", "mergeable", "mergeableText"),
    value: rubbish,
  });
  type Action = typeof action extends fc.Arbitrary<infer A> ? A : never;

  const attempt = (write: () => unknown): unknown => {
    try {
      return write();
    } catch {
      // Loro refuses some of the rubbish itself.
      return undefined;
    }
  };

  const wreak = (doc: LoroDoc, { root, kind, keys, child, value }: Action): void => {
    if (root === "") return;
    if (kind === "text") attempt(() => doc.getText(root).insert(0, String(value)));
    else if (kind === "counter") attempt(() => doc.getCounter(root).increment(Number(value)));
    else if (kind === "tree") attempt(() => doc.getTree(root).createNode().data.set("v", value));
    else if (kind === "map") {
      let map = doc.getMap(root);
      for (const key of keys) {
        attempt(() => {
          map = map.ensureMergeableMap(key);
        });
      }
      const key = keys[0] ?? "t";
      const made: Record<string, () => unknown> = {
        value: () => map.set(key, value),
        map: () => map.setContainer(key, new LoroMap()),
        list: () => map.setContainer(key, new LoroList()).insert(0, value),
        text: () => map.setContainer(key, new LoroText()).insert(0, "x"),
        mergeable: () => map.ensureMergeableMovableList(key).insert(0, value),
        mergeableText: () => map.ensureMergeableText(key).insert(0, "x"),
      };
      attempt(made[child] ?? (() => undefined));
    } else {
      const list = kind === "list" ? doc.getList(root) : doc.getMovableList(root);
      const containers: Record<string, () => Container> = {
        map: () => new LoroMap(),
        list: () => new LoroList(),
        text: () => new LoroText(),
      };
      const made = containers[child];
      attempt(() => (made === undefined ? list.insert(0, value) : list.insertContainer(0, made())));
    }
  };

  test("reading, inspecting, projecting and digesting are total on rubbish, change nothing, and give plain JSON", () => {
    fc.assert(
      fc.property(fc.array(action, { maxLength: 25 }), (actions) => {
        const doc = new LoroDoc();
        for (const one of actions) wreak(doc, one);
        doc.commit();
        const ops = doc.opCount();
        const projection = project(note, doc);
        expect(JSON.parse(canonicalJson(projection))).toEqual(projection);
        expect(canonicalJson(projection).length).toBeLessThan(1_000_000);
        const { view } = inspectDocument(note, doc);
        expect(view).toEqual(readDocument(note, doc));
        expect(() => canonicalJson(view)).not.toThrow();
        stateDigestInput(doc);
        expect(doc.opCount()).toBe(ops);
        expect(doc.getPendingTxnLength()).toBe(0);
      }),
      { numRuns: 300, seed: 20_262 },
    );
  });
});
