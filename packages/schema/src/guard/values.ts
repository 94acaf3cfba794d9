/**
 * Values of fields to try functions on: what the field's schema generates, its default, and what breaks programs: empty
 * texts, spaces at the ends, separators, extreme numbers, items twice. The same seed gives the same values.
 */
import { Arbitrary, Effect, Result, type Schema } from "effect";
import { isView } from "../evolution/view-shape.ts";
import type { Field, Fields } from "../field-kinds.ts";
import { isPlainObject } from "../json.ts";
import { slotsOf } from "../slots.ts";
import type { Random } from "./random.ts";

/** Draws a value of one field. */
export type Draw = (random: Random) => unknown;

// What programs split, join, trim, compare and number by.
const PIECES = [
  ...Array.from("aabbcA019"),
  ...Array.from("      \n\t.,;:-_/|\\#@&=+*'\"()[]{}<>?!~$%"),
  ...Array.from("aaabbb   éß\u0301\u00a0🥖"),
  ", ",
  " - ",
  "--",
  "://",
  "true",
  "null",
  "-1",
  "__proto__",
];
// Signs, roundings, limits.
const NUMBERS = [
  0,
  1,
  -1,
  2,
  3,
  10,
  59,
  60,
  99,
  100,
  255,
  1000,
  0.5,
  -0.5,
  0.1,
  0.3,
  1.005,
  33.3,
  1e-7,
  1e21,
  Number.MAX_SAFE_INTEGER,
  Number.MIN_SAFE_INTEGER,
  Number.MAX_VALUE,
  -Number.MAX_VALUE,
  Number.MIN_VALUE,
];
const POOL = 48;

const drawText = (random: Random, pieces: ReadonlyArray<string> = PIECES): string =>
  Array.from({ length: random.below(7) }, () => random.pick(pieces) ?? "").join("");

/** What joins the words of texts, to build others with: a function's own separators show in what it makes. */
export const separatorsIn = (values: unknown): ReadonlyArray<string> => {
  if (typeof values === "string") return values.match(/[^\p{L}\p{N}\s]+/gu) ?? [];
  if (typeof values !== "object" || values === null) return [];
  return [...new Set(Object.values(values).flatMap((value: unknown) => separatorsIn(value)))];
};

/** What of a schema can be generated, without what `accepts` refuses. Empty where its checks leave too little to find. */
const poolOf = (schema: Schema.Top, accepts: (value: unknown) => boolean, seed: number): ReadonlyArray<unknown> =>
  [2, 8].flatMap((size): ReadonlyArray<unknown> => {
    try {
      const options = { count: POOL, size, seed };
      const sampled = Effect.runSync(Effect.result(Arbitrary.sampleEffect(Arbitrary.schema(schema), options)));
      return Result.isSuccess(sampled) ? sampled.success.filter(accepts) : [];
    } catch {
      return [];
    }
  });

/** Another value of the same shape: some of its texts, numbers, truths and lengths are others. */
export const disturb = (value: unknown, random: Random, pieces: ReadonlyArray<string> = PIECES): unknown => {
  if (typeof value === "string") {
    switch (random.below(8)) {
      case 0:
        return value.slice(0, random.below(value.length + 1));
      case 1:
        return value.slice(random.below(value.length + 1));
      case 2:
        return value + (random.pick(pieces) ?? "");
      case 3:
        return (random.pick(pieces) ?? "") + value;
      case 4:
        return value + value;
      default:
        return drawText(random, pieces);
    }
  }
  if (typeof value === "number") return random.below(3) === 0 ? value : random.pick(NUMBERS);
  if (typeof value === "boolean") return random.below(2) === 0;
  if (Array.isArray(value)) {
    const items = value.map((item: unknown) => (random.below(2) === 0 ? item : disturb(item, random, pieces)));
    if (random.below(6) === 0) return [];
    return random.below(4) === 0 ? [...items, ...items.slice(0, 1)] : items;
  }
  if (isPlainObject(value)) {
    return Object.fromEntries(Object.entries(value).map(([key, member]) => [key, disturb(member, random, pieces)]));
  }
  return value;
};

interface Items {
  readonly schema: Schema.Top;
  readonly accepts: (value: unknown) => boolean;
}

const drawItem = ({ schema, accepts }: Items, seed: number, known: ReadonlyArray<unknown>): Draw => {
  const pool = [...known, ...poolOf(schema, accepts, seed)];
  return (random) => {
    const chosen = random.below(6) === 0 ? pool[0] : random.pick(pool);
    for (let attempt = 0; attempt < 3 && random.below(3) > 0; attempt += 1) {
      const other = disturb(chosen, random);
      if (accepts(other)) return other;
    }
    return chosen;
  };
};

const several = (draw: Draw, random: Random): ReadonlyArray<unknown> => {
  const items = Array.from({ length: random.below(5) }, () => draw(random)).filter((item) => item !== undefined);
  // The same item twice, as lists have it.
  return items.length > 0 && random.below(5) === 0 ? [...items, items[0]] : items;
};

const KEYS = ["a", "b", "k1", "k2", "A", "a b", "é", "0", "-"];

const byKey = (draw: Draw, random: Random): unknown =>
  Object.fromEntries(
    Array.from({ length: random.below(4) }, () => [random.pick(KEYS) ?? "a", draw(random)] as const).filter(
      ([, value]) => value !== undefined,
    ),
  );

const HASH = "A".repeat(43);
const CHUNK = 4096;

const drawManifest: Draw = (random) => {
  const chunks = random.below(3);
  return {
    name: drawText(random),
    mediaType: random.pick(["", "image/png", "text/plain"]),
    size: chunks * CHUNK,
    chunkSize: CHUNK,
    chunks: Array.from({ length: chunks }, () => ({ sealedHash: HASH, plainHash: HASH })),
    epoch: random.below(3),
    createdAt: random.below(2_000_000_000),
  };
};

const drawFields = (fields: Fields, seed: number): ((random: Random) => Record<string, unknown>) => {
  const draws = slotsOf(fields).map(({ name, field }, index) => [name, drawView(field, seed + index + 1)] as const);
  return (random) => Object.fromEntries(draws.map(([name, draw]) => [name, draw(random)]));
};

const drawNodes = (draw: (random: Random) => object, random: Random): ReadonlyArray<unknown> => {
  let made = 0;
  const nodes = (depth: number): ReadonlyArray<unknown> =>
    Array.from({ length: random.below(depth === 0 ? 4 : 3 - depth) }, () => {
      made += 1;
      return { id: `n${made}`, ...draw(random), children: nodes(depth + 1) };
    });
  return nodes(0);
};

/** Draws views of a field: values as reading the field can give them. `undefined` where none can be generated. */
export const drawView = (field: Field, seed: number): Draw => {
  switch (field.kind) {
    case "plain":
      return drawItem(field, seed, [field.default]);
    case "text":
      return (random) => drawText(random) + (random.below(3) === 0 ? `\n${drawText(random)}` : "");
    case "list":
    case "movableList": {
      const item = drawItem(field, seed, []);
      return (random) => several(item, random);
    }
    case "set": {
      const item = drawItem(field, seed, []);
      return (random) => [...new Set(several(item, random))];
    }
    case "map": {
      const item = drawItem(field, seed, []);
      return (random) => byKey(item, random);
    }
    case "counter":
      return (random) => random.pick(NUMBERS.filter(Number.isSafeInteger));
    case "attachments":
      return (random) => byKey(drawManifest, random);
    case "records": {
      const inner = drawFields(field.fields, seed);
      return (random) => byKey(inner, random);
    }
    case "tree": {
      const inner = drawFields(field.fields, seed);
      return (random) => drawNodes(inner, random);
    }
    case "richText": {
      const styles = Object.entries(field.styles).map(
        ([name, style], index) => [name, drawItem(style, seed + index + 1, [])] as const,
      );
      return (random) => drawRuns(styles, random);
    }
  }
};

const drawRuns = (styles: ReadonlyArray<readonly [string, Draw]>, random: Random): ReadonlyArray<unknown> =>
  Array.from({ length: random.below(4) }, () => {
    const marks = styles
      .filter(() => random.below(3) === 0)
      .map(([name, draw]) => [name, draw(random)] as const)
      .filter(([, value]) => value !== undefined && value !== null);
    const insert = `${drawText(random)}a`;
    return marks.length === 0 ? { insert } : { insert, attributes: Object.fromEntries(marks) };
  });

/** Views of several fields by name. `undefined` where a field has none that fits. */
export const drawViews = (
  fields: Readonly<Record<string, Field>>,
  seed: number,
): ((random: Random) => Readonly<Record<string, unknown>> | undefined) => {
  const draws = Object.entries(fields).map(
    ([name, field], index) => [name, field, drawView(field, seed + index * 101)] as const,
  );
  return (random) => {
    const entries = draws.map(([name, field, draw]) => {
      const value = draw(random);
      return [name, isView(field, value) ? value : undefined] as const;
    });
    return entries.some(([, value]) => value === undefined) ? undefined : Object.fromEntries(entries);
  };
};

/** Whether the schemas within a field can be generated from, so that more than the default is tried. */
export const isGenerated = (field: Field, seed: number): boolean => {
  switch (field.kind) {
    case "plain":
    case "list":
    case "movableList":
    case "set":
    case "map":
      return poolOf(field.schema, field.accepts, seed).length > 0;
    case "records":
    case "tree":
      return slotsOf(field.fields).every(({ field: inner }) => isGenerated(inner, seed));
    case "text":
    case "richText":
    case "counter":
    case "attachments":
      return true;
  }
};
