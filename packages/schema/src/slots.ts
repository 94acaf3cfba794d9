/** The fields of a document type and where replicas store them. */
import type { Field, Fields } from "./field-kinds.ts";
import type { Json } from "./json.ts";
import type { Place } from "./place.ts";

/** A stored value that does not fit its field. */
export interface InvalidValue {
  /** Names in the type, then keys or positions. */
  readonly path: ReadonlyArray<string | number>;
  /**
   * `wrong-kind`: a container where a plain value belongs or the reverse. `misfit`: the field's schema refuses it.
   * `conversion`: what an older version of the app stored cannot be converted.
   */
  readonly reason: "wrong-kind" | "misfit" | "conversion";
}

export type Report = (invalid: InvalidValue) => void;
export type Path = ReadonlyArray<string | number>;

/**
 * How a field is read and written whose form came about by a step between two versions. A field without one is stored as it
 * is declared.
 */
export interface Origin {
  readonly kind: "conversion" | "change";
  /** The version that brought this form. */
  readonly version: number;
  /** The key of the step's own state, beside the fields: no physical name can begin with `$`. */
  readonly key: string;
  /** What the step reads: the form of the version before. */
  readonly older: ReadonlyArray<Slot>;
  /** The field's name among those that the step makes. */
  readonly member: string;
  readonly read: (place: Place, path: Path, report: Report) => unknown;
  /** The field's writer (`WriterOf`). */
  readonly writer: (place: Place, path: Path) => unknown;
  /** Forget a plain value, in all forms; undefined where the newer form is a container. */
  readonly forget: ((place: Place) => void) | undefined;
  /** Write down what reading carries over from other forms, where somebody edited the newer form. */
  readonly settle: (place: Place, purpose?: SettlingPurpose) => void;
  /** What the step's forms say. */
  readonly forms: (place: Place) => Forms;
  /**
   * Do to the newer form what was done to it between two states, here or in another replica. Commits. Returns where something
   * could not be done, because what it was done to is not here: paths in the fields that the step makes, an empty one for all
   * of them.
   */
  readonly bring: (place: Place, before: Forms, after: Forms) => ReadonlyArray<Path>;
  /** Plan a plain value's registers, the oldest form first; undefined where the newer form is a container. */
  readonly plan: PlanWrites | undefined;
}

/**
 * What is written down for: `copy` for a document in which nothing of this one's history is, so that all beyond the older form is
 * an edit of the newer one.
 */
export type SettlingPurpose = "copy";

/** What the forms of one step say in one place at one time, as plain values. */
export interface Forms {
  readonly older: Readonly<Record<string, unknown>>;
  readonly newer: Readonly<Record<string, unknown>>;
  /** The forms that the older one comes from, by the keys of their steps. */
  readonly within: ReadonlyMap<string, Forms>;
}

/** Adds to the registers of a place, by key and in the order in which they are written, what it takes to store a value. */
export type PlanWrites = (place: Place, path: Path, value: Json, writes: Map<string, Json>) => void;

/** A field and the key that replicas store it under. */
export interface Slot {
  readonly name: string;
  readonly physical: string;
  readonly field: Field;
  readonly origin: Origin | undefined;
}

/** One type of documents. */
export interface DocumentType<Fs extends Fields = Fields> {
  readonly fields: Fs;
  /** Documents of the type are read and edited, and no new ones are made. */
  readonly deprecated?: boolean;
  /** What earlier versions stored and this one does not show under its old form. Kept, and never taken for unknown. */
  readonly retired?: ReadonlyArray<Slot>;
  /** The extractions that its documents are sources of, by key. */
  readonly extractions?: ReadonlyArray<string>;
}

/** A type of which no new documents are made. */
export interface DeprecatedType<Fs extends Fields = Fields> extends DocumentType<Fs> {
  readonly deprecated: true;
}

const slotsByFields = new WeakMap<Fields, ReadonlyArray<Slot>>();

/** The slots of some fields, in the order of their declaration. */
export const slotsOf = (fields: Fields): ReadonlyArray<Slot> => {
  const known = slotsByFields.get(fields);
  if (known !== undefined) return known;
  const slots = Object.entries(fields).map(([name, field]) => ({
    name,
    physical: field.physical ?? name,
    field,
    origin: field.origin,
  }));
  slotsByFields.set(fields, slots);
  return slots;
};

/** The steps that some slots come from, each once, and what their forms say. */
export const formsOf = (slots: ReadonlyArray<Slot>, place: Place): ReadonlyMap<string, Forms> =>
  new Map([...originsOf(slots)].map(([key, origin]) => [key, origin.forms(place)]));

/** Does in a place what was done between two states of these slots. Commits. Returns as `Origin.bring`, of all their steps. */
export const bringForms = (
  slots: ReadonlyArray<Slot>,
  place: Place,
  before: ReadonlyMap<string, Forms>,
  after: ReadonlyMap<string, Forms>,
): Array<Path> =>
  [...originsOf(slots)].flatMap(([key, origin]) => {
    const [then, now] = [before.get(key), after.get(key)];
    return then === undefined || now === undefined ? [] : origin.bring(place, then, now);
  });

/** Several fields may come from one step. */
const originsOf = (slots: ReadonlyArray<Slot>): ReadonlyMap<string, Origin> =>
  new Map(slots.flatMap(({ origin }) => (origin === undefined ? [] : [[origin.key, origin] as const])));

/** All keys under which a slot stores something, in any of its forms: its own and those of the forms before. */
export const keysOf = (slot: Slot): ReadonlyArray<string> =>
  slot.origin === undefined ? [slot.physical] : [slot.origin.key, ...slot.origin.older.flatMap(keysOf)];
