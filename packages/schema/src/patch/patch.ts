/**
 * Patches: several changes of one document as JSON, applied as operations that merge, all of them or none.
 *
 * A path is dotted (`"place.city"`, `"tasks.t1.label"`), or a list of names where a name holds a dot. It leads to a field, into
 * a plain object, to an entry of a map, or through the records of a document.
 */
import { Data } from "effect";

import type { Fields } from "../field-kinds.ts";
import type { ViewOfField } from "../view-of.ts";
import { type Json, jsonPointer } from "../json.ts";

export type PatchPath = string | ReadonlyArray<string>;

/** One change. Positions are those of what reading gives; of a text, in UTF-16 code units. */
export type PatchOperation<P extends PatchPath = PatchPath, V = Json> =
  /**
   * The value, whole. Of a record: makes it, and sets the given fields. Of a text: changes what differs. Of a node of a
   * tree: makes it, with the name as its key, where there is none, as the last root, and sets the given fields.
   */
  | { readonly op: "set"; readonly path: P; readonly value: V }
  /** The default again; of a container: empty; of a record: gone (rule 16: cleared, never deleted); of a node: gone. */
  | { readonly op: "unset"; readonly path: P }
  /** Counters add up; a plain number is read and written. */
  | { readonly op: "increment"; readonly path: P; readonly by: number }
  /** Into a list before `at` (default: the end), or into a set. */
  | { readonly op: "insert"; readonly path: P; readonly values: ReadonlyArray<Json>; readonly at?: number }
  /** Out of a list from `at` on (`count` default 1), or values out of a set. */
  | { readonly op: "remove"; readonly path: P; readonly at: number; readonly count?: number }
  | { readonly op: "remove"; readonly path: P; readonly values: ReadonlyArray<Json> }
  /** An item of a movable list. */
  | { readonly op: "move"; readonly path: P; readonly from: number; readonly to: number }
  /** A piece of a text. */
  | {
      readonly op: "splice";
      readonly path: P;
      readonly at: number;
      readonly delete?: number;
      readonly insert?: string;
    }
  /** The mark `name` on `count` characters of a rich text from `at` on; null takes it away. */
  | {
      readonly op: "mark";
      readonly path: P;
      readonly at: number;
      readonly count: number;
      readonly name: string;
      readonly value: Json;
    }
  /** A node of a tree, and all below it: below another node (null: a root), at `at` (default: the last). */
  | { readonly op: "place"; readonly path: P; readonly parent: string | null; readonly at?: number };

/** Any patch, as it comes from outside or out of a change. */
export type AnyPatch = ReadonlyArray<PatchOperation>;

type Under<P extends string, K extends string> = P extends "" ? K : `${P}.${K}`;
type SetValue<F> = F extends {
  readonly kind: "plain" | "text" | "richText" | "list" | "movableList" | "set" | "map" | "attachments";
}
  ? F extends Fields[string]
    ? ViewOfField<F>
    : never
  : Json;

type FieldOperations<P extends string, F> = F extends {
  readonly kind: "records";
  readonly fields: infer Fs extends Fields;
}
  ? | {
        readonly op: "set";
        readonly path: `${P}.${string}`;
        readonly value: { readonly [K in keyof Fs]?: SetValue<Fs[K]> };
      }
    | { readonly op: "unset"; readonly path: P | `${P}.${string}` }
    | OperationsWithin<`${P}.${string}`, Fs>
  : F extends { readonly kind: "tree"; readonly fields: infer Fs extends Fields }
    ? | {
          readonly op: "set";
          readonly path: `${P}.${string}`;
          readonly value: { readonly [K in keyof Fs]?: SetValue<Fs[K]> };
        }
      | { readonly op: "unset"; readonly path: P | `${P}.${string}` }
      | Extract<PatchOperation<`${P}.${string}`>, { readonly op: "place" }>
      | OperationsWithin<`${P}.${string}`, Fs>
    : F extends { readonly kind: "richText" }
      ? | { readonly op: "set"; readonly path: P; readonly value: SetValue<F> }
        | Extract<PatchOperation<P>, { readonly op: "unset" | "splice" | "mark" }>
      : F extends { readonly kind: "counter" }
        ? Extract<PatchOperation<P>, { readonly op: "increment" | "unset" }>
        : F extends { readonly kind: "plain" }
          ? | { readonly op: "set"; readonly path: P; readonly value: SetValue<F> }
            | { readonly op: "unset"; readonly path: P }
            | (SetValue<F> extends number ? Extract<PatchOperation<P>, { readonly op: "increment" }> : never)
            | (SetValue<F> extends string | number | boolean ? never : PatchOperation<`${P}.${string}`>)
          : F extends { readonly kind: "text" }
            ? | { readonly op: "set"; readonly path: P; readonly value: string }
              | Extract<PatchOperation<P>, { readonly op: "unset" | "splice" }>
            : F extends { readonly kind: "list" | "set" }
              ? | { readonly op: "set"; readonly path: P; readonly value: SetValue<F> }
                | Extract<PatchOperation<P>, { readonly op: "unset" | "insert" | "remove" }>
              : F extends { readonly kind: "movableList" }
                ? | { readonly op: "set"; readonly path: P; readonly value: SetValue<F> }
                  | Extract<PatchOperation<P>, { readonly op: "unset" | "insert" | "remove" | "move" }>
                : | { readonly op: "set"; readonly path: P; readonly value: SetValue<F> }
                  | Extract<PatchOperation<P>, { readonly op: "unset" }>
                  | Extract<PatchOperation<`${P}.${string}`>, { readonly op: "set" | "unset" | "increment" }>;

type OperationsWithin<P extends string, Fs extends Fields> = string extends keyof Fs
  ? PatchOperation
  : {
      [K in keyof Fs & string]: FieldOperations<Under<P, K>, Fs[K]>;
    }[keyof Fs & string];

/** A patch of a document with these fields. Paths that are lists of names are checked when the patch is applied. */
export type PatchOf<Fs extends Fields> = ReadonlyArray<
  OperationsWithin<"", Fs> | PatchOperation<ReadonlyArray<string>>
>;

/** Bounds of a patch, which may come from outside. */
export const PATCH_LIMITS = { operations: 1_000, names: 16 } as const;

export type PatchProblemCode =
  | "patch/malformed"
  | "patch/too-large"
  | "patch/unknown-field"
  | "patch/operation-not-allowed"
  | "patch/invalid-value"
  | "patch/out-of-range"
  | "patch/slot-occupied";

/** What is wrong with an operation of a patch. Nothing was changed. */
export class PatchInvalid extends Data.TaggedError("PatchInvalid")<{
  readonly code: PatchProblemCode;
  /** Which operation of the patch. */
  readonly index: number;
  /** Its path. */
  readonly path: ReadonlyArray<string>;
  readonly reason: string;
}> {
  override get message(): string {
    return `operation ${this.index}, ${jsonPointer(this.path)}: ${this.reason}`;
  }
}

/** The names of a path. */
export const namesOf = (path: PatchPath): ReadonlyArray<string> => (typeof path === "string" ? path.split(".") : path);

/** A path of names, dotted where no name holds a dot. */
export const pathOf = (names: ReadonlyArray<string>): PatchPath =>
  names.some((name) => name.includes(".")) ? names : names.join(".");
