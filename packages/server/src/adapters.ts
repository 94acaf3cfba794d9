/** What adapters of the ports are made of: for those who put them on something else than PostgreSQL, or carry frames otherwise. */
export type { CommittedEntry } from "./fan-out/FanOut.ts";
export { readBatch } from "./http/read-batch.ts";
export type { FrameSocket } from "./live/LiveConnection.ts";
export { type LiveHub, makeLiveHub } from "./live/live-hub.ts";
export { type Answer, decideGroup, makePush, type PreparedPush } from "./log/commit-group.ts";
export type { LockedGrant } from "./log/locked-state.ts";
export { certifiedDevice, exceeds } from "./log/membership-rules.ts";
export { RandomBytes } from "./random-bytes.ts";
export { refuse } from "./refusals.ts";
export { SignatureVerifier, type VerifySignature } from "./signatures.ts";
export { kindOf, scopeOf } from "./tokens/grants.ts";
export { checkCertificate, makeSessions, readCertificate } from "./tokens/PostgresTokens.ts";
export { readSession } from "./tokens/session-tokens.ts";
