/** What `@cairn/client` exports besides `openCairn`, the same in browsers and in Node. */
export type * from "./api.ts";
export type * from "./document-api.ts";
export type * from "./rows-api.ts";
export type * from "./subscription.ts";
export type * from "./sync-api.ts";
export type * from "./type-names.ts";
export type * from "./workspace-api.ts";
export { CairnError, type CairnErrorCode } from "./errors.ts";
export { storageRemedyOf } from "./platform/storage-problems.ts";
export { PatchInvalid, QueryInvalid } from "@cairn/schema";
