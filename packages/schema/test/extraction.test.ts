/** Fields that leave documents for documents of another type. */
import { Schema } from "effect";
import fc from "fast-check";
import { LoroDoc } from "loro-crdt";
import { describe, expect, expectTypeOf, test } from "vitest";
import {
  defineDocument,
  defineSchema,
  documentTypeName,
  editDocument,
  evolveSchema,
  type ExtractedDocument,
  extractedFrom,
  field,
  inspectDocument,
  inspectExtracted,
  markExtracted,
  readDocument,
  SchemaDefinitionError,
  type View,
  writeContribution,
} from "@cairn/schema";

const replica = (peer: number): LoroDoc => {
  const doc = new LoroDoc();
  doc.setPeerId(BigInt(peer));
  return doc;
};

const sync = (one: LoroDoc, other: LoroDoc): void => {
  one.import(other.export({ mode: "update", from: one.version() }));
  other.import(one.export({ mode: "update", from: other.version() }));
};

const Task = Schema.Struct({ id: Schema.String, label: Schema.String, done: Schema.Boolean });

const first = defineSchema({
  version: 1,
  documents: {
    project: defineDocument({ fields: { name: field.string() } }),
    note: defineDocument({
      fields: {
        title: field.string(),
        tasks: field.list(Task),
        project: field.reference("project"),
        budget: field.number(),
      },
    }),
  },
});

const declared = {
  project: defineDocument({ fields: { name: field.string(), budget: field.number({ default: 0 }) } }),
  note: defineDocument({ fields: { title: field.string(), project: field.reference("project") } }),
  task: defineDocument({
    fields: { label: field.text(), done: field.boolean(), note: field.reference("note"), color: field.string() },
  }),
};

const second = evolveSchema(first, {
  version: 2,
  documents: declared,
  steps: (step) => [
    step.addType("task"),
    step.extract("note", {
      from: ["tasks"],
      into: "task",
      to: ["label", "done", "note"],
      up: ({ tasks }, note) => tasks.map(({ id, label, done }) => ({ key: id, values: { label, done, note } })),
    }),
    step.extract("note", {
      from: ["budget"],
      reading: ["project"],
      into: "project",
      to: ["budget"],
      up: ({ budget, project }) => (project === null ? [] : [{ document: project, values: { budget } }]),
      combine: (said) => ({ budget: said.reduce((sum, { budget }) => sum + budget, 0) }),
    }),
  ],
});

const NOTE = "DAAAAAAAAAAAAAAAAAAAAA";
const OTHER = "BAAAAAAAAAAAAAAAAAAAAA";
const PROJECT = "CAAAAAAAAAAAAAAAAAAAAA";

const old = (): LoroDoc => {
  const doc = replica(1);
  const edit = editDocument(first.documents.note, doc);
  edit.title.set("Walls");
  edit.tasks.push({ id: "a", label: "stone", done: false }, { id: "b", label: "sand", done: true });
  edit.project.set(PROJECT);
  edit.budget.set(40);
  doc.commit();
  return doc;
};

const extracted = (doc: LoroDoc): ReadonlyArray<ExtractedDocument> => extractedFrom(second, "note", doc, NOTE, 1_000);
const forKey = (doc: LoroDoc, key: string): ExtractedDocument => {
  const found = extracted(doc).find(({ target }) => "key" in target && target.key === key);
  if (found === undefined) throw new Error(`nothing for ${key}`);
  return found;
};
const contribute = (target: LoroDoc, said: ExtractedDocument, source = NOTE): boolean => {
  const wrote = writeContribution(target, source, said);
  target.commit();
  return wrote;
};
const task = second.documents.task;
const readTask = (doc: LoroDoc): View<typeof task> => readDocument(task, doc);

describe("a document that is split into several", () => {
  test("each new document reads as what the source said, and writing it again writes nothing", () => {
    const source = old();
    expect(readDocument(second.documents.note, source)).toEqual({ title: "Walls", project: PROJECT });
    const target = replica(2);
    expect(contribute(target, forKey(source, "b"))).toBe(true);
    expect(documentTypeName(target)).toBe("task");
    expect(readTask(target)).toEqual({ label: "sand", done: true, note: NOTE, color: "" });
    expect(contribute(target, forKey(source, "b"))).toBe(false);
    expect(inspectDocument(task, target)).toMatchObject({ invalid: [], unknown: [] });
    expect(inspectDocument(second.documents.note, source)).toMatchObject({ invalid: [], unknown: [] });
  });

  test("two devices that do it at the same moment double nothing", () => {
    const [one, two] = [replica(2), replica(3)];
    contribute(one, forKey(old(), "a"));
    contribute(two, forKey(old(), "a"));
    editDocument(task, one).label.insert(5, " left");
    editDocument(task, two).label.insert(5, " right");
    one.commit();
    two.commit();
    sync(one, two);
    expect(readTask(one)).toEqual(readTask(two));
    expect(readTask(one).label).toContain(" left");
    expect(readTask(one).label).toContain(" right");
    expect(readTask(one).label.match(/stone/g)).toHaveLength(1);
  });

  test("what an older app writes later is carried over, beside what a newer one has edited", () => {
    const source = old();
    const target = replica(2);
    contribute(target, forKey(source, "a"));
    editDocument(task, target).label.insert(0, "big ");
    target.commit();
    const late = editDocument(first.documents.note, source);
    late.tasks.delete(0, 1);
    late.tasks.insert(0, { id: "a", label: "stone", done: true });
    source.commit();
    expect(contribute(target, forKey(source, "a"))).toBe(true);
    expect(readTask(target)).toMatchObject({ label: "big stone", done: true });
  });

  test("a device that lags behind takes nothing back, and one with other edits waits until it has all", () => {
    const source = old();
    const lagging = replica(3);
    lagging.import(source.export({ mode: "snapshot" }));
    editDocument(first.documents.note, source).tasks.insert(0, { id: "c", label: "water", done: false });
    source.commit();
    const said = forKey(source, "a");
    const target = replica(2);
    contribute(target, said);
    const edit = editDocument(first.documents.note, lagging);
    edit.tasks.delete(0, 1);
    edit.tasks.insert(0, { id: "a", label: "gravel", done: false });
    lagging.commit();
    expect(contribute(target, forKey(lagging, "a"))).toBe(false);
    expect(readTask(target).label).toBe("stone");
    sync(source, lagging);
    expect(contribute(target, forKey(lagging, "a"))).toBe(true);
    expect(readTask(target).label).toBe("gravel");
  });

  test("what an older app takes out is said by a source that knows what it was split into", () => {
    const source = old();
    expect(markExtracted(source, extracted(source))).toBe(true);
    expect(markExtracted(source, extracted(source))).toBe(false);
    source.commit();
    const target = replica(2);
    contribute(target, forKey(source, "b"));
    editDocument(first.documents.note, source).tasks.delete(1, 1);
    source.commit();
    const gone = forKey(source, "b");
    expect(gone.contribution.values).toBeNull();
    expect(contribute(target, gone)).toBe(true);
    expect(readTask(target)).toMatchObject({ label: "", done: false });
    // Where it never was, nothing is made of it.
    const never = replica(4);
    expect(contribute(never, gone)).toBe(false);
    expect(never.opCount()).toBe(0);
  });
});

describe("any devices, in any order", () => {
  interface Move {
    readonly kind: "edit" | "drop" | "write" | "hear";
    readonly who: number;
    readonly whom: number;
    readonly n: number;
  }
  const move: fc.Arbitrary<Move> = fc.record({
    kind: fc.constantFrom("edit", "edit", "drop", "write", "write", "hear", "hear"),
    who: fc.nat(2),
    whom: fc.nat(2),
    n: fc.nat(3),
  });

  test("end with what the source says, once, and write nothing more", () => {
    fc.assert(
      fc.property(fc.array(move, { maxLength: 40 }), (moves) => {
        const devices = [1, 2, 3].map((peer) => {
          const targets = new Map<string, LoroDoc>();
          return { source: replica(peer), target: (key: string) => targetIn(targets, key, 10 * peer), targets };
        });
        const at = (index: number) => devices[index] ?? raise();
        const write = ({ source, target }: (typeof devices)[number]): boolean => {
          const said = extracted(source);
          const wrote = said.map((one) => "key" in one.target && contribute(target(one.target.key), one));
          const marked = markExtracted(source, said);
          source.commit();
          return wrote.includes(true) || marked;
        };
        const hear = (one: (typeof devices)[number], other: (typeof devices)[number]): void => {
          sync(one.source, other.source);
          for (const key of new Set([...one.targets.keys(), ...other.targets.keys()])) {
            sync(one.target(key), other.target(key));
          }
        };
        for (const { kind, who, whom, n } of moves) {
          const device = at(who);
          const list = editDocument(first.documents.note, device.source).tasks;
          if (kind === "edit") list.push({ id: `${n}`, label: `${n} of ${who}`, done: n > 1 });
          if (kind === "drop" && list.get().length > 0) list.delete(n % list.get().length, 1);
          device.source.commit();
          if (kind === "write") write(device);
          if (kind === "hear" && who !== whom) hear(device, at(whom));
        }
        const [one, two, three] = [at(0), at(1), at(2)];
        const everywhere = (): void => {
          hear(one, two);
          hear(two, three);
          hear(one, three);
          hear(one, two);
        };
        everywhere();
        for (let round = 0; round < 2; round += 1) {
          for (const device of devices) write(device);
          everywhere();
        }
        for (const device of devices) expect(write(device)).toBe(false);
        const { tasks } = readDocument(first.documents.note, one.source);
        const said = new Map(tasks.toReversed().map(({ id, label, done }) => [id, { label, done }]));
        for (const device of devices) {
          for (const [key, doc] of device.targets) {
            const { label, done } = readTask(doc);
            expect({ label, done }).toEqual(said.get(key) ?? { label: "", done: false });
          }
          expect([...said.keys()].filter((key) => !device.targets.has(key))).toEqual([]);
        }
      }),
      { numRuns: 150 },
    );
  });

  const targetIn = (targets: Map<string, LoroDoc>, key: string, peer: number): LoroDoc => {
    const known = targets.get(key) ?? replica(peer);
    targets.set(key, known);
    return known;
  };
  const raise = (): never => {
    throw new Error("there are three");
  };
});

describe("a field that moves to another document", () => {
  const forProject = (doc: LoroDoc): ExtractedDocument => {
    const found = extracted(doc).find(({ into }) => into === "project");
    if (found === undefined) throw new Error("nothing for the project");
    return found;
  };

  test("goes where a reference points, and what several documents say is combined", () => {
    const said = forProject(old());
    expect(said.target).toEqual({ document: PROJECT });
    const project = replica(2);
    editDocument(first.documents.project, project).name.set("House");
    project.commit();
    contribute(project, said);
    contribute(project, said, OTHER);
    expect(readDocument(second.documents.project, project)).toEqual({ name: "House", budget: 80 });
    editDocument(second.documents.project, project).budget.set(7);
    project.commit();
    expect(readDocument(second.documents.project, project).budget).toBe(7);
    expect(readDocument(first.documents.project, project)).toEqual({ name: "House" });
  });

  test("says nothing where there is nowhere to go", () => {
    const doc = old();
    editDocument(first.documents.note, doc).project.set(null);
    doc.commit();
    expect(extracted(doc).some(({ into }) => into === "project")).toBe(false);
  });
});

describe("declaring", () => {
  const attempt = (steps: Parameters<typeof evolveSchema<typeof first.documents, typeof declared>>[1]["steps"]) => () =>
    evolveSchema(first, { version: 2, documents: declared, steps });

  test("fields that an extraction makes come from it alone, and what leaves has to go somewhere", () => {
    expect(attempt((step) => [step.addType("task"), step.remove("note", "budget")])).toThrow(SchemaDefinitionError);
    expect(
      attempt((step) => [
        step.addType("task"),
        step.remove("note", "tasks"),
        step.extract("note", {
          from: ["budget"],
          into: "project",
          to: ["budget"],
          up: () => [],
        }),
        step.add("project", "budget"),
      ]),
    ).toThrow("two steps make this field");
  });

  test("a type that was left stays declared", () => {
    const list = defineSchema({
      version: 1,
      documents: { list: defineDocument({ fields: { items: field.list(Schema.String) } }) },
    });
    const item = defineDocument({ fields: { label: field.string() } });
    const split = evolveSchema(list, {
      version: 2,
      documents: { list: defineDocument({ fields: {} }), item },
      steps: (step) => [
        step.addType("item"),
        step.extract("list", {
          from: ["items"],
          into: "item",
          to: ["label"],
          up: ({ items }) => items.map((label) => ({ key: label, values: { label } })),
        }),
      ],
    });
    const remove = () =>
      evolveSchema(split, { version: 3, documents: { item }, steps: (step) => [step.removeType("list")] });
    expect(remove).toThrow("deprecate the type instead");
  });

  test("types: what the step takes and makes is checked by the compiler", () => {
    expectTypeOf<View<typeof task>["label"]>().toEqualTypeOf<string>();
    attempt((step) => [
      // @ts-expect-error -- no such field in version 1
      step.extract("note", { from: ["taskz"], into: "task", to: ["label"], up: () => [] }),
      step.extract("note", {
        from: ["tasks"],
        into: "task",
        to: ["label"],
        // @ts-expect-error -- the label is a text
        up: () => [{ key: "", values: { label: 1 } }],
      }),
    ]);
  });
});

test("the next version evolves what was extracted like any other field", () => {
  const third = evolveSchema(second, {
    version: 3,
    documents: {
      ...second.documents,
      task: defineDocument({
        fields: {
          words: field.list(Schema.String),
          done: field.boolean(),
          note: field.reference("note"),
          color: field.string(),
        },
      }),
    },
    steps: (step) => [
      step.change("task", { from: ["label"], to: ["words"], up: ({ label }) => ({ words: label.split(" ") }) }),
    ],
  });
  const target = replica(2);
  contribute(target, forKey(old(), "a"));
  expect(readDocument(third.documents.task, target).words).toEqual(["stone"]);
  editDocument(third.documents.task, target).words.push("wall");
  target.commit();
  expect(readDocument(third.documents.task, target).words).toEqual(["stone", "wall"]);
  expect(readTask(target).label).toBe("stone");
});

describe("what could not be carried over", () => {
  const invalidIn = (doc: LoroDoc) => inspectExtracted(second, "note", doc, NOTE);

  test("is nothing of a document that fits, or of one that is split into nothing", () => {
    expect(invalidIn(old())).toEqual([]);
    expect(invalidIn(replica(1))).toEqual([]);
    expect(inspectExtracted(second, "task", replica(1), NOTE)).toEqual([]);
  });

  test("is named by the field that it was in: more than there may be, what is too large, and what no step can read", () => {
    const many = replica(1);
    const tasks = many.getList("tasks");
    for (let index = 0; index < 10_002; index += 1) tasks.push({ id: `${index}`, label: "", done: false });
    many.commit();
    expect(extracted(many)).toHaveLength(10_000);
    expect(invalidIn(many)).toEqual([{ path: ["tasks", 10_000], reason: "conversion" }]);

    const large = replica(1);
    const held = defineSchema({ version: 1, documents: { note: defineDocument({ fields: { body: field.text() } }) } });
    const split = evolveSchema(held, {
      version: 2,
      documents: {
        note: defineDocument({ fields: {} }),
        page: defineDocument({ fields: { text: field.text() } }),
      },
      steps: (step) => [
        step.addType("page"),
        step.extract("note", {
          from: ["body"],
          into: "page",
          to: ["text"],
          up: ({ body }) => {
            if (body === "no page") throw new Error("none");
            return [
              { key: "1", values: { text: "small" } },
              { key: "2", values: { text: body } },
            ];
          },
        }),
      ],
    });
    large.getText("body").insert(0, "x".repeat(1_000_001));
    large.commit();
    expect(extractedFrom(split, "note", large, NOTE, 1)).toHaveLength(1);
    expect(inspectExtracted(split, "note", large, NOTE)).toEqual([{ path: ["body", 1], reason: "conversion" }]);

    const none = replica(1);
    none.getText("body").insert(0, "no page");
    none.commit();
    expect(inspectExtracted(split, "note", none, NOTE)).toEqual([{ path: ["body"], reason: "conversion" }]);
  });

  test("is what did not fit the older field already, too; of a field that stays, the document itself says so", () => {
    const broken = old();
    broken.getList("tasks").push("no task");
    broken.getMap("fields").set("budget", "much");
    broken.getMap("fields").set("project", 5);
    broken.commit();
    expect(invalidIn(broken)).toEqual([
      { path: ["tasks", 2], reason: "misfit" },
      { path: ["budget"], reason: "misfit" },
    ]);
    expect(inspectDocument(second.documents.note, broken).invalid).toEqual([{ path: ["project"], reason: "misfit" }]);
  });

  test("is the second of two that say different things under one key", () => {
    const twice = old();
    const tasks = twice.getList("tasks");
    tasks.push({ id: "a", label: "stone", done: false });
    tasks.push({ id: "a", label: "gravel", done: false });
    twice.commit();
    expect(forKey(twice, "a").contribution.values).toMatchObject({ label: "stone" });
    expect(invalidIn(twice)).toEqual([{ path: ["tasks", 3], reason: "conversion" }]);
  });
});
