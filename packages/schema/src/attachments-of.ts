/** Which attachments a document needs, wherever in the document they are declared. */
import type { LoroDoc } from "loro-crdt";

import type { AttachmentManifest } from "./attachment.ts";
import { type DocumentType, type Slot, slotsOf } from "./document-type.ts";
import type { Fields } from "./field-kinds.ts";
import { isPlainObject } from "./json.ts";
import { readDocument } from "./read.ts";

/** An attachment's random id and its manifest. */
export interface Attachment {
  readonly id: string;
  readonly manifest: AttachmentManifest;
}

/** All valid manifests of a document, in the order of the fields and of the ids. */
export const attachmentsOf = (type: DocumentType, doc: LoroDoc): ReadonlyArray<Attachment> => {
  const slots = slotsOf(type.fields);
  if (!slots.some(mayHoldAttachments)) return [];
  const view: unknown = readDocument(type, doc);
  return slots.flatMap((slot) => within(slot, view));
};

const mayHoldAttachments = ({ field }: Slot): boolean =>
  field.kind === "attachments" ||
  ((field.kind === "records" || field.kind === "tree") && slotsOf(field.fields).some(mayHoldAttachments));

const within = (slot: Slot, view: unknown): ReadonlyArray<Attachment> => {
  const { field } = slot;
  const value = isPlainObject(view) ? view[slot.name] : undefined;
  if (field.kind === "tree") return withinNodes(field.fields, value);
  if (!isPlainObject(value)) return [];
  if (field.kind === "attachments") {
    return Object.entries(value).flatMap(([id, manifest]) => (field.accepts(manifest) ? [{ id, manifest }] : []));
  }
  if (field.kind !== "records") return [];
  return Object.values(value).flatMap((record) => slotsOf(field.fields).flatMap((inner) => within(inner, record)));
};

const withinNodes = (fields: Fields, nodes: unknown): ReadonlyArray<Attachment> =>
  Array.isArray(nodes)
    ? nodes.flatMap((node: unknown) => [
        ...slotsOf(fields).flatMap((inner) => within(inner, node)),
        ...withinNodes(fields, isPlainObject(node) ? node["children"] : undefined),
      ])
    : [];
