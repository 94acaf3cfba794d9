/** The public types of open documents. */
import type { DocumentId } from "@cairn/protocol";
import type { AnyPatch, DocumentSchema, Editor, FieldsOf, Inspection, Patch, Version, ViewOf } from "@cairn/schema";
import type { LoroDoc, PeerID } from "loro-crdt";
import type { CairnError } from "./errors.ts";
import type { Unsubscribe } from "./subscription.ts";
import type { TypeName, TypeOf } from "./type-names.ts";

export interface PeerLease {
  readonly peer: PeerID;
  release(): Promise<void>;
}

/** An open document. */
export interface DocumentHandle<S extends DocumentSchema, T extends TypeName<S>> {
  readonly id: DocumentId;
  readonly type: T;
  /** Whether it is in the bin: what `delete` and `restore` of the workspace change, here or elsewhere. */
  deleted(): boolean;
  /** For editor bindings. Its commits travel by themselves; what others wrote is imported into it. */
  readonly loro: LoroDoc;
  read(): ViewOf<FieldsOf<TypeOf<S, T>>>;
  /** What `read` gives, with what does not fit the type and what the type does not declare. */
  inspect(): Inspection<FieldsOf<TypeOf<S, T>>>;
  /** One commit; the first edit of a field that an earlier version stores in another form brings one more. */
  edit(change: (document: Editor<TypeOf<S, T>>) => void): void;
  /** One commit, of all operations or none. Throws `patch-invalid`, whose `cause` is a `PatchInvalid`. */
  patch(patch: Patch<TypeOf<S, T>>): void;
  /** What happened since a version (`loro.frontiers()` of then), as a patch. */
  patchSince(version: Version): AnyPatch;
  /**
   * `replaced`: `loro` is another document from now on, because merging what was received would have taken too long here
   * (rule 15); bind editors anew.
   */
  onChange(callback: (event: { readonly origin: "local" | "remote" | "replaced" }) => void): Unsubscribe;
  /** All commits so far are durable on this device. */
  saved(): boolean;
  /** Calls back at once, and on every change; `failure` says why edits cannot be stored right now. They are kept and tried again. */
  onSaved(callback: (saved: boolean, failure: CairnError | undefined) => void): Unsubscribe;
  /** An import takes long and goes on elsewhere; the content here is older (rule 15). */
  merging(): boolean;
  /**
   * Why nothing new can be written here, as `edit` and `patch` throw it (`app-outdated`); undefined where it can. Commits that
   * a binding makes in `loro` all the same are not stored, which `onSaved` says.
   */
  readOnly(): CairnError | undefined;
  /** Calls back at once, and when it changes. What was committed in `loro` before is stored. */
  onReadOnly(callback: (reason: CairnError | undefined) => void): Unsubscribe;
  close(): Promise<void>;
}
