/** Failures on the page, as the public API tells them. */
import { PatchInvalid, QueryInvalid } from "@cairn/schema";
import { CairnError } from "../errors.ts";

/** Any failure as a `CairnError`, with what was behind it as its cause. */
export const toPageError = (error: unknown): CairnError => {
  if (error instanceof CairnError) return error;
  if (error instanceof QueryInvalid) return new CairnError("query-invalid", error.message, { cause: error });
  if (error instanceof PatchInvalid) return new CairnError("patch-invalid", error.message, { cause: error });
  return new CairnError("internal", undefined, { cause: error });
};
