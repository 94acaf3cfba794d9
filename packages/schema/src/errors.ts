/** What can go wrong when a schema is declared or a document is written. Reading and projecting never fail. */
import { Data } from "effect";

import { jsonPointer } from "./json.ts";

/** A schema's declaration contradicts itself or the rules of physical names. A defect of the app, thrown at definition. */
export class SchemaDefinitionError extends Data.TaggedError("SchemaDefinitionError")<{
  readonly code: "schema/invalid-definition";
  readonly path: ReadonlyArray<string>;
  readonly reason: string;
}> {
  override get message(): string {
    return `${jsonPointer(this.path)}: ${this.reason}`;
  }
}

/** A write that was refused. The document is as it was before. */
export class SchemaWriteError extends Data.TaggedError("SchemaWriteError")<{
  /**
   * `schema/invalid-value`: the value does not fit the field; correct it and write again.
   * `schema/out-of-range`: no such position; read the field again.
   * `schema/slot-occupied`: another program put a plain value where this field's container belongs; the field can be
   * read as empty and not written, until an app that knows that value has moved it.
   * `schema/conversion-failed`: a step's `down` throws for the value or gives what the version before refuses; a defect of
   * the step, which `cairn schema check` finds.
   */
  readonly code: "schema/invalid-value" | "schema/out-of-range" | "schema/slot-occupied" | "schema/conversion-failed";
  readonly path: ReadonlyArray<string | number>;
  readonly reason: string;
}> {
  override get message(): string {
    return `${jsonPointer(this.path)}: ${this.reason}`;
  }
}
