/** What reading gives, inferred from the fields. */
import type { AttachmentManifest } from "./attachment.ts";
import type {
  AttachmentsField,
  CounterField,
  Field,
  Fields,
  ListField,
  MapField,
  MovableListField,
  PlainField,
  RecordsField,
  RichTextField,
  SetField,
  TextField,
  TreeField,
} from "./field-kinds.ts";
import type { RichText } from "./rich-text.ts";
import type { TreeNode } from "./tree.ts";

type Simplify<T> = { [K in keyof T]: T[K] } & {};

/** What reading a field gives. */
export type ViewOfField<F extends Field> =
  F extends PlainField<infer A>
    ? A
    : F extends TextField
      ? string
      : F extends RichTextField<infer S>
        ? RichText<S>
        : F extends ListField<infer A>
          ? ReadonlyArray<A>
          : F extends MovableListField<infer A>
            ? ReadonlyArray<A>
            : F extends SetField<infer A>
              ? ReadonlyArray<A>
              : F extends MapField<infer A>
                ? Readonly<Record<string, A>>
                : F extends CounterField
                  ? number
                  : F extends AttachmentsField
                    ? Readonly<Record<string, AttachmentManifest>>
                    : F extends RecordsField<infer Fs>
                      ? Readonly<Record<string, ViewOf<Fs>>>
                      : F extends TreeField<infer Fs>
                        ? ReadonlyArray<TreeNode<Fs>>
                        : never;

/** The typed plain view of a document or of a record. */
export type ViewOf<Fs extends Fields> = Simplify<{ readonly [K in keyof Fs]: ViewOfField<Fs[K]> }>;
