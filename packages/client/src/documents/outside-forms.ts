/** Changes of a document without those of fields whose edits are made again by their forms. */
import type { StoredForms } from "@cairn/schema";
import { type ContainerID, type Diff, isContainer, type JsonDiff } from "loro-crdt";

/**
 * Leaves out the changes of stored forms, and the containers of forms where a map makes them. Loro names those in JSON by a sign
 * and their id.
 */
export const outsideForms = <D extends Diff | JsonDiff>(
  forms: StoredForms | undefined,
  changes: ReadonlyArray<readonly [ContainerID, D]>,
): Array<[ContainerID, D]> => {
  const containers = forms?.containers ?? new Set();
  const signs = new Set<unknown>([...containers].map((id) => `🦜:${id}`));
  const isForm = (value: unknown): boolean =>
    isContainer(value) ? containers.has(value.id) : typeof value === "string" && signs.has(value);
  return changes.flatMap(([id, diff]): Array<[ContainerID, D]> => {
    if (containers.has(id)) return [];
    if (diff.type !== "map" || forms === undefined) return [[id, diff]];
    const registers = forms.registers.get(id);
    const updated = Object.entries(diff.updated).filter(([key, value]) => !isForm(value) && !registers?.has(key));
    return updated.length === 0 ? [] : [[id, { ...diff, updated: Object.fromEntries(updated) }]];
  });
};
