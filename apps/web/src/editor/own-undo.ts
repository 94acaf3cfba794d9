import { type Extension, Prec } from "@codemirror/state";
import { EditorView, keymap } from "@codemirror/view";
import { type LoroDoc, UndoManager } from "loro-crdt";
import { SUCCESSOR_ORIGIN } from "@cairn/schema";

export interface OwnUndo {
  readonly undo: () => boolean;
  readonly redo: () => boolean;
  readonly extension: Extension;
  /** Gives the manager's memory back; the document outlives it. */
  readonly free: () => void;
}

/** Commits with this origin are no step of the editor's undo: they were made by other controls of the page. */
export const metaOrigin = "meta";

/** Edits closer together than this (milliseconds) are undone as one. */
const mergeIntervalMs = 700;

/**
 * Undo and redo of this person's own edits: what others wrote in between stays. Also answers the browser's own undo
 * commands (Edit menu, shaking a phone), which would otherwise change the page behind the editor's back.
 */
export const ownUndo = (doc: LoroDoc): OwnUndo => {
  const manager = new UndoManager(doc, {
    mergeInterval: mergeIntervalMs,
    maxUndoSteps: 500,
    // A successor is the whole content in another form, and no step of this person's.
    excludeOriginPrefixes: [metaOrigin, SUCCESSOR_ORIGIN],
  });
  const undo = (): boolean => manager.canUndo() && (manager.undo(), true);
  const redo = (): boolean => manager.canRedo() && (manager.redo(), true);
  const swallow = (run: () => boolean) => (): boolean => (run(), true);
  return {
    undo,
    redo,
    free: () => manager.free(),
    extension: [
      Prec.high(
        keymap.of([
          { key: "Mod-z", run: swallow(undo), shift: swallow(redo), preventDefault: true },
          { key: "Mod-y", run: swallow(redo), preventDefault: true },
        ]),
      ),
      EditorView.domEventHandlers({
        beforeinput: (event) => {
          if (event.inputType !== "historyUndo" && event.inputType !== "historyRedo") return false;
          event.preventDefault();
          if (event.inputType === "historyUndo") undo();
          else redo();
          return true;
        },
      }),
    ],
  };
};
