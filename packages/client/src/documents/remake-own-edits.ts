/**
 * What becomes of own edits in a succession (rule 12): those that the log has in another form go, and the others are made anew.
 *
 * A copy of a store may hold edits that were applied again since it was taken, behind others that a person gave up. The log
 * has them without those, which this store still holds: so what comes before them is made anew by itself, and what comes
 * behind them is applied to the document as the log has it.
 */
import type { DocumentSchema } from "@cairn/schema";
import type { LoroDoc } from "loro-crdt";
import { documentTypeOf } from "../engine/engine-schema.ts";
import { applyUnsaved } from "./apply-unsaved.ts";
import { frontiersAt, knownToAuthors, rangesOf, versionOf } from "./document-versions.ts";
import {
  documentsOf,
  type EditsAppliedAgain,
  forgetOwnReaches,
  newUpdates,
  type OwnEdit,
  reauthor,
  type Reauthored,
  type ReauthorRequest,
} from "./reauthor.ts";
import { partsOf } from "./remake-edits.ts";

/** As `reauthor`, with edits that the log has applied again. */
export const remakeOwnEdits = (request: ReauthorRequest, schema?: DocumentSchema): Reauthored => {
  const { own, appliedAgain } = request;
  const anew = reauthor(request, schema);
  if (appliedAgain === undefined) return anew;
  // What the server has as it is, or made anew as it was, is there with all that comes before it.
  const begin = anew.findLastIndex(({ isThere }) => isThere) + 1;
  const ids = new Set(own.flatMap(({ id }, index) => (index >= begin && appliedAgain.ids.has(id) ? [id] : [])));
  if (ids.size === 0) return anew;
  try {
    return remakeAround(request, { ...appliedAgain, ids }, schema);
  } catch {
    // What comes behind them has no place in the log's document: twice is better than lost, and under names that nobody knows.
    return anew.map((edit) => (ids.has(edit.id) ? { ...edit, firstForm: undefined } : edit));
  }
};

const remakeAround = (
  request: ReauthorRequest,
  again: EditsAppliedAgain,
  schema: DocumentSchema | undefined,
): Reauthored => {
  const { own } = request;
  const first = own.findIndex(({ id }) => again.ids.has(id));
  const before = reauthor({ ...request, own: own.slice(0, first) }, schema);
  const behind = applyBehind(request, again, before, schema);
  return own.map(
    ({ id }, index) =>
      before[index] ?? { id, update: undefined, elsewhere: undefined, isThere: again.ids.has(id), ...behind.get(id) },
  );
};

/** The edits behind those that were applied again: new updates, by the last edit that each of them holds. */
const applyBehind = (
  { acknowledged, own, ends, peer, type: typeName }: ReauthorRequest,
  { ids, updates, holders }: EditsAppliedAgain,
  before: Reauthored,
  schema: DocumentSchema | undefined,
): ReadonlyMap<number, Pick<Reauthored[number], "update" | "appliedAgain">> => {
  const rest = own.slice(before.length).filter(({ id }) => !ids.has(id));
  const applied = new Map<number, Pick<Reauthored[number], "update" | "appliedAgain">>();
  if (rest.length === 0) return applied;
  const begin = own.length - rest.length;
  if (own.slice(begin).some(({ id }) => ids.has(id))) throw new Error("edits applied again are among others");
  const type = schema === undefined ? undefined : documentTypeOf(schema, typeName);
  const { make, free } = documentsOf(type);
  try {
    const base = make(acknowledged);
    const made = before.flatMap(({ update }) => update ?? []);
    const target = make([standingBehind(make([...acknowledged, ...updates, ...made]), base, [...holders, ...made])]);
    const written = newUpdates(target, peer);
    for (const part of partsOf(rest, 0, ends, 1)) {
      const edits = rest.slice(part.first, part.last + 1);
      const from = make([...acknowledged, ...own.slice(0, begin + part.last + 1).map(({ update }) => update)]);
      const lost = applyUnsaved(
        from,
        edits.map(({ update }) => update),
        target,
        type,
      );
      if (lost.length > 0) throw new Error(`no place for ${lost.join(", ")}`);
      target.commit();
      if (part.last === rest.length - 1) forgetOwnReaches(own, base, target);
      written.take(part);
      const id = edits.at(-1)?.id;
      const update = written.updates.get(part.last);
      if (id !== undefined) applied.set(id, { update, appliedAgain: edits.flatMap(firstFormsOf) });
    }
    return applied;
  } finally {
    free();
  }
};

const firstFormsOf = ({ appliedAgain, firstForm }: OwnEdit) => appliedAgain ?? [firstForm];

/** A snapshot of the document where these updates end, beside the base: without what else the log has. */
const standingBehind = (all: LoroDoc, base: LoroDoc, updates: ReadonlyArray<Uint8Array>): Uint8Array => {
  const there = versionOf(all);
  const isThere = updates.flatMap(rangesOf).every(({ peer, end }) => (there.get(peer) ?? 0) >= end);
  const known = isThere ? knownToAuthors(all, updates) : undefined;
  if (known === undefined) throw new Error("the log lacks what the edits build on");
  const version = all.frontiersToVV(known.after);
  const reached = versionOf(base);
  for (const [each, counter] of version.toJSON()) reached.set(each, Math.max(reached.get(each) ?? 0, counter));
  version.free();
  const fork = all.forkAt(frontiersAt(all, reached));
  try {
    return fork.export({ mode: "snapshot" });
  } finally {
    fork.free();
  }
};
