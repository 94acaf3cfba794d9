import { version3 } from "./schema/version-3.ts";

/** The notebook's documents, in the version that this app writes. */
export const schema = version3;

export type NotebookSchema = typeof schema;
