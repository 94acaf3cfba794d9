import { runImportThread } from "@cairn/client/import-thread";
import { schema } from "./schema.ts";

runImportThread({ schema });
