/**
 * `@cairn/schema/guard`: looks at the versions of a schema before they are released. For tools, and no part of an app.
 */
export { checkSchema, type CheckOptions } from "./check.ts";
export type { Finding, FindingCode } from "./finding.ts";
export { type Sample, type SchemaRecord, type VersionRecord, recordOf } from "./record.ts";
export { versionsOf } from "./versions.ts";
export { changesBetween } from "./words.ts";
