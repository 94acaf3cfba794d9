export { type CairnHooks, createCairnHooks } from "./hooks.ts";
export { type CairnContext, type CairnProviderProps, type CairnReady, type CairnState } from "./provider.ts";
export { type SuspenseHooks } from "./suspense.ts";
export {
  type DocumentState,
  type Saved,
  useDeleted,
  useDocumentView,
  useMerging,
  useReadOnly,
  useSaved,
} from "./document.ts";
export { useDeadLetters, useOutbox, useStorage, useSync } from "./sync.ts";
