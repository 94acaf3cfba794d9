/** Telling containers from plain values without Loro at hand: a schema is declared before its WebAssembly is loaded. */
import type { Container } from "loro-crdt";

const KINDS: ReadonlySet<unknown> = new Set(["Map", "Text", "List", "Tree", "MovableList", "Counter"]);

/** Whether a value out of a Loro document is a container. Plain values that have a `kind` of their own are not. */
export const isContainer = (value: unknown): value is Container => {
  if (typeof value !== "object" || value === null) return false;
  // A container has its methods from its class; what stands in a document as JSON has none.
  const prototype: unknown = Object.getPrototypeOf(value);
  if (typeof prototype !== "object" || prototype === null || !("kind" in prototype)) return false;
  return typeof prototype.kind === "function" && KINDS.has(Reflect.apply(prototype.kind, value, []));
};
