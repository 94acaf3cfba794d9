import type { CairnError, CairnErrorCode } from "@cairn/client";

/** A failure in a person's words: what it means for them, and what they can do. */
export interface Explanation {
  readonly title: string;
  readonly detail: string;
}

const explanations: Readonly<Partial<Record<CairnErrorCode, Explanation>>> = {
  offline: {
    title: "The server cannot be reached",
    detail: "Your notes are saved on this device. Try again when you are online.",
  },
  "no-server": {
    title: "This notebook has no server",
    detail: "It lives on this device alone. Open Cairn from a server to share and sync.",
  },
  "link-malformed": {
    title: "This link is damaged",
    detail: "Part of it is missing. Ask for it again and copy the whole line, including everything after the #.",
  },
  "link-expired": { title: "This link has expired", detail: "Ask the person who shared it for a new one." },
  "link-revoked": { title: "This link was withdrawn", detail: "The owner closed it. Ask them for a new one." },
  "link-used-up": {
    title: "This link was used up",
    detail: "It let in as many devices as its owner allowed. Ask them for a new one.",
  },
  "link-unknown": {
    title: "The server does not know this link",
    detail: "It may belong to another server, or its notebook is gone. Check the address with the person who sent it.",
  },
  revoked: {
    title: "This device was removed from the notebook",
    detail: "What is here stays here. The owner can let you in again with a new link.",
  },
  "read-only": {
    title: "You can read this notebook, not change it",
    detail: "Ask the owner for a link that can write.",
  },
  "quota-exceeded": {
    title: "The server has no room left for this notebook",
    detail: "New edits stay on this device. Remove large attachments, or ask whoever runs the server for more room.",
  },
  "too-large": { title: "That is too large", detail: "The server does not take anything of this size." },
  "attachment-too-large": { title: "This file is too large", detail: "An attachment can be at most 2 GB." },
  "storage-full": {
    title: "This device has no room left",
    detail: "Free some space. What you see is kept, but new edits cannot be stored until then.",
  },
  "storage-unavailable": {
    title: "This browser does not let Cairn store anything",
    detail: "Private windows and some settings forbid it. Allow site data for this address, then reload.",
  },
  "document-unknown": {
    title: "This note is not on this device",
    detail: "It may not have arrived yet, or it belongs to another notebook.",
  },
  "attachment-unavailable": {
    title: "This attachment is not on this device yet",
    detail: "It will open once the device that added it, or the server, can be reached.",
  },
  "attachment-damaged": {
    title: "This attachment arrived damaged",
    detail: "Its content does not match its seal, so it was not opened.",
  },
  "backup-malformed": {
    title: "This is not a whole Cairn backup",
    detail: "Choose the .cairn file that an export gave you.",
  },
  "backup-wrong-key": { title: "This backup does not open here", detail: "It was made for another person's keys." },
  "owner-required": { title: "Only the owner can do this", detail: "Ask the person who created the notebook." },
  "pending-edits": {
    title: "Some edits are on this device only",
    detail: "Let them reach the server first, or export a backup.",
  },
  "engine-lost": {
    title: "The notebook's engine stopped",
    detail: "Everything that was saved is here. Reload the page to go on.",
  },
  "build-mismatch": {
    title: "A new version has arrived in between",
    detail: "Reload the page: it and its engine must be of the same version.",
  },
  "insecure-context": {
    title: "This address is not secure",
    detail: "Open Cairn over https, or on the computer that runs it.",
  },
  "workspace-not-here": {
    title: "This notebook is not on this device",
    detail: "Join it with a link from its owner.",
  },
  "profile-cloned": {
    title: "This device's notes are a copy of another's",
    detail:
      "The server knows later edits of this device than there are here, as after restoring a backup of the whole computer. Join again with a link.",
  },
  "keys-missing": {
    title: "The keys of this notebook are gone from this device",
    detail: "The browser kept the notes and lost their keys. Join again with a link.",
  },
  "grant-expired": {
    title: "Your access to this notebook has ended",
    detail: "It was given for a time that is over. What is here stays here; ask the owner for a new link.",
  },
  "registration-closed": {
    title: "This server takes no new notebooks",
    detail: "Your notes stay on this device. Ask whoever runs the server, or join a notebook that it has by a link.",
  },
  "invite-invalid": {
    title: "This server asks for an invitation",
    detail: "Your notes stay on this device. Ask whoever runs the server to let you in.",
  },
  "unsupported-protocol": {
    title: "The app and the server are of different times",
    detail: "Reload to get the current app. If that does not help, the server needs an update.",
  },
  "rate-limited": {
    title: "The server asks to slow down",
    detail: "It goes on by itself in a moment.",
  },
  unavailable: {
    title: "The server cannot serve right now",
    detail: "Your notes are saved on this device. It tries again by itself.",
  },
  timeout: { title: "This takes longer than it should", detail: "It goes on in the background." },
};

const isCairnError = (error: unknown): error is CairnError =>
  error instanceof Error && "code" in error && typeof error.code === "string" && "action" in error;

/** Says what a failure means. Unknown ones are shown with their own message, never swallowed. */
export const explain = (error: unknown): Explanation => {
  if (isCairnError(error))
    return explanations[error.code] ?? { title: "Something did not work", detail: error.message };
  return { title: "Something did not work", detail: error instanceof Error ? error.message : String(error) };
};

/** The same for a code that arrived as data, with the engine's own words for codes that have none here. */
export const explainCode = (code: CairnErrorCode, message: string): Explanation =>
  explanations[code] ?? { title: "Syncing has stopped", detail: message };
