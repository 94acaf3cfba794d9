import { syntaxTree } from "@codemirror/language";
import { type ChangeSpec, EditorSelection, type EditorState, type StateCommand } from "@codemirror/state";
import type { Command, EditorView, KeyBinding } from "@codemirror/view";
import { toggleTaskAt } from "./markdown-widgets.ts";

/** Wraps the selection (or the word at the cursor) in a mark such as `**`, or takes the mark away again. */
export const toggleMark =
  (mark: string): StateCommand =>
  ({ state, dispatch }) => {
    if (state.readOnly) return false;
    const change = state.changeByRange((range) => {
      const word = range.empty ? (state.wordAt(range.head) ?? range) : range;
      const { from, to } = word;
      const before = state.sliceDoc(from - mark.length, from);
      const after = state.sliceDoc(to, to + mark.length);
      const longer =
        mark === "*" && state.sliceDoc(from - 2, from) === "**" && state.sliceDoc(from - 3, from) !== "***";
      if (before === mark && after === mark && !longer) {
        return {
          changes: [
            { from: from - mark.length, to: from },
            { from: to, to: to + mark.length },
          ],
          range: EditorSelection.range(range.anchor - mark.length, range.head - mark.length),
        };
      }
      return {
        changes: [
          { from, insert: mark },
          { from: to, insert: mark },
        ],
        range: EditorSelection.range(range.anchor + mark.length, range.head + mark.length),
      };
    });
    dispatch(state.update(change, { userEvent: "input.format", scrollIntoView: true }));
    return true;
  };

/** Makes the selected lines begin with a prefix, or takes it away if all of them do. */
export const toggleLinePrefix =
  (prefix: string): StateCommand =>
  ({ state, dispatch }) => {
    if (state.readOnly) return false;
    const lines = selectedLines(state);
    const has = (text: string): boolean => prefixOf(text).slice(indentOf(text).length) === prefix;
    const off = lines.every((line) => has(line.text));
    const changes: Array<ChangeSpec> = lines
      .filter((line) => off || !has(line.text))
      .map((line) => {
        const from = line.from + indentOf(line.text).length;
        return { from, to: line.from + prefixOf(line.text).length, insert: off ? "" : prefix };
      });
    dispatch(state.update({ changes, userEvent: "input.format", scrollIntoView: true }));
    return true;
  };

/** Turns the selection into a link and puts the cursor where the address goes. */
export const insertLink: StateCommand = ({ state, dispatch }) => {
  if (state.readOnly) return false;
  const change = state.changeByRange((range) => {
    const text = state.sliceDoc(range.from, range.to);
    const address = /^https?:\/\/\S+$/.test(text);
    const insert = address ? `[](${text})` : `[${text}](https://)`;
    const cursor = address || text === "" ? range.from + 1 : range.from + insert.length - 1;
    return { changes: { from: range.from, to: range.to, insert }, range: EditorSelection.cursor(cursor) };
  });
  dispatch(state.update(change, { userEvent: "input.format", scrollIntoView: true }));
  return true;
};

/** Enter inside a list or a quote begins the next item; on an empty item it ends the list. */
export const continueMarkup: StateCommand = ({ state, dispatch }) => {
  const range = state.selection.main;
  if (state.readOnly || state.selection.ranges.length > 1) return false;
  const line = state.doc.lineAt(range.from);
  const prefix = markupPrefix.exec(line.text)?.[0];
  if (!prefix || prefix.trim() === "" || range.from < line.from + prefix.length || inCode(state, line.from))
    return false;
  if (line.text.length === prefix.length && range.empty) {
    const outdented = indentOf(prefix).length >= 2 ? prefix.slice(2) : "";
    dispatch(
      state.update({
        changes: { from: line.from, to: line.to, insert: outdented },
        selection: EditorSelection.cursor(line.from + outdented.length),
        userEvent: "delete.markup",
        scrollIntoView: true,
      }),
    );
    return true;
  }
  const next = prefix
    .replace(/\[[xX]\]/, "[ ]")
    .replace(/\d+(?=[.)])/, (number) => String(Math.min(999_999_999, Number(number) + 1)));
  const insert = `\n${next}`;
  dispatch(
    state.update({
      changes: { from: range.from, to: range.to, insert },
      selection: EditorSelection.cursor(range.from + insert.length),
      userEvent: "input",
      scrollIntoView: true,
    }),
  );
  return true;
};

const indentItem =
  (by: 1 | -1): StateCommand =>
  ({ state, dispatch }) => {
    const lines = selectedLines(state).filter((line) => listPrefix.test(line.text));
    if (state.readOnly || lines.length === 0) return false;
    const changes = lines.flatMap((line): Array<ChangeSpec> => {
      if (by === 1) return [{ from: line.from, insert: "  " }];
      const indent = Math.min(2, indentOf(line.text).length);
      return indent > 0 ? [{ from: line.from, to: line.from + indent }] : [];
    });
    if (changes.length === 0) return false;
    dispatch(state.update({ changes, userEvent: by === 1 ? "input.indent" : "delete.dedent" }));
    return true;
  };

const toggleTaskHere: Command = (view: EditorView) =>
  toggleTaskAt(view, view.state.selection.main.head) || toggleLinePrefix("- [ ] ")(view);

/** For two seconds after Escape, Tab leaves the editor instead of indenting: nobody is trapped in it. */
const freeTab: Command = (view) => {
  view.setTabFocusMode(2000);
  return false;
};

export const markdownKeymap: ReadonlyArray<KeyBinding> = [
  { key: "Mod-b", run: toggleMark("**"), preventDefault: true },
  { key: "Mod-i", run: toggleMark("*"), preventDefault: true },
  { key: "Mod-e", run: toggleMark("`"), preventDefault: true },
  { key: "Mod-Shift-x", run: toggleMark("~~"), preventDefault: true },
  { key: "Mod-Shift-k", run: insertLink, preventDefault: true },
  { key: "Mod-Enter", run: toggleTaskHere, preventDefault: true },
  { key: "Mod-Shift-8", run: toggleLinePrefix("- "), preventDefault: true },
  { key: "Mod-Shift-7", run: toggleLinePrefix("1. "), preventDefault: true },
  { key: "Enter", run: continueMarkup },
  { key: "Tab", run: indentItem(1), shift: indentItem(-1) },
  { key: "Escape", run: freeTab },
];

const listPrefix = /^[ \t]*(?:[-*+]|\d{1,9}[.)])[ \t]+(?:\[[ xX]\][ \t]+)?/;
const markupPrefix = /^(?:[ \t]*>[ \t]?)*[ \t]*(?:(?:[-*+]|\d{1,9}[.)])[ \t]+(?:\[[ xX]\][ \t]+)?)?/;
const blockPrefix = /^[ \t]*(?:#{1,6}[ \t]+|>[ \t]?|(?:[-*+]|\d{1,9}[.)])[ \t]+(?:\[[ xX]\][ \t]+)?)?/;

const prefixOf = (text: string): string => blockPrefix.exec(text)?.[0] ?? "";
const indentOf = (text: string): string => /^[ \t]*/.exec(text)?.[0] ?? "";

const selectedLines = (state: EditorState): Array<{ from: number; to: number; text: string }> => {
  const found = new Map<number, { from: number; to: number; text: string }>();
  for (const range of state.selection.ranges) {
    for (let at = range.from; at <= range.to;) {
      const line = state.doc.lineAt(at);
      found.set(line.from, line);
      at = line.to + 1;
    }
  }
  return [...found.values()];
};

const inCode = (state: EditorState, position: number): boolean => {
  for (let node = syntaxTree(state).resolveInner(position, 1); node.parent; node = node.parent) {
    if (node.name === "FencedCode" || node.name === "CodeBlock") return true;
  }
  return false;
};
