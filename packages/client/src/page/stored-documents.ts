/** Documents as the engine hands them out: loaded for an editor, or read and given back. */
import type { DocumentId } from "@cairn/protocol";
import {
  configureStyles,
  type DocumentSchema,
  type DocumentType,
  type Fields,
  inspectDocument,
  inspectExtracted,
  type Inspection,
  project,
} from "@cairn/schema";
import { LoroDoc, type PeerID } from "loro-crdt";
import { importUpdates } from "../documents/import-updates.ts";
import { documentTypeOf } from "../engine/engine-schema.ts";
import type { OpenedForPage } from "../engine/EngineApi.ts";

/** Loads a document that this peer is going to write in. */
export const loadLoro = (type: DocumentType | undefined, opened: OpenedForPage, peer: PeerID): LoroDoc => {
  const loro = new LoroDoc();
  loro.setPeerId(peer);
  // Editors, undo and what is applied anew may mark before anybody asks for an editor of the type.
  configureStyles(type, loro);
  if (opened.snapshot !== undefined) loro.import(opened.snapshot);
  importUpdates(loro, opened.updates);
  return loro;
};

/** What a document of this type shows in lists while it is empty. */
export const defaultFields = (type: DocumentType): Readonly<Record<string, unknown>> => {
  const empty = new LoroDoc();
  try {
    return project(type, empty).fields;
  } finally {
    empty.free();
  }
};

/** Reads a document that nobody has open. */
export const readStored = <A>(
  { snapshot, updates }: Pick<OpenedForPage, "snapshot" | "updates">,
  read: (loro: LoroDoc) => A,
): A => {
  const loro = new LoroDoc();
  try {
    if (snapshot !== undefined) loro.import(snapshot);
    importUpdates(loro, updates);
    return read(loro);
  } finally {
    loro.free();
  }
};

/** What the type, or one without fields where it is not declared, makes of a document. */
export const inspectStored = (
  opened: Pick<OpenedForPage, "type" | "snapshot" | "updates">,
  schema: DocumentSchema,
  id: DocumentId,
): Pick<Inspection<Fields>, "invalid" | "unknown"> =>
  readStored(opened, (loro) => {
    const { invalid, unknown } = inspectDocument(documentTypeOf(schema, opened.type) ?? { fields: {} }, loro);
    return { invalid: [...invalid, ...inspectExtracted(schema, opened.type, loro, id)], unknown };
  });
