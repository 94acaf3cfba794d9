/*
 * Letters that a person types before the field they are meant for is on screen: a note takes a moment to be made, and its
 * editor to be loaded. They land in a hidden field, not in the button that was just pressed, and go on from there. A
 * real field, because what is composed (an accent, a Chinese word) is no single key, and because phones show their
 * keyboard only when one takes the focus during the tap itself.
 *
 * What is typed belongs to one note, or to the one that is being made, and never gets into another.
 */

/** The note that is being made has no id yet. */
export const NEW_NOTE = "";

interface Ahead {
  readonly field: HTMLTextAreaElement;
  note: string;
  isComposing: boolean;
}

let ahead: Ahead | undefined;
/** The notes on screen, which take what nobody else is going to receive. */
const keepers = new Map<string, (typed: string) => void>();

const openField = (note: string): Ahead => {
  const field = document.createElement("textarea");
  // 16 pixels: a phone zooms in on smaller ones.
  field.className = "sr-only text-base";
  field.style.position = "fixed";
  field.setAttribute("aria-label", "What you type next");
  const opened: Ahead = { field, note, isComposing: false };
  field.addEventListener("compositionstart", () => (opened.isComposing = true));
  field.addEventListener("compositionend", () => (opened.isComposing = false));
  field.addEventListener("keydown", ({ key }) => {
    if (key === "Escape") forgetTypedAhead();
  });
  document.body.append(field);
  return opened;
};

/** From now on letters are kept for this note, after this text, until somebody receives them. */
export const typeAhead = (note: string, text = "", takeFocus = true): void => {
  if (ahead && ahead.note !== note) settleTypedAhead(ahead.note);
  ahead ??= openField(note);
  ahead.field.value += text;
  if (takeFocus) ahead.field.focus({ preventScroll: true });
};

/** The note that was being made is this one. So is one that was made just before and never came on screen. */
export const nameTypedAhead = (note: string): void => {
  if (ahead && !keepers.has(ahead.note)) ahead.note = note;
};

/** Nobody is going to receive what was typed. */
export const forgetTypedAhead = (): void => {
  ahead?.field.remove();
  ahead = undefined;
};

/** What was typed for a note is received by nobody else: the note takes it as it is, if it is on screen. */
export const settleTypedAhead = (note: string): void => {
  if (ahead?.note !== note) return;
  const typed = ahead.field.value;
  forgetTypedAhead();
  if (typed !== "") keepers.get(note)?.(typed);
};

/** As long as a note is on screen, nothing that was typed for it is lost. Returns what ends that. */
export const keepTypedAhead = (note: string, keep: (typed: string) => void): (() => void) => {
  keepers.set(note, keep);
  return () => {
    settleTypedAhead(note);
    keepers.delete(note);
  };
};

/**
 * Gives what was typed for a note ("" where nothing was), at once or when what is being composed is complete, and whether
 * whoever receives it may take the focus: not from a field in which the person writes by now. Returns how not to wait.
 */
export const receiveTypedAhead = (note: string, receive: (typed: string, mayFocus: boolean) => void): (() => void) => {
  const waiting = ahead?.note === note ? ahead : undefined;
  const give = (): void => {
    const field = waiting?.field;
    const typed = field?.value ?? "";
    if (field) field.value = "";
    receive(typed, !isWritingElsewhere(field));
    // Last, so that the focus goes from field to field. Whoever received it may have begun to type ahead again.
    if (waiting && ahead === waiting && waiting.field !== document.activeElement && waiting.field.value === "") {
      forgetTypedAhead();
    }
  };
  if (!waiting?.isComposing) {
    give();
    return () => undefined;
  }
  waiting.field.addEventListener("compositionend", give, { once: true });
  return () => waiting.field.removeEventListener("compositionend", give);
};

const isWritingElsewhere = (field: HTMLTextAreaElement | undefined): boolean => {
  const active = document.activeElement;
  return active !== null && active !== field && active.matches("input, textarea, [contenteditable='true']");
};
