/**
 * The public types of synchronisation as people and developers see it: the outbox, dead letters, telemetry and control
 * (`docs/sync.md`). Times are milliseconds since 1970 by this device's clock, for display only.
 */
import type { DocumentId } from "@cairn/protocol";
import type { EntryEvent, EntryState, SyncCondition } from "@cairn/sync";
import type { SyncProblem } from "./workspace-api.ts";
import type { Unsubscribe } from "./subscription.ts";

export type { EntryEvent, EntryState, SyncCondition } from "@cairn/sync";

/** How patiently the outbox tries. */
export interface SyncOptions {
  /** Waits grow from up to `baseMillis` to up to `ceilingMillis`, each drawn at random. Default 300 and 30,000. */
  readonly backoff?:
    | { readonly baseMillis?: number | undefined; readonly ceilingMillis?: number | undefined }
    | undefined;
  /** Definite refusals of the same edits before they are parked. Default 8. */
  readonly attempts?: number | undefined;
  /** Connected, something pending and nothing moving for this long is a stall. Default 60,000. */
  readonly stallMillis?: number | undefined;
  /** A full workspace, or one that somebody stopped, is looked at again this often. Default 60,000. */
  readonly probeMillis?: number | undefined;
  /** The most that goes out at once; never more than the server takes. */
  readonly batch?: { readonly entries?: number | undefined; readonly bytes?: number | undefined } | undefined;
}

/** What one document has in the outbox: its waiting edits (one future entry), or a frozen entry. */
export interface OutboxEntry {
  /** Undefined for entries of no document: the membership chain, and voids. */
  readonly document: DocumentId | undefined;
  readonly state: EntryState;
  /** Once it is frozen. */
  readonly counter: number | undefined;
  /** Edits that are not in an entry yet. */
  readonly edits: number;
  readonly bytes: number;
  /** Definite refusals so far. */
  readonly attempts: number;
  /** When its oldest edit was made, or when it was frozen. */
  readonly since: number;
}

/** Everything that is not on the server yet, and how it goes on. */
export interface OutboxState {
  readonly condition: SyncCondition;
  readonly problem: SyncProblem | undefined;
  /** How many entries wait, dead letters included. */
  readonly depth: number;
  readonly bytes: number;
  readonly oldestAt: number | undefined;
  /** How many are in each state now; `SYNCED` since the engine started. */
  readonly states: Readonly<Record<EntryState, number>>;
  /** The oldest of them, at most 200; all of them count above. */
  readonly entries: ReadonlyArray<OutboxEntry>;
  /** Definite refusals of what waits now. */
  readonly attempts: number;
  /** Changes of state since the engine started. */
  readonly transitions: number;
  readonly lastSuccessAt: number | undefined;
  /** Stalls since the engine started. */
  readonly stalls: number;
  readonly stalledSince: number | undefined;
  /** When the next attempt is made by itself. */
  readonly nextAttemptAt: number | undefined;
  readonly paused: boolean;
  readonly simulatedOffline: boolean;
}

/** Something that happened in the outbox. Never carries content. */
export type OutboxEvent =
  | {
      readonly type: "transition";
      readonly at: number;
      readonly document: DocumentId | undefined;
      readonly counter: number | undefined;
      readonly event: EntryEvent;
      readonly from: EntryState;
      readonly to: EntryState | "GONE";
      readonly attempts: number;
      readonly code: string | undefined;
    }
  | {
      readonly type: "condition";
      readonly at: number;
      readonly from: SyncCondition;
      readonly to: SyncCondition;
      readonly code: string | undefined;
    }
  | { readonly type: "stalled"; readonly at: number; readonly diagnosis: StallDiagnosis };

/** What is known about a stall, without content, and what is done about it. */
export interface StallDiagnosis {
  readonly idleMillis: number;
  readonly transport: "live" | "http";
  readonly states: Readonly<Record<EntryState, number>>;
  readonly bytes: number;
  readonly oldestCounter: number | undefined;
  /** What became of the last push. */
  readonly lastAnswer: string;
  readonly repair: "reconnect" | "http" | "compare";
}

/** One step in the life of edits that had trouble. */
export interface OutboxMoment {
  readonly at: number;
  readonly event: EntryEvent;
  readonly from: EntryState;
  readonly to: EntryState;
  readonly counter: number | undefined;
  readonly attempts: number;
  readonly code: string | undefined;
  readonly message: string | undefined;
}

/**
 * Edits of one document that the server will not take as they are, kept until a person decides. A document's later edits
 * depend on them and wait with them; other documents go on.
 */
export interface DeadLetter {
  readonly document: DocumentId;
  readonly type: string;
  /** Why, for code and for people. */
  readonly code: string;
  readonly message: string;
  readonly parkedAt: number;
  /** The edits that were refused. */
  readonly edits: number;
  readonly bytes: number;
  /** Later edits of the same document, which wait with them. */
  readonly laterEdits: number;
  readonly attempts: number;
  /** What happened, oldest first; the newest 32. */
  readonly history: ReadonlyArray<OutboxMoment>;
}

/** A dead letter to take away. `json` holds all of it, readable; `updates` are the edits as Loro updates, in order. */
export interface DeadLetterExport {
  readonly fileName: string;
  readonly json: string;
  readonly updates: ReadonlyArray<Uint8Array>;
}

/** What giving up a dead letter changes: shown first, and true of what `discardDeadLetter` then does. */
export interface DiscardPreview {
  readonly document: DocumentId;
  /** The edits that are lost. */
  readonly edits: number;
  readonly bytes: number;
  /** Later edits of the document. */
  readonly laterEdits: number;
  /** What of the later edits cannot be applied again, by path; empty where all can. */
  readonly notReapplied: ReadonlyArray<string>;
  /** The document as plain JSON, as it is here now, and as it would be. */
  readonly before: unknown;
  readonly after: unknown;
}

/** What is only on this device. */
export interface Unsynced {
  readonly documents: number;
  readonly edits: number;
  readonly bytes: number;
  /** Documents among them whose edits were refused. */
  readonly deadLetters: number;
  /** When the oldest of them was made. */
  readonly oldestAt: number | undefined;
}

/** What became of one connection or attempt. */
export interface ConnectionMoment {
  readonly at: number;
  readonly type: "connecting" | "live" | "http" | "ended" | "paused" | "resumed" | "offline-simulated" | "stalled";
  /** Why it ended. */
  readonly code: string | undefined;
  /** How long the next attempt waits. */
  readonly waitMillis: number | undefined;
}

/** Looking at and steering the synchronisation of one workspace. */
export interface SyncControl {
  /** The outbox as it is known now. */
  outbox(): OutboxState;
  /** Calls back at once, and on every change. */
  onOutbox(callback: (outbox: OutboxState) => void): Unsubscribe;
  /** What happens from now on. */
  onOutboxEvent(callback: (event: OutboxEvent) => void): Unsubscribe;
  deadLetters(): Promise<ReadonlyArray<DeadLetter>>;
  /** Calls back with what is here, and on every change. */
  onDeadLetters(callback: (letters: ReadonlyArray<DeadLetter>) => void): Unsubscribe;
  /** Tries again, with all attempts. Rejects with `dead-letter-unknown` where there is none (any more), as all below. */
  retryDeadLetter(document: DocumentId): Promise<void>;
  exportDeadLetter(document: DocumentId): Promise<DeadLetterExport>;
  /** Takes the document as it is here into a new one; the old one goes back to what the server has. Returns the new id. */
  forkDeadLetter(document: DocumentId): Promise<DocumentId>;
  /**
   * What discarding would lose. Changes nothing. Rejects with `edits-newer`, as discarding does, where later edits are in forms of a
   * field that only a newer version of the app knows.
   */
  previewDiscard(document: DocumentId): Promise<DiscardPreview>;
  /**
   * Gives up the refused edits: the document is made anew from what the server has, and later edits are applied again
   * where they can be. Handles to it go on with another Loro document (`replaced`). Returns what it did.
   */
  discardDeadLetter(document: DocumentId): Promise<DiscardPreview>;
  /** Sends and fetches nothing until `resume`, also after a reload. */
  pause(): Promise<void>;
  resume(): Promise<void>;
  /** Tries now instead of waiting for the next attempt. */
  syncNow(): void;
  /** For developers: as if the network were away, in all tabs of this profile, until it is taken back or all are closed. */
  simulateOffline(on: boolean): Promise<void>;
  /** What the connection went through, oldest first; the newest 50. */
  connections(): ReadonlyArray<ConnectionMoment>;
  /** What is only on this device: to be shown before signing out or removing the workspace. */
  unsynced(): Promise<Unsynced>;
  /** Everything above as text, for whoever helps: no names, no content, ids as short hashes. */
  report(): Promise<string>;
}
