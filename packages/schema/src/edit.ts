/**
 * Typed write access to a document.
 *
 * Every write goes straight into the Loro document and belongs to its current transaction: the caller commits, so that
 * one user action is one commit. A value that does not fit is refused with `SchemaWriteError` before anything changes.
 */
import type { LoroDoc, LoroList, LoroMovableList, LoroText } from "loro-crdt";

import type { AttachmentManifest } from "./attachment.ts";
import { clearRecord } from "./clear-record.ts";
import { type DocumentType, type Path, type Slot, slotsOf } from "./slots.ts";
import type {
  AttachmentsField,
  CounterField,
  Field,
  Fields,
  ListField,
  MapField,
  MovableListField,
  PlainField,
  RecordsField,
  RichTextField,
  SetField,
  TextField,
  TreeField,
} from "./field-kinds.ts";
import type { ViewOf } from "./view-of.ts";
import type { Json } from "./json.ts";
import {
  COUNTER,
  type ContainerKind,
  LIST,
  MAP,
  MOVABLE_LIST,
  type Place,
  TEXT,
  findContainer,
  openContainer,
  plainMap,
} from "./place.ts";
import { REMOVED_KEY, fittingItems, readField } from "./read.ts";
import { type RichTextWriter, configureForEditing, richTextWriter } from "./rich-text.ts";
import { type TreeWriter, treeWriter } from "./tree-writer.ts";
import { requireFit, requireKey, requirePosition } from "./write-checks.ts";

/** An item of a list and its position in the container; positions of items that do not fit the schema are left out. */
export interface ListEntry<A> {
  readonly position: number;
  readonly value: A;
}

export interface PlainWriter<A> {
  readonly get: () => A;
  readonly set: (value: A) => void;
  /** Forget the value: the field reads as its default again. */
  readonly reset: () => void;
}
export interface ListWriter<A> {
  readonly get: () => ReadonlyArray<A>;
  readonly entries: () => ReadonlyArray<ListEntry<A>>;
  /** Insert whole items before `position`. */
  readonly insert: (position: number, ...items: ReadonlyArray<A>) => void;
  readonly push: (...items: ReadonlyArray<A>) => void;
  readonly delete: (position: number, count?: number) => void;
}
export interface MovableListWriter<A> extends ListWriter<A> {
  /** Replace the item at `position`; merges with a concurrent move of it. */
  readonly replace: (position: number, item: A) => void;
  readonly move: (from: number, to: number) => void;
}
export interface SetWriter<A> {
  readonly get: () => ReadonlyArray<A>;
  readonly has: (item: A) => boolean;
  readonly add: (item: A) => void;
  readonly remove: (item: A) => void;
}
export interface MapWriter<A> {
  readonly get: () => Readonly<Record<string, A>>;
  readonly set: (key: string, value: A) => void;
  readonly delete: (key: string) => void;
}
export interface CounterWriter {
  readonly get: () => number;
  /** Add a whole number, which may be negative. */
  readonly add: (amount: number) => void;
}
export interface RecordsWriter<Fs extends Fields> {
  readonly get: () => Readonly<Record<string, ViewOf<Fs>>>;
  /** The record under `key`, made if nobody made it yet and brought back (empty) if it was removed. */
  readonly ensure: (key: string) => EditorOf<Fs>;
  /** The record under `key`, or undefined where there is none. */
  readonly edit: (key: string) => EditorOf<Fs> | undefined;
  /** Hide the record and empty it, of what other versions of the app store in it as well. */
  readonly remove: (key: string) => void;
}

export type WriterOf<F extends Field> =
  F extends PlainField<infer A>
    ? PlainWriter<A>
    : F extends TextField
      ? LoroText
      : F extends RichTextField<infer S>
        ? RichTextWriter<S>
        : F extends ListField<infer A>
          ? ListWriter<A>
          : F extends MovableListField<infer A>
            ? MovableListWriter<A>
            : F extends SetField<infer A>
              ? SetWriter<A>
              : F extends MapField<infer A>
                ? MapWriter<A>
                : F extends CounterField
                  ? CounterWriter
                  : F extends AttachmentsField
                    ? MapWriter<AttachmentManifest>
                    : F extends RecordsField<infer Fs>
                      ? RecordsWriter<Fs>
                      : F extends TreeField<infer Fs>
                        ? TreeWriter<Fs>
                        : never;

/**
 * A writer for each field. A text field is its `LoroText`, for editors' bindings; inside a record, asking for it makes
 * the text's container.
 */
export type EditorOf<Fs extends Fields> = { readonly [K in keyof Fs]: WriterOf<Fs[K]> };

/** The editor of a document type. */
export type Editor<T extends DocumentType> = EditorOf<T["fields"]>;

/** Typed write access to a document. Writes nothing by itself; the caller commits. */
export const editDocument = <Fs extends Fields>(type: DocumentType<Fs>, doc: LoroDoc): EditorOf<Fs> => {
  configureForEditing(type, doc);
  return editFields(type.fields, { at: "document", doc }, []);
};

const editFields = <Fs extends Fields>(fields: Fs, place: Place, path: Path): EditorOf<Fs> => {
  const editor = {};
  for (const slot of slotsOf(fields)) {
    // Made when asked for: a text inside a record comes into being by being edited, not by its record being edited.
    Object.defineProperty(editor, slot.name, {
      enumerable: true,
      get: () => writerOf(slot, place, [...path, slot.name]),
    });
  }
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- each property is its field's own writer
  return editor as EditorOf<Fs>;
};

/** The writer of a field (`WriterOf`). */
export const writerOf = (slot: Slot, place: Place, path: Path): unknown =>
  slot.origin === undefined ? storedWriter(slot, place, path) : slot.origin.writer(place, path);

const storedWriter = (slot: Slot, place: Place, path: Path): unknown => {
  const { field, physical } = slot;
  const get = (): unknown => readField(slot, place, path, () => {});
  switch (field.kind) {
    case "plain":
      return {
        get,
        set: (value: Json) => {
          requireFit(field.accepts(value), path);
          plainMap(place).set(physical, value);
        },
        reset: () => deletePlain(place, physical),
      };
    case "text":
      return openContainer(place, TEXT, physical, path);
    case "list":
      return listWriter(LIST, field, physical, place, path, get);
    case "movableList": {
      const open = () => openContainer(place, MOVABLE_LIST, physical, path);
      return {
        ...listWriter(MOVABLE_LIST, field, physical, place, path, get),
        replace: (position: number, item: Json) => {
          requireFit(field.accepts(item), [...path, position]);
          requirePosition(position, open().length - 1, path);
          open().set(position, item);
        },
        move: (from: number, to: number) => {
          requirePosition(from, open().length - 1, path);
          requirePosition(to, open().length - 1, path);
          open().move(from, to);
        },
      };
    }
    case "set":
      return {
        get,
        has: (item: string) => {
          const found = findContainer(place, MAP, physical);
          return typeof found !== "string" && field.accepts(item) && found.get(item) === true;
        },
        add: (item: string) => {
          requireFit(field.accepts(item), [...path, item]);
          openContainer(place, MAP, physical, path).set(item, true);
        },
        remove: (item: string) => deleteKey(place, physical, item),
      };
    case "map":
    case "attachments":
      return {
        get,
        set: (key: string, value: Json) => {
          requireKey(key, path);
          requireFit(field.accepts(value), [...path, key]);
          openContainer(place, MAP, physical, path).set(key, value);
        },
        delete: (key: string) => deleteKey(place, physical, key),
      };
    case "counter":
      return {
        get,
        add: (amount: number) => {
          // Whole numbers only: sums of fractions depend on the order in which they are added, and replicas would differ.
          requireFit(Number.isSafeInteger(amount), path);
          if (amount !== 0) openContainer(place, COUNTER, physical, path).increment(amount);
        },
      };
    case "richText":
      return richTextWriter(field, physical, place, path, get);
    case "tree":
      return treeWriter(physical, place, path, get, (map, at) =>
        editFields(field.fields, { at: "record", doc: place.doc, map }, at),
      );
    case "records":
      return recordsWriter(field, physical, place, path, get);
  }
};

const listWriter = <C extends LoroList | LoroMovableList>(
  kind: ContainerKind<C>,
  field: { readonly accepts: (value: unknown) => boolean },
  physical: string,
  place: Place,
  path: Path,
  get: () => unknown,
) => {
  const length = (): number => {
    const found = findContainer(place, kind, physical);
    return typeof found === "string" ? 0 : found.length;
  };
  const insert = (position: number, ...items: ReadonlyArray<Json>): void => {
    items.forEach((item, index) => requireFit(field.accepts(item), [...path, position + index]));
    requirePosition(position, length(), path);
    if (items.length === 0) return;
    const list: LoroList | LoroMovableList = openContainer(place, kind, physical, path);
    items.forEach((item, index) => list.insert(position + index, item));
  };
  return {
    get,
    entries: () => {
      const found = findContainer(place, kind, physical);
      const items = typeof found === "string" ? [] : found.toArray();
      return fittingItems(field, items, path, () => {}).map(([position, value]) => ({ position, value }));
    },
    insert,
    push: (...items: ReadonlyArray<Json>) => insert(length(), ...items),
    delete: (position: number, count = 1) => {
      requirePosition(position, length(), path);
      requirePosition(position + count, length(), path);
      if (count > 0) openContainer(place, kind, physical, path).delete(position, count);
    },
  };
};

const recordsWriter = (field: RecordsField, physical: string, place: Place, path: Path, get: () => unknown) => {
  const existing = (key: string): Place | undefined => {
    const records = findContainer(place, MAP, physical);
    if (typeof records === "string") return undefined;
    const record = findContainer({ at: "record", doc: place.doc, map: records }, MAP, key);
    return typeof record === "string" || record.get(REMOVED_KEY) === true
      ? undefined
      : { at: "record", doc: place.doc, map: record };
  };
  return {
    get,
    ensure: (key: string) => {
      requireKey(key, path);
      const records = openContainer(place, MAP, physical, path);
      const record = openContainer({ at: "record", doc: place.doc, map: records }, MAP, key, [...path, key]);
      if (record.get(REMOVED_KEY) === true) {
        // What others wrote into it while it was removed.
        clearRecord(record);
        record.delete(REMOVED_KEY);
      }
      return editFields(field.fields, { at: "record", doc: place.doc, map: record }, [...path, key]);
    },
    edit: (key: string) => {
      const record = existing(key);
      return record && editFields(field.fields, record, [...path, key]);
    },
    remove: (key: string) => {
      const record = existing(key);
      if (record === undefined || record.at !== "record") return;
      clearRecord(record.map);
      record.map.set(REMOVED_KEY, true);
    },
  };
};

/** Forget a plain value, in all forms that versions gave it. */
export const forgetPlain = (slot: Slot, place: Place): void => {
  if (slot.origin === undefined) deletePlain(place, slot.physical);
  else slot.origin.forget?.(place);
};

const deletePlain = (place: Place, physical: string): void => {
  const map = plainMap(place);
  if (map.get(physical) !== undefined) map.delete(physical);
};

const deleteKey = (place: Place, physical: string, key: string): void => {
  const map = findContainer(place, MAP, physical);
  if (typeof map !== "string" && map.get(key) !== undefined) map.delete(key);
};
