import { type CSSProperties, type PointerEvent, type RefObject, useEffect, useEffectEvent, useState } from "react";

/** How one row takes part. */
export interface DragOfItem {
  readonly start: (event: PointerEvent<HTMLElement>) => void;
  readonly isDragged: boolean;
  readonly style: CSSProperties;
  /** Classes of the line that shows where the dragged row would go. */
  readonly marker: string;
}

interface Drag {
  readonly id: number;
  readonly pointer: number;
  readonly from: number;
  readonly startY: number;
  readonly y: number;
  /** Where the row would stand. */
  readonly to: number;
}

/**
 * Putting rows in order by dragging a handle, with a mouse, a pen or a finger. The rows stay where they are until the handle
 * is let go: only the dragged one follows, and a line says where it would go. Rows are the children with `data-item`.
 */
export const useDragOrder = (
  list: RefObject<HTMLElement | null>,
  onDrop: (id: number, to: number) => void,
): { readonly of: (id: number, index: number) => DragOfItem } => {
  const [drag, setDrag] = useState<Drag | undefined>(undefined);
  const isDragging = drag !== undefined;

  const follow = useEffectEvent((event: globalThis.PointerEvent) => {
    if (drag === undefined || event.pointerId !== drag.pointer) return;
    const others = rowsIn(list.current).filter((row) => row.dataset["item"] !== String(drag.id));
    const to = others.filter((row) => middleOf(row) < event.clientY).length;
    setDrag({ ...drag, y: event.clientY, to });
  });
  const drop = useEffectEvent((event: globalThis.PointerEvent) => {
    if (drag === undefined || event.pointerId !== drag.pointer) return;
    setDrag(undefined);
    if (event.type === "pointerup" && drag.to !== drag.from) onDrop(drag.id, drag.to);
  });
  const giveUp = useEffectEvent((event: KeyboardEvent) => {
    if (event.key === "Escape") setDrag(undefined);
  });
  useEffect(() => {
    if (!isDragging) return undefined;
    const end = new AbortController();
    const { signal } = end;
    addEventListener("pointermove", (event) => follow(event), { signal });
    addEventListener("pointerup", (event) => drop(event), { signal });
    addEventListener("pointercancel", (event) => drop(event), { signal });
    addEventListener("keydown", (event) => giveUp(event), { signal });
    return () => end.abort();
  }, [isDragging]);

  return {
    of: (id, index) => {
      const isDragged = drag?.id === id;
      return {
        start: (event) => {
          if (event.button !== 0) return;
          const { clientY, pointerId } = event;
          setDrag({ id, pointer: pointerId, from: index, startY: clientY, y: clientY, to: index });
        },
        isDragged,
        style: isDragged ? { transform: `translateY(${drag.y - drag.startY}px)` } : {},
        marker: drag === undefined || isDragged ? "" : markerOf(drag, index),
      };
    },
  };
};

const rowsIn = (list: HTMLElement | null): ReadonlyArray<HTMLElement> => [
  ...(list?.querySelectorAll<HTMLElement>("[data-item]") ?? []),
];

const middleOf = (row: HTMLElement): number => {
  const { top, height } = row.getBoundingClientRect();
  return top + height / 2;
};

const above = "before:absolute before:inset-x-3 before:-top-px before:h-0.5 before:rounded-full before:bg-moss";
const below = "after:absolute after:inset-x-3 after:-bottom-px after:h-0.5 after:rounded-full after:bg-moss";

const markerOf = ({ from, to }: Drag, index: number): string =>
  to === from || index !== to ? "" : to < from ? above : below;
