import { Check, GripVertical, X } from "lucide-react";
import type { KeyboardEvent } from "react";
import type { ChecklistItem } from "../notebook/schema/version-3.ts";
import { IconButton } from "../ui/Button.tsx";
import type { DragOfItem } from "./use-drag-order.ts";

export interface ChecklistRowProps {
  item: ChecklistItem;
  index: number;
  done: boolean;
  readOnly: boolean;
  drag: DragOfItem;
  onTick: (done: boolean) => void;
  onRename: (label: string) => void;
  onMove: (to: number) => void;
  onRemove: () => void;
  /** It was left without words, for something else that has the cursor by then. */
  onEmptied: () => void;
  /** The person wants another item behind this one. */
  onNext: () => void;
  /** To the item before (-1) or behind (1). */
  onStep: (by: -1 | 1) => void;
}

const quiet =
  "opacity-0 group-focus-within:opacity-100 group-hover:opacity-100 focus-visible:opacity-100 pointer-coarse:opacity-100";

export const ChecklistRow = (props: ChecklistRowProps) => {
  const { item, index, done, readOnly, drag, onTick, onRename, onMove, onRemove, onEmptied, onNext, onStep } = props;
  const name = item.label.trim() === "" ? `Item ${index + 1}` : item.label;

  const actionOf = (event: KeyboardEvent<HTMLTextAreaElement>): (() => void) | undefined => {
    const { selectionStart, selectionEnd, value } = event.currentTarget;
    const stepsAt = (place: number): boolean => !event.shiftKey && selectionStart === place && selectionEnd === place;
    switch (event.key) {
      case "Enter":
        return event.metaKey || event.ctrlKey ? () => onTick(!done) : onNext;
      case "ArrowUp":
        return event.altKey ? () => onMove(index - 1) : stepsAt(0) ? () => onStep(-1) : undefined;
      case "ArrowDown":
        return event.altKey ? () => onMove(index + 1) : stepsAt(value.length) ? () => onStep(1) : undefined;
      case "Backspace":
        return value === "" ? onRemove : undefined;
      default:
        return undefined;
    }
  };

  return (
    <li
      data-item={item.id}
      style={drag.style}
      className={`group relative flex items-start pr-2 pl-2 ${drag.isDragged ? "z-10 rounded-lg bg-raised shadow-lift" : ""} ${drag.marker}`}
    >
      <span className="relative grid size-9 shrink-0 place-items-center pointer-coarse:size-11">
        <input
          type="checkbox"
          checked={done}
          disabled={readOnly}
          aria-label={name}
          className="peer absolute inset-0 size-full cursor-pointer appearance-none rounded-md disabled:cursor-default"
          onChange={(event) => onTick(event.target.checked)}
        />
        <span
          className={`pointer-events-none grid size-[1.15rem] place-items-center rounded-[0.35rem] border-[1.5px] transition-colors ${
            done ? "border-moss bg-moss text-on-moss" : "border-ink-faint peer-hover:border-moss"
          }`}
          aria-hidden="true"
        >
          {done ? <Check className="size-3.5" strokeWidth={3} /> : null}
        </span>
      </span>
      <textarea
        data-label={item.id}
        rows={1}
        value={item.label}
        readOnly={readOnly}
        aria-label={`Words of item ${index + 1}`}
        enterKeyHint="next"
        className={`min-h-9 w-full min-w-0 resize-none field-sizing-content overflow-hidden rounded-md bg-transparent outline-none focus:bg-hover px-1.5 py-1.5 leading-6 pointer-coarse:min-h-11 pointer-coarse:py-2.5 ${
          done ? "text-ink-soft line-through decoration-ink-faint" : ""
        }`}
        onChange={(event) => onRename(event.target.value.replaceAll(/\s*\n\s*/g, " ").toWellFormed())}
        onKeyDown={(event) => {
          const action = readOnly || event.nativeEvent.isComposing ? undefined : actionOf(event);
          if (action === undefined) return;
          event.preventDefault();
          action();
        }}
        onBlur={(event) => {
          // An item without words is none; but who only looks at another window has not decided that.
          if (!readOnly && event.target.value.trim() === "" && document.hasFocus()) onEmptied();
        }}
      />
      {readOnly ? null : (
        <>
          <IconButton label={`Remove ${name}`} className={quiet} onClick={onRemove}>
            <X className="size-4" aria-hidden="true" />
          </IconButton>
          <IconButton
            label={`Move ${name}`}
            shortcut="Alt+↑ Alt+↓"
            className={`cursor-grab touch-none active:cursor-grabbing ${quiet}`}
            onPointerDown={drag.start}
            onKeyDown={(event) => {
              if (event.key !== "ArrowUp" && event.key !== "ArrowDown") return;
              event.preventDefault();
              onMove(index + (event.key === "ArrowUp" ? -1 : 1));
            }}
          >
            <GripVertical className="size-4" aria-hidden="true" />
          </IconButton>
        </>
      )}
    </li>
  );
};
