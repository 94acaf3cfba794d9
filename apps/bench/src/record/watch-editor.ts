/** What an open editor's transactions do to its text, as they happen. */
import type { Patch, SequentialTransaction } from "@cairn/testkit/traces";
import type { Page } from "playwright-core";

/** The parts of CodeMirror's editor that are looked at here. */
interface WatchedDocument {
  readonly length: number;
  readonly sliceString: (from: number, to?: number) => string;
}
interface WatchedTransaction {
  readonly docChanged: boolean;
  readonly startState: { readonly doc: WatchedDocument };
  readonly newDoc: WatchedDocument;
  readonly changes: {
    readonly iterChanges: (
      visit: (fromA: number, toA: number, fromB: number, toB: number, inserted: { toString: () => string }) => void,
    ) => void;
  };
}
interface WatchedEditor {
  readonly state: { readonly doc: WatchedDocument };
  update: (transactions: ReadonlyArray<WatchedTransaction>) => void;
}
type EditorElement = Element & { readonly cmTile?: { readonly root?: { readonly view?: WatchedEditor } } };

declare global {
  interface Window {
    recordTransaction?: (transaction: SequentialTransaction) => void;
  }
}

/** Tells each transaction of the editor that is open on the page, from now on. Positions and lengths count code points. */
export const watchEditor = async (
  page: Page,
  told: (transaction: SequentialTransaction) => void,
): Promise<{ readonly text: () => Promise<string> }> => {
  await page.exposeFunction("recordTransaction", told);
  await page.evaluate(() => {
    const element: EditorElement | null = document.querySelector(".cm-content");
    const editor = element?.cmTile?.root?.view;
    if (editor === undefined) throw new Error("no editor is open");
    const codePoints = (text: string): number => Array.from(text).length;
    const update = editor.update.bind(editor);
    editor.update = (transactions) => {
      for (const { changes, docChanged, newDoc, startState } of transactions) {
        if (!docChanged) continue;
        const patches: Array<Patch> = [];
        // Ascending: what stands before a change is, by its turn, what stands there in the end.
        changes.iterChanges((fromA, toA, fromB, _toB, inserted) => {
          patches.push([
            codePoints(newDoc.sliceString(0, fromB)),
            codePoints(startState.doc.sliceString(fromA, toA)),
            inserted.toString(),
          ]);
        });
        window.recordTransaction?.({ time: new Date().toISOString(), patches });
      }
      update(transactions);
    };
  });
  return {
    text: () =>
      page.evaluate(() => {
        const element: EditorElement | null = document.querySelector(".cm-content");
        return element?.cmTile?.root?.view?.state.doc.sliceString(0) ?? "";
      }),
  };
};
