/** An open document of a declared type: what the app reads and edits. */
import type { DocumentId } from "@cairn/protocol";
import {
  type AnyPatch,
  applyAnyPatch,
  derivePatch,
  describeDocument,
  type DocumentSchema,
  type DocumentType,
  editDocument,
  inspectDocument,
  isDeleted,
  readDocument,
  type Version,
} from "@cairn/schema";
import type { LoroDoc } from "loro-crdt";
import type { DocumentHandle } from "../document-api.ts";
import type { TypeName } from "../type-names.ts";
import type { Unsubscribe } from "../subscription.ts";
import type { CairnError } from "../errors.ts";
import { toPageError } from "./page-errors.ts";
import type { PlainDocument } from "./PlainDocument.ts";

type Handle<S extends DocumentSchema, T extends TypeName<S>> = DocumentHandle<S, T>;

export class OpenDocument<S extends DocumentSchema, T extends TypeName<S>> implements DocumentHandle<S, T> {
  readonly id: DocumentId;
  readonly type: T;
  readonly #documentType: DocumentType;
  readonly #plain: PlainDocument;
  readonly #singleton: string | undefined;

  constructor(schema: S, type: T, plain: PlainDocument, singleton?: string) {
    this.id = plain.id;
    this.type = type;
    // The schema is asked as a whole, since TypeScript cannot follow a declaration through two generic parameters.
    const declared: DocumentSchema = schema;
    this.#documentType = declared.documents[type] ?? { fields: {} };
    this.#plain = plain;
    this.#singleton = singleton;
  }

  #edit(change: (loro: LoroDoc) => void): void {
    this.#plain.editLoro((loro) => {
      change(loro);
      // Nobody creates it: whoever edits it first says what it is.
      if (this.#singleton !== undefined && loro.getPendingTxnLength() > 0)
        describeDocument(loro, { type: this.type, createdAt: Date.now(), singleton: this.#singleton });
    });
  }

  get loro(): LoroDoc {
    return this.#plain.loro;
  }

  deleted(): boolean {
    return isDeleted(this.#plain.loro);
  }

  read(): ReturnType<Handle<S, T>["read"]> {
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- `#documentType` is the one declared under `T`
    return readDocument(this.#documentType, this.#plain.loro) as ReturnType<Handle<S, T>["read"]>;
  }

  inspect(): ReturnType<Handle<S, T>["inspect"]> {
    const { invalid, ...inspected } = inspectDocument(this.#documentType, this.#plain.loro);
    const all = [...invalid, ...this.#plain.notExtracted()];
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- `#documentType` is the one declared under `T`
    return { ...inspected, invalid: all } as ReturnType<Handle<S, T>["inspect"]>;
  }

  edit(change: Parameters<Handle<S, T>["edit"]>[0]): void {
    this.#edit((loro) => {
      // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- `#documentType` is the one declared under `T`
      change(editDocument(this.#documentType, loro) as Parameters<typeof change>[0]);
    });
  }

  patch(patch: Parameters<Handle<S, T>["patch"]>[0]): void {
    try {
      this.#edit((loro) => applyAnyPatch(this.#documentType, loro, patch));
    } catch (error) {
      throw toPageError(error);
    }
  }

  patchSince(version: Version): AnyPatch {
    const { loro } = this.#plain;
    loro.commit();
    return derivePatch(this.#documentType, loro, version, loro.frontiers());
  }

  onChange(callback: Parameters<Handle<S, T>["onChange"]>[0]): Unsubscribe {
    return this.#plain.onChange(callback);
  }

  saved(): boolean {
    return this.#plain.saved();
  }

  onSaved(callback: Parameters<Handle<S, T>["onSaved"]>[0]): Unsubscribe {
    return this.#plain.onSaved(callback);
  }

  readOnly(): CairnError | undefined {
    return this.#plain.readOnly();
  }

  onReadOnly(callback: Parameters<Handle<S, T>["onReadOnly"]>[0]): Unsubscribe {
    return this.#plain.onReadOnly(callback);
  }

  merging(): boolean {
    return this.#plain.merging();
  }

  close(): Promise<void> {
    return this.#plain.close();
  }
}
