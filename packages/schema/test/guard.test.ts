/** Defects that were put into versions of a schema on purpose, and whether the guard finds them. */
import {
  type AcceptableFinding,
  type DocumentSchema,
  defineDocument,
  defineSchema,
  evolveSchema,
  field,
} from "@cairn/schema";
import { checkSchema, type Finding, recordOf, type SchemaRecord, versionsOf } from "@cairn/schema/guard";
import { Schema } from "effect";
import { createHash } from "node:crypto";
import { describe, expect, it } from "vitest";

const hash = (text: string): string => createHash("sha256").update(text).digest("base64url");

const look = (schema: DocumentSchema, record: SchemaRecord = {}, seed = 1): ReadonlyArray<Finding> =>
  checkSchema(schema, { record, hash, seed, runs: 400 });
const errors = (findings: ReadonlyArray<Finding>): ReadonlyArray<Finding> =>
  findings.filter(({ severity }) => severity === "error");
const found = (findings: ReadonlyArray<Finding>, code: Finding["code"]): Finding => {
  const finding = findings.find((candidate) => candidate.code === code);
  if (finding === undefined) throw new Error(`not found: ${code} in ${JSON.stringify(findings)}`);
  return finding;
};
const record = (schema: DocumentSchema): SchemaRecord =>
  Object.fromEntries(versionsOf(schema).map((version) => [version.version, recordOf(version, hash)]));

const Json = (value: unknown): string => JSON.stringify(value);

const one = defineSchema({
  version: 1,
  documents: {
    note: defineDocument({
      fields: {
        name: field.string(),
        pinned: field.boolean(),
        minutes: field.integer(),
        body: field.text(),
        tasks: field.list(Schema.String),
      },
    }),
  },
});
const { name, pinned, minutes, body, tasks } = one.documents.note.fields;
const kept = { name, pinned, minutes, body, tasks };

/** A split of the name by functions of one's own. */
const splitting = (
  up: (name: string) => { readonly first: string; readonly last: string },
  down: (names: { readonly first: string; readonly last: string }) => string,
) => {
  const { name: _name, ...rest } = kept;
  return evolveSchema(one, {
    version: 2,
    documents: { note: defineDocument({ fields: { ...rest, first: field.string(), last: field.string() } }) },
    steps: (step) => [step.split("note", { from: "name", to: ["first", "last"], up, down })],
  });
};

const goodUp = (text: string) => {
  const at = text.indexOf(" ");
  return at < 0 || at === text.length - 1
    ? { first: text, last: "" }
    : { first: text.slice(0, at), last: text.slice(at + 1) };
};
const goodDown = ({ first, last }: { readonly first: string; readonly last: string }) =>
  last === "" ? first : `${first} ${last}`;

const converting = (up: (pinned: boolean) => number, down: (priority: number) => boolean, initial = 0) => {
  const { pinned: _pinned, ...rest } = kept;
  return evolveSchema(one, {
    version: 2,
    documents: { note: defineDocument({ fields: { ...rest, priority: field.integer({ default: initial }) } }) },
    steps: (step) => [step.convert("note", { from: "pinned", to: "priority", up, down })],
  });
};

const Item = Schema.Struct({ id: Schema.String, label: Schema.String });
type Item = typeof Item.Type;

const changing = (
  up: (tasks: ReadonlyArray<string>) => ReadonlyArray<Item>,
  accept: ReadonlyArray<AcceptableFinding> = [],
) =>
  evolveSchema(one, {
    version: 2,
    documents: { note: defineDocument({ fields: { ...kept, tasks: field.movableList(Item) } }) },
    steps: (step) => [
      step.change("note", { from: ["tasks"], to: ["tasks"], up: (older) => ({ tasks: up(older.tasks) }), accept }),
    ],
  });

/** The tasks become documents, told apart by what stands on them. */
const extractingTasks = (accept?: ReadonlyArray<AcceptableFinding>) => {
  const { tasks: _tasks, ...rest } = kept;
  return evolveSchema(one, {
    version: 2,
    documents: { note: defineDocument({ fields: rest }), task: defineDocument({ fields: { label: field.string() } }) },
    steps: (step) => [
      step.addType("task"),
      step.extract("note", {
        from: ["tasks"],
        into: "task",
        to: ["label"],
        up: (older) => older.tasks.map((label) => ({ key: label, values: { label } })),
        ...(accept === undefined ? {} : { accept }),
      }),
    ],
  });
};

type Said = ReadonlyArray<{ readonly total: number; readonly rows: ReadonlyArray<string> }>;

/** What notes say about a document is combined by a function of one's own. */
const combining = (combine?: (said: Said) => { readonly total: number; readonly rows: ReadonlyArray<string> }) => {
  const { minutes: _minutes, tasks: _tasks, ...rest } = kept;
  return evolveSchema(one, {
    version: 2,
    documents: {
      note: defineDocument({ fields: rest }),
      sheet: defineDocument({
        fields: { total: field.integer({ minimum: -100, maximum: 100 }), rows: field.list(Schema.String) },
      }),
    },
    steps: (step) => [
      step.addType("sheet"),
      step.extract("note", {
        from: ["minutes", "tasks"],
        into: "sheet",
        to: ["total", "rows"],
        up: (older) => [
          { document: SHEET, values: { total: Math.max(-100, Math.min(100, older.minutes)), rows: older.tasks } },
        ],
        ...(combine === undefined ? {} : { combine }),
      }),
    ],
  });
};
const SHEET = "CAAAAAAAAAAAAAAAAAAAAA";

const largest = (said: Said) => ({
  total: Math.max(...said.map(({ total }) => total)),
  rows: said.flatMap(({ rows }) => rows),
});

/** Equal labels are numbered among themselves. */
const numbered = (labels: ReadonlyArray<string>): ReadonlyArray<Item> => {
  const seen = new Map<string, number>();
  return labels.map((label) => {
    const times = (seen.get(label) ?? 0) + 1;
    seen.set(label, times);
    return { id: `${times}:${label}`, label };
  });
};

describe("laws of conversions", () => {
  it("finds nothing wrong with good ones", () => {
    expect(errors(look(splitting(goodUp, goodDown)))).toEqual([]);
    expect(
      look(
        converting(
          (pin) => (pin ? 1 : 0),
          (priority) => priority > 0,
        ),
      ).map(({ code }) => code),
    ).toEqual(["schema/loses"]);
  });

  it("finds what fails for rare values alone, and shows the smallest", () => {
    // Right but for a name that ends in a space: "a " becomes "a" and "".
    const rare = splitting((text) => {
      const [first = "", ...last] = text.split(" ");
      return { first, last: last.join(" ") };
    }, goodDown);
    const finding = found(look(rare), "schema/law");
    expect(finding).toMatchObject({ severity: "error", version: 2, path: "note.first, note.last" });
    expect(finding.message).toContain('of " ", and down makes ""');
    // For the empty text alone.
    const empty = splitting(
      (text) => (text === "" ? { first: "?", last: "" } : goodUp(text)),
      (names) => goodDown(names),
    );
    expect(found(look(empty), "schema/law").message).toContain('of ""');
  });

  it("finds the separator that only a conversion's own result has", () => {
    const { name: _name, minutes: _minutes, ...rest } = kept;
    const merged = evolveSchema(one, {
      version: 2,
      documents: { note: defineDocument({ fields: { ...rest, line: field.string({ default: "§§§0" }) } }) },
      steps: (step) => [
        step.merge("note", {
          from: ["name", "minutes"],
          to: "line",
          up: (older) => `${older.name}§§§${older.minutes}`,
          down: (line) => {
            const [first = "", second = "0"] = line.split("§§§");
            return { name: first, minutes: Math.trunc(Number(second)) || 0 };
          },
        }),
      ],
    });
    expect(errors(look(merged)).map(({ code }) => code)).not.toEqual([]);
  });

  it("finds numbers that do not come back", () => {
    const { minutes: _minutes, ...rest } = kept;
    const hours = evolveSchema(one, {
      version: 2,
      documents: { note: defineDocument({ fields: { ...rest, hours: field.number() } }) },
      steps: (step) => [
        step.convert("note", {
          from: "minutes",
          to: "hours",
          up: (given) => given / 60,
          down: (given) => Math.trunc(given * 60),
        }),
      ],
    });
    expect(errors(look(hours)).map(({ code }) => code)).toContain("schema/law");
  });

  it("finds an extraction that throws, depends on the moment, or makes what does not fit", () => {
    const extracting = (
      up: (tasks: ReadonlyArray<string>) => ReadonlyArray<{ key: string; values: { label: string } }>,
    ) => {
      const { tasks: _tasks, ...rest } = kept;
      return evolveSchema(one, {
        version: 2,
        documents: {
          note: defineDocument({ fields: rest }),
          task: defineDocument({ fields: { label: field.string() } }),
        },
        steps: (step) => [
          step.addType("task"),
          step.extract("note", {
            from: ["tasks"],
            into: "task",
            to: ["label"],
            up: (older) => up(older.tasks),
            accept: ["schema/drops-duplicates"],
          }),
        ],
      });
    };
    let calls = 0;
    const made = (label: string) => ({ key: label, values: { label } });
    expect(errors(look(extracting((tasks) => [...new Set(tasks)].map(made))))).toEqual([]);
    const moment = extracting((tasks) => tasks.map((label) => made(`${label}${(calls += 1)}`)));
    expect(found(look(moment), "schema/not-deterministic").path).toBe("note.task");
    const thrower = extracting(([task = ""]) => [made(task === "" ? task : task.slice(0, 1).repeat(1 - task.length))]);
    expect(found(look(thrower), "schema/throws").message).toContain("extract: up throws");
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- what a program without types could make
    const misfit = extracting((tasks) => tasks.map((label) => ({ key: label, values: {} as { label: string } })));
    expect(found(look(misfit), "schema/misfit").version).toBe(2);
  });

  it("finds what combining owes: total, pure, and what fits, with how many documents ever", () => {
    expect(errors(look(combining(largest)))).toEqual([]);
    expect(errors(look(combining((said) => largest(said.slice(0, 1)))))).toEqual([]);
    const thrower = combining((said) => {
      if (said.length > 2) throw new Error("three are too many");
      return largest(said);
    });
    expect(found(look(thrower), "schema/throws")).toMatchObject({
      severity: "error",
      version: 2,
      path: "sheet.total, sheet.rows",
    });
    expect(found(look(thrower), "schema/throws").message).toMatch(/^combine: up throws for .*: three are too many$/);
    // Right while one document speaks, and beyond the bounds as soon as two do.
    const sum = combining((said) => ({ ...largest(said), total: said.reduce((sofar, { total }) => sofar + total, 0) }));
    expect(found(look(sum), "schema/misfit").message).toContain("which total of version 2 refuses");
    let calls = 0;
    const moment = combining((said) => ({ ...largest(said), total: (calls += 1) % 7 }));
    expect(found(look(moment), "schema/not-deterministic").message).toMatch(/^combine: /);
    const sorting = combining((said) => {
      // oxlint-disable-next-line typescript/no-unsafe-type-assertion, unicorn/no-array-sort -- the defect that is to be found
      for (const { rows } of said) (rows as Array<string>).sort();
      return largest(said);
    });
    expect(found(look(sorting), "schema/mutates").severity).toBe("error");
  });

  it("finds what throws, in both directions", () => {
    const thrower = splitting((text) => {
      if (text.startsWith("  ")) throw new Error("two spaces");
      return goodUp(text);
    }, goodDown);
    expect(found(look(thrower), "schema/throws").message).toBe('split: up throws for "  ": two spaces');
    const back = converting(
      (pin) => (pin ? 1 : 0),
      (priority) => {
        if (priority < 0) throw new Error("below zero");
        return priority > 0;
      },
    );
    expect(found(look(back), "schema/throws").message).toBe("convert: down throws for -1: below zero");
  });

  it("finds what the other version refuses", () => {
    const { minutes: _minutes, ...rest } = kept;
    const bounded = evolveSchema(one, {
      version: 2,
      documents: { note: defineDocument({ fields: { ...rest, time: field.integer({ minimum: 0 }) } }) },
      steps: (step) => [
        step.convert("note", { from: "minutes", to: "time", up: (given) => given, down: (given) => given }),
      ],
    });
    expect(found(look(bounded), "schema/misfit").message).toBe(
      "convert: up makes -1 of -1, which time of version 2 refuses",
    );
    const half = converting(
      (pin) => (pin ? 0.5 : 0),
      (priority) => priority > 0,
    );
    expect(found(look(half), "schema/misfit").message).toContain("up makes 0.5 of true");
  });

  it("finds functions that are not functions of their argument", () => {
    let calls = 0;
    const counting = changing((labels) => labels.map((label) => ({ id: `${(calls += 1)}`, label })));
    expect(found(look(counting), "schema/not-deterministic").path).toBe("note.tasks");
    const sorting = changing((labels) => {
      // oxlint-disable-next-line typescript/no-unsafe-type-assertion, unicorn/no-array-sort -- the defect that is to be found
      (labels as Array<string>).sort();
      return numbered(labels);
    });
    expect(found(look(sorting), "schema/mutates").severity).toBe("error");
  });

  it("gives the same findings for the same seed, and finds the defect from others", () => {
    const bad = splitting((text) => {
      const [first = "", last = ""] = text.split(" ");
      return { first, last };
    }, goodDown);
    expect(look(bad, {}, 5)).toEqual(look(bad, {}, 5));
    for (let seed = 1; seed <= 20; seed += 1) {
      expect(errors(look(bad, {}, seed)).map(({ code }) => code)).toEqual(["schema/law"]);
    }
  });
});

describe("changes that surprise", () => {
  it("finds nothing where ids come from the content and equal items are told apart", () => {
    expect(look(changing(numbered))).toEqual([]);
  });

  const byPosition = (labels: ReadonlyArray<string>): ReadonlyArray<Item> =>
    labels.map((label, index) => ({ id: `task-${index}`, label }));
  const byLabel = (labels: ReadonlyArray<string>): ReadonlyArray<Item> => labels.map((label) => ({ id: label, label }));

  it("refuses ids by position, and equal items that become one", () => {
    const position = errors(look(changing(byPosition)));
    expect(position).toMatchObject([{ code: "schema/identity-by-position", path: "note.tasks" }]);
    expect(position[0]?.advice).toContain('accept: ["schema/identity-by-position"]');
    const twins = errors(look(changing(byLabel)));
    expect(twins).toMatchObject([{ code: "schema/drops-duplicates", path: "note.tasks" }]);
    expect(twins[0]?.advice).toContain('accept: ["schema/drops-duplicates"]');
    expect(errors(look(extractingTasks()))).toMatchObject([{ code: "schema/drops-duplicates", path: "note.task" }]);
  });

  it("notes what a step accepts, and accepts nothing else with it", () => {
    const position = look(changing(byPosition, ["schema/identity-by-position"]));
    expect(errors(position)).toEqual([]);
    expect(found(position, "schema/identity-by-position")).toMatchObject({ severity: "note", path: "note.tasks" });
    expect(found(position, "schema/identity-by-position").advice).not.toContain("accept");
    const tasks = look(extractingTasks(["schema/drops-duplicates"]));
    expect(errors(tasks)).toEqual([]);
    expect(found(tasks, "schema/drops-duplicates").severity).toBe("note");
    expect(errors(look(changing(byLabel, ["schema/identity-by-position"])))).toMatchObject([
      { code: "schema/drops-duplicates" },
    ]);
  });

  it("finds a default that nobody will read", () => {
    const differs = converting(
      (pin) => (pin ? 1 : 0),
      (priority) => priority > 0,
      5,
    );
    expect(found(look(differs), "schema/default-differs").message).toContain("reads as 0, not the declared default 5");
  });

  it("finds a field that refuses what the version before admits, where its description does not say so", () => {
    const Even = Schema.String.check(Schema.makeFilter((text: string) => text !== "a"));
    const before = defineSchema({
      version: 1,
      documents: { note: defineDocument({ fields: { code: field.string() } }) },
    });
    const after = evolveSchema(before, {
      version: 2,
      documents: { note: defineDocument({ fields: { code: field.value(Even, { default: "" }) } }) },
      steps: () => [],
    });
    expect(found(look(after), "schema/narrower")).toMatchObject({ severity: "error", path: "note.code" });
  });

  it("asks whether a field that goes is the one that comes, and for a type to be deprecated first", () => {
    const { name: _name, ...rest } = kept;
    const gone = evolveSchema(one, {
      version: 2,
      documents: { note: defineDocument({ fields: { ...rest, title: field.string() } }) },
      steps: (step) => [step.remove("note", "name"), step.add("note", "title")],
    });
    expect(found(look(gone), "schema/looks-renamed").advice).toContain('{ from: "name", to: "title" }');
    const removed = evolveSchema(one, { version: 2, documents: {}, steps: (step) => [step.removeType("note")] });
    expect(found(look(removed), "schema/removed")).toMatchObject({ severity: "warning", path: "note" });
    const deprecated = evolveSchema(one, {
      version: 2,
      documents: { note: defineDocument({ fields: kept, deprecated: true }) },
      steps: (step) => [step.deprecateType("note")],
    });
    const third = evolveSchema(deprecated, { version: 3, documents: {}, steps: (step) => [step.removeType("note")] });
    expect(look(third)).toEqual([]);
  });

  it("says which newer values an older app cannot tell apart", () => {
    const finding = found(
      look(
        converting(
          (pin) => (pin ? 1 : 0),
          (priority) => priority > 0,
        ),
      ),
      "schema/loses",
    );
    expect(finding).toMatchObject({ severity: "note", path: "note.priority" });
  });
});

describe("the record of what was released", () => {
  const good = () =>
    converting(
      (pin) => (pin ? 2 : 0),
      (priority) => priority > 1,
    );

  it("is the same however often it is made, and survives being written down", () => {
    const made = record(good());
    expect(record(good())).toEqual(made);
    const read: unknown = JSON.parse(Json(made));
    expect(read).toEqual(made);
    expect(look(good(), made)).toEqual([]);
  });

  it("finds a declaration that was edited, with its path", () => {
    const edited = defineSchema({
      version: 1,
      documents: { note: defineDocument({ fields: { ...kept, name: field.string({ default: "x" }) } }) },
    });
    expect(look(edited, record(one))).toMatchObject([{ code: "schema/edited", version: 1, path: "note.name" }]);
    const searched = defineSchema({
      version: 1,
      documents: { note: defineDocument({ fields: { ...kept, name: field.string({ searchable: true }) } }) },
    });
    expect(found(look(searched, record(one)), "schema/edited").message).toContain("search was false and is true");
    const { name: _name, ...rest } = kept;
    const less = defineSchema({ version: 1, documents: { note: defineDocument({ fields: rest }) } });
    expect(found(look(less, record(one)), "schema/edited").message).toContain("it is gone");
  });

  it("finds a step whose functions were edited, and not one that was written otherwise", () => {
    const made = record(good());
    const rewritten = converting(
      (isPinned) => [0, 2][Number(isPinned)] ?? 0,
      (level) => !(level <= 1),
    );
    expect(look(rewritten, made)).toEqual([]);
    const edited = converting(
      (pin) => (pin ? 3 : 0),
      (priority) => priority > 1,
    );
    expect(found(look(edited, made), "schema/behaviour-edited").message).toBe(
      "convert: up made 2 of true when the version was released, and makes 3",
    );
    const downward = converting(
      (pin) => (pin ? 2 : 0),
      (priority) => priority > 0,
    );
    expect(found(look(downward, made), "schema/behaviour-edited").message).toMatch(/^convert: down made false of 1 /);
  });

  it("finds that combining was edited, begun or given up, and not that it was written otherwise", () => {
    const made = record(combining(largest));
    expect(JSON.parse(Json(made))).toEqual(made);
    expect(look(combining(largest), made)).toEqual([]);
    expect(
      look(
        combining((said) => ({ ...largest(said), rows: said.map(({ rows }) => rows).flat() })),
        made,
      ),
    ).toEqual([]);
    const edited = combining((said) => ({ ...largest(said), total: Math.min(...said.map(({ total }) => total)) }));
    expect(found(look(edited, made), "schema/behaviour-edited")).toMatchObject({
      severity: "error",
      path: "sheet.total, sheet.rows",
    });
    const without = record(combining());
    expect(found(look(combining(), made), "schema/edited").message).toContain("its steps were");
    expect(found(look(combining(largest), without), "schema/edited").message).toContain("its steps were");
    expect(without["2"]?.hash).not.toBe(made["2"]?.hash);
  });

  it("describes an extraction that combines nothing by its fields alone", () => {
    expect(record(extractingTasks())["2"]?.steps).toEqual([
      { step: "addType", type: "task" },
      { step: "extract", path: "note", from: ["tasks"], reading: [], into: "task", to: ["label"] },
    ]);
  });

  it("does not hold what a step accepts, which decides nothing", () => {
    const made = record(extractingTasks());
    expect(record(extractingTasks(["schema/drops-duplicates"]))).toEqual(made);
    expect(look(extractingTasks(["schema/drops-duplicates"]), made)).toEqual([]);
  });

  it("finds versions that are gone, and a record that was edited by hand", () => {
    const made = record(good());
    expect(look(one, made)).toMatchObject([{ code: "schema/missing-version", version: 2 }]);
    const alone = defineSchema({ version: 2, documents: good().documents });
    expect(found(look(alone, made), "schema/missing-version").version).toBe(1);
    const [first] = Object.entries(record(one)).map(([, value]) => value);
    if (first === undefined) throw new Error("nothing recorded");
    const damaged = { "1": { ...first, declared: { ...first.declared, "note.name": { at: "title" } } } };
    expect(look(one, damaged)).toMatchObject([{ code: "schema/record-damaged", version: 1 }]);
  });

  it("finds a version that the record left out, from which a released one evolves", () => {
    const { "2": second } = record(good());
    if (second === undefined) throw new Error("nothing recorded");
    expect(errors(look(good(), { "2": second }))).toMatchObject([
      { code: "schema/record-damaged", version: 1, message: "the record has version 2, and not the one before" },
    ]);
  });

  it("does not ask to mend what is released", () => {
    const bad = splitting((text) => {
      const [first = "", last = ""] = text.split(" ");
      return { first, last };
    }, goodDown);
    expect(look(bad, record(bad))).toMatchObject([{ code: "schema/law", severity: "warning" }]);
  });
});
