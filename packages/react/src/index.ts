export { type CairnHooks, type CairnProviderProps, type CairnState, createCairnHooks } from "./hooks.ts";
export { type DocumentState, type Saved, useDocumentView, useMerging, useReadOnly, useSaved } from "./document.ts";
export { useDeadLetters, useOutbox, useStorage, useSync } from "./sync.ts";
