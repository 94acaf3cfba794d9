/** What an app's extractions make of documents, where Loro runs. */
import type { DocumentId } from "@cairn/protocol";
import {
  createdAt,
  type DocumentSchema,
  type ExtractedDocument,
  extractedFrom,
  isMarkedExtracted,
  markExtracted,
  writeContribution,
} from "@cairn/schema";
import type { LoroDoc, PeerID } from "loro-crdt";

/** What a document says about others. */
export interface Extracted {
  readonly documents: ReadonlyArray<ExtractedDocument>;
  /** Whether the document remembers all that it was split into. */
  readonly isMarked: boolean;
}

/** What is to be written into a document. */
export interface ExtractionRequest {
  /** The writer, whom nobody else uses. */
  readonly peer: PeerID;
  /** What a source says about it. */
  readonly contributions: ReadonlyArray<{ readonly source: DocumentId; readonly said: ExtractedDocument }>;
  /** What it was split into. */
  readonly marks: ReadonlyArray<ExtractedDocument>;
}

/** What a document says about others; undefined where it says nothing. */
export const extractDocuments = (
  schema: DocumentSchema,
  type: string,
  doc: LoroDoc,
  document: DocumentId,
): Extracted | undefined => {
  const documents = extractedFrom(schema, type, doc, document, createdAt(doc) ?? 0);
  return documents.length === 0 ? undefined : { documents, isMarked: isMarkedExtracted(doc, documents) };
};

/** Writes it, as one update; undefined where nothing has to be written. */
export const writeExtraction = (doc: LoroDoc, request: ExtractionRequest): Uint8Array | undefined => {
  const { peer, contributions, marks } = request;
  const before = doc.oplogVersion();
  try {
    doc.setPeerId(peer);
    const written = contributions.map(({ source, said }) => writeContribution(doc, source, said));
    if (!markExtracted(doc, marks) && !written.includes(true)) return undefined;
    doc.commit();
    return doc.export({ mode: "update", from: before });
  } finally {
    before.free();
  }
};
