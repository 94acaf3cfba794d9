/** What a person does to a note's checklist, as edits that merge with those of others. Items are named by their ids. */
import type { NoteEditor } from "../notebook/note-fields.ts";
import type { ChecklistLine } from "../notebook/schema/checklist-lines.ts";
import type { ChecklistItem } from "../notebook/schema/version-3.ts";

/** An item that was taken out, as it was, for putting it back. */
export interface TakenItem {
  readonly position: number;
  readonly item: ChecklistItem;
}

const entryOf = (edit: NoteEditor, id: number) => edit.checklist.entries().find(({ value }) => value.id === id);

/** A random number below 2^52: two people's items are never the same one. */
const newId = (): number => {
  const [high = 0, low = 0] = crypto.getRandomValues(new Uint32Array(2));
  return (high >>> 12) * 2 ** 32 + low;
};

/** Adds items behind one, or at the end. Gives the id of the last. */
export const addItems = (
  edit: NoteEditor,
  lines: ReadonlyArray<ChecklistLine>,
  behind?: number,
): number | undefined => {
  const items = lines.map(({ label, ticked }) => ({ id: newId(), label, ticked }));
  const before = behind === undefined ? undefined : entryOf(edit, behind);
  const position = before === undefined ? (edit.checklist.entries().at(-1)?.position ?? -1) + 1 : before.position + 1;
  if (items.length > 0) edit.checklist.insert(position, ...items.map(({ id, label }) => ({ id, label })));
  for (const { id, ticked } of items) if (ticked) edit.ticked.add(String(id));
  return items.at(-1)?.id;
};

export const renameItem = (edit: NoteEditor, id: number, label: string): void => {
  const entry = entryOf(edit, id);
  if (entry !== undefined && entry.value.label !== label) edit.checklist.replace(entry.position, { id, label });
};

export const tickItem = (edit: NoteEditor, id: number, done: boolean): void => {
  if (done) edit.ticked.add(String(id));
  else edit.ticked.remove(String(id));
};

/** Moves an item to where another one stands, counted without those that this version cannot read. */
export const moveItem = (edit: NoteEditor, id: number, to: number): void => {
  const entries = edit.checklist.entries();
  const from = entries.find(({ value }) => value.id === id);
  const target = entries[Math.max(0, Math.min(to, entries.length - 1))];
  if (from !== undefined && target !== undefined && from !== target) {
    edit.checklist.move(from.position, target.position);
  }
};

export const removeItem = (edit: NoteEditor, id: number): void => {
  const entry = entryOf(edit, id);
  if (entry !== undefined) edit.checklist.delete(entry.position);
  tickItem(edit, id, false);
};

/** Takes out what is ticked. */
export const removeTicked = (edit: NoteEditor): ReadonlyArray<TakenItem> => {
  const ticked = new Set(edit.ticked.get());
  const taken = edit.checklist
    .entries()
    .filter(({ value }) => ticked.has(String(value.id)))
    .map(({ position, value }) => ({ position, item: value }));
  for (const { item } of taken) removeItem(edit, item.id);
  return taken;
};

/** Puts back what `removeTicked` took, where it stood, as far as that place is there. */
export const putBack = (edit: NoteEditor, taken: ReadonlyArray<TakenItem>): void => {
  for (const { position, item } of taken) {
    const length = (edit.checklist.entries().at(-1)?.position ?? -1) + 1;
    edit.checklist.insert(Math.min(position, length), item);
    tickItem(edit, item.id, true);
  }
};
