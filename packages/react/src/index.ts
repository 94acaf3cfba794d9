export { type CairnHooks, type CairnProviderProps, type CairnState, createCairnHooks } from "./hooks.ts";
export { type DocumentState, useDocumentView, useSaved } from "./document.ts";
export { useSyncState } from "./sync.ts";
