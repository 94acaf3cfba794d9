/** Suites that every adapter of the server's ports has to pass. They register vitest tests, in Node. */
export { entryLogContract } from "./entry-log.ts";
export { membershipContract } from "./membership.ts";
export { accessContract } from "./access.ts";
export { type PortsSubject, Scene, type ServerPorts } from "./scene.ts";
