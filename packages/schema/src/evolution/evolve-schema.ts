/**
 * The next version of a schema: its types as they are declared, each field stored where the version before stored it or in
 * the form that a step gives it. Everything that differs between two versions is said by a step, or it is an error.
 */
import { type DocumentSchema, type DocumentTypes, checkTypes } from "../document-type.ts";
import { SchemaDefinitionError } from "../errors.ts";
import type { Field, Fields, PlainField, RecordsField, TreeField } from "../field-kinds.ts";
import type { Json } from "../json.ts";
import { type DocumentType, type Origin, type Slot, keysOf, slotsOf } from "../slots.ts";
import { changedOrigin } from "./change-origin.ts";
import { convertedOrigin } from "./conversion.ts";
import { isStoredAlike } from "./describe.ts";
import { type Extraction, contributedValues, contributionsSlot, marksSlot, placesSlot } from "./extraction.ts";
import type { ExtractStep, Step } from "./step.ts";
import { type Steps, stepMaker } from "./steps.ts";

/**
 * Declare the version after `older`. Throws `SchemaDefinitionError` where types and steps do not agree, which the path and
 * the reason explain. A version that was released is not edited: what it stored is out there.
 */
export const evolveSchema = <Older extends DocumentTypes, const Newer extends DocumentTypes>(
  older: DocumentSchema<Older>,
  declaration: {
    readonly version: number;
    readonly documents: Newer;
    readonly steps: (step: Steps<Older, Newer>) => ReadonlyArray<Step>;
  },
): DocumentSchema<Newer> => {
  if (declaration.version !== older.version + 1) {
    throw invalid([], `the version after ${older.version} is ${older.version + 1}`);
  }
  checkTypes(declaration.documents);
  const steps = declaration.steps(stepMaker<Older, Newer>());
  for (const name of Object.keys(declaration.documents)) {
    if (!Object.hasOwn(older.documents, name) && wasDeclared(older, name)) {
      throw invalid([name], "an earlier version had a type of that name, and its documents are still there");
    }
  }
  const evolution = new Evolution(declaration.version, declaration.documents, steps);
  const documents = evolution.types(older.documents);
  evolution.requireAllUsed();
  const extractions = [...(older.extractions ?? []), ...evolution.extractions];
  const left = extractions.find(({ type }) => !Object.hasOwn(documents, type));
  if (left !== undefined) {
    throw invalid(
      [left.type],
      "fields of it were extracted, and older apps still write them: deprecate the type instead",
    );
  }
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the declared types, and where their fields are stored
  const evolved = { version: declaration.version, documents: documents as Newer, steps, older };
  return extractions.length === 0 ? evolved : { ...evolved, extractions };
};

const wasDeclared = (schema: DocumentSchema | undefined, name: string): boolean =>
  schema !== undefined && (Object.hasOwn(schema.documents, name) || wasDeclared(schema.older, name));

type GroupStep = Exclude<Extract<Step, { readonly from: ReadonlyArray<string> }>, ExtractStep>;

/** The fields of one place, and what is stored there besides them. */
interface Evolved {
  readonly fields: Fields;
  readonly retired: ReadonlyArray<Slot>;
}

class Evolution {
  readonly #version: number;
  readonly #steps: ReadonlyArray<Step>;
  readonly #used = new Set<Step>();
  /** What leaves documents for others, with the fields that it becomes. */
  readonly extractions: Array<Extraction> = [];
  readonly #newer: DocumentTypes;

  constructor(version: number, newer: DocumentTypes, steps: ReadonlyArray<Step>) {
    this.#version = version;
    this.#newer = newer;
    this.#steps = steps;
  }

  #take(wanted: (step: Step) => boolean): ReadonlyArray<Step> {
    const found = this.#steps.filter(wanted);
    for (const step of found) this.#used.add(step);
    return found;
  }

  requireAllUsed(): void {
    const unused = this.#steps.find((step) => !this.#used.has(step));
    if (unused === undefined) return;
    const path = "path" in unused ? unused.path.split(".") : [unused.type];
    throw invalid(path, `the step "${unused.step}" names what does not exist there`);
  }

  types(older: DocumentTypes): DocumentTypes {
    const newer = this.#newer;
    for (const name of Object.keys(older)) {
      const removed = this.#take((step) => step.step === "removeType" && step.type === name).length > 0;
      if (Object.hasOwn(newer, name) === removed) {
        throw invalid(
          [name],
          removed ? "a removed type is not declared" : "the type is gone; say so: step.removeType(…)",
        );
      }
    }
    return Object.fromEntries(Object.entries(newer).map(([name, type]) => [name, this.#type(name, older[name], type)]));
  }

  #type(name: string, older: DocumentType | undefined, newer: DocumentType): DocumentType {
    const isAdded = this.#take((step) => step.step === "addType" && step.type === name).length > 0;
    if (isAdded !== (older === undefined)) {
      throw invalid(
        [name],
        isAdded ? "the version before has the type already" : "the type is new; say so: step.addType(…)",
      );
    }
    const isDeprecatedNow = this.#take((step) => step.step === "deprecateType" && step.type === name).length > 0;
    const deprecated = newer.deprecated ?? false;
    const was = older?.deprecated ?? false;
    if (isDeprecatedNow && !deprecated) throw invalid([name], "declare the type with `deprecated: true`");
    if (deprecated && !was && !isDeprecatedNow) throw invalid([name], "say so: step.deprecateType(…)");
    if (older === undefined) {
      const arriving = this.#extracted(name, newer.fields);
      return { ...newer, fields: { ...newer.fields, ...Object.fromEntries(arriving) } };
    }
    const { fields, retired } = this.#place(name, older.fields, older.retired ?? [], newer.fields);
    const made = this.extractions.flatMap((extraction) => (extraction.type === name ? [extraction.key] : []));
    const extractions = [...(older.extractions ?? []), ...made];
    return {
      fields,
      retired,
      ...(deprecated ? { deprecated } : {}),
      ...(extractions.length === 0 ? {} : { extractions }),
    };
  }

  #place(path: string, older: Fields, retiredBefore: ReadonlyArray<Slot>, newer: Fields): Evolved {
    const here = path.split(".");
    const olderSlots = new Map(slotsOf(older).map((slot) => [slot.name, slot]));
    const stays = new Map(olderSlots);
    const retired: Array<Slot> = [...retiredBefore];
    const keys = new Set([...slotsOf(older), ...retiredBefore].flatMap(keysOf));
    const made = new Map<string, Field>();

    for (const [name, field] of this.#extracted(path, newer)) made.set(name, field);
    const leave = (name: string): Slot => {
      const slot = stays.get(name);
      if (slot === undefined) {
        throw invalid(
          [...here, name],
          olderSlots.has(name) ? "two steps take this field" : "the version before has no such field",
        );
      }
      stays.delete(name);
      return slot;
    };
    const arrive = (name: string): Field => {
      const field = Object.hasOwn(newer, name) ? newer[name] : undefined;
      if (field === undefined) throw invalid([...here, name], "this version declares no such field");
      if (made.has(name)) throw invalid([...here, name], "two steps make this field");
      return field;
    };

    for (const step of this.#take((candidate) => "path" in candidate && candidate.path === path)) {
      if (!("path" in step)) continue;
      switch (step.step) {
        case "remove":
          retired.push(leave(step.name));
          break;
        case "rename": {
          const slot = leave(step.from);
          made.set(step.to, this.#kept(path, slot, arrive(step.to), step.to));
          break;
        }
        case "extract": {
          const key = extractionKey(this.#version, step);
          const reading = step.reading.flatMap((name) => olderSlots.get(name) ?? []);
          const leaving = step.from.map(leave);
          retired.push(...leaving, marksSlot(key), placesSlot(key));
          this.extractions.push(this.#extraction(step, key, [...leaving, ...reading]));
          break;
        }
        case "add":
          made.set(step.name, this.#added(here, step.name, arrive(step.name), keys));
          break;
        case "convert":
        case "split":
        case "merge":
        case "change": {
          const slots = step.from.map(leave);
          retired.push(...slots);
          const fields = Object.fromEntries(step.to.map((name) => [name, arrive(name)]));
          for (const [name, field] of Object.entries(this.#formed(here, step, slots, fields))) made.set(name, field);
          break;
        }
      }
    }
    for (const [name, slot] of stays) {
      const field = Object.hasOwn(newer, name) ? newer[name] : undefined;
      if (field === undefined)
        throw invalid([...here, name], "the field is gone; say where: step.remove(…) or step.rename(…)");
      if (made.has(name))
        throw invalid([...here, name], "the version before has a field of that name; remove or rename it");
      made.set(name, this.#kept(path, slot, field, name));
    }
    const unsaid = Object.keys(newer).find((name) => !made.has(name));
    if (unsaid !== undefined) throw invalid([...here, unsaid], "the field is new; say so: step.add(…)");
    // In the order in which they are declared.
    const fields = Object.fromEntries(
      Object.keys(newer).flatMap((name) => {
        const field = made.get(name);
        return field === undefined ? [] : [[name, field] as const];
      }),
    );
    return { fields, retired };
  }

  /** The fields of a type that come from documents of others. */
  #extracted(path: string, newer: Fields): ReadonlyArray<readonly [string, Field]> {
    const steps = this.#take((step) => step.step === "extract" && step.into === path);
    const made = steps.flatMap((step) => {
      if (step.step !== "extract") return [];
      const fields = declaredFields(path, newer, step.to);
      const { combine } = step;
      const change = {
        version: this.#version,
        key: `$v${this.#version}.${step.to.join(".")}`,
        older: [contributionsSlot(extractionKey(this.#version, step))],
        newer: fields,
        up: (view: Loose) => {
          const said = contributedValues(view);
          return combine === undefined || said.length === 0 ? said[0] : combine(said.map(seenAs));
        },
      };
      return Object.entries(fields).map(
        ([name, field]) => [name, { ...field, physical: name, origin: changedOrigin(change, name) }] as const,
      );
    });
    const twice = made.find(([name], index) => made.findIndex(([other]) => other === name) < index);
    if (twice !== undefined) throw invalid([path, twice[0]], "two steps make this field");
    return made;
  }

  #extraction(step: ExtractStep, key: string, older: ReadonlyArray<Slot>): Extraction {
    const { path, into, up } = step;
    const target = Object.hasOwn(this.#newer, into) ? this.#newer[into] : undefined;
    if (target === undefined) throw invalid([path], `there is no type "${into}" to extract into`);
    const newer = declaredFields(into, target.fields, step.to);
    if (older.length === 0 || step.to.length === 0) throw invalid([path], "an extraction has fields on both sides");
    return {
      version: this.#version,
      key,
      type: path,
      into,
      older,
      from: step.from,
      newer,
      up: (view: Loose, document: string) => up(seenAs(view), document),
    };
  }

  /** A field that is stored as before. */
  #kept(path: string, slot: Slot, field: Field, name: string): Field {
    const here = [...path.split("."), name];
    if (field.physical !== undefined && field.physical !== slot.physical) {
      throw invalid(here, `it is stored as "${slot.physical}", which never changes`);
    }
    const stored = { physical: slot.physical, ...(slot.origin === undefined ? {} : { origin: slot.origin }) };
    const nests = hasFields(field) && hasFields(slot.field) && field.kind === slot.field.kind;
    if (nests && slot.origin === undefined) {
      const inner = this.#place(`${path}.${slot.name}`, slot.field.fields, slot.field.retired ?? [], field.fields);
      return { ...field, ...stored, fields: inner.fields, retired: inner.retired };
    }
    if (isStoredAlike(slot.field, field)) return { ...field, ...stored };
    if (nests) throw invalid(here, "a step.change(…) made it, so it changes as a whole: use step.change(…)");
    const advice = field.kind === "plain" && slot.field.kind === "plain" ? "step.convert(…)" : "step.change(…)";
    throw invalid(here, `its kind, values or default changed, and older apps still write the old ones; use ${advice}`);
  }

  /** A new field, under a key that nothing was ever stored under. */
  #added(here: ReadonlyArray<string>, name: string, field: Field, keys: Set<string>): Field {
    if (field.physical !== undefined && keys.has(field.physical)) {
      throw invalid([...here, name], `something else was stored as "${field.physical}" before`);
    }
    const physical = field.physical ?? (keys.has(name) ? `${name}-v${this.#version}` : name);
    keys.add(physical);
    return { ...field, physical };
  }

  #formed(here: ReadonlyArray<string>, step: GroupStep, older: ReadonlyArray<Slot>, fields: Fields): Fields {
    if (older.length === 0 || Object.keys(fields).length === 0) {
      throw invalid(here, `the step "${step.step}" has fields on both sides`);
    }
    // The names of released steps do not change, and neither does this.
    const key = `$v${this.#version}.${step.to.join(".")}`;
    const originOf = this.#originsOf(here, step, key, older, fields);
    return Object.fromEntries(
      Object.entries(fields).map(([name, field]) => {
        if (field.physical !== undefined)
          throw invalid([...here, name], "a field that a step makes has no physical name");
        return [name, { ...field, physical: name, origin: originOf(name) }];
      }),
    );
  }

  #originsOf(
    here: ReadonlyArray<string>,
    step: GroupStep,
    key: string,
    older: ReadonlyArray<Slot>,
    fields: Fields,
  ): (name: string) => Origin {
    const version = this.#version;
    const { up, down } = step;
    if (down === undefined) {
      const change = { version, key, older, newer: fields, up: (view: Loose) => up(seenAs(view)) };
      return (name) => changedOrigin(change, name);
    }
    const isPlain = older.every(({ field, origin }) => field.kind === "plain" && origin?.kind !== "change");
    const newer = plainOnly(fields);
    if (!isPlain || newer === undefined) {
      throw invalid(
        here,
        `"${step.step}" is for plain fields; containers, and what was made of them, change by step.change(…)`,
      );
    }
    const conversion = {
      version,
      key,
      older,
      newer,
      up: (values: Values) => up(seenAs(values)),
      down: (values: Values) => down(seenAs(values)),
    };
    return (name) => convertedOrigin(conversion, name);
  }
}

/** Told from all other states beside fields: no name of a field holds a colon. */
const extractionKey = (version: number, { path, to }: ExtractStep): string => `$v${version}:${path}.${to.join(".")}`;

const declaredFields = (type: string, declared: Fields, names: ReadonlyArray<string>): Fields =>
  Object.fromEntries(
    names.map((name) => {
      const field = Object.hasOwn(declared, name) ? declared[name] : undefined;
      if (field === undefined) throw invalid([type, name], "this version declares no such field");
      if (field.physical !== undefined) throw invalid([type, name], "a field that a step makes has no physical name");
      return [name, field];
    }),
  );

type Loose = Readonly<Record<string, unknown>>;
type Values = Readonly<Record<string, Json>>;

// oxlint-disable-next-line typescript/no-unsafe-type-assertion -- a step's functions were typed where they were declared
const seenAs = (values: Loose): Readonly<Record<string, never>> => values as Readonly<Record<string, never>>;

const plainOnly = (fields: Fields): Readonly<Record<string, PlainField>> | undefined => {
  const plain = Object.entries(fields).flatMap(([name, field]) =>
    field.kind === "plain" ? [[name, field] as const] : [],
  );
  return plain.length === Object.keys(fields).length ? Object.fromEntries(plain) : undefined;
};

const hasFields = (field: Field): field is RecordsField | TreeField =>
  field.kind === "records" || field.kind === "tree";

const invalid = (path: ReadonlyArray<string>, reason: string): SchemaDefinitionError =>
  new SchemaDefinitionError({ code: "schema/invalid-definition", path, reason });
