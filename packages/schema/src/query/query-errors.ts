/** What is wrong with a query. Nothing was read. */
import { jsonPointer } from "../json.ts";

/**
 * `query/malformed`: not of the form of a query; `query/unknown-field`: the type has no such field; `query/not-filterable`:
 * the field is not declared `filterable`; `query/operator-not-allowed`: no such operator, or none for this type of value;
 * `query/type-mismatch`: the value is of another type than the field; `query/not-sortable`: rows cannot be sorted by it;
 * `query/too-large`: beyond `QUERY_LIMITS`; `query/invalid-cursor`: the cursor is damaged, or belongs to another sorting.
 */
export type QueryProblemCode =
  | "query/malformed"
  | "query/unknown-field"
  | "query/not-filterable"
  | "query/operator-not-allowed"
  | "query/type-mismatch"
  | "query/not-sortable"
  | "query/too-large"
  | "query/invalid-cursor";

/** A plain error: whoever reads rows before anything else is loaded checks nothing, and loads no library for this. */
export class QueryInvalid extends Error {
  readonly _tag = "QueryInvalid";
  readonly code: QueryProblemCode;
  /** Where in the query, from its top. */
  readonly path: ReadonlyArray<string | number>;
  readonly reason: string;

  constructor(problem: Pick<QueryInvalid, "code" | "path" | "reason">) {
    super(`${jsonPointer(problem.path)}: ${problem.reason}`);
    this.name = "QueryInvalid";
    this.code = problem.code;
    this.path = problem.path;
    this.reason = problem.reason;
  }
}
