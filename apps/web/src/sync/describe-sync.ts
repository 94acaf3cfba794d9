import type { SyncState } from "@cairn/client";
import { explainCode, type WayOut } from "../notebook/explain.ts";
import type { LocalSaves } from "./local-saves.ts";
import { formatSince, plural } from "../notebook/format.ts";

/** What the sync indicator says. `tone` decides its colour and icon; the words alone must tell the truth. */
export interface SyncDescription {
  readonly tone: "good" | "busy" | "waiting" | "problem";
  /** A few words, always on screen. */
  readonly label: string;
  /** Where the edits are right now. */
  readonly here: string;
  readonly server: string;
  /** What to do, where there is something to do. */
  readonly remedy: string | undefined;
  /** Whether trying at once is worth offering. */
  readonly canRetry: boolean;
  /** Of a problem: what a person can do about it. */
  readonly wayOut?: WayOut;
}

/** Pure: the same state always says the same. `local` is whether the open notes' edits are durable on this device. */
export const describeSync = (state: SyncState | undefined, local: LocalSaves, now: number): SyncDescription => {
  const { saved, failure } = local;
  const here = saved ? "Everything is saved on this device." : "Saving your last edits on this device…";
  if (!state) {
    return {
      tone: "busy",
      label: "Opening",
      here: "Opening your notes…",
      server: "",
      remedy: undefined,
      canRetry: false,
    };
  }
  const host = state.server ? hostOf(state.server) : "";
  const waiting = state.pendingDocuments > 0 ? `${plural(state.pendingDocuments, "note")} waiting to be sent.` : "";
  const fetching = `Fetching, ${count.format(state.incoming)} left`;
  const unlisted = state.preparing === undefined ? 0 : state.preparing.total - state.preparing.done;
  const completing = `Completing the list, ${count.format(unlisted)} left`;
  const listing = unlisted > 0 ? `The list is being completed: ${plural(unlisted, "note")} left.` : "";
  const last = state.lastSyncedAt === undefined ? "" : `Last in step at ${formatSince(state.lastSyncedAt, now)}.`;
  const say = (...parts: ReadonlyArray<string>): string => parts.filter((part) => part !== "").join(" ");
  const parked = state.parked > 0;

  if (failure) {
    const { title, detail } = explainCode(failure.code, failure.message);
    return {
      tone: "problem",
      label: title,
      here:
        failure.code === "app-outdated"
          ? "Your last edits came after this notebook asked for a newer app, and are not saved. Copy them before you update."
          : "Your last edits are not saved yet. They are tried again as long as this page is open.",
      server: say(waiting, last),
      remedy: detail,
      canRetry: false,
    };
  }

  if (state.problem || parked || state.status === "problem") {
    const problem = state.problem
      ? explainCode(state.problem.code, state.problem.message)
      : {
          title: `${plural(state.parked, "edit")} refused by the server`,
          detail:
            "Kept on this device until you decide on the sync page: try again, keep them as a new note, or give them up.",
          wayOut: "backup" as const,
        };
    return {
      tone: "problem",
      label: problem.title,
      here,
      server: say(waiting, last),
      remedy: problem.detail,
      canRetry: state.problem?.action !== "stop",
      wayOut: problem.wayOut,
    };
  }
  switch (state.status) {
    case "local-only":
      return {
        tone: unlisted > 0 ? "busy" : "good",
        label: !saved ? "Saving" : unlisted > 0 ? completing : "Saved on this device",
        here,
        server: say("This notebook has no server: nothing leaves this device.", listing),
        remedy: undefined,
        canRetry: false,
      };
    case "paused":
      return {
        tone: "waiting",
        label: "Paused",
        here,
        server: say(waiting === "" ? "Nothing is waiting to be sent." : waiting, "Syncing is paused.", last),
        remedy: "Resume syncing to send and fetch again.",
        canRetry: false,
      };
    case "stalled":
      return {
        tone: "problem",
        label: "Not moving",
        here,
        server: say(waiting, `Connected to ${host}, but nothing goes through.`, last),
        remedy: "It is being repaired by itself. Your edits are safe on this device.",
        canRetry: true,
      };
    case "offline":
      return {
        tone: "waiting",
        label: !saved
          ? "Offline, saving here"
          : state.offlineSince === undefined
            ? "Offline, saved here"
            : `Offline since ${formatSince(state.offlineSince, now)}, saved here`,
        here,
        server: say(waiting === "" ? "Nothing is waiting to be sent." : `${waiting} It goes out by itself.`, last),
        remedy: undefined,
        canRetry: true,
      };
    case "connecting":
      return {
        tone: "busy",
        label: saved ? (waiting === "" ? "Connecting" : "Saved here, connecting") : "Saving",
        here,
        server: say(`Connecting to ${host}…`, waiting, last),
        remedy: undefined,
        canRetry: false,
      };
    case "syncing":
      return {
        tone: "busy",
        // What is on its way was saved before; the last edit may not be (Promise 4).
        label: !saved
          ? "Saving"
          : state.incoming > 0
            ? fetching
            : waiting !== ""
              ? "Saved here, sending"
              : unlisted > 0
                ? completing
                : "Fetching",
        here,
        server: say(
          waiting,
          state.incoming > 0
            ? `${plural(state.incoming, "change")} of others still to be fetched.`
            : waiting === ""
              ? "Fetching what is new."
              : "",
          listing,
          last,
        ),
        remedy: undefined,
        canRetry: false,
      };
    case "up-to-date":
      return {
        tone: saved && unlisted === 0 ? "good" : "busy",
        label: !saved ? "Saving" : unlisted > 0 ? completing : "Saved here and on the server",
        here,
        server: say(`Everything is on ${host}, sealed so that it cannot be read there.`, listing),
        remedy: undefined,
        canRetry: false,
      };
  }
};

const count = new Intl.NumberFormat();

const hostOf = (server: string): string => (URL.canParse(server) ? new URL(server).host : server);
