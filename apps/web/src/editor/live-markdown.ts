import { syntaxTree } from "@codemirror/language";
import type { EditorState, Extension, Range } from "@codemirror/state";
import { Decoration, type DecorationSet, EditorView, ViewPlugin, type ViewUpdate } from "@codemirror/view";
import type { SyntaxNodeRef } from "@lezer/common";
import { attachmentIn, AttachmentWidget } from "./attachment-widget.ts";
import { BulletWidget, RuleWidget, TaskWidget } from "./markdown-widgets.ts";

/**
 * Renders Markdown while it is written. The text stays Markdown: marks such as `**` are hidden on lines that the
 * person is not in and dimmed on the line that they are in; list bullets, task boxes and attachments are drawn in their
 * place everywhere. Only what is on screen is decorated.
 */
export const liveMarkdown = (): Extension => [
  ViewPlugin.fromClass(
    class {
      decorations: DecorationSet;
      /** Pieces the cursor steps over as if they were one character. */
      solid: DecorationSet;

      constructor(view: EditorView) {
        ({ decorations: this.decorations, solid: this.solid } = decorate(view));
      }

      update(update: ViewUpdate): void {
        const parsed = syntaxTree(update.startState) !== syntaxTree(update.state);
        if (update.view.composing && update.docChanged) {
          // An input method owns the line it composes in: redrawing it would end the composition.
          this.decorations = this.decorations.map(update.changes);
          this.solid = this.solid.map(update.changes);
        } else if (
          update.docChanged ||
          update.viewportChanged ||
          update.selectionSet ||
          update.focusChanged ||
          parsed
        ) {
          ({ decorations: this.decorations, solid: this.solid } = decorate(update.view));
        }
      }
    },
    {
      decorations: (plugin) => plugin.decorations,
      provide: (plugin) => EditorView.atomicRanges.of((view) => view.plugin(plugin)?.solid ?? Decoration.none),
    },
  ),
  openLinks,
];

const hidden = Decoration.replace({});
const dimmed = Decoration.mark({ class: "md-mark" });
const bullet = Decoration.replace({ widget: new BulletWidget() });
const rule = Decoration.replace({ widget: new RuleWidget() });
const line = (name: string): Decoration => Decoration.line({ class: name });

const marks: Record<string, Decoration> = {
  Emphasis: Decoration.mark({ class: "md-em" }),
  StrongEmphasis: Decoration.mark({ class: "md-strong" }),
  Strikethrough: Decoration.mark({ class: "md-strike" }),
  InlineCode: Decoration.mark({ class: "md-code" }),
  CodeInfo: Decoration.mark({ class: "md-mark" }),
  TableHeader: Decoration.mark({ class: "md-strong" }),
};

const lines: Record<string, Decoration> = {
  ATXHeading1: line("md-h md-h1"),
  ATXHeading2: line("md-h md-h2"),
  ATXHeading3: line("md-h md-h3"),
  ATXHeading4: line("md-h md-h4"),
  ATXHeading5: line("md-h md-h4"),
  ATXHeading6: line("md-h md-h4"),
  SetextHeading1: line("md-h md-h1"),
  SetextHeading2: line("md-h md-h2"),
  Blockquote: line("md-quote"),
  FencedCode: line("md-block"),
  CodeBlock: line("md-block"),
  Table: line("md-table"),
};

const hiddenMarks = new Set(["HeaderMark", "EmphasisMark", "StrikethroughMark", "CodeMark", "QuoteMark", "LinkMark"]);
const taskDone = line("md-task-done");

const decorate = (view: EditorView): { decorations: DecorationSet; solid: DecorationSet } => {
  const { state } = view;
  const found: Array<Range<Decoration>> = [];
  const solid: Array<Range<Decoration>> = [];
  const active = activeLines(view);
  const isActive = (from: number, to = from): boolean => {
    const last = state.doc.lineAt(to).number;
    for (let n = state.doc.lineAt(from).number; n <= last; n += 1) if (active.has(n)) return true;
    return false;
  };
  const draw = (decoration: Decoration, from: number, to: number): void => {
    found.push(decoration.range(from, to));
    solid.push(decoration.range(from, to));
  };

  const enter = (node: SyntaxNodeRef): boolean | undefined => {
    const { name, from, to } = node;
    const lineClass = lines[name];
    if (lineClass) eachLine(state, from, to, (start) => found.push(lineClass.range(start)));
    const mark = marks[name];
    if (mark && to > from) found.push(mark.range(from, to));

    if (hiddenMarks.has(name)) {
      const fence = name === "CodeMark" && node.node.parent?.name === "FencedCode";
      // A heading's and a quote's mark takes the blank after it along.
      const end = (name === "HeaderMark" || name === "QuoteMark") && state.sliceDoc(to, to + 1) === " " ? to + 1 : to;
      const setext = name === "HeaderMark" && node.node.parent?.name.startsWith("Setext") === true;
      if (isActive(from, to) || fence || setext) found.push(dimmed.range(from, to));
      else found.push(hidden.range(from, end));
      return undefined;
    }
    switch (name) {
      case "HorizontalRule":
        if (!isActive(from)) draw(rule, from, to);
        return undefined;
      case "ListItem":
        decorateListItem(state, node, found, draw);
        return undefined;
      case "Image":
      case "Link":
        return decorateLink(state, node, isActive(from, to), found, draw);
      case "URL":
      case "Autolink":
        if (node.node.parent?.name !== "Link" && node.node.parent?.name !== "Image")
          found.push(linkMark(state.sliceDoc(from, to)).range(from, to));
        return undefined;
      default:
        return undefined;
    }
  };
  for (const { from, to } of view.visibleRanges) syntaxTree(state).iterate({ from, to, enter });
  return { decorations: Decoration.set(found, true), solid: Decoration.set(solid, true) };
};

const decorateListItem = (
  state: EditorState,
  node: SyntaxNodeRef,
  found: Array<Range<Decoration>>,
  draw: (decoration: Decoration, from: number, to: number) => void,
): void => {
  const mark = node.node.getChild("ListMark");
  if (!mark) return;
  const start = state.doc.lineAt(mark.from);
  const marker = node.node.getChild("Task")?.getChild("TaskMarker");
  const afterMark = state.sliceDoc(mark.to, mark.to + 1) === " " ? mark.to + 1 : mark.to;
  const depth = Math.min(6, Math.floor((mark.from - start.from) / 2));
  found.push(line(`md-item md-depth-${depth}`).range(start.from));
  // Blanks before the mark only say how deep the item is; the indentation shows that.
  if (mark.from > start.from && state.sliceDoc(start.from, mark.from).trim() === "") {
    found.push(hidden.range(start.from, mark.from));
  }
  if (marker) {
    const done = state.sliceDoc(marker.from, marker.to) !== "[ ]";
    const blank = state.sliceDoc(marker.to, marker.to + 1) === " " ? 1 : 0;
    const label = state.sliceDoc(marker.to + blank, start.to);
    draw(Decoration.replace({ widget: new TaskWidget(done, label) }), mark.from, marker.to + blank);
    if (done) found.push(taskDone.range(start.from));
  } else if (node.node.parent?.name === "BulletList" && afterMark > mark.to) {
    draw(bullet, mark.from, afterMark);
  } else {
    found.push(Decoration.mark({ class: "md-number" }).range(mark.from, afterMark));
  }
};

const decorateLink = (
  state: EditorState,
  node: SyntaxNodeRef,
  active: boolean,
  found: Array<Range<Decoration>>,
  draw: (decoration: Decoration, from: number, to: number) => void,
): boolean => {
  const url = node.node.getChild("URL");
  if (!url) return true;
  const attachment = attachmentIn(state, node.node);
  if (attachment) {
    draw(Decoration.replace({ widget: new AttachmentWidget(attachment) }), node.from, node.to);
    return false;
  }
  const [open, close] = node.node.getChildren("LinkMark");
  if (!open || !close) return true;
  const href = state.sliceDoc(url.from, url.to);
  if (close.from > open.to) found.push(linkMark(href).range(open.to, close.from));
  if (active || close.from === open.to) {
    found.push(dimmed.range(open.from, open.to), dimmed.range(close.from, node.to));
  } else {
    found.push(hidden.range(open.from, open.to), hidden.range(close.from, node.to));
  }
  // The words of the link may carry emphasis of their own, but its marks are done.
  return false;
};

const linkMark = (href: string): Decoration =>
  Decoration.mark({ class: "md-link", attributes: { "data-href": href, title: `${href}\n${openHint}` } });

const apple = /Mac|iPhone|iPad/.test(navigator.userAgent);
const openHint = `${apple ? "⌘" : "Ctrl"} + click opens it`;

/** Ctrl or Cmd and click opens a link; on a touch screen, a tap on a line that is not being edited. */
const openLinks = EditorView.domEventHandlers({
  click: (event, view) => {
    const link = event.target instanceof Element ? event.target.closest("[data-href]") : null;
    const href = link?.getAttribute("data-href");
    if (!href || !(event.metaKey || event.ctrlKey || (matchMedia("(pointer: coarse)").matches && !view.hasFocus))) {
      return false;
    }
    if (!/^(https?|mailto):/i.test(href) && !/^www\./i.test(href)) return false;
    event.preventDefault();
    window.open(/^www\./i.test(href) ? `https://${href}` : href, "_blank", "noopener,noreferrer");
    return true;
  },
});

const activeLines = (view: EditorView): ReadonlySet<number> => {
  const active = new Set<number>();
  if (!view.hasFocus) return active;
  for (const range of view.state.selection.ranges) {
    const last = view.state.doc.lineAt(range.to).number;
    for (let n = view.state.doc.lineAt(range.from).number; n <= last; n += 1) active.add(n);
  }
  return active;
};

const eachLine = (state: EditorState, from: number, to: number, visit: (start: number) => void): void => {
  for (let at = from; at <= to;) {
    const current = state.doc.lineAt(at);
    visit(current.from);
    at = current.to + 1;
  }
};
