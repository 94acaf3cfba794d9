export * from "./backoff.ts";
export * from "./compare.ts";
export * from "./receive.ts";
export * from "./send.ts";
export * from "./settle.ts";
