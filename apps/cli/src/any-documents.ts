/**
 * The command knows no app's types: it works on documents as what they are. So it is of no version, and a workspace that
 * rules out older apps rules out none of it: what an import writes is what the backup's app wrote.
 */
import { defineSchema } from "@cairn/schema";

export const schema = defineSchema({ version: Number.MAX_SAFE_INTEGER, documents: {} });
