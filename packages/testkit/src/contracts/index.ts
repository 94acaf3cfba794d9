/** Suites that every adapter of a port has to pass. They register vitest tests, in Node or in a browser. */
export * from "./local-store.ts";
