/**
 * The state of a workspace's conversation with its server, apart from the states of its entries: one pure, total function.
 *
 * What a person wants (`paused`) and what the app is (`LOCAL_ONLY`) come first, then what only somebody else can change
 * (`STOPPED`, `QUOTA`), then what passes by itself. A reason stays until something disproves it: being connected disproves
 * that the network is away, an acknowledged entry that there is no room, a new membership that the device may not write.
 */

export const SYNC_CONDITIONS = [
  /** No server is named: nothing ever leaves the device. */
  "LOCAL_ONLY",
  /** A person wants it to wait. */
  "PAUSED",
  /** The server cannot be reached. Not an error. */
  "OFFLINE",
  /** On the way to a connection. */
  "CONNECTING",
  /** The server takes the session no more; a new one is being made from the device's key. */
  "WAITING_FOR_TOKEN",
  /** The server asked to wait, or failed; it is tried again when it said, or later. */
  "BACKING_OFF",
  /** Revoked, read-only, refused: a person has to do something. What comes in still does, where it can. */
  "STOPPED",
  /** The workspace is full; it goes on by itself when there is room. */
  "QUOTA",
  /** Connected, and nothing that waits has moved for too long (Promise 14). */
  "STALLED",
  /** Connected, or in step over plain requests. */
  "LIVE",
] as const;
export type SyncCondition = (typeof SYNC_CONDITIONS)[number];

/** What the condition is made of. */
export interface SyncFacts {
  readonly server: boolean;
  readonly paused: boolean;
  readonly link: "down" | "connecting" | "token" | "backing-off" | "up";
  /** Why it does not go on by itself. */
  readonly stopped: boolean;
  readonly full: boolean;
  readonly stalled: boolean;
}

export const INITIAL_FACTS: SyncFacts = {
  server: false,
  paused: false,
  link: "connecting",
  stopped: false,
  full: false,
  stalled: false,
};

export type SyncEvent =
  | { readonly type: "server-named"; readonly named: boolean }
  | { readonly type: "paused" }
  | { readonly type: "resumed" }
  | { readonly type: "connecting" }
  /** `withheld`: this device knows by itself that it may send nothing, and a connection does not change it. */
  | { readonly type: "connected"; readonly withheld: boolean }
  | { readonly type: "unreachable" }
  | { readonly type: "token-refused" }
  | { readonly type: "asked-to-wait" }
  | { readonly type: "stopped" }
  /** Somebody changed what had stopped it: a membership, a role, a command to try now. */
  | { readonly type: "allowed" }
  | { readonly type: "no-room" }
  | { readonly type: "room" }
  /** Something that waited was acknowledged, and nothing else is known to lack room. */
  | { readonly type: "moved" }
  | { readonly type: "stalled" };

/** What an event makes of the facts. Total: every event is meaningful in every state. */
export const nextFacts = (facts: SyncFacts, event: SyncEvent): SyncFacts => {
  switch (event.type) {
    case "server-named":
      return event.named === facts.server ? facts : { ...INITIAL_FACTS, paused: facts.paused, server: event.named };
    case "paused":
      return { ...facts, paused: true, link: "down", stalled: false };
    case "resumed":
      return facts.paused ? { ...facts, paused: false, link: "connecting" } : facts;
    case "connecting":
      return { ...facts, link: facts.link === "up" ? "up" : "connecting" };
    case "connected":
      return { ...facts, link: "up", stopped: facts.stopped && event.withheld };
    case "unreachable":
      // Offline is the whole truth then: whether the rest still holds is seen when it is back.
      return { ...facts, link: "down", stalled: false };
    case "token-refused":
      return { ...facts, link: "token", stalled: false };
    case "asked-to-wait":
      return { ...facts, link: "backing-off", stalled: false };
    case "stopped":
      return { ...facts, stopped: true, stalled: false };
    case "allowed":
      return { ...facts, stopped: false };
    case "no-room":
      return { ...facts, full: true, stalled: false };
    case "room":
      return { ...facts, full: false };
    case "moved":
      return { ...facts, full: false, stalled: false };
    case "stalled":
      return facts.link === "up" && !facts.paused && !facts.stopped && !facts.full
        ? { ...facts, stalled: true }
        : facts;
  }
};

/** What is said of it, by what matters most. */
export const conditionOf = (facts: SyncFacts): SyncCondition => {
  if (!facts.server) return "LOCAL_ONLY";
  if (facts.paused) return "PAUSED";
  if (facts.stopped) return "STOPPED";
  switch (facts.link) {
    case "down":
      return "OFFLINE";
    case "connecting":
      return "CONNECTING";
    case "token":
      return "WAITING_FOR_TOKEN";
    case "backing-off":
      return "BACKING_OFF";
    case "up":
      return facts.full ? "QUOTA" : facts.stalled ? "STALLED" : "LIVE";
  }
};
