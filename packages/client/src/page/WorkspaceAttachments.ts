/** The attachments of a workspace's documents on the page. */
import type { DocumentId } from "@cairn/protocol";
import type { AttachmentInfo, AttachmentSource, TransferOptions, Workspace } from "../workspace-api.ts";
import type { Unsubscribe } from "../subscription.ts";
import * as Attachments from "./attachments.ts";
import { checkSize } from "./check-arguments.ts";
import type { PlainDocument } from "./PlainDocument.ts";

/** The attachments of a document that changes are looked at no more often. */
const ATTACHMENTS_MILLIS = 100;

interface AttachmentsOf extends Attachments.AttachmentContext {
  /** The open document, or one that is open as long as `use` runs. */
  readonly withDocument: <A>(id: DocumentId, use: (document: PlainDocument) => Promise<A> | A) => Promise<A>;
  /** Throws where this app may write nothing new. */
  readonly requireWritable: () => void;
}

type Asked = "attach" | "removeAttachment" | "onAttachments" | "readAttachment";

export class WorkspaceAttachments implements Pick<Workspace<never>, Asked> {
  readonly #of: AttachmentsOf;
  readonly #changeListeners = new Set<(documents: ReadonlySet<DocumentId>) => void>();
  readonly #transferListeners = new Set<() => void>();

  constructor(of: AttachmentsOf) {
    this.#of = of;
  }

  /** These documents were changed. */
  changed(documents: ReadonlySet<DocumentId>): void {
    for (const listener of this.#changeListeners) listener(documents);
  }

  /** Something of an attachment came or went. */
  transferred(): void {
    for (const listener of this.#transferListeners) listener();
  }

  async attach(id: DocumentId, source: AttachmentSource, options: TransferOptions = {}): Promise<AttachmentInfo> {
    checkSize(source.size);
    this.#of.requireWritable();
    const info = await this.#of.withDocument(id, (document) => Attachments.attach(this.#of, document, source, options));
    this.transferred();
    return info;
  }

  async removeAttachment(id: DocumentId, attachment: string): Promise<void> {
    this.#of.requireWritable();
    await this.#of.withDocument(id, (document) => Attachments.removeAttachment(this.#of, document, attachment));
  }

  onAttachments(id: DocumentId, callback: (attachments: ReadonlyArray<AttachmentInfo>) => void): Unsubscribe {
    let ended = false;
    const list = async (): Promise<void> => {
      const attachments = await this.#of.withDocument(id, (document) =>
        Attachments.listAttachments(this.#of, document),
      );
      if (!ended) callback(attachments);
    };
    const tell = (): void => {
      // A document that cannot be opened has no attachments to show; the next change asks again.
      list().catch(() => undefined);
    };
    // Each key pressed in a document changes it, and hardly ever its attachments.
    let soon: ReturnType<typeof setTimeout> | undefined;
    const onDocuments = (documents: ReadonlySet<DocumentId>): void => {
      if (!documents.has(id)) return;
      soon ??= setTimeout(() => {
        soon = undefined;
        tell();
      }, ATTACHMENTS_MILLIS);
    };
    this.#transferListeners.add(tell);
    this.#changeListeners.add(onDocuments);
    tell();
    return () => {
      ended = true;
      clearTimeout(soon);
      this.#transferListeners.delete(tell);
      this.#changeListeners.delete(onDocuments);
    };
  }

  readAttachment(
    id: DocumentId,
    attachment: string,
    options: TransferOptions = {},
  ): Promise<ReadableStream<Uint8Array>> {
    return this.#of.withDocument(id, (document) => Attachments.readAttachment(this.#of, document, attachment, options));
  }
}
