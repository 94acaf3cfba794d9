import { explanations, isKnownCode } from "../notebook/explain.ts";

/** Why a server refuses one entry, in a person's words: these codes are no failures of the app. */
export interface Refusal {
  readonly title: string;
  readonly detail: string;
}

const refusals: Readonly<Record<string, Refusal>> = {
  "document-purged": {
    title: "The owner deleted this note for good",
    detail: "The server takes nothing for it any more. Keep your words as a new note, or give them up.",
  },
  role: {
    title: "You may not write in this notebook any more",
    detail: "Ask the owner for a link that can write, then try again. Or save a copy.",
  },
  "not-a-member": {
    title: "This device is not in the notebook any more",
    detail: "Join again with a link, then try again. Or save a copy.",
  },
  "key-epoch": {
    title: "They were sealed with an older key",
    detail: "Try again: they are sealed anew with the key of now.",
  },
  "refs-missing": {
    title: "An attachment did not reach the server",
    detail: "Try again while you are online, so that it is uploaded first.",
  },
  covers: { title: "The server lacks what they build on", detail: "Try again in a while, or save a copy." },
  signature: {
    title: "The server does not recognise their signature",
    detail: "Save a copy, and join again with a link.",
  },
  "membership-head": { title: "Somebody changed the members meanwhile", detail: "Try again." },
  gap: { title: "The server lacks what came before", detail: "Try again in a while." },
  invalid: {
    title: "The server does not take them as they are",
    detail: "Try again with the newest version of the app. Or keep your words as a new note.",
  },
};

/** The words for a dead letter's or a moment's code; codes of a newer server are shown in its own words. */
export const refusalOf = (code: string, message: string | undefined): Refusal => {
  const known = Object.hasOwn(refusals, code) ? refusals[code] : isKnownCode(code) ? explanations[code] : undefined;
  return known ?? { title: "The server refused them", detail: message ?? code };
};
