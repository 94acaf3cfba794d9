import type { CairnError, CairnErrorCode } from "@cairn/client";

/**
 * What a person can do about a failure, beside what the words say: a button where the page can help. `wait`: it goes on by
 * itself. `ask`: only another person can help, the owner or whoever runs the server. `invite`: enter the server's
 * invitation code.
 */
export type WayOut = "wait" | "invite" | "retry" | "reload" | "backup" | "storage" | "link" | "ask" | "choose";

/** A failure in a person's words: what it means for them, and what they can do. */
export interface Explanation {
  readonly title: string;
  readonly detail: string;
  readonly wayOut: WayOut;
}

/** Every code has words: a new one does not compile until it has. */
export const explanations: Readonly<Record<CairnErrorCode, Explanation>> = {
  offline: {
    title: "The server cannot be reached",
    detail: "Your notes are saved on this device. Try again when you are online.",
    wayOut: "retry",
  },
  "patch-invalid": {
    title: "This change cannot be made",
    detail: "The note is as it was. Load the page again.",
    wayOut: "reload",
  },
  "query-invalid": {
    title: "This list cannot be made",
    detail: "The page asked for something that notes do not have. Load the page again.",
    wayOut: "reload",
  },
  "no-server": {
    title: "This notebook has no server",
    detail: "It lives on this device alone. Open Cairn from a server to share and sync.",
    wayOut: "ask",
  },
  "link-malformed": {
    title: "This link is damaged",
    detail: "Part of it is missing. Ask for it again and copy the whole line, including everything after the #.",
    wayOut: "link",
  },
  "link-expired": {
    title: "This link has expired",
    detail: "Ask the person who shared it for a new one.",
    wayOut: "link",
  },
  "link-revoked": {
    title: "This link was withdrawn",
    detail: "The owner closed it. Ask them for a new one.",
    wayOut: "link",
  },
  "link-used-up": {
    title: "This link was used up",
    detail: "It let in as many devices as its owner allowed. Ask them for a new one.",
    wayOut: "link",
  },
  "link-unknown": {
    title: "The server does not know this link",
    detail: "It may belong to another server, or its notebook is gone. Check the address with the person who sent it.",
    wayOut: "link",
  },
  revoked: {
    title: "This device was removed from the notebook",
    detail: "What is here stays here. The owner can let you in again with a new link.",
    wayOut: "link",
  },
  "read-only": {
    title: "You can read this notebook, not change it",
    detail: "Ask the owner for a link that can write.",
    wayOut: "link",
  },
  "app-outdated": {
    title: "This notebook needs a newer version of the app",
    detail: "Update the app to write again. What you wrote before is kept, and still sent.",
    wayOut: "reload",
  },
  "quota-exceeded": {
    title: "The server has no room left for this notebook",
    detail: "New edits stay on this device until there is room. Ask whoever runs the server for more.",
    wayOut: "backup",
  },
  "too-large": {
    title: "That is too large",
    detail: "The server does not take anything of this size.",
    wayOut: "choose",
  },
  "attachment-too-large": {
    title: "This file is too large",
    detail: "An attachment can be at most 2 GB.",
    wayOut: "choose",
  },
  "storage-full": {
    title: "This device has no room left",
    detail: "Free some space. What you see is kept, but new edits cannot be stored until then.",
    wayOut: "storage",
  },
  "storage-unavailable": {
    title: "This browser does not let Cairn store anything",
    detail: "Private windows and some settings forbid it. Allow site data for this address, then reload.",
    wayOut: "reload",
  },
  "storage-interrupted": {
    title: "The browser broke off a write",
    detail: "Nothing that was called saved is lost. It is tried again by itself.",
    wayOut: "wait",
  },
  "storage-unresponsive": {
    title: "This device's storage does not answer",
    detail: "Close other tabs of Cairn. If it lasts, restart the browser; what was called saved is there.",
    wayOut: "reload",
  },
  "storage-blocked": {
    title: "Another tab holds an older version",
    detail: "Close the other tabs of Cairn, then reload this one.",
    wayOut: "reload",
  },
  "storage-newer": {
    title: "The notes here were written by a newer version",
    detail: "Reload to get that version. Nothing was changed.",
    wayOut: "reload",
  },
  "storage-lost": {
    title: "The browser has deleted the notes on this device",
    detail:
      "Nothing was put in their place. Start anew, then join again with a link, enter your recovery words, or restore a backup.",
    wayOut: "storage",
  },
  "storage-low": {
    title: "This device has little room left",
    detail: "Free some before it is full: then nothing new can be stored.",
    wayOut: "storage",
  },
  "storage-not-kept": {
    title: "The browser may delete the notes on this device",
    detail: "Private windows always do, others when room runs short. Ask it to keep them, or install Cairn as an app.",
    wayOut: "storage",
  },
  "document-unknown": {
    title: "This note is not on this device",
    detail: "It may not have arrived yet, or it belongs to another notebook.",
    wayOut: "wait",
  },
  "attachment-unavailable": {
    title: "This attachment is not on this device yet",
    detail: "It will open once the device that added it, or the server, can be reached.",
    wayOut: "wait",
  },
  "attachment-damaged": {
    title: "This attachment arrived damaged",
    detail: "Its content does not match its seal, so it was not opened.",
    wayOut: "ask",
  },
  "backup-malformed": {
    title: "This is not a whole Cairn backup",
    detail: "Choose the .cairn file that an export gave you.",
    wayOut: "choose",
  },
  "backup-protected": {
    title: "This backup opens with its passphrase only",
    detail: "Enter the passphrase that it was exported with.",
    wayOut: "choose",
  },
  "backup-wrong-key": {
    title: "This passphrase does not open the backup",
    detail: "Check it letter by letter; capitals and spaces count. Nothing was changed.",
    wayOut: "choose",
  },
  "owner-required": {
    title: "Only the owner can do this",
    detail: "Ask the person who created the notebook.",
    wayOut: "ask",
  },
  "dead-letter-unknown": {
    title: "There is nothing to decide any more",
    detail: "The refused edits of this note were already sent, discarded or taken elsewhere.",
    wayOut: "wait",
  },
  "edits-newer": {
    title: "This needs a newer version of the app",
    detail:
      "Edits behind the refused ones were written with a newer version, which alone can keep them. Reload the page to get it; until then everything stays as it is.",
    wayOut: "reload",
  },
  "catching-up": {
    title: "This note is still catching up",
    detail:
      "This device was restored or copied, and has yet to hear from the server what became of the note. Try again when it has synced.",
    wayOut: "wait",
  },
  "document-rebuilt": {
    title: "This note was made anew",
    detail: "It went back to what the server has. Open it again before you write on.",
    wayOut: "reload",
  },
  "edits-lost": {
    title: "The last edits of this note are missing",
    detail:
      "The note was made anew, and what was not saved yet could not be put into it. Look at what you wrote last, and write again what is missing.",
    wayOut: "reload",
  },
  "pending-edits": {
    title: "Some edits are on this device only",
    detail: "Let them reach the server first, or export a backup.",
    wayOut: "backup",
  },
  "engine-lost": {
    title: "The notebook's engine stopped",
    detail: "Everything that was saved is here. Reload the page to go on.",
    wayOut: "reload",
  },
  "build-mismatch": {
    title: "A new version has arrived in between",
    detail: "Reload the page: it and its engine must be of the same version.",
    wayOut: "reload",
  },
  "imports-unavailable": {
    title: "What others wrote cannot be merged in here",
    detail: "Everything is kept on this device. Reload the page to go on.",
    wayOut: "reload",
  },
  "insecure-context": {
    title: "This address is not secure",
    detail: "Open Cairn over https, or on the computer that runs it.",
    wayOut: "ask",
  },
  "workspace-not-here": {
    title: "This notebook is not on this device",
    detail: "Join it with a link from its owner.",
    wayOut: "link",
  },
  "identity-changed": {
    title: "This device has taken a new identity",
    detail: "A copy of its notes is used elsewhere. Nothing is lost; what is open is loaded again by itself.",
    wayOut: "wait",
  },
  "profile-cloned": {
    title: "This device's notes are a copy of another's",
    detail:
      "The server knows later edits of this device than there are here, as after restoring a backup of the whole computer. Join again with a link.",
    wayOut: "link",
  },
  "keys-missing": {
    title: "The keys of this notebook are gone from this device",
    detail: "The browser kept the notes and lost their keys. Join again with a link.",
    wayOut: "link",
  },
  "grant-expired": {
    title: "Your access to this notebook has ended",
    detail: "It was given for a time that is over. What is here stays here; ask the owner for a new link.",
    wayOut: "link",
  },
  "registration-closed": {
    title: "This server takes no new notebooks",
    detail: "Your notes stay on this device. Ask whoever runs the server, or join a notebook that it has by a link.",
    wayOut: "ask",
  },
  "invite-invalid": {
    title: "This server asks for an invitation",
    detail: "Your notes stay on this device until you enter the code that whoever runs the server gives out.",
    wayOut: "invite",
  },
  "invalid-argument": {
    title: "Something that was entered cannot be used",
    detail: "It is too long, or empty. Nothing was changed.",
    wayOut: "choose",
  },
  "sync-paused": {
    title: "Syncing is paused, and this needs the server",
    detail: "Resume syncing, then try again.",
    wayOut: "retry",
  },
  "unsupported-protocol": {
    title: "The app and the server are of different times",
    detail: "Reload to get the current app. If that does not help, the server needs an update.",
    wayOut: "reload",
  },
  "rate-limited": {
    title: "The server asks to slow down",
    detail: "It goes on by itself in a moment.",
    wayOut: "wait",
  },
  unavailable: {
    title: "The server cannot serve right now",
    detail: "Your notes are saved on this device. It tries again by itself.",
    wayOut: "wait",
  },
  timeout: { title: "This takes longer than it should", detail: "It goes on in the background.", wayOut: "wait" },
  aborted: {
    title: "This was stopped",
    detail: "Nothing was changed. Start it again if you want it.",
    wayOut: "retry",
  },
  closed: { title: "This was closed meanwhile", detail: "Open it again to go on.", wayOut: "reload" },
  "profile-in-use": {
    title: "Another program uses these notes",
    detail: "Close it, then try again.",
    wayOut: "retry",
  },
  "document-type": {
    title: "This is not a note",
    detail: "Another app put it into the notebook, and this one does not know how to show it. Nothing is lost.",
    wayOut: "choose",
  },
  "type-deprecated": {
    title: "This app makes no new pages of that kind",
    detail: "Those that are here can be read and changed.",
    wayOut: "reload",
  },
  "type-unknown": {
    title: "This app is too old for that",
    detail: "A newer version made it. Reload to get the current app; until then it is kept as it is.",
    wayOut: "reload",
  },
  "server-refused": {
    title: "The server does not take some edits back",
    detail:
      "It was restored from an older copy and refuses what it had before. The edits are kept on this device. Export a backup, and ask whoever runs the server.",
    wayOut: "backup",
  },
  "recovery-words": {
    title: "These are not the 24 words",
    detail: "Check their order and spelling against the paper that you wrote them on.",
    wayOut: "choose",
  },
  malformed: {
    title: "The server does not understand this app",
    detail: "Your notes are kept on this device. Reload to get the current app.",
    wayOut: "reload",
  },
  "token-missing": {
    title: "This device has to sign in again",
    detail: "It does so by itself in a moment. Your notes are kept here meanwhile.",
    wayOut: "wait",
  },
  "token-invalid": {
    title: "This device has to sign in again",
    detail: "It does so by itself in a moment. Your notes are kept here meanwhile.",
    wayOut: "wait",
  },
  "token-expired": {
    title: "This device has to sign in again",
    detail: "It does so by itself in a moment. Your notes are kept here meanwhile.",
    wayOut: "wait",
  },
  "proof-invalid": {
    title: "The server does not recognise this device",
    detail: "Check that this is the address under which the notebook was shared. Your notes are kept here.",
    wayOut: "link",
  },
  "challenge-expired": {
    title: "Signing in took too long",
    detail: "It is tried again by itself. Your notes are kept here meanwhile.",
    wayOut: "wait",
  },
  "master-required": {
    title: "Only the owner can do this",
    detail: "Ask the person who created the notebook.",
    wayOut: "ask",
  },
  "wrong-workspace": {
    title: "The server let this device into another notebook",
    detail: "Nothing was changed. Reload the page; if it comes back, ask whoever runs the server.",
    wayOut: "reload",
  },
  "wrong-device": {
    title: "The server takes these edits for somebody else's",
    detail: "They are kept on this device. Export a backup, and join again with a link.",
    wayOut: "backup",
  },
  "origin-not-allowed": {
    title: "The server does not serve this address",
    detail: "Whoever runs it can allow it (CAIRN_ALLOWED_ORIGINS). Your notes are kept on this device.",
    wayOut: "ask",
  },
  "not-found": {
    title: "The server does not have this",
    detail: "The address may be that of another program. Check it with whoever runs the server.",
    wayOut: "ask",
  },
  "method-not-allowed": {
    title: "The app and the server are of different times",
    detail: "Reload to get the current app. If that does not help, the server needs an update.",
    wayOut: "reload",
  },
  "unsupported-media-type": {
    title: "The app and the server are of different times",
    detail: "Reload to get the current app. If that does not help, the server needs an update.",
    wayOut: "reload",
  },
  "workspace-unknown": {
    title: "The server does not know this notebook",
    detail: "It may have lost its data. Your notes are kept on this device; the owner's device puts them back.",
    wayOut: "backup",
  },
  "workspace-conflict": {
    title: "The server knows this notebook under other keys",
    detail: "Your notes are kept on this device. Export a backup, and ask whoever runs the server.",
    wayOut: "backup",
  },
  "grant-unknown": { title: "This access is gone already", detail: "There is nothing left to do.", wayOut: "wait" },
  "link-conflict": {
    title: "This link exists with other terms",
    detail: "Make a new link instead.",
    wayOut: "choose",
  },
  "chunk-unknown": {
    title: "This attachment has not arrived yet",
    detail: "It will open once the device that added it has uploaded it.",
    wayOut: "wait",
  },
  "chunk-mismatch": {
    title: "An attachment was damaged on its way",
    detail: "The server did not store it. Attach the file again.",
    wayOut: "choose",
  },
  diverged: {
    title: "The server came back with an older state",
    detail: "This device compares and gives it back what it lacks. Nothing is lost here.",
    wayOut: "wait",
  },
  internal: {
    title: "Something inside Cairn failed",
    detail: "What was saved is kept. Reload the page; if it comes back, copy the report on the sync page.",
    wayOut: "reload",
  },
};

const isCairnError = (error: unknown): error is CairnError =>
  error instanceof Error && "code" in error && typeof error.code === "string" && "action" in error;

/** The code of a failure of the client, without loading the client for it. */
export const codeOf = (error: unknown): CairnErrorCode | undefined => (isCairnError(error) ? error.code : undefined);

/** Codes of a newer engine than this page are none that it knows. */
export const isKnownCode = (code: string): code is CairnErrorCode => Object.hasOwn(explanations, code);

const known = (code: string): Explanation | undefined => (isKnownCode(code) ? explanations[code] : undefined);

/** Says what a failure means. Unknown ones are shown with their own message, never swallowed. */
export const explain = (error: unknown): Explanation => {
  if (isCairnError(error))
    // A code of a newer engine than this page, which the type does not know.
    return known(error.code) ?? { title: "Something did not work", detail: error.message, wayOut: "reload" };
  return {
    title: "Something did not work",
    detail: error instanceof Error ? error.message : String(error),
    wayOut: "reload",
  };
};

/** The same for a code that arrived as data, with the engine's own words for codes that have none here. */
export const explainCode = (code: CairnErrorCode, message: string): Explanation =>
  // What failed inside says more in the engine's own words.
  code === "internal" && message !== ""
    ? { ...explanations.internal, detail: message }
    : (known(code) ?? { title: "Syncing has stopped", detail: message, wayOut: "reload" });
