/** The one error type of the public API. */
import { ERROR_CATALOGUE, type ErrorAction, type ErrorCode } from "@cairn/protocol";
import type { AppOutdated } from "./workspace-api.ts";
import type { Unsynced } from "./sync-api.ts";

/** What can go wrong on this side of the wire, with what to do next. The protocol's codes come on top. */
const OWN_CODES = {
  "no-server": { action: "stop", advice: "No server is configured. Open Cairn with the `server` option." },
  offline: { action: "retry", advice: "The server cannot be reached. Everything is kept here and goes out later." },
  // The protocol has the code for servers; on this side nobody else is to blame.
  internal: {
    action: "retry",
    advice: "Something inside Cairn failed on this device. What was called saved is kept; open it again.",
  },
  "invalid-argument": {
    action: "stop",
    advice: "Something that was handed in is not what it has to be. Nothing was changed.",
  },
  "sync-paused": { action: "pause", advice: "Syncing is paused, and this needs the server. Resume it first." },
  timeout: { action: "retry", advice: "It took longer than allowed. It goes on in the background." },
  aborted: { action: "stop", advice: "The operation was cancelled." },
  closed: { action: "stop", advice: "This was closed. Open it again." },
  "engine-lost": {
    action: "retry",
    advice: "The app's background worker stopped. Reload the page; everything that was saved is here.",
  },
  "build-mismatch": {
    action: "pause",
    advice: "The page and its worker are of different builds of the app. Reload the page.",
  },
  "imports-unavailable": {
    action: "stop",
    advice:
      "Where documents are merged does not start. The module that `importThread` (in browsers `worker`) starts has to load, and to call `runImportThread` (`runCairnWorker`).",
  },
  "insecure-context": {
    action: "stop",
    advice: "Browsers give storage and keys to secure pages only. Open this page over https, or on localhost.",
  },
  "link-malformed": { action: "stop", advice: "This is not a whole Cairn link. Copy it again, to the last character." },
  "storage-full": { action: "pause", advice: "The device has no room left. Free some and try again." },
  "storage-unavailable": {
    action: "stop",
    advice: "The device's storage cannot be used. Close other tabs of this app and reload.",
  },
  "storage-interrupted": {
    action: "retry",
    advice: "The device broke off a write. What was called saved is safe; the rest is tried again.",
  },
  "storage-unresponsive": {
    action: "retry",
    advice: "The device's storage does not answer. Close other tabs of this app; if it lasts, restart the browser.",
  },
  "storage-blocked": {
    action: "pause",
    advice: "Another tab keeps an older version of the data open. Close the other tabs of this app and reload.",
  },
  "storage-newer": {
    action: "stop",
    advice: "The data on this device was written by a newer version of the app. Reload to get that version.",
  },
  "storage-lost": {
    action: "stop",
    advice:
      "The device has deleted this app's data, or a part of it. Nothing new was made in its place. Start anew, then join again by a link, enter the recovery words, or restore a backup.",
  },
  "storage-low": { action: "pause", advice: "The device has little room left. Free some before it is full." },
  "storage-not-kept": {
    action: "pause",
    advice:
      "The browser may delete this app's data when room runs short, and private windows always do. Ask it to keep the data, or install the app.",
  },
  "profile-in-use": {
    action: "stop",
    advice: "Another process uses this directory. Close it, or choose another directory.",
  },
  "workspace-not-here": { action: "stop", advice: "This device does not have the workspace. Join it with a link." },
  "document-unknown": { action: "stop", advice: "This device does not have the document." },
  "document-type": { action: "stop", advice: "The document is of another type than it was opened as." },
  "type-unknown": { action: "stop", advice: "The schema does not declare this document type." },
  "type-deprecated": {
    action: "stop",
    advice: "This version of the app makes no new documents of this type. Those that are here can be read and edited.",
  },
  "patch-invalid": { action: "stop", advice: "The patch does not fit the document." },
  "query-invalid": { action: "stop", advice: "The query does not fit the document type." },
  "owner-required": { action: "stop", advice: "Only a device of the workspace's owner may do this." },
  "app-outdated": {
    action: "pause",
    advice:
      "An owner of the workspace asks for a newer version of this app. Update it; until then nothing new can be written here, and what was written before is still sent.",
  },
  "pending-edits": { action: "pause", advice: "Some edits are only on this device. Sync first, or force it." },
  "dead-letter-unknown": { action: "stop", advice: "Nothing of this document is parked (any more)." },
  "edits-newer": {
    action: "pause",
    advice:
      "A newer version of this app wrote in this document behind the refused edits, and only that version can write it again without them. Update the app, and decide then; until then everything is kept.",
  },
  "catching-up": {
    action: "retry",
    advice:
      "This profile was restored or copied, and has not heard from the server yet what became of this document. Try again when it has synced.",
  },
  "document-rebuilt": {
    action: "stop",
    advice:
      "The document was made anew from what the server has. Open it again; this edit belongs to what was given up.",
  },
  "edits-lost": {
    action: "stop",
    advice:
      "The document was made anew, and edits that were not stored yet could not be made in it again. Look at what was written in the last moments, and write again what is missing.",
  },
  "attachment-unavailable": {
    action: "retry",
    advice: "The attachment's bytes are not here and cannot be fetched right now.",
  },
  "attachment-damaged": { action: "stop", advice: "The attachment's bytes do not match its hash." },
  "attachment-too-large": { action: "stop", advice: "The file is larger than an attachment may be." },
  "backup-malformed": { action: "stop", advice: "This is not a whole Cairn backup." },
  "backup-protected": { action: "stop", advice: "This backup opens with its passphrase only." },
  "backup-wrong-key": { action: "stop", advice: "This passphrase does not open the backup." },
  "profile-cloned": {
    action: "retry",
    advice:
      "The server has entries of this device that are not here: this profile is a copy or was restored. It takes an identity of its own; nothing is lost.",
  },
  "identity-changed": {
    action: "retry",
    advice: "This device has taken a new identity. Lease a new peer, load the document again, and repeat the edit.",
  },
  "server-refused": {
    action: "pause",
    advice:
      "The server came back without some of this device's edits and does not take them again. They are kept here; export a backup, and ask whoever runs the server.",
  },
  "keys-missing": {
    action: "stop",
    advice: "The keys of this workspace are gone from this device. Join again by a link.",
  },
  "recovery-words": { action: "stop", advice: "These are not 24 valid recovery words." },
} as const satisfies Record<string, { readonly action: ErrorAction; readonly advice: string }>;

/** Every code that a `CairnError` can have. */
export type CairnErrorCode = keyof typeof OWN_CODES | ErrorCode;

const CODES: Readonly<Record<CairnErrorCode, { readonly action: ErrorAction; readonly advice: string }>> = {
  ...ERROR_CATALOGUE,
  ...OWN_CODES,
};

export interface CairnErrorOptions extends ErrorOptions {
  readonly unsynced?: Unsynced | undefined;
  readonly argument?: string | undefined;
  readonly appOutdated?: AppOutdated | undefined;
}

/** A failure with a stable code and what to do about it. Never carries a secret or content. */
export class CairnError extends Error {
  override readonly name = "CairnError";
  readonly code: CairnErrorCode;
  /** `retry`: may succeed later by itself. `pause`: something has to change first. `stop`: tell the person. */
  readonly action: ErrorAction;
  /** `pending-edits`: how much is only on this device. */
  readonly unsynced: Unsynced | undefined;
  /** `invalid-argument`: which one, by the name that the API has for it. */
  readonly argument: string | undefined;
  /** `app-outdated`: the app's version, and the one that is asked for. */
  readonly appOutdated: AppOutdated | undefined;

  constructor(code: CairnErrorCode, message?: string, options?: CairnErrorOptions) {
    super(message ?? CODES[code].advice, options);
    this.code = code;
    this.action = CODES[code].action;
    this.unsynced = options?.unsynced;
    this.argument = options?.argument;
    this.appOutdated = options?.appOutdated;
  }
}
