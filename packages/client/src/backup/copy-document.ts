/**
 * A document written anew under another peer id: a deep copy of its containers. Nobody may send operations of others
 * (rule 13), so what comes out of a backup goes in as edits of the device that restores it; the history before stays in
 * the backup.
 *
 * Whether a style grows with text typed at its end is what its type says, or where that is not known, that it does.
 *
 * Of the history a copy has what carrying over may ask for: it goes through the versions that successors name, one after the
 * other. What the type itself carries over is written down before, and asks for none.
 */
import { type Hash, LIMITS } from "@cairn/protocol";
import {
  configureStyles,
  type DocumentType,
  forgetReaches,
  forgetSingleton,
  renameVersions,
  settleDocument,
  STATE_ROOT,
  versionsCarriedFrom,
} from "@cairn/schema";
import { LoroDoc, type PeerID, type VersionVector } from "loro-crdt";
import { type Manifest, manifestsOf } from "./attachments-in.ts";
import { RESTORED_KEY, restoredFrom } from "./document-digest.ts";
import { writeDocumentAlike, type Writing } from "./write-alike.ts";

/** Plain bytes of one update: an entry holds it, so that none is refused for its size, and most copies are one update. */
const UPDATE_BYTES = 3 * 1024 * 1024;
/** States that a document remembers to be made from. */
const MAX_RESTORED = 16;

/** One update of the copy, with the sealed chunks that it begins to refer to. */
export interface CopiedUpdate {
  readonly update: Uint8Array;
  readonly refs: ReadonlyArray<Hash>;
}

export interface CopyOptions {
  readonly peer: PeerID;
  /** The state of the backup that the copy is made from: kept in the copy, so that it is not restored again. */
  readonly digest: Hash;
  /** Where an attachment's chunks are now. */
  readonly relocate: (manifest: Manifest) => Manifest;
  /** Its declared type, where it is known: how its marks grow, and what versions of the app carry over. */
  readonly type?: DocumentType | undefined;
  /** Another document has the place of the one that is copied: this is no singleton. */
  readonly isBeside?: boolean;
}

export interface DocumentCopy {
  /** In order; each fits an entry. */
  readonly updates: ReadonlyArray<CopiedUpdate>;
  /** All of them as one snapshot. */
  readonly snapshot: Uint8Array;
}

/** Makes a copy of a document, in which what reading carries over is written down before. */
export const copyDocument = (source: LoroDoc, options: CopyOptions): DocumentCopy => {
  const target = new LoroDoc();
  try {
    target.setPeerId(options.peer);
    configureStyles(options.type, target);
    if (options.type !== undefined) settleDocument(options.type, source, "copy");
    const copy = new Copy(target);
    const names = new Map<string, Version>();
    // An attachment that is in the document no more may have no chunks to refer to.
    const here = new Set(manifestsOf(source).map(hashesOf));
    const relocateHere: Writing["relocate"] = (manifest) =>
      here.has(hashesOf(manifest)) ? options.relocate(manifest) : undefined;
    for (const version of versionsCarriedFrom(source, options.type)) {
      source.checkout(version);
      names.set(nameOf(version), copy.write(source, relocateHere));
    }
    source.checkoutToLatest();
    const all = copy.write(source, options.relocate);
    // The version before everything is the same in every document.
    forgetReaches(target);
    if (options.isBeside === true) forgetSingleton(target);
    renameVersions(target, (version) => (version.length === 0 ? undefined : (names.get(nameOf(version)) ?? all)));
    const restored = [...restoredFrom(source).filter((digest) => digest !== options.digest), options.digest];
    target.getMap(STATE_ROOT).set(RESTORED_KEY, restored.slice(-MAX_RESTORED));
    return { updates: copy.finish(), snapshot: target.export({ mode: "snapshot" }) };
  } finally {
    target.free();
  }
};

type Version = ReturnType<LoroDoc["frontiers"]>;

const nameOf = (version: Version): string =>
  version
    .map(({ peer, counter }) => `${counter}@${peer}`)
    .toSorted()
    .join(" ");

const hashesOf = ({ chunks }: Manifest): string => chunks.map(({ sealedHash }) => sealedHash).join(" ");

class Copy {
  readonly #doc: LoroDoc;
  readonly #updates: Array<CopiedUpdate> = [];
  #from: VersionVector;
  #refs = new Set<Hash>();
  #bytes = 0;

  constructor(doc: LoroDoc) {
    this.#doc = doc;
    this.#from = doc.oplogVersion();
  }

  /** Makes the copy what the document is; returns the copy's version then. */
  write(source: LoroDoc, relocate: Writing["relocate"]): Version {
    writeDocumentAlike(source, this.#doc, { relocate, spend: (bytes, refs) => this.#spend(bytes, refs) });
    this.#doc.commit();
    return this.#doc.frontiers();
  }

  finish(): ReadonlyArray<CopiedUpdate> {
    this.#cut();
    this.#from.free();
    return this.#updates;
  }

  #cut(): void {
    // Asking for the version commits what is under way: it is the previous one that an update begins after.
    this.#doc.commit();
    this.#updates.push({ update: this.#doc.export({ mode: "update", from: this.#from }), refs: [...this.#refs] });
    this.#from.free();
    this.#from = this.#doc.oplogVersion();
    this.#refs = new Set();
    this.#bytes = 0;
  }

  /** Room for so much more in this update, or a new one. */
  #spend(bytes: number, refs: ReadonlyArray<Hash> = []): void {
    const more = refs.filter((ref) => !this.#refs.has(ref)).length;
    if (this.#bytes > 0 && (this.#bytes + bytes > UPDATE_BYTES || this.#refs.size + more > LIMITS.refs)) this.#cut();
    this.#bytes += bytes;
    for (const ref of refs) this.#refs.add(ref);
  }
}
