import { syntaxTree } from "@codemirror/language";
import { type EditorView, WidgetType } from "@codemirror/view";

export class BulletWidget extends WidgetType {
  override eq(): boolean {
    return true;
  }

  toDOM(): HTMLElement {
    const dot = document.createElement("span");
    dot.className = "md-bullet";
    dot.textContent = "•";
    return dot;
  }
}

export class RuleWidget extends WidgetType {
  override eq(): boolean {
    return true;
  }

  toDOM(): HTMLElement {
    const rule = document.createElement("span");
    rule.className = "md-rule";
    return rule;
  }
}

/** The box of a task; a click ticks it, which is an edit of the text like any other. */
export class TaskWidget extends WidgetType {
  readonly done: boolean;
  readonly label: string;

  constructor(done: boolean, label: string) {
    super();
    this.done = done;
    this.label = label;
  }

  override eq(other: TaskWidget): boolean {
    return other.done === this.done && other.label === this.label;
  }

  toDOM(view: EditorView): HTMLElement {
    const holder = document.createElement("span");
    holder.className = "md-task";
    const box = document.createElement("input");
    box.type = "checkbox";
    box.checked = this.done;
    box.disabled = view.state.readOnly;
    box.setAttribute("aria-label", this.label.trim() || "Task");
    // Focus stays in the text, where Mod-Enter ticks the task of the line.
    box.tabIndex = -1;
    box.addEventListener("mousedown", (event) => event.preventDefault());
    box.addEventListener("click", (event) => {
      event.preventDefault();
      toggleTaskAt(view, view.posAtDOM(holder));
    });
    holder.append(box);
    return holder;
  }

  override ignoreEvent(): boolean {
    return true;
  }
}

/** Ticks or unticks the task that begins at or around a position. False if there is none, or the note is read-only. */
export const toggleTaskAt = (view: EditorView, position: number): boolean => {
  if (view.state.readOnly) return false;
  const line = view.state.doc.lineAt(position);
  let marker: { from: number; to: number } | undefined;
  syntaxTree(view.state).iterate({
    from: line.from,
    to: line.to,
    enter: (node) => {
      if (node.name === "TaskMarker" && !marker) marker = { from: node.from, to: node.to };
    },
  });
  if (!marker) return false;
  const done = view.state.sliceDoc(marker.from, marker.to) !== "[ ]";
  view.dispatch({
    changes: { from: marker.from + 1, to: marker.from + 2, insert: done ? " " : "x" },
    userEvent: "input.task",
  });
  return true;
};
