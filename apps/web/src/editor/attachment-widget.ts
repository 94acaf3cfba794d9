import { type EditorState, Facet } from "@codemirror/state";
import { WidgetType } from "@codemirror/view";
import type { SyntaxNode } from "@lezer/common";
import { attachmentScheme, isPicture } from "./attachment-references.ts";
import { formatBytes } from "../notebook/format.ts";

/** What the note knows about one of its attachments right now. */
export interface AttachmentState {
  readonly id: string;
  readonly name: string;
  readonly mediaType: string;
  /** Bytes. */
  readonly size: number;
  /** `local`: only on this device. `stored`: on the server too. `remote`: not fetched yet. */
  readonly state: "local" | "stored" | "remote";
}

/** Where the editor gets attachments from. The note's page provides it. */
export interface AttachmentSource {
  readonly get: (id: string) => AttachmentState | undefined;
  /** Calls back when the state of any attachment of the note changes. */
  readonly subscribe: (callback: () => void) => () => void;
  /** An object URL for showing the picture; the source owns and revokes it. */
  readonly pictureUrl: (id: string) => Promise<string>;
  /** Saves the file where the person's browser puts downloads. */
  readonly download: (id: string) => void;
}

export const attachmentSource = Facet.define<AttachmentSource, AttachmentSource | undefined>({
  combine: (sources) => sources[0],
});

export interface AttachmentReference {
  readonly id: string;
  readonly label: string;
}

/** The attachment that a link or image node refers to, if it refers to one. */
export const attachmentIn = (state: EditorState, node: SyntaxNode): AttachmentReference | undefined => {
  const url = node.getChild("URL");
  const [open, close] = node.getChildren("LinkMark");
  if (!url || !open || !close) return undefined;
  const href = state.sliceDoc(url.from, url.to);
  if (!href.startsWith(attachmentScheme)) return undefined;
  return { id: href.slice(attachmentScheme.length), label: state.sliceDoc(open.to, close.from) };
};

/** Draws an attachment in the text: a picture in full, another file as a card. */
export class AttachmentWidget extends WidgetType {
  readonly reference: AttachmentReference;

  constructor(reference: AttachmentReference) {
    super();
    this.reference = reference;
  }

  override eq(other: AttachmentWidget): boolean {
    return other.reference.id === this.reference.id && other.reference.label === this.reference.label;
  }

  override toDOM(view: { state: EditorState; requestMeasure: () => void }): HTMLElement {
    const holder = document.createElement("span");
    holder.className = "md-attachment";
    const source = view.state.facet(attachmentSource);
    const draw = (): void => {
      const known = source?.get(this.reference.id);
      if (source && known && isPicture(known.mediaType))
        drawPicture(holder, source, known, () => view.requestMeasure());
      else drawCard(holder, source, known, this.reference.label);
    };
    draw();
    const unsubscribe = source?.subscribe(draw);
    if (unsubscribe) release.set(holder, unsubscribe);
    return holder;
  }

  override destroy(dom: HTMLElement): void {
    release.get(dom)?.();
    release.delete(dom);
  }

  override ignoreEvent(event: Event): boolean {
    // A click beside the button puts the cursor next to the attachment, as it would with a character.
    return event.target instanceof Element && event.target.closest("button") !== null;
  }
}

const release = new WeakMap<HTMLElement, () => void>();

const drawPicture = (
  holder: HTMLElement,
  source: AttachmentSource,
  known: AttachmentState,
  drawn: () => void,
): void => {
  let figure = holder.querySelector<HTMLElement>(".md-picture");
  if (!figure) {
    figure = element("span", "md-picture");
    figure.append(element("span", "md-picture-wait", "Opening picture"), element("span", "md-attachment-status"));
    holder.replaceChildren(figure);
    const image = document.createElement("img");
    image.alt = known.name;
    image.draggable = false;
    image.addEventListener("load", drawn);
    void source.pictureUrl(known.id).then(
      (url) => {
        image.src = url;
        figure?.querySelector(".md-picture-wait")?.replaceWith(image);
      },
      () => drawCard(holder, source, known, known.name, "This picture is not on this device yet"),
    );
  }
  const status = figure.querySelector(".md-attachment-status");
  if (status) status.textContent = progressOf(known);
};

const drawCard = (
  holder: HTMLElement,
  source: AttachmentSource | undefined,
  known: AttachmentState | undefined,
  label: string,
  note?: string,
): void => {
  const card = element("span", "md-file");
  const words = element("span", "md-file-words");
  const name = known?.name ?? label;
  words.append(element("span", "md-file-name", name));
  const details =
    note ?? (known ? [formatBytes(known.size), progressOf(known)].filter(Boolean).join(", ") : "Not here yet");
  words.append(element("span", "md-file-details", details));
  card.append(element("span", "md-file-kind", extensionOf(name)), words);
  if (source && known) {
    const button = document.createElement("button");
    button.type = "button";
    button.className = "md-file-save";
    button.textContent = "Save";
    button.setAttribute("aria-label", `Save ${name} to this device`);
    button.addEventListener("click", () => source.download(known.id));
    card.append(button);
  }
  holder.replaceChildren(card);
};

const progressOf = (known: AttachmentState): string => (known.state === "local" ? "on this device only" : "");

const extensionOf = (name: string): string => {
  const extension = /\.([A-Za-z0-9]{1,5})$/.exec(name)?.[1];
  return extension ? extension.toUpperCase() : "FILE";
};

const element = (tag: "span", className: string, text?: string): HTMLElement => {
  const made = document.createElement(tag);
  made.className = className;
  if (text !== undefined) made.textContent = text;
  return made;
};
