import { defaultKeymap } from "@codemirror/commands";
import { Compartment, EditorState, type Extension } from "@codemirror/state";
import { dropCursor, EditorView, keymap, placeholder } from "@codemirror/view";
import type { LoroDoc, LoroText } from "loro-crdt";
import { type AttachmentSource, attachmentSource } from "./attachment-widget.ts";
import { formatCommands, type FormatName } from "./format-commands.ts";
import { liveMarkdown } from "./live-markdown.ts";
import { loroBinding } from "./loro-binding.ts";
import { markdownKeymap } from "./markdown-commands.ts";
import { markdownLanguage } from "./markdown-language.ts";
import { ownUndo } from "./own-undo.ts";

export interface EditorOptions {
  readonly parent: HTMLElement;
  readonly doc: LoroDoc;
  readonly text: LoroText;
  /** Read aloud as the name of the field. */
  readonly label: string;
  readonly readOnly: boolean;
  readonly attachments?: AttachmentSource;
  /** Files that were pasted or dropped; `at` is where they go. */
  readonly onFiles?: (files: ReadonlyArray<File>, at: number) => void;
}

export interface NoteEditorHandle {
  readonly undo: () => boolean;
  readonly redo: () => boolean;
  readonly format: (name: FormatName) => void;
  /** Takes the focus, with the cursor here if that is said. */
  readonly focus: (cursor?: number) => void;
  /** Puts in what was typed already, with the cursor behind it, and takes the focus where it may. */
  readonly continueWith: (typed: string, where: "at the start" | "at the end", mayFocus: boolean) => void;
  /** Where the cursor is, while a person writes. */
  readonly cursor: () => number | undefined;
  readonly setReadOnly: (readOnly: boolean) => void;
  readonly destroy: () => void;
}

/** Opens an editor of a note's text. Needs Loro's WebAssembly to be ready. */
export const createEditor = (options: EditorOptions): NoteEditorHandle => {
  const undo = ownUndo(options.doc);
  const writable = new Compartment();
  const view = new EditorView({
    parent: options.parent,
    state: EditorState.create({
      doc: options.text.toString(),
      extensions: [
        // Positions must equal the document's: a carriage return from elsewhere stays one code unit.
        EditorState.lineSeparator.of("\n"),
        EditorView.clipboardInputFilter.of((text) => text.replaceAll(/\r\n?/g, "\n")),
        writable.of(readOnlyWhen(options.readOnly)),
        EditorView.lineWrapping,
        EditorView.contentAttributes.of({
          "aria-label": options.label,
          spellcheck: "true",
          autocapitalize: "sentences",
          autocorrect: "on",
        }),
        // The cursor and the selection are the browser's own: drawing them takes a quarter of what a key press takes.
        dropCursor(),
        placeholder("Write something. Markdown works: # heading, - list, - [ ] task"),
        markdownLanguage,
        liveMarkdown(),
        loroBinding(options.doc, options.text),
        undo.extension,
        keymap.of([...markdownKeymap, ...defaultKeymap]),
        options.attachments ? attachmentSource.of(options.attachments) : [],
        options.onFiles ? takesFiles(options.onFiles) : [],
      ],
    }),
  });
  return {
    undo: undo.undo,
    redo: undo.redo,
    format: (name) => {
      formatCommands[name](view);
      view.focus();
    },
    focus: (cursor) => {
      if (cursor !== undefined) view.dispatch({ selection: { anchor: Math.min(cursor, view.state.doc.length) } });
      view.focus();
    },
    continueWith: (typed, where, mayFocus) => {
      const at = where === "at the end" ? view.state.doc.length : 0;
      if (!view.state.readOnly) {
        view.dispatch({
          changes: { from: at, insert: typed },
          selection: { anchor: at + typed.length },
          scrollIntoView: mayFocus,
          userEvent: "input.type",
        });
      }
      if (mayFocus) view.focus();
    },
    cursor: () => (view.hasFocus ? view.state.selection.main.head : undefined),
    setReadOnly: (readOnly) => view.dispatch({ effects: writable.reconfigure(readOnlyWhen(readOnly)) }),
    destroy: () => {
      view.destroy();
      undo.free();
    },
  };
};

const readOnlyWhen = (readOnly: boolean): Extension => [
  EditorState.readOnly.of(readOnly),
  EditorView.editable.of(!readOnly),
  // A read-only note can still be reached and scrolled by keyboard.
  readOnly ? EditorView.contentAttributes.of({ tabindex: "0", "aria-readonly": "true" }) : [],
];

const takesFiles = (take: (files: ReadonlyArray<File>, at: number) => void): Extension =>
  EditorView.domEventHandlers({
    paste: (event, view) => {
      const files = [...(event.clipboardData?.files ?? [])];
      if (files.length === 0 || view.state.readOnly) return false;
      event.preventDefault();
      take(files, view.state.selection.main.head);
      return true;
    },
    drop: (event, view) => {
      const files = [...(event.dataTransfer?.files ?? [])];
      if (files.length === 0 || view.state.readOnly) return false;
      event.preventDefault();
      take(files, view.posAtCoords({ x: event.clientX, y: event.clientY }) ?? view.state.doc.length);
      return true;
    },
  });
