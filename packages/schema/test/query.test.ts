import { Schema } from "effect";
import fc from "fast-check";
import { describe, expect, expectTypeOf, test } from "vitest";

import {
  type Filter,
  type Query,
  QUERY_LIMITS,
  QueryInvalid,
  checkQuery,
  compareText,
  defineDocument,
  field,
  filterablePaths,
  indexedValues,
  orderKey,
  parseQuery,
  projectionFingerprint,
  runQuery,
  scalarOf,
  type Scalar,
  SchemaDefinitionError,
  wordsOf,
} from "@cairn/schema";

const place = Schema.Struct({
  city: Schema.String,
  lat: Schema.NullOr(Schema.Finite),
  labels: Schema.optionalKey(Schema.Array(Schema.String)),
});

const stone = defineDocument({
  fields: {
    title: field.string({ list: true, indexed: true, searchable: true }),
    done: field.boolean({ filterable: true }),
    rank: field.number({ indexed: true }),
    kind: field.value(Schema.Literals(["slate", "granite"]), { default: "slate", filterable: true }),
    due: field.value(Schema.NullOr(Schema.Int), { default: null, indexed: true }),
    place: field.value(Schema.NullOr(place), { default: null, indexed: ["city", "labels"], filterable: true }),
    tags: field.set(Schema.String, { indexed: true }),
    seen: field.counter({ filterable: true }),
    hidden: field.string({ list: true }),
    body: field.text({ list: "preview", searchable: true }),
  },
});

interface Stone {
  readonly id: string;
  readonly fields: Readonly<Record<string, unknown>>;
  readonly createdAt: number;
  readonly updatedAt: number;
  readonly deleted: boolean;
}

const row = (id: string, fields: Readonly<Record<string, unknown>> = {}, more: Partial<Stone> = {}): Stone => ({
  id,
  fields: { title: "", done: false, rank: 0, kind: "slate", due: null, place: null, tags: [], seen: 0, ...fields },
  createdAt: 0,
  updatedAt: 0,
  deleted: false,
  ...more,
});

const ids = (query: Query<typeof stone>, rows: ReadonlyArray<Stone>): ReadonlyArray<string> =>
  runQuery(checkQuery(stone, query), rows, ({ fields }) => wordsOf(String(fields["title"]))).rows.map(({ id }) => id);

const found = (where: Filter<typeof stone>, ...rows: ReadonlyArray<Stone>) => ids({ where, sort: { by: "$id" } }, rows);

describe("what a filter means", () => {
  test("equal is of one type and one value; absent is null; ne is its opposite", () => {
    const rows = [row("a", { due: 1 }), row("b", { due: null }), row("c", { due: undefined }), row("d", { due: "1" })];
    expect(found({ due: { eq: 1 } }, ...rows)).toEqual(["a"]);
    expect(found({ due: { eq: null } }, ...rows)).toEqual(["b", "c"]);
    expect(found({ due: { ne: 1 } }, ...rows)).toEqual(["b", "c", "d"]);
    expect(found({ due: { ne: null } }, ...rows)).toEqual(["a", "d"]);
    expect(found({ due: { in: [1, null] } }, ...rows)).toEqual(["a", "b", "c"]);
    expect(found({ due: { in: [] } }, ...rows)).toEqual([]);
  });

  test("numbers and strings have an order, each among themselves; nothing else is in it", () => {
    const rows = [row("a", { rank: -1 }), row("b", { rank: 2 }), row("c", { rank: "5" }), row("d", { rank: null })];
    expect(found({ rank: { gt: -1 } }, ...rows)).toEqual(["b"]);
    expect(found({ rank: { gte: -1, lt: 2 } }, ...rows)).toEqual(["a"]);
    expect(found({ not: { rank: { gt: -1 } } }, ...rows)).toEqual(["a", "c", "d"]);
    const words = ["Z", "a", "é", "\u{1f600}", "\uffee"].map((title, index) => row(String(index), { title }));
    // By UTF-16 code units: what is beyond the basic plane comes before the end of it.
    expect(ids({ sort: { by: "title" } }, words)).toEqual(["0", "1", "2", "3", "4"]);
    expect(found({ title: { gte: "a", lt: "\u{1f600}" } }, ...words)).toEqual(["1", "2"]);
  });

  test("of a list or a set an item is asked for", () => {
    const rows = [row("a", { tags: ["x", "y"] }), row("b", { tags: ["y"] }), row("c"), row("d", { tags: null })];
    expect(found({ tags: { eq: "x" } }, ...rows)).toEqual(["a"]);
    expect(found({ tags: { ne: "x" } }, ...rows)).toEqual(["b", "c", "d"]);
    expect(found({ tags: { in: ["x", "y"] } }, ...rows)).toEqual(["a", "b"]);
    expect(found({ tags: { eq: "x" }, not: { tags: { eq: "y" } } }, ...rows)).toEqual([]);
  });

  test("dotted paths lead into plain objects, and what is missing on the way is null", () => {
    const rows = [
      row("a", { place: { city: "Chur", lat: 46.8, labels: ["old"] } }),
      row("b", { place: { city: "Bern", lat: null } }),
      row("c"),
    ];
    expect(found({ "place.city": { eq: "Chur" } }, ...rows)).toEqual(["a"]);
    expect(found({ "place.lat": { eq: null } }, ...rows)).toEqual(["b", "c"]);
    expect(found({ "place.lat": { gte: 46 } }, ...rows)).toEqual(["a"]);
    expect(found({ "place.labels": { eq: "old" } }, ...rows)).toEqual(["a"]);
    expect(found({ place: { eq: null } }, ...rows)).toEqual(["c"]);
    expect(found({ or: [{ "place.city": { eq: "Bern" } }, { "place.lat": { gt: 0 } }] }, ...rows)).toEqual(["a", "b"]);
    expect(found({ and: [] }, ...rows)).toEqual(["a", "b", "c"]);
    expect(found({ or: [] }, ...rows)).toEqual([]);
  });

  test("every row has an id and times", () => {
    const rows = [row("a", {}, { updatedAt: 5 }), row("b", {}, { updatedAt: 7, createdAt: 7 }), row("c")];
    expect(found({ $updated: { gte: 5 } }, ...rows)).toEqual(["a", "b"]);
    expect(found({ $created: { eq: 0 }, $id: { in: ["a", "b"] } }, ...rows)).toEqual(["a"]);
  });

  test("the bin is left out unless it is asked for", () => {
    const rows = [row("a"), row("b", {}, { deleted: true })];
    expect(ids({}, rows)).toEqual(["a"]);
    expect(ids({ deleted: "only" }, rows)).toEqual(["b"]);
    expect(ids({ deleted: "include", sort: { by: "$id" } }, rows)).toEqual(["a", "b"]);
  });

  test("a name that every object inherits is no member", () => {
    const open = defineDocument({
      fields: { any: field.value(Schema.Record(Schema.String, Schema.Finite), { default: {}, filterable: true }) },
    });
    const query = checkQuery(open, { where: { "any.constructor": { eq: null } } });
    expect(runQuery(query, [row("a", { any: {} })], () => new Set()).rows).toHaveLength(1);
  });
});

describe("sorting and paging", () => {
  test("the newest change comes first unless told; keys in turn; ties by id in the direction of the last key", () => {
    const rows = [row("a", { rank: 1 }, { updatedAt: 1 }), row("b", { rank: 1 }, { updatedAt: 3 }), row("c")];
    expect(ids({}, rows)).toEqual(["b", "a", "c"]);
    expect(ids({ sort: { by: "rank" } }, rows)).toEqual(["c", "a", "b"]);
    expect(ids({ sort: { by: "rank", descending: true } }, rows)).toEqual(["b", "a", "c"]);
    expect(ids({ sort: [{ by: "rank", descending: true }, { by: "$updated" }] }, rows)).toEqual(["a", "b", "c"]);
    expect(ids({ limit: 1 }, rows)).toEqual(["b"]);
    expect(ids({ limit: 0 }, rows)).toEqual([]);
  });

  test("a page goes on where the last one ended, whatever came, went or changed meanwhile", () => {
    const first = ["a", "b", "c", "d"].map((id, index) => row(id, { rank: index }));
    const query = { sort: { by: "rank" }, limit: 2 } as const;
    const page = runQuery(checkQuery(stone, query), first, () => new Set());
    expect(page.rows.map(({ id }) => id)).toEqual(["a", "b"]);
    const later = [row("0", { rank: -1 }), row("c", { rank: 2 }), row("cc", { rank: 2 }), row("d", { rank: 3 })];
    const next = runQuery(checkQuery(stone, { ...query, after: page.next }), later, () => new Set());
    expect(next.rows.map(({ id }) => id)).toEqual(["c", "cc"]);
    const last = runQuery(checkQuery(stone, { ...query, after: next.next }), later, () => new Set());
    expect(last).toMatchObject({ rows: [{ id: "d" }], next: undefined });
  });

  const scalar = fc.oneof(
    fc.constantFrom<Scalar>(null, false, true, 0, -0, "", "a", "\uffff", "\ud83d\ude00"),
    fc.double({ noNaN: true, noDefaultInfinity: true }),
    fc.string({ unit: "binary" }),
  );
  const rankOf = (value: Scalar) =>
    value === null ? 0 : value === false ? 1 : value === true ? 2 : typeof value === "number" ? 3 : 4;

  test("order keys have the order of values, and give them back", () => {
    fc.assert(
      fc.property(scalar, scalar, (left, right) => {
        const expected =
          rankOf(left) - rankOf(right) ||
          (typeof left === "number" && typeof right === "number"
            ? left - right
            : compareText(String(left), String(right)));
        expect(Math.sign(compareText(orderKey(left), orderKey(right)))).toBe(Math.sign(expected) + 0);
        expect(scalarOf(orderKey(left))).toBe(left === 0 ? 0 : left);
      }),
      { numRuns: 3_000 },
    );
  });

  test("pages put together are the whole list, in any order of keys", () => {
    const rows = fc.uniqueArray(
      fc.record({ id: fc.string({ minLength: 1, maxLength: 3 }), rank: fc.nat({ max: 3 }), due: fc.nat({ max: 2 }) }),
      { selector: ({ id }) => id, maxLength: 20 },
    );
    const keys = fc.array(fc.record({ by: fc.constantFrom("rank", "due", "$id", "title"), descending: fc.boolean() }), {
      minLength: 1,
      maxLength: 3,
    });
    fc.assert(
      fc.property(rows, keys, fc.integer({ min: 1, max: 4 }), (given, sort, limit) => {
        const all = given.map(({ id, rank, due }) => row(id, { rank, due }));
        const whole = runQuery(checkQuery(stone, { sort }), all, () => new Set()).rows;
        const pages: Array<Stone> = [];
        let after: string | undefined;
        do {
          const page = runQuery(checkQuery(stone, { sort, limit, after }), all, () => new Set());
          pages.push(...page.rows);
          after = page.next;
        } while (after !== undefined);
        expect(pages).toEqual(whole);
      }),
    );
  });
});

describe("a query that does not fit", () => {
  const problem = (query: unknown): string => {
    try {
      checkQuery(stone, query);
    } catch (error) {
      if (error instanceof QueryInvalid) return `${error.code} ${error.path.join("/")}`;
      throw error;
    }
    return "accepted";
  };
  const nested = (depth: number): unknown => (depth === 0 ? {} : { not: nested(depth - 1) });

  test.each([
    [{ where: { nothing: { eq: 1 } } }, "query/unknown-field where/nothing"],
    [{ where: { "place.street": { eq: 1 } } }, "query/unknown-field where/place.street"],
    [{ where: { hidden: { eq: "" } } }, "query/not-filterable where/hidden"],
    [{ where: { body: { eq: "" } } }, "query/not-filterable where/body"],
    [{ where: { or: [{}, { rank: { like: 1 } }] } }, "query/operator-not-allowed where/or/1/rank/like"],
    [{ where: { done: { gt: false } } }, "query/operator-not-allowed where/done/gt"],
    [{ where: { tags: { gt: "x" } } }, "query/operator-not-allowed where/tags/gt"],
    [{ where: { rank: { eq: "1" } } }, "query/type-mismatch where/rank/eq"],
    [{ where: { rank: { gt: "1" } } }, "query/type-mismatch where/rank/gt"],
    [{ where: { rank: { eq: Number.NaN } } }, "query/type-mismatch where/rank/eq"],
    [{ where: { title: { eq: "\ud800" } } }, "query/type-mismatch where/title/eq"],
    [{ where: { title: { in: ["x", {}] } } }, "query/type-mismatch where/title/in/1"],
    [{ where: { place: { eq: "x" } } }, "query/type-mismatch where/place/eq"],
    [{ where: { rank: 1 } }, "query/malformed where/rank"],
    [{ where: { or: {} } }, "query/malformed where/or"],
    [{ where: [] }, "query/malformed where"],
    [{ where: nested(QUERY_LIMITS.depth) }, "query/too-large where/not/not/not/not/not/not/not/not"],
    [{ where: { title: { in: Array.from({ length: 501 }, () => "") } } }, "query/too-large where/title/in"],
    [{ where: { title: { eq: "x".repeat(2_001) } } }, "query/too-large where/title/eq"],
    [{ where: { or: Array.from({ length: 101 }, () => ({ rank: {} })) } }, "query/too-large where/or/99/rank"],
    [{ sort: { by: "tags" } }, "query/not-sortable sort/by"],
    [{ sort: { by: "place" } }, "query/not-sortable sort/by"],
    [{ sort: [{ by: "rank" }, { by: "hidden" }] }, "query/not-filterable sort/1/by"],
    [{ sort: "rank" }, "query/malformed sort"],
    [{ sort: [] }, "query/malformed sort"],
    [{ limit: -1 }, "query/malformed limit"],
    [{ search: 1 }, "query/malformed search"],
    [{ search: "x".repeat(501) }, "query/too-large search"],
    [{ after: "x" }, "query/invalid-cursor after"],
    [{ after: JSON.stringify([1, "+rank", ["30"], "a"]) }, "query/invalid-cursor after"],
    [{ deleted: true }, "query/malformed deleted"],
    [{ wehre: {} }, "query/malformed wehre"],
    [[], "query/malformed "],
    [{ where: { rank: { gte: 1 }, "place.lat": { lt: 3 }, not: { or: [] } }, sort: { by: "due" } }, "accepted"],
  ])("is refused with its place, number %#", (query, expected) => {
    expect(problem(query)).toBe(expected);
  });

  test("checking is total on JSON from anywhere", () => {
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 5 }), (value) => {
        for (const query of [value, { where: value }, { sort: value }, { after: value }, { where: { rank: value } }]) {
          expect(problem(query)).toMatch(/^(accepted|query\/)/);
        }
      }),
    );
  });
});

describe("declaring", () => {
  const declare = (fields: Parameters<typeof defineDocument>[0]["fields"]) => () => defineDocument({ fields });

  test("names, places and kinds that filters cannot ask are refused", () => {
    expect(declare({ or: field.boolean({ filterable: true }) })).toThrow(SchemaDefinitionError);
    expect(declare({ r: field.records({ a: field.boolean({ filterable: true }) }) })).toThrow(SchemaDefinitionError);
    expect(declare({ l: field.list(place, { filterable: true }) })).toThrow(SchemaDefinitionError);
    expect(declare({ p: field.value(place, { default: { city: "", lat: 0 }, indexed: ["street"] }) })).toThrow(
      SchemaDefinitionError,
    );
    expect(declare({ or: field.boolean() })).not.toThrow();
  });

  test("indexed values are those of the declared paths, each once", () => {
    expect(filterablePaths(stone).flatMap(({ path, indexed }) => (indexed ? [path] : []))).toEqual(
      "title rank due place.city place.labels tags".split(" "),
    );
    const { fields } = row("a", { tags: ["x", "x", "y"], rank: 2, place: { city: "Chur", lat: 1, labels: [] } });
    expect(indexedValues(stone, fields)).toEqual([
      { path: "title", keys: ["4"] },
      { path: "rank", keys: [orderKey(2)] },
      { path: "due", keys: ["0"] },
      { path: "place.city", keys: ["4Chur"] },
      { path: "place.labels", keys: [] },
      { path: "tags", keys: ["4x", "4y"] },
    ]);
  });

  test("another declaration of what rows are made of has another fingerprint", () => {
    const of = (fields: Parameters<typeof defineDocument>[0]["fields"]) =>
      projectionFingerprint(defineDocument({ fields }));
    const plain = of({ a: field.string({ list: true }) });
    expect(of({ a: field.string({ list: true }), b: field.string() })).toBe(plain);
    const others = [
      of({ a: field.string({ filterable: true }) }),
      of({ a: field.string({ indexed: true }) }),
      of({ a: field.string({ list: true, searchable: true }) }),
      of({ a: field.string({ list: true, default: "x" }) }),
      of({ b: field.string({ list: true, physical: "a" }) }),
    ];
    expect(new Set([plain, ...others]).size).toBe(6);
  });
});

test("queries are typed from the schema: wrong code does not compile", () => {
  type Where = Filter<typeof stone>;
  expectTypeOf<NonNullable<Where["rank"]>["gte"]>().toEqualTypeOf<number | undefined>();
  expectTypeOf<NonNullable<Where["tags"]>["eq"]>().toEqualTypeOf<string | undefined>();
  expectTypeOf<NonNullable<Where["kind"]>["eq"]>().toEqualTypeOf<"slate" | "granite" | undefined>();
  expectTypeOf<NonNullable<Where["place.lat"]>["eq"]>().toEqualTypeOf<number | null | undefined>();
  expectTypeOf<NonNullable<Where["place.labels"]>["eq"]>().toEqualTypeOf<string | null | undefined>();
  expectTypeOf(parseQuery(stone, {})).toEqualTypeOf<Query<typeof stone>>();
  const right: ReadonlyArray<Query<typeof stone>> = [
    { where: { done: { eq: true }, or: [{ rank: { gt: 1 } }, { not: { title: { in: ["a"] } } }] } },
    { where: { place: { eq: null }, $updated: { gt: 0 } }, sort: [{ by: "place.city" }, { by: "$id" }] },
  ];
  expect(right).toHaveLength(2);
  const wrong = (): ReadonlyArray<Query<typeof stone>> => [
    // @ts-expect-error no such field
    { where: { nothing: { eq: 1 } } },
    // @ts-expect-error not declared filterable
    { where: { hidden: { eq: "" } } },
    // @ts-expect-error a number is asked for
    { where: { rank: { eq: "1" } } },
    // @ts-expect-error no such kind
    { where: { kind: { eq: "marble" } } },
    // @ts-expect-error a boolean has no order
    { where: { done: { gt: false } } },
    // @ts-expect-error a set has no order
    { where: { tags: { gt: "x" } } },
    // @ts-expect-error no such operator
    { where: { rank: { like: 1 } } },
    // @ts-expect-error no such member
    { where: { "place.street": { eq: "" } } },
    // @ts-expect-error the same inside of others
    { where: { not: { or: [{ rank: { eq: null, gt: true } }] } } },
    // @ts-expect-error an object is not compared
    { where: { place: { eq: { city: "", lat: 0 } } } },
    // @ts-expect-error rows are not sorted by a set
    { sort: { by: "tags" } },
    // @ts-expect-error nor by what is not filterable
    { sort: { by: "hidden" } },
    // @ts-expect-error nor by an object
    { sort: { by: "place" } },
  ];
  expectTypeOf(wrong).toBeFunction();
});
