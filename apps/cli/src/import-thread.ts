/** Where the documents of an export are merged: one that takes long can be given up, and so can the command (rule 15). */
import { runImportThread } from "@cairn/client/import-thread";
import { schema } from "./any-documents.ts";

runImportThread({ schema });
