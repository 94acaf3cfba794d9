export * from "./backoff.ts";
export * from "./compare.ts";
export * from "./entry-state.ts";
export * from "./receive.ts";
export * from "./send.ts";
export * from "./settle.ts";
export * from "./sync-condition.ts";
