/**
 * Names for newer forms of fields, where the edits that made them are made anew (decision 17, rule 12).
 *
 * A successor is called by the operation that made it. In another copy of the store another edit may have made one by an
 * operation of that very name, and what both hold would be in one. So it gets a name that says of which edit it is, and that
 * is the same wherever this edit is made anew.
 */
import type { Hash } from "@cairn/protocol";
import { canonicalJson, type NameOfSuccessor } from "@cairn/schema";
import { rangesOf } from "./document-versions.ts";

/** Of a first form. */
const LETTERS = 11;
const NAME = /^(\d{1,20})\.(\d{1,10})$/u;
const NAME_IN_JSON = /"(\d{1,20}\.\d{1,10})"/gu;

/** New names for the successors that these edits have made, by the edits' first forms if not by `mark`. Others keep theirs. */
export const successorNames = (
  edits: ReadonlyArray<{
    readonly update: Uint8Array;
    readonly firstForm: Hash;
    readonly mark?: string | undefined;
  }>,
): NameOfSuccessor => {
  const ranges = edits.flatMap(({ update, firstForm, mark = firstForm.slice(0, LETTERS) }) =>
    rangesOf(update).map((range) => ({ ...range, mark })),
  );
  const byPeer = Map.groupBy(ranges, ({ peer }): string => peer);
  return (name) => {
    const [, peer = "", counter] = NAME.exec(name) ?? [];
    const at = Number(counter);
    const range = byPeer.get(peer)?.find(({ start, end }) => start <= at && at < end);
    return range === undefined ? name : `${name}.${range.mark}`;
  };
};

/** Canonical content of a document, as it is under the new names. */
export const renameInContent = (content: string, nameOf: NameOfSuccessor): string => {
  const renamed = content.replaceAll(NAME_IN_JSON, (_, name: string) => JSON.stringify(nameOf(name)));
  return renamed === content ? content : canonicalJson(JSON.parse(renamed));
};
