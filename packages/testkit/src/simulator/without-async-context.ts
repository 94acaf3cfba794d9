/**
 * Imported before Effect, in threads of campaigns alone: Effect captures an async context whenever a fiber suspends, for
 * `AsyncLocalStorage`, which nothing in a run uses. Without it a run takes a twentieth less.
 */
Object.defineProperty(globalThis.process, "getBuiltinModule", { value: undefined });

/** Errors are made by the thousand and looked at by their tags; a seed that fails is run again where stacks are kept. */
Error.stackTraceLimit = 0;
