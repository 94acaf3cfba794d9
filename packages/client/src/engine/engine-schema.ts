/** The documents that the engine itself keeps in a workspace, besides those of the app's schema. */
import { defineDocument, type DocumentSchema, type DocumentType, field, projectionFingerprint } from "@cairn/schema";

/** The one document that says what a workspace is called. Its id derives from the workspace's secret (rule 14). */
export const WORKSPACE_TYPE = "$workspace";
/** The name from which `Keyring.singletonDocument` derives its id. */
export const WORKSPACE_SINGLETON = "cairn/workspace";

/** The same for the one document that an app has of a type, or of a type and a key. */
export const singletonName = (type: string, key: string): string => `app/${JSON.stringify([type, key])}`;

export const workspaceType = defineDocument({ fields: { name: field.string({ default: "", list: true }) } });

/** A type by name: the app's, or one of the engine's own. Names that begin with `$` are the engine's. */
export const documentTypeOf = (schema: DocumentSchema, name: string): DocumentType | undefined =>
  name === WORKSPACE_TYPE ? workspaceType : Object.hasOwn(schema.documents, name) ? schema.documents[name] : undefined;

/** The types that this program knows, with the fingerprints of their declarations: whose rows it can make. */
export const knownTypes = (schema: DocumentSchema): ReadonlyMap<string, string> =>
  new Map([
    [WORKSPACE_TYPE, projectionFingerprint(workspaceType)],
    ...Object.entries(schema.documents).map(([name, type]) => [name, projectionFingerprint(type)] as const),
  ]);
