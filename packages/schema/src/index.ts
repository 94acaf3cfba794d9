export * from "./attachment.ts";
export {
  type DocumentSchema,
  type DocumentType,
  type DocumentTypes,
  type FieldsOf,
  PLAIN_ROOT,
  STATE_ROOT,
  defineDocument,
  defineSchema,
} from "./document-type.ts";
export { createdAt, describeDocument, documentTypeName, isDeleted, setDeleted } from "./document-state.ts";
export {
  type CounterWriter,
  type Editor,
  type EditorOf,
  type ListEntry,
  type ListWriter,
  type MapWriter,
  type MovableListWriter,
  type PlainWriter,
  type RecordsWriter,
  type SetWriter,
  type WriterOf,
  editDocument,
} from "./edit.ts";
export { SchemaDefinitionError, SchemaWriteError } from "./errors.ts";
export {
  type AttachmentsField,
  type CounterField,
  type Field,
  type Fields,
  type ListField,
  type MapField,
  type MovableListField,
  type PlainField,
  type RecordsField,
  type SetField,
  type TextField,
  type ViewOf,
  type ViewOfField,
  field,
} from "./field.ts";
export { type Json, canonicalJson, isJsonWithin } from "./json.ts";
export { type ListedFields, PROJECTION_LIMITS, type Projection, type ProjectionOf, project } from "./project.ts";
export { type Inspection, type InvalidValue, inspectDocument, readDocument } from "./read.ts";
export { attachmentsOf } from "./attachments-of.ts";
export { stateDigestInput } from "./state-digest.ts";

import type { DocumentType } from "./document-type.ts";
import type { ViewOf } from "./field.ts";

/** The plain view of a document type. */
export type View<T extends DocumentType> = ViewOf<T["fields"]>;
