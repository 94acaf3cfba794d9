/** The fields of a document type and where replicas store them. */
import type { Field, Fields } from "./field.ts";

/** A field and the key that replicas store it under. */
export interface Slot {
  readonly name: string;
  readonly physical: string;
  readonly field: Field;
}

/** One type of documents. */
export interface DocumentType<Fs extends Fields = Fields> {
  readonly fields: Fs;
}

const slotsByFields = new WeakMap<Fields, ReadonlyArray<Slot>>();

/** The slots of some fields, in the order of their declaration. */
export const slotsOf = (fields: Fields): ReadonlyArray<Slot> => {
  const known = slotsByFields.get(fields);
  if (known !== undefined) return known;
  const slots = Object.entries(fields).map(([name, field]) => ({ name, physical: field.physical ?? name, field }));
  slotsByFields.set(fields, slots);
  return slots;
};
