import { Schema } from "effect";

/**
 * Why the database will not be started, in words for the person at the terminal: `message` is one paragraph that says
 * what is wrong and what to do about it. `code` is stable, for programs and tests.
 */
export class DatabaseRefusal extends Schema.TaggedError<DatabaseRefusal>()("DatabaseRefusal", {
  code: Schema.Literals([
    "binaries-missing",
    "folder-in-use",
    "folder-unreachable",
    "folder-not-writable",
    "major-version",
    "not-starting",
  ]),
  message: Schema.String,
}) {}
