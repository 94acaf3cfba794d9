/** What a look at the versions of a schema found. */

export interface Finding {
  /** `error`: must not be released. `warning`: probably not meant. `note`: good to know. */
  readonly severity: "error" | "warning" | "note";
  /** Stable. */
  readonly code: FindingCode;
  readonly version: number;
  /** Where: `note.title`, or several: `note.first, note.last`. */
  readonly path: string;
  readonly message: string;
  /** What to do next. */
  readonly advice: string;
}

export type FindingCode =
  | "schema/edited"
  | "schema/behaviour-edited"
  | "schema/missing-version"
  | "schema/record-damaged"
  | "schema/no-record"
  | "schema/throws"
  | "schema/misfit"
  | "schema/law"
  | "schema/mutates"
  | "schema/not-deterministic"
  | "schema/narrower"
  | "schema/untested"
  | "schema/loses"
  | "schema/identity-by-position"
  | "schema/identity-by-content"
  | "schema/drops-duplicates"
  | "schema/default-differs"
  | "schema/removed"
  | "schema/looks-renamed"
  | "schema/several-unreleased"
  | "schema/empty-version";
