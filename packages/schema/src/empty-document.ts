/** Empty documents without Loro at hand: a schema is declared before its WebAssembly is loaded, and lists need neither. */
import type { LoroDoc } from "loro-crdt";

/** An empty document of the library that another one is of. */
export const emptyDocumentLike = (doc: LoroDoc): LoroDoc =>
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- a document's constructor makes documents
  Reflect.construct(doc.constructor, []) as LoroDoc;
