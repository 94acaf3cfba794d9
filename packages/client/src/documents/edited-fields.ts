/** Fields whose edits are made again by their forms, and changes of a document without those. */
import {
  type DocumentType,
  type EditedForms,
  editedForms,
  formVersionOf,
  isStateKey,
  jsonOfContainer,
  type StoredForms,
} from "@cairn/schema";
import type { LoroDoc } from "loro-crdt";
import { isInRemovedRecord } from "./apply-changes.ts";
import type { ContainerDiff } from "./tree-changes.ts";
import { knownToAuthors } from "./document-versions.ts";

/**
 * Leaves out the changes of stored forms, and the containers of forms where a map makes them. Loro names those in JSON by a sign
 * and their id.
 */
export const outsideForms = (
  forms: StoredForms | undefined,
  changes: ReadonlyArray<ContainerDiff>,
): Array<ContainerDiff> => {
  const containers = forms?.containers ?? new Set();
  const signs = new Set<unknown>([...containers].map((id) => jsonOfContainer(id)));
  return changes.flatMap(([id, diff]): Array<ContainerDiff> => {
    if (containers.has(id)) return [];
    if (diff.type !== "map" || forms === undefined) return [[id, diff]];
    const registers = forms.registers.get(id);
    const updated = Object.entries(diff.updated).filter(([key, value]) => !signs.has(value) && !registers?.has(key));
    return updated.length === 0 ? [] : [[id, { ...diff, updated: Object.fromEntries(updated) }]];
  });
};

/**
 * The forms that updates of a document have edited, for a target that lacks them; undefined where they changed nothing that
 * steps between versions store, and nothing that the target does not find.
 */
export const formsOfUpdates = (
  type: DocumentType | undefined,
  doc: LoroDoc,
  updates: ReadonlyArray<Uint8Array>,
  target: LoroDoc,
): EditedForms | undefined => {
  const known = type === undefined ? undefined : knownToAuthors(doc, updates);
  if (type === undefined || known === undefined) return undefined;
  // What their authors did: beside what others wrote meanwhile, some of it may not show.
  const changes = doc.diff(known.before, known.after, true);
  return changes.some((change) => needsForms(doc, change, target)) ? editedForms(type, doc, known, target) : undefined;
};

const needsForms = (doc: LoroDoc, [id, diff]: ContainerDiff, target: LoroDoc): boolean => {
  if (diff.type === "map" && Object.keys(diff.updated).some(isStateKey)) return true;
  if (id.startsWith("cid:root-") && target.getPathToContainer(id) === undefined) return true;
  return (doc.getPathToContainer(id) ?? []).some((part) => typeof part === "string" && isStateKey(part));
};

/**
 * Whether updates of a document changed forms that steps to a later version of the schema store. An app that does not have these
 * steps cannot tell what of such a form is the updates' own: as operations they bring back what the form was made of, or find
 * nothing to be applied to.
 */
export const changeLaterForms = (version: number, doc: LoroDoc, updates: ReadonlyArray<Uint8Array>): boolean => {
  const known = knownToAuthors(doc, updates);
  if (known === undefined) return false;
  return doc.diff(known.before, known.after, true).some((change) => isOfLaterForm(version, doc, change));
};

const isOfLaterForm = (version: number, doc: LoroDoc, [id, diff]: ContainerDiff): boolean => {
  const isLater = (part: string | number): boolean => typeof part === "string" && (formVersionOf(part) ?? 0) > version;
  // Apps of all versions remove a record with everything that is in it.
  if (isInRemovedRecord(doc, id)) return false;
  const path = doc.getPathToContainer(id) ?? [];
  if (path.slice(0, -1).some(isLater)) return true;
  // What is only taken away goes with its record, or with the value that all forms forget.
  const set = diff.type === "map" ? Object.entries(diff.updated).filter(([, value]) => value !== undefined) : [];
  return set.some(([key]) => path.slice(-1).some(isLater) || isLater(key));
};
