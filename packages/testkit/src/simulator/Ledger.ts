/**
 * What everybody was told, kept outside of the system: which edits a device called durable, and which entries a server
 * acknowledged. The promises are checked against this, never against what the engine believes.
 */
import type { DeviceId, DocumentId, Hash } from "@cairn/protocol";
import type { NoteVersion } from "./note-schema.ts";

export interface LedgerEdit {
  /** Unique in the run; the edit writes it into its document. */
  readonly id: string;
  /** Index of the device. */
  readonly device: number;
  readonly document: DocumentId;
  /** What it adds to the document's counter. */
  readonly amount: number;
  /** Characters that it adds to the document's text. */
  readonly characters: number;
  /** Of the app that made it. */
  readonly version: NoteVersion;
  /** It adds a line, which is its id. */
  readonly line: boolean;
  /** The key of the mark that it sets. */
  readonly mark: string | undefined;
  /** `durable`: the store committed it. `uncertain`: it was durable, on a disk that was replaced by an older one. */
  state: "asked" | "durable" | "uncertain";
  /** The app was told that it is saved. */
  saved: boolean;
}

export interface Acknowledged {
  readonly device: DeviceId;
  readonly counter: number;
  readonly hash: Hash;
  readonly seq: number | undefined;
}

export class Ledger {
  readonly edits = new Map<string, LedgerEdit>();
  readonly #editByUpdate = new WeakMap<Uint8Array, LedgerEdit>();
  /** By device and counter. */
  readonly acknowledged = new Map<string, Acknowledged>();
  /** What broke a promise while the run went on. */
  readonly violations: Array<string> = [];

  /** The newest version of an app that wrote a line, by document. */
  readonly #newest = new Map<DocumentId, NoteVersion>();

  /** Whether an app of a newer version has written the form that this edit's app has moved away from. */
  isLate({ line, document, version }: LedgerEdit): boolean {
    return line && (this.#newest.get(document) ?? 1) > version;
  }

  ask(edit: LedgerEdit, update: Uint8Array): void {
    if (edit.line && (this.#newest.get(edit.document) ?? 1) < edit.version) {
      this.#newest.set(edit.document, edit.version);
    }
    this.edits.set(edit.id, edit);
    this.#editByUpdate.set(update, edit);
  }

  editOf(update: Uint8Array): LedgerEdit | undefined {
    return this.#editByUpdate.get(update);
  }

  acknowledge(entry: Acknowledged): void {
    const key = `${entry.device}/${entry.counter}`;
    const known = this.acknowledged.get(key);
    // Promise 2: the same entry has one place in the log, whoever asks how often.
    if (known !== undefined && known.hash === entry.hash && known.seq !== undefined && entry.seq !== undefined) {
      if (known.seq !== entry.seq) {
        this.violations.push(`promise 2: ${key} was acknowledged at ${known.seq} and at ${entry.seq}`);
      }
    }
    if (known === undefined || entry.seq !== undefined) this.acknowledged.set(key, entry);
  }

  /** The device's disk is as it was before these edits: they may be gone with it. */
  diskReplaced(device: number, since: ReadonlySet<string>): void {
    for (const edit of this.edits.values()) {
      if (edit.device === device && !since.has(edit.id) && edit.state === "durable") edit.state = "uncertain";
    }
  }

  /** Ids of a device's durable edits. */
  durableOf(device: number): Set<string> {
    const ids = new Set<string>();
    for (const edit of this.edits.values()) if (edit.device === device && edit.state === "durable") ids.add(edit.id);
    return ids;
  }
}
