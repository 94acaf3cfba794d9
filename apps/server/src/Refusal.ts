import { Data } from "effect";

/**
 * Why the server does not start: one paragraph for the person at the terminal, which says what is wrong and what to do
 * about it. `main` prints it without a stack trace and exits with code 1.
 */
export class Refusal extends Data.TaggedError("Refusal")<{
  readonly code:
    | "address-unusable"
    | "certificate"
    | "configuration"
    | "data-newer"
    | "database-too-old"
    | "database-unreachable"
    | "database-unsafe"
    | "folder-in-use"
    | "folder-not-writable"
    | "port-in-use"
    | "embedded-database";
  readonly message: string;
}> {}
