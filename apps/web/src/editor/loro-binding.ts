import {
  Annotation,
  type ChangeSet,
  type ChangeSpec,
  EditorSelection,
  type Extension,
  type Text,
} from "@codemirror/state";
import { type EditorView, type PluginValue, ViewPlugin, type ViewUpdate } from "@codemirror/view";
import type { Delta, LoroDoc, LoroEventBatch, LoroText } from "loro-crdt";

/**
 * Binds one CodeMirror view to one `LoroText`, both ways.
 *
 * Both sides count UTF-16 code units, so positions carry over unchanged, provided that the editor keeps `\r` as it is
 * (`EditorState.lineSeparator.of("\n")`). Every commit made here carries an origin of its own; every other event of
 * the document, whether imported, undone or made elsewhere in the page, is applied to the view. One import may touch
 * several containers: only the events of this text count, and all of them do.
 */
export const loroBinding = (doc: LoroDoc, text: LoroText): Extension =>
  ViewPlugin.define((view) => new LoroBinding(view, doc, text));

/** Marks transactions that came out of the document and must not go back into it. */
export const fromDocument = Annotation.define<true>();

let bindings = 0;

class LoroBinding implements PluginValue {
  readonly #view: EditorView;
  readonly #doc: LoroDoc;
  readonly #text: LoroText;
  readonly #origin: string;
  readonly #unsubscribe: () => void;
  #destroyed = false;

  constructor(view: EditorView, doc: LoroDoc, text: LoroText) {
    this.#view = view;
    this.#doc = doc;
    this.#text = text;
    bindings += 1;
    this.#origin = `editor-${bindings}`;
    this.#unsubscribe = doc.subscribe((batch) => this.#receive(batch));
    // The document may have moved on between the creation of the state and of the view.
    if (text.length !== view.state.doc.length || text.toString() !== view.state.doc.toString()) this.#adoptLater();
  }

  update(update: ViewUpdate): void {
    let wrote = false;
    for (const transaction of update.transactions) {
      if (!transaction.docChanged || transaction.annotation(fromDocument)) continue;
      writeChanges(this.#text, transaction.changes, transaction.startState.doc, transaction.newDoc);
      wrote = true;
    }
    if (!wrote) return;
    this.#doc.commit({ origin: this.#origin });
    if (this.#text.length !== update.state.doc.length) this.#adoptLater();
  }

  destroy(): void {
    this.#destroyed = true;
    this.#unsubscribe();
  }

  #receive(batch: LoroEventBatch): void {
    if (this.#destroyed || batch.origin === this.#origin) return;
    for (const { target, diff } of batch.events) {
      if (target !== this.#text.id || diff.type !== "text") continue;
      const { changes, end } = deltaToChanges(diff.diff);
      if (changes.length === 0) continue;
      const undone = batch.by === "local" && batch.origin === "undo";
      this.#view.dispatch({
        changes,
        annotations: fromDocument.of(true),
        // After an undo the person looks for what came back; a remote edit must never move their view.
        ...(undone ? { selection: EditorSelection.cursor(end), scrollIntoView: true } : {}),
      });
    }
    if (this.#text.length !== this.#view.state.doc.length) this.#adoptLater();
  }

  /** The two disagree: the document is right. Not inside an update, where a view takes no transactions. */
  #adoptLater(): void {
    queueMicrotask(() => {
      if (this.#destroyed) return;
      const change = smallestChange(this.#view.state.doc.toString(), this.#text.toString());
      if (change) this.#view.dispatch({ changes: change, annotations: fromDocument.of(true) });
    });
  }
}

/** Writes a transaction's changes into the text, never cutting a surrogate pair in two. */
export const writeChanges = (text: LoroText, changes: ChangeSet, before: Text, after: Text): void => {
  let shift = 0;
  let written = 0;
  changes.iterChanges((fromA, toA, fromB, toB) => {
    let [from, to, insertFrom, insertTo] = [fromA, toA, fromB, toB];
    while (from > written && (splitsPair(before, from) || splitsPair(after, insertFrom))) {
      from -= 1;
      insertFrom -= 1;
    }
    while (to < before.length && (splitsPair(before, to) || splitsPair(after, insertTo))) {
      to += 1;
      insertTo += 1;
    }
    written = to;
    const inserted = after.sliceString(insertFrom, insertTo, "\n").toWellFormed();
    if (to > from) text.delete(from + shift, to - from);
    if (inserted.length > 0) text.insert(from + shift, inserted);
    shift += inserted.length - (to - from);
  });
};

/** A Loro text delta as CodeMirror changes, in positions of the text before it; `end` is where it last wrote, after it. */
export const deltaToChanges = (
  delta: ReadonlyArray<Delta<string>>,
): { readonly changes: ReadonlyArray<ChangeSpec>; readonly end: number } => {
  const changes: Array<ChangeSpec> = [];
  let before = 0;
  let after = 0;
  let end = 0;
  for (const part of delta) {
    if (part.insert !== undefined) {
      changes.push({ from: before, insert: part.insert });
      after += part.insert.length;
      end = after;
    } else if (part.delete !== undefined) {
      changes.push({ from: before, to: before + part.delete });
      before += part.delete;
      end = after;
    } else {
      before += part.retain;
      after += part.retain;
    }
  }
  return { changes, end };
};

/** The one replacement that turns `from` into `to`, leaving their common start and end untouched. */
export const smallestChange = (
  from: string,
  to: string,
): { readonly from: number; readonly to: number; readonly insert: string } | undefined => {
  if (from === to) return undefined;
  const shorter = Math.min(from.length, to.length);
  let start = 0;
  while (start < shorter && from[start] === to[start]) start += 1;
  let tail = 0;
  while (tail < shorter - start && from[from.length - 1 - tail] === to[to.length - 1 - tail]) tail += 1;
  return { from: start, to: from.length - tail, insert: to.slice(start, to.length - tail) };
};

const splitsPair = (text: Text, at: number): boolean => {
  if (at <= 0 || at >= text.length) return false;
  const around = text.sliceString(at - 1, at + 1, "\n");
  return isHigh(around.charCodeAt(0)) && isLow(around.charCodeAt(1));
};

const isHigh = (unit: number): boolean => unit >= 0xd800 && unit <= 0xdbff;
const isLow = (unit: number): boolean => unit >= 0xdc00 && unit <= 0xdfff;
