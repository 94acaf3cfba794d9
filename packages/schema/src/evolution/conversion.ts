/**
 * Plain fields whose form changed between two versions: shadow registers (rule 17).
 *
 * Nothing is written when an app is updated. The newer form is stored beside the older one as `{ value, base }`: a write sets
 * the older registers to what the newer value is in the older form, and the shadow to the value and to that form, its base.
 * A read takes the shadow while its base still is what the older registers say; where an older app wrote later, it converts
 * that. So the older view is always `down` of the newer one, and apps of all versions write side by side.
 *
 * All registers of a write are set next to each other, the oldest form first: of concurrent writes, the same one then wins
 * each register, and no shadow is separated from its base.
 */
import { SchemaWriteError } from "../errors.ts";
import { type Json, canonicalJson, isJsonWithin, isPlainObject } from "../json.ts";
import { type Place, plainMap, plainValue } from "../place.ts";
import { readField } from "../read.ts";
import { type Forms, formsOf, type Origin, type Path, type PlanWrites, type Report, type Slot } from "../slots.ts";
import type { PlainField } from "../field-kinds.ts";
import { forgetPlain } from "../edit.ts";

/** Values by the names that the fields had when the step was declared. */
export type Values = Readonly<Record<string, Json>>;

/** One step from some plain fields to others: a conversion, a split or a merge. */
export interface Conversion {
  readonly version: number;
  /** Where the shadow is stored. */
  readonly key: string;
  readonly older: ReadonlyArray<Slot>;
  /** The fields that the step makes. */
  readonly newer: Readonly<Record<string, PlainField>>;
  readonly up: (older: Values) => unknown;
  readonly down: (newer: Values) => unknown;
}

/** Units (`isJsonWithin`) of a shadow: a value and its base, each within the bound of one plain value. */
const MAX_SHADOW_UNITS = 8_000_000;

const ignore: Report = () => {};

const readOlder = ({ older }: Conversion, place: Place, path: Path, report: Report): Values =>
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- plain fields read as JSON
  Object.fromEntries(older.map((slot) => [slot.name, readField(slot, place, path, report)])) as Values;

/** What the step makes of older values: undefined where it throws or where a value does not fit. */
const fitting = (
  fields: Readonly<Record<string, { readonly accepts: (value: unknown) => boolean }>>,
  values: unknown,
): Values | undefined => {
  if (!isPlainObject(values)) return undefined;
  const names = Object.keys(fields);
  if (!names.every((name) => Object.hasOwn(values, name) && fields[name]?.accepts(values[name]) === true)) {
    return undefined;
  }
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- each was accepted by its plain field
  return Object.fromEntries(names.map((name) => [name, values[name]])) as Values;
};

const attempt = (convert: () => unknown): unknown => {
  try {
    return convert();
  } catch {
    return undefined;
  }
};

const read = (conversion: Conversion, place: Place, path: Path, report: Report): Values => {
  const older = readOlder(conversion, place, path, report);
  const stored = plainValue(place, conversion.key);
  if (stored !== undefined) {
    const shadow = isJsonWithin(stored, MAX_SHADOW_UNITS) && isPlainObject(stored) ? stored : undefined;
    const value = shadow && fitting(conversion.newer, shadow["value"]);
    if (shadow === undefined || value === undefined || !isPlainObject(shadow["base"])) {
      report({ path, reason: "misfit" });
    } else if (canonicalJson(shadow["base"]) === canonicalJson(older)) return value;
  }
  const converted = fitting(
    conversion.newer,
    attempt(() => conversion.up(older)),
  );
  if (converted !== undefined) return converted;
  report({ path, reason: "conversion" });
  return Object.fromEntries(Object.entries(conversion.newer).map(([name, field]) => [name, field.default]));
};

/** Plans the registers of a plain field's new value, in whatever form it is stored. */
export const planPlain = (slot: Slot, place: Place, path: Path, value: Json, writes: Map<string, Json>): void => {
  if (slot.origin === undefined) writes.set(slot.physical, value);
  else slot.origin.plan?.(place, path, value, writes);
};

const plan = (conversion: Conversion, place: Place, path: Path, values: Values, writes: Map<string, Json>): void => {
  const base = fitting(
    Object.fromEntries(conversion.older.map(({ name, field }) => [name, field.kind === "plain" ? field : NOTHING])),
    attempt(() => conversion.down(values)),
  );
  if (base === undefined) {
    throw new SchemaWriteError({
      code: "schema/conversion-failed",
      path,
      reason: `the value has no form that version ${conversion.version - 1} of the schema accepts`,
    });
  }
  planOlder(conversion, place, path, base, writes);
  writes.set(conversion.key, { value: values, base });
};

/** Fields that one earlier step made are written as one: each would otherwise be planned with the other's old value. */
const planOlder = (
  { older }: Conversion,
  place: Place,
  path: Path,
  values: Partial<Values>,
  writes: Map<string, Json>,
): void => {
  const together = new Map<Conversion, { readonly [name: string]: Json }>();
  for (const slot of older) {
    const earlier = slot.origin && conversionOf.get(slot.origin);
    const value = values[slot.name];
    if (value === undefined) continue;
    if (earlier === undefined || slot.origin === undefined) planPlain(slot, place, path, value, writes);
    else together.set(earlier, { ...together.get(earlier), [slot.origin.member]: value });
  }
  for (const [earlier, some] of together) {
    plan(earlier, place, path, { ...read(earlier, place, path, ignore), ...some }, writes);
  }
};

const NOTHING = { accepts: () => false };

/** Sets registers of a place, all of them next to each other in the document's history. */
export const setTogether = (place: Place, writes: ReadonlyMap<string, Json>): void => {
  const map = plainMap(place);
  // Loro leaves out a write of what is there already, and the registers would no longer win or lose together.
  for (const [key, value] of writes) {
    const present: unknown = map.get(key);
    if (present !== undefined && isJsonWithin(present, MAX_SHADOW_UNITS) && same(present, value)) map.delete(key);
  }
  for (const [key, value] of writes) map.set(key, value);
};

const same = (left: Json, right: Json): boolean => canonicalJson(left) === canonicalJson(right);

/**
 * The values that were set between two states. What an older app set alone stays in the older form, as it wrote it, also where
 * it cannot be converted; otherwise they are set in the newer one, beside the values that the place has.
 */
const bring = (conversion: Conversion, place: Place, before: Forms, after: Forms): void => {
  const changed = (form: "older" | "newer"): Values =>
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- plain fields read as JSON
    Object.fromEntries(
      Object.entries(after[form]).filter(([name, value]) => canonicalJson(value) !== canonicalJson(before[form][name])),
    ) as Values;
  const present = read(conversion, place, [], ignore);
  const values = { ...present, ...changed("newer") };
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- plain fields read as JSON
  const older = after.older as Values;
  const converted = fitting(
    conversion.newer,
    attempt(() => conversion.up(older)),
  );
  const isKept = canonicalJson(present) === canonicalJson(before.newer);
  const isOlder = converted === undefined || (isKept && canonicalJson(converted) === canonicalJson(after.newer));
  const writes = new Map<string, Json>();
  if (isOlder || Object.keys(changed("newer")).length === 0) planOlder(conversion, place, [], changed("older"), writes);
  else if (canonicalJson(values) !== canonicalJson(present)) plan(conversion, place, [], values, writes);
  if (writes.size === 0) return;
  setTogether(place, writes);
  place.doc.commit();
};

const conversionOf = new WeakMap<Origin, Conversion>();

/** The origin of one of the fields that a conversion makes. */
export const convertedOrigin = (conversion: Conversion, member: string): Origin => {
  const field = conversion.newer[member];
  const planMember: PlanWrites = (place, path, value, writes) =>
    plan(conversion, place, path, { ...read(conversion, place, path, ignore), [member]: value }, writes);
  const forget = (place: Place): void => {
    const map = plainMap(place);
    if (map.get(conversion.key) !== undefined) map.delete(conversion.key);
    for (const slot of conversion.older) forgetPlain(slot, place);
  };
  const origin: Origin = {
    kind: "conversion",
    version: conversion.version,
    key: conversion.key,
    older: conversion.older,
    member,
    plan: planMember,
    read: (place, path, report) => read(conversion, place, path, report)[member],
    writer: (place, path) => ({
      get: () => read(conversion, place, path, ignore)[member],
      set: (value: Json) => {
        if (field?.accepts(value) !== true) {
          throw new SchemaWriteError({
            code: "schema/invalid-value",
            path,
            reason: "the value does not fit the field",
          });
        }
        const writes = new Map<string, Json>();
        planMember(place, path, value, writes);
        setTogether(place, writes);
      },
      // Of the fields that the step made together, all forget their values: the older form holds them as one.
      reset: () => forget(place),
    }),
    settle: (place, purpose) => {
      for (const slot of conversion.older) slot.origin?.settle(place, purpose);
    },
    forms: (place) => ({
      older: readOlder(conversion, place, [], ignore),
      newer: read(conversion, place, [], ignore),
      within: formsOf(conversion.older, place),
    }),
    bring: (place, before, after) => {
      bring(conversion, place, before, after);
      return [];
    },
    forget,
  };
  conversionOf.set(origin, conversion);
  return origin;
};
