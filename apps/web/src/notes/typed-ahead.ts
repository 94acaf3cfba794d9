/*
 * Keys that a person presses before the field they are meant for is on screen: a note takes a moment to be made, and its
 * editor to be loaded. They land in a hidden field, not in the button that was just pressed, and go on from there. A
 * real field, because what is composed (an accent, a Chinese word) is no single key, and because phones show their
 * keyboard only when one takes the focus during the tap itself.
 */

let field: HTMLTextAreaElement | undefined;
let isComposing = false;

/** From now on keys are kept, after this text, until somebody receives them. To be called where the person asked. */
export const typeAhead = (text = ""): void => {
  if (!field) {
    isComposing = false;
    field = document.createElement("textarea");
    // 16 pixels: a phone zooms in on smaller ones.
    field.className = "sr-only text-base";
    field.style.position = "fixed";
    field.setAttribute("aria-label", "What you type next");
    field.addEventListener("compositionstart", () => (isComposing = true));
    field.addEventListener("compositionend", () => (isComposing = false));
    document.body.append(field);
  }
  field.value += text;
  field.focus({ preventScroll: true });
};

/** Nobody is going to receive them. */
export const forgetTypedAhead = (): void => {
  field?.remove();
  field = undefined;
};

/** Gives what was typed ("" where nothing was), at once or when what is being composed is complete. Returns how not to wait for that. */
export const receiveTypedAhead = (receive: (typed: string) => void): (() => void) => {
  const give = (): void => {
    const typed = field?.value ?? "";
    forgetTypedAhead();
    receive(typed);
  };
  if (!field || !isComposing) {
    give();
    return () => undefined;
  }
  const from = field;
  from.addEventListener("compositionend", give, { once: true });
  return () => from.removeEventListener("compositionend", give);
};
