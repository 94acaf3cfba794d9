import type { ConnectionMoment, EntryState, OutboxMoment, SyncCondition } from "@cairn/client";
import { explanations, isKnownCode } from "../notebook/explain.ts";
import { refusalOf } from "./refusals.ts";

/** An entry's state in a person's words. `tone` decides a colour; the words alone must do. */
export interface StateWords {
  readonly label: string;
  /** What it means, for who asks. */
  readonly meaning: string;
  readonly tone: "good" | "busy" | "waiting" | "problem";
}

export const stateWords: Readonly<Record<EntryState, StateWords>> = {
  PENDING: {
    label: "Waiting",
    meaning: "Edits that wait to be sealed and sent. They merge meanwhile.",
    tone: "waiting",
  },
  IN_FLIGHT: { label: "On its way", meaning: "Sealed and sent; the server has not answered yet.", tone: "busy" },
  SYNCED: { label: "Done", meaning: "The server has it for good. Counted since this page was opened.", tone: "good" },
  RETRYABLE_ERROR: {
    label: "Sent again",
    meaning: "Not answered or not taken for now. The same bytes go out again.",
    tone: "waiting",
  },
  FATAL_ERROR: { label: "Refused", meaning: "Refused for good; about to be set aside.", tone: "problem" },
  DEAD_LETTER: { label: "Set aside", meaning: "Kept on this device until you decide.", tone: "problem" },
};

export const conditionWords: Readonly<Record<SyncCondition, string>> = {
  LOCAL_ONLY: "This notebook has no server.",
  PAUSED: "You have paused syncing.",
  OFFLINE: "The server cannot be reached. That is no error: everything waits here.",
  CONNECTING: "Connecting to the server.",
  WAITING_FOR_TOKEN: "Signing in again with this device's key.",
  BACKING_OFF: "The server asked to wait a little.",
  STOPPED: "Stopped until somebody does something about it.",
  QUOTA: "The server has no room left for this notebook. It goes on by itself once there is some.",
  STALLED: "Connected, but nothing has moved for a while. It is being repaired.",
  LIVE: "Connected.",
};

const eventWords: Readonly<Record<OutboxMoment["event"], string>> = {
  frozen: "sealed and sent",
  sent: "sent again",
  unanswered: "not answered",
  recovered: "found on its way after a restart",
  acknowledged: "taken by the server",
  refused: "refused",
  outdated: "sealed anew with a newer key",
  "no-room": "the server has no room",
  "too-large": "too large; split",
  never: "refused for good",
  voided: "set aside",
  unsendable: "too large to send; set aside",
  retried: "tried again by you",
  discarded: "given up by you",
};

/** One step of an entry's life; codes are put into words. */
export const describeMoment = ({ code, event, message }: OutboxMoment): string =>
  code === undefined ? eventWords[event] : `${eventWords[event]}: ${refusalOf(code, message).title}`;

const reasonOf = (code: string): string | undefined => (isKnownCode(code) ? explanations[code].title : undefined);

export const describeConnection = ({ code, type, waitMillis }: ConnectionMoment): string => {
  const wait = waitMillis === undefined ? "" : `, next attempt in ${Math.max(1, Math.round(waitMillis / 1000))} s`;
  const why = code === undefined ? "" : `: ${reasonOf(code) ?? code}`;
  const words: Readonly<Record<ConnectionMoment["type"], string>> = {
    connecting: "Connecting",
    live: "Connected, live",
    http: "Connected, by single requests",
    ended: "Connection ended",
    paused: "Paused",
    resumed: "Resumed",
    "offline-simulated": "Offline, simulated",
    stalled: "Stalled",
  };
  return `${words[type]}${why}${wait}`;
};

/** "40 s", "3 min", "2 h", "5 days": how long something lasts, in one unit. */
export const formatDuration = (ms: number): string => {
  const seconds = Math.max(0, Math.round(ms / 1000));
  if (seconds < 60) return `${seconds} s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return `${minutes} min`;
  const hours = Math.floor(minutes / 60);
  if (hours < 48) return `${hours} h`;
  return `${Math.floor(hours / 24)} days`;
};
