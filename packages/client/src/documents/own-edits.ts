/** A device's own edits of one document that no server acknowledged, and what becomes of them in a succession (rule 12). */
import type { Hash } from "@cairn/protocol";
import type { PeerID } from "loro-crdt";
import type { EditsMadeAnew } from "./shared-edits.ts";

export interface ReauthorRequest {
  /** What the log has of the document, without what the server does not have. */
  readonly acknowledged: ReadonlyArray<Uint8Array>;
  /** What the server has of this device and this store has not: a clone wrote it, or this very store before it was restored. */
  readonly elsewhere: ReadonlyArray<{ readonly update: Uint8Array; readonly time: number }>;
  /** Edits that no server acknowledged, in the order in which they were stored. */
  readonly own: ReadonlyArray<OwnEdit>;
  /** What others have made anew, in the order of the log: of these very edits, perhaps, and of others. */
  readonly madeAnew: ReadonlyArray<EditsMadeAnew>;
  /** What the log has applied again of these very edits, without those that come before them; undefined where nothing. */
  readonly appliedAgain?: EditsAppliedAgain | undefined;
  /** Ids after which a new update begins; the others are joined. */
  readonly ends: ReadonlySet<number>;
  /** The document's type, empty where nobody has named it. */
  readonly type: string;
  /** Nobody has written the document under this peer. */
  readonly peer: PeerID;
}

export interface OwnEdit {
  readonly id: number;
  readonly update: Uint8Array;
  readonly time: number;
  /** Hash of the update that the edit was when it was made: by that, other copies of the store know it. */
  readonly firstForm: Hash;
  /** As in `UpdateRecord`. */
  readonly appliedAgain?: ReadonlyArray<Hash> | undefined;
  /** Where it applies others again: these as they were, and what was given up before them. */
  readonly former?: FormerEdits | undefined;
}

/** What an edit applies again. */
export interface FormerEdits {
  readonly givenUp: ReadonlyArray<FormerEdit>;
  readonly later: ReadonlyArray<LaterEdit>;
}

/** As it was stored. */
export interface FormerEdit {
  readonly update: Uint8Array;
  readonly time: number;
}

export interface LaterEdit extends FormerEdit {
  /** Of the edits that it holds. */
  readonly firstForms: ReadonlyArray<Hash>;
  /** The log has all of these, made anew or applied again. */
  readonly isNamed: boolean;
}

/** Edits that the log has in another form than that in which they were made. */
export interface EditsAppliedAgain {
  /** Of own edits. */
  readonly ids: ReadonlySet<number>;
  /** All that the log has of the document behind the own edits' base, those edits among it. */
  readonly updates: ReadonlyArray<Uint8Array>;
  /** Those in which the own edits are. */
  readonly holders: ReadonlyArray<Uint8Array>;
}

/** What becomes of each own edit: other bytes under its id, or nothing, because the server or a later id has it. */
export type Reauthored = ReadonlyArray<{
  readonly id: number;
  readonly update: Uint8Array | undefined;
  /** The server has the edit as it is, and others may build on it: it begins in this one of `elsewhere`. */
  readonly elsewhere: number | undefined;
  /** The server has it as it is, or as others have made it anew. */
  readonly isThere: boolean;
  /** What it was at first; undefined where nobody shall take it for the same edit any more. */
  readonly firstForm?: Hash | undefined;
  /** The first forms of edits that this one applies again. */
  readonly appliedAgain?: ReadonlyArray<Hash> | undefined;
}>;
