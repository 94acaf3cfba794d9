/** What a change of state leaves in a document's stream: the same in every store. Pure. */
import type { DocumentId, WorkspaceId } from "@cairn/protocol";
import type { EntryState, Transition } from "@cairn/sync";
import type { OutboxMoment } from "../sync-api.ts";
import type { StreamRecord, UpdateRecord } from "./records.ts";

/** Moments that a stream remembers. */
export const MAX_HISTORY = 32;

/** A change of state, with what there is to say about it. */
export interface StreamChange {
  readonly transition: Transition;
  readonly at: number;
  readonly code?: string | undefined;
  readonly message?: string | undefined;
  readonly counter?: number | undefined;
  /** The newest update that the change is about. */
  readonly through?: number | undefined;
}

/**
 * A waiting update in pieces. What it was at first is there with the last one, what it refers to goes with the first. No piece is
 * all that was applied again.
 */
export const piecesOf = <A extends Pick<UpdateRecord, "refs" | "firstForm" | "appliedAgain" | "formerEdits">>(
  split: A,
  pieces: ReadonlyArray<Uint8Array>,
): ReadonlyArray<A & Pick<UpdateRecord, "update">> =>
  pieces.map((update, index) => ({
    ...split,
    update,
    refs: index === 0 ? split.refs : [],
    firstForm: index === pieces.length - 1 ? split.firstForm : undefined,
    appliedAgain: index === pieces.length - 1 ? split.appliedAgain : undefined,
    formerEdits: undefined,
  }));

/** Whether a stream is about nothing any more: nothing of its document waits, or of a dead letter nothing that was refused. */
export const isStreamOver = (
  { state, through }: Pick<StreamRecord, "state" | "through">,
  pending: ReadonlyArray<number>,
): boolean => pending.length === 0 || (state === "DEAD_LETTER" && pending.every((id) => id > through));

/** The state that is stored. What a person gave up is not stored any more. */
export const storedState = ({ to }: Transition): EntryState => {
  if (to === "GONE") throw new TypeError("what was given up has no state");
  return to;
};

/** Whether a change belongs into the history: refusals and decisions do, comings and goings of the network do not. */
export const isRemarkable = ({ event }: Transition): boolean =>
  event !== "frozen" && event !== "sent" && event !== "unanswered" && event !== "recovered" && event !== "acknowledged";

/** The stream after a change. */
export const nextStream = (
  workspace: WorkspaceId,
  document: DocumentId,
  known: StreamRecord | undefined,
  { transition, at, code, message, counter, through }: StreamChange,
): StreamRecord => {
  const { event, from, attempts } = transition;
  const to = storedState(transition);
  const moment: OutboxMoment = { at, event, from, to, counter, attempts, code, message };
  const before = known?.state ?? "PENDING";
  // An entry that is refused for now, or about to be voided, has not given its edits back yet.
  const state = to === "PENDING" || to === "DEAD_LETTER" ? to : before;
  return {
    workspace,
    document,
    state,
    attempts,
    code: code ?? known?.code,
    message: message ?? known?.message,
    since: state === before ? (known?.since ?? at) : at,
    through: through ?? known?.through ?? 0,
    history: [...(known?.history ?? []), moment].slice(-MAX_HISTORY),
  };
};
