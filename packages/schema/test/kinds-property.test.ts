/** Promise 5 and totality for rich text, trees and references: replicas converge, and no content makes reading fail. */
import fc from "fast-check";
import { LoroDoc, LoroMap, LoroText } from "loro-crdt";
import { describe, expect, test } from "vitest";

import {
  type AnyPatch,
  type TreeNode,
  applyAnyPatch,
  canonicalJson,
  configureStyles,
  derivePatch,
  editDocument,
  inspectDocument,
  project,
  readDocument,
  referencesOf,
  stateDigestInput,
} from "@cairn/schema";
import { documentId, page } from "./outline.ts";

const digest = (doc: LoroDoc): string => new TextDecoder().decode(stateDigestInput(doc));

const replica = (peer: number): LoroDoc => {
  const doc = new LoroDoc();
  doc.setPeerId(peer);
  return doc;
};

const idsIn = (nodes: ReadonlyArray<TreeNode<{}>>): ReadonlyArray<string> =>
  nodes.flatMap(({ id, children }) => [id, ...idsIn(children)]);

/** Refusals are part of the game: the moment decides whether a key is taken, or a move would close a circle. */
const attempt = (write: () => unknown): void => {
  try {
    write();
  } catch {
    // Nothing was changed.
  }
};

type Write = (doc: LoroDoc, n: number, at: number) => void;

const nodeIds = (doc: LoroDoc): ReadonlyArray<string> => idsIn(readDocument(page, doc).outline);

const writes: Readonly<Record<string, Write>> = {
  type: (doc, n, at) => {
    const { text } = editDocument(page, doc).body;
    text.insert(Math.min(at, text.length), `w${n} `);
  },
  erase: (doc, n, at) => {
    const { text } = editDocument(page, doc).body;
    const from = Math.min(at, text.length);
    text.delete(from, Math.min(n, text.length - from));
  },
  mark: (doc, n, at) => {
    const { body } = editDocument(page, doc);
    const range = { start: Math.min(at, body.text.length), end: Math.min(at + n, body.text.length) };
    if (n % 3 === 0) body.mark(range, "link", `${n}`);
    else if (n % 3 === 1) body.mark(range, "bold", true);
    else body.mark(range, "heading", 2);
  },
  unmark: (doc, n, at) => {
    const { body } = editDocument(page, doc);
    const range = { start: Math.min(at, body.text.length), end: Math.min(at + n, body.text.length) };
    body.unmark(range, n % 2 === 0 ? "bold" : "link");
  },
  create: (doc, n, at) => {
    const { outline } = editDocument(page, doc);
    const ids = nodeIds(doc);
    const key = n % 3 === 0 ? { key: `k${n}` } : {};
    attempt(() => outline.create(ids[at % (ids.length + 1)], undefined, key));
  },
  createFirst: (doc) => void editDocument(page, doc).outline.create(undefined, 0),
  move: (doc, n, at) => {
    const ids = nodeIds(doc);
    attempt(() => editDocument(page, doc).outline.move(ids[n % (ids.length + 1)] ?? "", ids[at % (ids.length + 1)]));
  },
  moveTo: (doc, n, at) => {
    const ids = nodeIds(doc);
    attempt(() => editDocument(page, doc).outline.move(ids[n % (ids.length + 1)] ?? "", undefined, at));
  },
  deleteNode: (doc, n) => {
    const ids = nodeIds(doc);
    editDocument(page, doc).outline.delete(ids[n % (ids.length + 1)] ?? "");
  },
  editNode: (doc, n, at) => {
    const ids = nodeIds(doc);
    const node = editDocument(page, doc).outline.edit(ids[at % (ids.length + 1)] ?? "");
    node?.label.set(`label ${n}`);
    node?.notes.text.insert(0, `n${n}`);
    node?.about.set(documentId(n));
    node?.steps.ensure("s").see.add(documentId(n));
  },
  parent: (doc, n) => editDocument(page, doc).parent.set(n === 0 ? null : documentId(n)),
  seeAlso: (doc, n) => editDocument(page, doc).seeAlso.add(documentId(n)),
  seeNoMore: (doc, n) => editDocument(page, doc).seeAlso.remove(documentId(n)),
  section: (doc, n, at) => {
    const section = editDocument(page, doc).sections.ensure(`s${at % 2}`);
    section.text.text.insert(0, `s${n}`);
    section.text.mark({ start: 0, end: 2 }, "bold", true);
    section.order.create();
  },
  noSection: (doc, n) => editDocument(page, doc).sections.remove(`s${n % 2}`),
};

interface Step {
  readonly replica: number;
  readonly kind: string;
  readonly n: number;
  readonly at: number;
  readonly hears: number;
}

const step: fc.Arbitrary<Step> = fc.record({
  replica: fc.nat(2),
  kind: fc.constantFrom(...Object.keys(writes)),
  n: fc.nat(9),
  at: fc.nat(9),
  /** The replica to hear everything from before this step; itself for none. */
  hears: fc.nat(2),
});

/** What no replica may lack: ids that differ, and a tree that fits in its own words. */
const expectSound = (doc: LoroDoc): void => {
  const { view, invalid } = inspectDocument(page, doc);
  const ids = idsIn(view.outline);
  expect(new Set(ids).size).toBe(ids.length);
  expect(ids).toHaveLength(doc.getTree("outline").getNodes().length);
  for (const found of invalid) expect(found.path.at(-1)).toBe("$key");
  view.body.forEach((run, index) => {
    expect(run.insert).not.toBe("");
    const before = view.body[index - 1];
    if (before !== undefined)
      expect(canonicalJson(before.attributes ?? {})).not.toBe(canonicalJson(run.attributes ?? {}));
  });
};

describe("rich text, trees and references", () => {
  test("any edits, any order, any grouping: equal views and equal digests", () => {
    fc.assert(
      fc.property(
        fc.array(step, { minLength: 1, maxLength: 40 }),
        fc.array(fc.nat(1_000), { minLength: 40, maxLength: 40 }),
        fc.integer({ min: 1, max: 7 }),
        (steps, chance, batch) => {
          const docs = [replica(1), replica(2), replica(3)] as const;
          const updates: Array<Uint8Array> = [];
          for (const { replica: index, kind, n, at, hears } of steps) {
            const doc = docs[index] ?? docs[0];
            const other = docs[hears] ?? docs[0];
            if (doc !== other) doc.import(other.export({ mode: "update", from: doc.version() }));
            const before = doc.version();
            writes[kind]?.(doc, n, at);
            doc.commit();
            updates.push(doc.export({ mode: "update", from: before }));
          }
          const shuffled = updates
            .map((update, index) => ({ update, at: chance[index] ?? 0 }))
            .toSorted((left, right) => left.at - right.at)
            .map(({ update }) => update);
          const late = replica(4);
          // Nobody told this replica how anything grows, and another one was told otherwise.
          late.configTextStyle({ bold: { expand: "none" }, link: { expand: "both" } });
          for (let from = 0; from < shuffled.length; from += batch)
            late.importBatch(shuffled.slice(from, from + batch));
          expectSound(late);
          for (const doc of docs) {
            for (const update of updates) doc.import(update);
            expect(digest(doc)).toBe(digest(late));
            expect(readDocument(page, doc)).toEqual(readDocument(page, late));
          }
          expect(referencesOf(page, docs[0])).toEqual(referencesOf(page, late));
          for (const doc of [...docs, late]) doc.free();
        },
      ),
      { numRuns: 120, seed: 20_261 },
    );
  });

  test("what happened between two versions is a patch that makes the later one of the earlier", () => {
    fc.assert(
      fc.property(fc.array(step, { minLength: 1, maxLength: 25 }), fc.nat(), (steps, begin) => {
        const docs = [replica(1), replica(2)] as const;
        const [doc] = docs;
        const versions = [doc.frontiers()];
        for (const { replica: index, kind, n, at, hears } of steps) {
          const [writer, other] = index % 2 === 0 ? docs : [docs[1], docs[0]];
          if (hears > 0) writer.import(other.export({ mode: "update", from: writer.version() }));
          writes[kind]?.(writer, n, at);
          writer.commit();
          versions.push(doc.frontiers());
        }
        const from = versions[begin % versions.length] ?? [];
        const earlier = doc.forkAt(from);
        const derived: AnyPatch = derivePatch(page, doc, from, doc.frontiers());
        applyAnyPatch(page, earlier, structuredClone(derived));
        expect(readDocument(page, earlier)).toEqual(readDocument(page, doc));
        for (const one of [...docs, earlier]) one.free();
      }),
      { numRuns: 150, seed: 20_263 },
    );
  });

  const rubbish: fc.Arbitrary<unknown> = fc.oneof(
    fc.constantFrom<unknown>(null, true, 0, -1, 1.5, Number.NaN, 2 ** 60, "", "x", "0@1", "1@1", documentId(1), "k"),
    fc.string({ unit: "binary" }),
    fc.uint8Array({ maxLength: 8 }),
    fc.jsonValue({ maxDepth: 3 }),
  );
  const names =
    "body outline parent seeAlso sections fields $key label notes tags files about steps bold link heading __proto__ constructor id children".split(
      " ",
    );
  const action = fc.record({
    kind: fc.constantFrom("mark", "text", "node", "move", "data", "child", "plain", "set", "wrongRoot"),
    name: fc.constantFrom(...names),
    at: fc.nat(5),
    to: fc.nat(5),
    value: rubbish,
  });
  type Action = typeof action extends fc.Arbitrary<infer A> ? A : never;

  const wreak = (doc: LoroDoc, { kind, name, at, to, value }: Action): void => {
    const tree = doc.getTree("outline");
    const nodes = tree.getNodes();
    const node = nodes[at];
    const target = nodes[to];
    const actions: Readonly<Record<string, () => unknown>> = {
      mark: () => doc.getText("body").mark({ start: at, end: at + to }, name, value),
      text: () => doc.getText("body").insert(0, String(value)),
      node: () => tree.createNode(node?.id),
      move: () => node !== undefined && tree.move(node.id, target?.id),
      data: () => node?.data.set(name, value),
      child: () => node?.data.setContainer(name, at % 2 === 0 ? new LoroMap() : new LoroText()),
      plain: () => doc.getMap("fields").set("parent", value),
      set: () => doc.getMap("seeAlso").set(String(value), at > 1),
      wrongRoot: () => (at % 2 === 0 ? doc.getMap(name).set("k", value) : doc.getTree(name).createNode()),
    };
    attempt(actions[kind] ?? (() => undefined));
  };

  test("reading, inspecting, projecting and digesting are total on rubbish, change nothing, and give plain JSON", () => {
    fc.assert(
      fc.property(fc.array(action, { maxLength: 40 }), (actions) => {
        const doc = replica(1);
        configureStyles(undefined, doc);
        for (const one of actions) wreak(doc, one);
        doc.commit();
        const ops = doc.opCount();
        const projection = project(page, doc);
        expect(JSON.parse(canonicalJson(projection))).toEqual(projection);
        const { view } = inspectDocument(page, doc);
        expect(view).toEqual(readDocument(page, doc));
        expect(JSON.parse(canonicalJson(view))).toEqual(view);
        const ids = idsIn(view.outline);
        expect(new Set(ids).size).toBe(ids.length);
        const { outline } = editDocument(page, doc);
        for (const id of ids) expect(outline.edit(id)).toBeDefined();
        for (const { id } of referencesOf(page, doc)) expect(id).toMatch(/^[\w-]{22}$/);
        stateDigestInput(doc);
        doc.commit();
        expect(doc.opCount()).toBe(ops);
        doc.free();
      }),
      { numRuns: 300, seed: 20_262 },
    );
  });
});
