/**
 * Queries: one value means the same in every store and in memory. What a store gives from its indexes is compared with the
 * schema's evaluator over the same rows.
 */
import type { DocumentRecord, DocumentView, LocalStoreShape, RowsOfType } from "@cairn/client/effect";
import type { DocumentId } from "@cairn/protocol";
import {
  checkQuery,
  countValues,
  defineDocument,
  field,
  holdsTerms,
  indexedValues,
  isWanted,
  projectionFingerprint,
  requirePath,
  runQuery,
  wordsOf,
} from "@cairn/schema";
import { Effect, Schema } from "effect";
import fc from "fast-check";
import { expect, test } from "vitest";
import {
  documentOf,
  edit,
  OTHER_WORKSPACE,
  positionRecord,
  WORKSPACE,
  workspaceRecord,
} from "./local-store-samples.ts";
import { type ContractSuite, populated } from "./local-store-suite.ts";

const stone = defineDocument({
  fields: {
    title: field.string({ indexed: true, searchable: true }),
    done: field.boolean({ filterable: true }),
    rank: field.number({ indexed: true }),
    due: field.value(Schema.NullOr(Schema.Finite), { default: null, indexed: true }),
    place: field.value(Schema.NullOr(Schema.Struct({ city: Schema.String, lat: Schema.optionalKey(Schema.Finite) })), {
      default: null,
      indexed: ["city"],
      filterable: true,
    }),
    tags: field.set(Schema.String, { indexed: true, searchable: true }),
  },
});
const FINGERPRINT = projectionFingerprint(stone);
const STONES: RowsOfType = { workspace: WORKSPACE, type: "stone", fingerprint: FINGERPRINT };

type Fields = Readonly<Record<string, unknown>>;

const stoneView = (fields: Fields, change: Partial<DocumentView> = {}, fingerprint = FINGERPRINT): DocumentView => ({
  deleted: false,
  createdAt: 5,
  projection: {
    fingerprint,
    fields,
    indexed: fingerprint === FINGERPRINT ? indexedValues(stone, fields) : [],
    searchText: [fields["title"], fields["tags"]].flat().join("\n"),
  },
  ...change,
});

const stoneEdit = (number: number, row: DocumentView | undefined, time = number) =>
  edit({ document: documentOf(number), type: "stone", time, row });

const titles = (records: ReadonlyArray<DocumentRecord>) => records.map(({ fields }) => fields["title"]);

/** What the store should say, by the definition: rows and words in memory. */
interface Known {
  readonly record: DocumentRecord;
  readonly words: ReadonlySet<string>;
}

const define = (known: ReadonlyArray<Known>, given: unknown) => {
  const query = checkQuery(stone, given);
  const rows = known
    .filter(({ record }) => record.type === "stone")
    .map(({ record, words }) => ({ ...record, id: record.document, record, words }));
  const page = runQuery(query, rows, ({ words }) => words);
  const wanted = rows.filter((row) => isWanted(query, row) && holdsTerms(row.words, query.terms));
  return { query, rows: page.rows.map(({ record }) => record), next: page.next, wanted };
};

/** All of the store's answers to a query, page by page, are what the definition says. */
const compare = Effect.fnUntraced(function* (
  store: LocalStoreShape,
  known: ReadonlyArray<Known>,
  given: Readonly<Record<string, unknown>>,
) {
  let after: string | undefined;
  do {
    const { query, rows, next } = define(known, { ...given, after });
    const page = yield* store.query(STONES, query);
    expect(page.rows).toEqual(rows);
    expect(page.next).toBe(next);
    after = next;
  } while (after !== undefined);
  const { query, wanted } = define(known, given);
  expect(yield* store.count(STONES, query)).toBe(wanted.length);
  for (const path of ["tags", "rank", "place.city", "done", "$created"]) {
    const at = requirePath(stone, path, []);
    expect(yield* store.countBy(STONES, at, query)).toEqual(countValues(wanted, at));
  }
});

const word = fc.constantFrom(
  "dry",
  "Drystone",
  "wall",
  "Ünï",
  "日本語",
  "\u{1f600}z",
  "\uffeez",
  "\uffee",
  "",
  "a\u0000b",
);
const fields = fc.record({
  title: fc.array(word, { maxLength: 3 }).map((words) => words.join(" ")),
  done: fc.boolean(),
  rank: fc.constantFrom(0, -0, 1, -1.5, 3, 1e300, -5e-324),
  due: fc.option(fc.constantFrom(0, 1, 2, -7)),
  place: fc.option(fc.record({ city: word, lat: fc.constantFrom(0, 1) }, { requiredKeys: ["city"] })),
  tags: fc.uniqueArray(word, { maxLength: 3 }),
});

/** Documents are written again and again, by different declarations, with and without rows. */
const write = fc.record({
  number: fc.integer({ min: 1, max: 14 }),
  time: fc.nat({ max: 6 }),
  kind: fc.oneof(
    { weight: 8, arbitrary: fc.constant("row" as const) },
    fc.constantFrom("raw" as const, "unknown" as const, "other" as const, "task" as const),
  ),
  fields,
  deleted: fc.oneof({ weight: 4, arbitrary: fc.constant(false) }, fc.constant(true)),
  createdAt: fc.nat({ max: 4 }),
});

const equal = <A>(value: fc.Arbitrary<A>) =>
  fc.oneof(fc.record({ eq: value }), fc.record({ ne: value }), fc.record({ in: fc.array(value, { maxLength: 3 }) }));
const order = <A>(value: fc.Arbitrary<A>) =>
  fc.record({ gt: value, gte: value, lt: value, lte: value }, { requiredKeys: [] });
const number = fc.constantFrom(0, 1, -1.5, 3, 2, -7, 1e300);
const condition = fc.oneof(
  fc.record({ title: fc.oneof(equal(word), order(word)) }),
  fc.record({ done: equal(fc.boolean()) }),
  fc.record({ rank: fc.oneof(equal(number), order(number)) }),
  fc.record({ due: fc.oneof(equal(fc.option(number)), order(number)) }),
  fc.record({ "place.city": fc.oneof(equal(fc.option(word)), order(word)) }),
  fc.record({ "place.lat": equal(fc.option(number)) }),
  fc.record({ place: equal(fc.constant(null)) }),
  fc.record({ tags: equal(word) }),
  fc.record({ $updated: order(fc.nat({ max: 6 })) }),
  fc.record({ $id: equal(fc.integer({ min: 1, max: 14 }).map(documentOf)) }),
);
const filter: fc.Arbitrary<unknown> = fc.letrec<{ filter: unknown }>((tie) => ({
  filter: fc.oneof(
    // Deeper ones than queries may be would be refused.
    { depthSize: "small", maxDepth: 5, withCrossShrink: true },
    condition,
    fc.tuple(condition, condition).map(([left, right]) => ({ ...left, ...right })),
    fc.record({ and: fc.array(tie("filter"), { maxLength: 3 }) }),
    fc.record({ or: fc.array(tie("filter"), { maxLength: 3 }) }),
    fc.record({ not: tie("filter") }),
  ),
})).filter;
const sortKey = fc.record({
  by: fc.constantFrom("title", "done", "rank", "due", "place.city", "place.lat", "$created", "$updated", "$id"),
  descending: fc.boolean(),
});
const query = fc.record(
  {
    where: filter,
    search: fc
      .array(fc.constantFrom("dry", "d", "WALL", "uni", "日本", "本", "語", "w"), { maxLength: 2 })
      .map((words) => words.join(" ")),
    deleted: fc.constantFrom("exclude", "only", "include"),
    sort: fc.array(sortKey, { minLength: 1, maxLength: 3 }),
    limit: fc.integer({ min: 1, max: 6 }),
  },
  { requiredKeys: [] },
);

export const registerQueryContract = (suite: ContractSuite): void => {
  suite.test("lists are filtered, sorted, searched, cut and counted", (store) =>
    Effect.gen(function* () {
      yield* store.appendUpdates([
        stoneEdit(1, stoneView({ title: "Dry wall", rank: 2, tags: ["a", "b"] })),
        stoneEdit(2, stoneView({ title: "Wet wall", rank: 1, tags: ["b"] })),
        stoneEdit(3, stoneView({ title: "Dry stone", rank: 3, tags: [] })),
        stoneEdit(4, stoneView({ title: "Gone", rank: 0, tags: ["a"] }, { deleted: true })),
        edit({ document: documentOf(5), type: "task", row: stoneView({ title: "Dry task" }) }),
      ]);
      const ask = (given: unknown) =>
        Effect.map(store.query(STONES, checkQuery(stone, given)), ({ rows }) => titles(rows));
      expect(yield* ask({})).toEqual(["Dry stone", "Wet wall", "Dry wall"]);
      expect(yield* ask({ sort: { by: "rank" }, limit: 2 })).toEqual(["Wet wall", "Dry wall"]);
      expect(yield* ask({ where: { tags: { eq: "b" } }, sort: { by: "title" } })).toEqual(["Dry wall", "Wet wall"]);
      expect(yield* ask({ search: "dry w" })).toEqual(["Dry wall"]);
      expect(yield* ask({ deleted: "only" })).toEqual(["Gone"]);
      expect(yield* store.count(STONES, checkQuery(stone, { where: { rank: { gte: 2 } } }))).toBe(2);
      expect(yield* store.countBy(STONES, requirePath(stone, "tags", []), checkQuery(stone, {}))).toEqual([
        { value: "b", count: 2 },
        { value: "a", count: 1 },
      ]);
    }),
  );

  suite.test("the index follows the row: values, words, the bin, the time of the last change", (store) =>
    Effect.gen(function* () {
      const ask = (given: unknown) =>
        Effect.map(store.query(STONES, checkQuery(stone, given)), ({ rows }) => titles(rows));
      yield* store.appendUpdates([
        stoneEdit(1, stoneView({ title: "first words", tags: ["x"] })),
        stoneEdit(2, stoneView({ title: "second", tags: ["x"] })),
      ]);
      yield* store.appendUpdates([stoneEdit(1, stoneView({ title: "other words", tags: ["y"] }), 9)]);
      expect(yield* ask({ search: "first" })).toEqual([]);
      expect(yield* ask({ search: "other words" })).toEqual(["other words"]);
      expect(yield* ask({ where: { tags: { eq: "x" } } })).toEqual(["second"]);
      expect(yield* ask({ limit: 1 })).toEqual(["other words"]);
      yield* store.appendUpdates([stoneEdit(2, undefined, 11)]);
      expect(yield* ask({ limit: 1 })).toEqual(["second"]);
      yield* store.appendUpdates([stoneEdit(2, { deleted: true, createdAt: 5, projection: undefined }, 12)]);
      expect(yield* ask({ where: { tags: { in: ["x", "y"] } }, sort: { by: "title" }, limit: 9 })).toEqual([
        "other words",
      ]);
      expect(yield* ask({ deleted: "only", search: "second", sort: { by: "title" }, limit: 9 })).toEqual(["second"]);
    }),
  );

  suite.test("a row that was made by another declaration, or by none, is found by what it has", (store) =>
    Effect.gen(function* () {
      const ask = (given: unknown) =>
        Effect.map(store.query(STONES, checkQuery(stone, given)), ({ rows }) => rows.length);
      yield* store.appendUpdates([
        stoneEdit(1, stoneView({ title: "old", rank: 7 }, {}, "older")),
        stoneEdit(2, undefined),
        stoneEdit(3, stoneView({ title: "new", rank: 7 })),
      ]);
      expect(yield* ask({ where: { rank: { eq: 7 } }, sort: { by: "rank" }, limit: 5 })).toBe(2);
      expect(yield* ask({ where: { rank: { eq: null } } })).toBe(1);
      expect(yield* ask({ search: "ol" })).toBe(1);
      expect(yield* ask({ sort: { by: "title" }, limit: 5 })).toBe(3);
    }),
  );

  suite.test("another workspace's rows and words are its own, and go with it", (store) =>
    Effect.gen(function* () {
      yield* store.addWorkspace(workspaceRecord(OTHER_WORKSPACE), positionRecord(OTHER_WORKSPACE), []);
      const row = stoneView({ title: "same words", tags: ["t"] });
      yield* store.appendUpdates([stoneEdit(1, row), { ...stoneEdit(1, row), workspace: OTHER_WORKSPACE }]);
      const there: RowsOfType = { ...STONES, workspace: OTHER_WORKSPACE };
      const queries = [{ search: "same" }, { where: { tags: { eq: "t" } } }, { sort: { by: "title" }, limit: 4 }];
      for (const given of queries) {
        expect((yield* store.query(STONES, checkQuery(stone, given))).rows).toHaveLength(1);
        expect(yield* store.count(there, checkQuery(stone, given))).toBe(1);
      }
      yield* store.removeWorkspace(OTHER_WORKSPACE);
      yield* store.addWorkspace(workspaceRecord(OTHER_WORKSPACE), positionRecord(OTHER_WORKSPACE), []);
      for (const given of queries) {
        expect(yield* store.count(there, checkQuery(stone, given))).toBe(0);
        expect(yield* store.count(STONES, checkQuery(stone, given))).toBe(1);
      }
    }),
  );

  test("any query over any rows means what it means in memory", async () => {
    expect.hasAssertions();
    await fc.assert(
      fc.asyncProperty(
        fc.array(write, { minLength: 6, maxLength: 30, size: "max" }),
        fc.array(query, { minLength: 4, maxLength: 8, size: "max" }),
        (writes, queries) =>
          suite.run((session) =>
            session(
              populated((store) =>
                Effect.gen(function* () {
                  const words = new Map<DocumentId, ReadonlySet<string>>();
                  for (const { number: n, time, kind, fields: shown, deleted, createdAt } of writes) {
                    const known = { deleted, createdAt };
                    const row = stoneView(shown, known, kind === "other" ? "older" : FINGERPRINT);
                    const written =
                      kind === "raw" ? undefined : kind === "unknown" ? { ...known, projection: undefined } : row;
                    const type = kind === "task" ? "task" : "stone";
                    yield* store.appendUpdates([{ ...stoneEdit(n, written, time), type }]);
                    if (written?.projection?.searchText !== undefined)
                      words.set(documentOf(n), wordsOf(written.projection.searchText));
                  }
                  const known = (yield* store.documentPage(WORKSPACE, undefined, 1_000)).map((record) => ({
                    record,
                    words: words.get(record.document) ?? new Set<string>(),
                  }));
                  for (const given of queries) yield* compare(store, known, given);
                }),
              ),
            ),
          ),
      ),
      { numRuns: suite.sequences },
    );
  });
};
