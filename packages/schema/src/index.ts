export * from "./attachment.ts";
export {
  type DeprecatedType,
  type DocumentSchema,
  type DocumentType,
  type DocumentTypes,
  type FieldsOf,
  PLAIN_ROOT,
  STATE_ROOT,
  defineDocument,
  defineSchema,
} from "./document-type.ts";
export {
  containerOfJson,
  jsonOfContainer,
  madeAbove,
  operationNaming,
  operationOf,
  renameOperation,
} from "./container-names.ts";
export { type Change, difference, jsonDifference } from "./difference.ts";
export {
  createdAt,
  describeDocument,
  documentTypeName,
  forgetSingleton,
  isDeleted,
  setDeleted,
  singletonKey,
} from "./document-state.ts";
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
export { describeSchema } from "./evolution/describe.ts";
export { type EditedForms, editedForms, type StoredForms } from "./evolution/edited-forms.ts";
export { formVersionOf, isStateKey } from "./evolution/successor-state.ts";
export { forgetPast } from "./evolution/past-versions.ts";
export { evolveSchema } from "./evolution/evolve-schema.ts";
export { extractedFrom, inspectExtracted, isMarkedExtracted, markExtracted } from "./evolution/extract-fields.ts";
export {
  type Contribution,
  type ExtractedDocument,
  type ExtractionTarget,
  extractionsFrom,
  forgetReaches,
  hasExtractions,
  isOnlyExtracted,
  writeContribution,
} from "./evolution/extraction.ts";
export type { AcceptableFinding, Extracted, ExtractStep, Step } from "./evolution/step.ts";
export type { FieldsAt, PathsOf, Steps } from "./evolution/steps.ts";
export {
  hasLostSuccessors,
  renameVersions,
  renewSuccessors,
  settleDocument,
  versionsCarriedFrom,
  versionsOfSuccessors,
} from "./evolution/renew-successors.ts";
export { type NameOfSuccessor, renameSuccessors } from "./evolution/rename-successors.ts";
export { SUCCESSOR_ORIGIN } from "./evolution/successor.ts";
export { SchemaDefinitionError, SchemaWriteError } from "./errors.ts";
export type {
  AttachmentsField,
  CounterField,
  Field,
  Fields,
  ListField,
  MapField,
  MovableListField,
  PlainField,
  RecordsField,
  ReferenceField,
  ReferencesField,
  RichTextField,
  SetField,
  TextField,
  TreeField,
} from "./field-kinds.ts";
export type { ViewOf, ViewOfField } from "./view-of.ts";
export { field } from "./field.ts";
export { type Json, canonicalJson, isJsonWithin } from "./json.ts";
export {
  type ListedFields,
  PROJECTION_LIMITS,
  type Projection,
  type ProjectionOf,
  fittingFields,
  pointerInRow,
  project,
} from "./project.ts";
export { type Inspection, type InvalidValue, REMOVED_KEY, inspectDocument, readDocument } from "./read.ts";
export { type Reference, type ReferenceTarget, referencesOf } from "./reference.ts";
export {
  type Expand,
  type RichText,
  type RichTextRun,
  type RichTextWriter,
  type Style,
  type Styles,
  type TextRange,
  configureStyles,
  style,
} from "./rich-text.ts";
export { MAX_TREE_DEPTH, NODE_KEY, type NodePlace, type TreeNode, isTreeId, nodePlaces } from "./tree.ts";
export type { TreeWriter } from "./tree-writer.ts";
export {
  type Condition,
  type Conditions,
  type FilterOf,
  type Operator,
  QUERY_LIMITS,
  fits,
  requirePath,
} from "./query/filter.ts";
export { compareText, orderKey, scalarOf } from "./query/order.ts";
export {
  type IndexRange,
  type IndexScope,
  type IndexedValues,
  after,
  indexEntries,
  indexRange,
  indexedPath,
  indexedValues,
  movedEntries,
  projectionFingerprint,
} from "./query/projection-index.ts";
export {
  type CheckedQuery,
  type Page,
  type Position,
  type QueryOf,
  type QueryRow,
  type SortKey,
  type SortKeyOf,
  type ValueCount,
  checkQuery,
  comparePositions,
  countValues,
  cursorOf,
  isWanted,
  pageOf,
  parseQuery,
  positionOf,
  runQuery,
  sortCounts,
} from "./query/query.ts";
export { QueryInvalid, type QueryProblemCode } from "./query/query-errors.ts";
export {
  type AskedAt,
  type FilterPath,
  type QueryPath,
  type RowValues,
  type SortPath,
  filterablePaths,
  valueAt,
} from "./query/query-paths.ts";
export { SEARCH_LIMITS, type SearchTerm, holdsTerms, searchTerms, wordsOf } from "./query/search-words.ts";
export { type Scalar, isScalar } from "./query/value-shape.ts";
export { applyAnyPatch, applyPatch } from "./patch/apply-patch.ts";
export { type Version, derivePatch } from "./patch/derive-patch.ts";
export {
  type AnyPatch,
  PATCH_LIMITS,
  PatchInvalid,
  type PatchOf,
  type PatchOperation,
  type PatchPath,
  type PatchProblemCode,
} from "./patch/patch.ts";
export { nodesInOrder } from "./node-order.ts";
export { attachmentsOf } from "./attachments-of.ts";
export { canonicalContent, canonicalContentWithNodes, stateDigestInput } from "./state-digest.ts";

import type { DocumentType } from "./document-type.ts";
import type { ViewOf } from "./view-of.ts";
import type { PatchOf } from "./patch/patch.ts";
import type { FilterOf } from "./query/filter.ts";
import type { QueryOf } from "./query/query.ts";

/** A query over the rows of a document type. */
export type Query<T extends DocumentType> = QueryOf<T["fields"]>;

/** A filter over the rows of a document type. */
export type Filter<T extends DocumentType> = FilterOf<T["fields"]>;

/** A patch of a document type. */
export type Patch<T extends DocumentType> = PatchOf<T["fields"]>;

/** The plain view of a document type. */
export type View<T extends DocumentType> = ViewOf<T["fields"]>;
