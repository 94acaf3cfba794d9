/** The engine's services, for apps and tests that speak Effect themselves. */
export * from "./documents/Importer.ts";
export { joinUpdates } from "./documents/join-updates.ts";
export { inProcessImporterLayer, makeInProcessImporter } from "./documents/InProcessImporter.ts";
export { Engine, type EngineOptions, type EngineServices, makeEngine } from "./engine/Engine.ts";
export type * from "./engine/EngineApi.ts";
export { Leadership } from "./platform/Leadership.ts";
export { Locks, type LocksShape, makeInProcessLocks } from "./platform/Locks.ts";
export { Notifier, type NotifierShape, type ProfileEvent } from "./platform/Notifier.ts";
export { PeerLeases } from "./platform/PeerLeases.ts";
export { isUnacknowledged } from "./store/is-unacknowledged.ts";
export * from "./store/LocalStore.ts";
export type * from "./store/store-changes.ts";
export { appendRefusal, isNothingLeft, rebuildsOf, withRebuild } from "./store/rebuilds.ts";
export { shownEdits } from "./store/rows/row-state.ts";
export type * from "./store/records.ts";
export * from "./transport/Transport.ts";
export { isRemarkable, isStreamOver, nextStream, piecesOf, type StreamChange, storedState } from "./store/streams.ts";
