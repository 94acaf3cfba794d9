/**
 * What everybody was told, kept outside of the system: which edits a device called durable, and which entries a server
 * acknowledged. The promises are checked against this, never against what the engine believes.
 */
import type { DeviceId, DocumentId, Hash } from "@cairn/protocol";
import type { NoteVersion } from "./note-schema.ts";
import type { OutlineChange } from "./outline.ts";

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
  /** What it does to the document's outline. */
  readonly outline: OutlineChange | undefined;
  /** The key of the mark that it sets. */
  readonly mark: string | undefined;
  /**
   * `durable`: the store committed it. `uncertain`: it was durable, on a disk that was replaced by an older one. `given-up`: a
   * person gave it up, or took it into another document, so that it is in this one nowhere.
   */
  state: "asked" | "durable" | "uncertain" | "given-up";
  /** The app was told that it is saved. */
  saved: boolean;
  /**
   * It set its mark within one that a person gave up, or moved a node to where such a one was: that is nowhere, which the person
   * is to be told.
   */
  unplaced: boolean;
}

/** A document that was made of another one's content. */
export interface LedgerFork {
  /** Index of the device. */
  readonly device: number;
  /** The ids of the edits that it was made with, and that nobody has given up since. */
  readonly edits: Set<string>;
  /** On a disk that was replaced by an older one: it may be gone. */
  uncertain: boolean;
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
  readonly forks = new Map<DocumentId, LedgerFork>();
  /**
   * Paths of what went with edits that were given up, and that the person has not been told of yet, by device and document;
   * for what was done to an outline the path of all of it.
   */
  readonly unplaced = new Map<string, Set<string>>();
  /** Where nodes were moved behind edits that were given up, by device and document: others may have taken their places away. */
  readonly movedBehind = new Set<string>();
  /** Devices whose disk was replaced: what was given up there may wait again. */
  readonly #replaced = new Set<number>();
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

  /** A person gave these edits of a document up. */
  giveUp(document: DocumentId, ids: Iterable<string>): void {
    for (const id of ids) {
      this.forks.get(document)?.edits.delete(id);
      const edit = this.edits.get(id);
      if (edit?.document === document) edit.state = this.#replaced.has(edit.device) ? "uncertain" : "given-up";
    }
  }

  /** The device's disk is as it was before these edits: they may be gone with it, and what was given up since may be back. */
  diskReplaced(device: number, since: ReadonlySet<string>): void {
    this.#replaced.add(device);
    for (const edit of this.edits.values()) {
      if (edit.device !== device) continue;
      if (edit.state === "given-up" || (edit.state === "durable" && !since.has(edit.id))) edit.state = "uncertain";
    }
    for (const [document, fork] of this.forks)
      if (fork.device === device && !since.has(document)) fork.uncertain = true;
  }

  /** Ids of a device's durable edits, and of the documents that it has made of others. */
  durableOf(device: number): Set<string> {
    const ids = new Set<string>();
    for (const edit of this.edits.values()) if (edit.device === device && edit.state === "durable") ids.add(edit.id);
    for (const [document, fork] of this.forks) if (fork.device === device && !fork.uncertain) ids.add(document);
    return ids;
  }
}
