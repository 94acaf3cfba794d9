/** The engine's services, for apps and tests that speak Effect themselves. */
export * from "./store/LocalStore.ts";
export type * from "./store/records.ts";
