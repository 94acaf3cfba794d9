import { useDocumentView } from "@cairn/react";
import { ListChecks } from "lucide-react";
import { useEffect, useRef, useState } from "react";
import { plural } from "../notebook/format.ts";
import { type NoteHandle, useWorkspace } from "../notebook/hooks.ts";
import { isTicked } from "../notebook/note-fields.ts";
import { Button } from "../ui/Button.tsx";
import { notify } from "../ui/notices.ts";
import { addItems, moveItem, putBack, removeItem, removeTicked, renameItem, tickItem } from "./checklist-edits.ts";
import { ChecklistComposer } from "./ChecklistComposer.tsx";
import { ChecklistRow } from "./ChecklistRow.tsx";
import { editNote } from "./edit-note.ts";
import { useDragOrder } from "./use-drag-order.ts";

export interface ChecklistProps {
  note: NoteHandle;
  readOnly: boolean;
  /** It was just asked for: the person goes on writing here. */
  focusFirst: boolean;
}

/** What gets the cursor after an edit: an item, or the field for the next one. */
type Target = number | "composer";

/** The note's checklist: ticked, reworded, put in order and added to in place, by keyboard, pointer and finger. */
const Checklist = ({ note, readOnly, focusFirst }: ChecklistProps) => {
  const { checklist: items, ticked } = useDocumentView(note, ({ checklist, ticked }) => ({ checklist, ticked }));
  const notebook = useWorkspace();
  const done = items.filter((item) => isTicked(item, ticked)).length;
  /** The item behind which the next one goes; the end of the list otherwise. */
  const [behind, setBehind] = useState<number | undefined>(undefined);
  const [said, setSaid] = useState("");
  const list = useRef<HTMLUListElement>(null);
  const wanted = useRef<Target | undefined>(focusFirst ? "composer" : undefined);

  const focus = (target: Target): void => {
    list.current?.querySelector<HTMLTextAreaElement>(`[data-label="${target}"]`)?.focus();
  };
  // After the list was drawn as the edit left it.
  useEffect(() => {
    if (wanted.current === undefined) return;
    focus(wanted.current);
    wanted.current = undefined;
  });

  const move = (id: number, to: number): void => {
    const label = items.find((item) => item.id === id)?.label ?? "";
    const place = Math.max(0, Math.min(to, items.length - 1));
    if (items[place]?.id === id) return;
    note.edit((edit) => moveItem(edit, id, place));
    setSaid(`${label}: ${place + 1} of ${items.length}`);
  };
  const remove = (id: number): void => {
    const at = items.findIndex((item) => item.id === id);
    wanted.current = items[at - 1]?.id ?? items[at + 1]?.id ?? "composer";
    if (behind === id) setBehind(undefined);
    note.edit((edit) => removeItem(edit, id));
  };
  const clear = (): void => {
    wanted.current = "composer";
    note.edit((edit) => {
      const taken = removeTicked(edit);
      notify({
        title: `${plural(taken.length, "item")} removed`,
        action: {
          label: "Undo",
          // The note may be closed by then.
          run: () => void (notebook && editNote(notebook, note.id, (again) => putBack(again, taken))),
        },
      });
    });
  };
  const drag = useDragOrder(list, (id, to) => move(id, to));

  const composer = (
    <ChecklistComposer
      key="composer"
      label={items.length === 0 ? "First item" : "Add an item"}
      onAdd={(lines, goesOn) => {
        if (goesOn) wanted.current = "composer";
        note.edit((edit) => {
          const last = addItems(edit, lines, behind);
          if (behind !== undefined) setBehind(last);
        });
      }}
      onLeave={() => setBehind(undefined)}
      onUp={() => focus(behind ?? items.at(-1)?.id ?? "composer")}
    />
  );

  return (
    <section aria-label="Checklist" className="mb-6 rounded-xl border border-line bg-raised py-1.5">
      <header className="flex min-h-9 items-center gap-2.5 px-3.5 pointer-coarse:min-h-11">
        <ListChecks className="size-4 shrink-0 text-moss" aria-hidden="true" />
        <h2 className="text-sm font-semibold text-ink-soft">Checklist</h2>
        {items.length === 0 ? null : (
          <span className="text-sm text-ink-soft tabular-nums">
            <span aria-hidden="true">
              {done} / {items.length}
            </span>
            <span className="sr-only">
              {done} of {items.length} done
            </span>
          </span>
        )}
        <span className="flex-1" />
        {done > 0 && !readOnly ? (
          <Button look="quiet" size="small" className="-mr-2" onClick={clear}>
            Remove ticked
          </Button>
        ) : null}
      </header>
      {items.length === 0 ? null : (
        <div className="mx-3.5 mb-1 h-1 overflow-hidden rounded-full bg-line" aria-hidden="true">
          <div
            className="h-full rounded-full bg-moss transition-[width] duration-200"
            style={{ width: `${(100 * done) / items.length}%` }}
          />
        </div>
      )}
      <ul ref={list} aria-label="Items" className="relative">
        {items.flatMap((item, index) => [
          <ChecklistRow
            key={item.id}
            item={item}
            index={index}
            done={isTicked(item, ticked)}
            readOnly={readOnly}
            drag={drag.of(item.id, index)}
            onTick={(next) => note.edit((edit) => tickItem(edit, item.id, next))}
            onRename={(label) => note.edit((edit) => renameItem(edit, item.id, label))}
            onMove={(to) => {
              wanted.current = item.id;
              move(item.id, to);
            }}
            onRemove={() => remove(item.id)}
            onEmptied={() => note.edit((edit) => removeItem(edit, item.id))}
            onNext={() => {
              wanted.current = "composer";
              setBehind(index === items.length - 1 ? undefined : item.id);
              // Where nothing is drawn anew, the field is there already.
              focus("composer");
            }}
            onStep={(by) => focus(items[index + by]?.id ?? (by > 0 ? "composer" : item.id))}
          />,
          ...(behind === item.id && !readOnly ? [composer] : []),
        ])}
        {readOnly || (behind !== undefined && items.some(({ id }) => id === behind)) ? null : composer}
      </ul>
      <output className="sr-only">{said}</output>
    </section>
  );
};

export default Checklist;
