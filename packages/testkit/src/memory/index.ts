/** Stores in memory that keep the contracts of the real ones. */
export * from "./MemoryStore.ts";
