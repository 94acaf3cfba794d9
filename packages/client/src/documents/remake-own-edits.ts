/**
 * What becomes of own edits in a succession (rule 12): those that the log has in another form go, and the others are made anew.
 *
 * A copy of a store may hold edits that were applied again since it was taken, behind others that a person gave up. The log
 * has them without those, which this store still holds: so what comes before them is made anew by itself, and what comes
 * behind them is applied to the document as the log has it. Or a person has given them up on the copy, too, and the log has
 * some of what was applied again there: the rest of it is applied as it was made (`former-edits-there.ts`).
 */
import type { DocumentSchema } from "@cairn/schema";
import type { LoroDoc } from "loro-crdt";
import { documentTypeOf } from "../engine/engine-schema.ts";
import { applyUnsaved } from "./apply-unsaved.ts";
import { frontiersAt, isIn, knownToAuthors, rangesOf, versionOf } from "./document-versions.ts";
import { formerEditsThere, type FormerEditsThere } from "./former-edits-there.ts";
import type { EditsAppliedAgain, OwnEdit, Reauthored, ReauthorRequest } from "./own-edits.ts";
import { documentsOf, forgetOwnReaches, newUpdates, reauthor } from "./reauthor.ts";
import { partsOf } from "./remake-edits.ts";

/** As `reauthor`, with edits that the log has applied again. */
export const remakeOwnEdits = (request: ReauthorRequest, schema?: DocumentSchema): Reauthored => {
  const { own, appliedAgain } = request;
  const anew = reauthor(request, schema);
  if (appliedAgain === undefined) return anew;
  // What the server has as it is, or made anew as it was, is there with all that comes before it.
  const begin = anew.findLastIndex(({ isThere }) => isThere) + 1;
  const ids = new Set(own.flatMap(({ id }, index) => (index >= begin && appliedAgain.ids.has(id) ? [id] : [])));
  // Documents are made anew as a whole: what was applied again then is the first edit of its document.
  const former = begin === 0 ? formerEditsThere(request) : undefined;
  const [first] = own;
  if (first !== undefined && former !== undefined) ids.add(first.id);
  if (ids.size === 0) return anew;
  try {
    return remakeAround(request, { ...appliedAgain, ids }, former, schema);
  } catch {
    // What comes behind them has no place in the log's document: twice is better than lost, and under names that nobody knows.
    return anew.map((edit) => (ids.has(edit.id) ? { ...edit, firstForm: undefined } : edit));
  }
};

const remakeAround = (
  request: ReauthorRequest,
  again: EditsAppliedAgain,
  former: FormerEditsThere | undefined,
  schema: DocumentSchema | undefined,
): Reauthored => {
  const { own } = request;
  const first = own.findIndex(({ id }) => again.ids.has(id));
  const before = reauthor({ ...request, own: own.slice(0, first) }, schema);
  const behind = applyBehind(request, again, before, former, schema);
  return own.map(
    ({ id }, index) =>
      before[index] ?? { id, update: undefined, elsewhere: undefined, isThere: again.ids.has(id), ...behind.get(id) },
  );
};

/** Edits to apply, in the document that they are read in, and the own edit in whose place they are. */
interface Stage {
  readonly index: number;
  readonly edits: ReadonlyArray<Pick<OwnEdit, "update">>;
  readonly in: ReadonlyArray<Uint8Array>;
  readonly firstForms: NonNullable<OwnEdit["appliedAgain"]>;
}

/** The edits behind those that were applied again: new updates, by the last edit that each of them holds. */
const applyBehind = (
  { acknowledged, elsewhere, own, ends, peer, type: typeName }: ReauthorRequest,
  { ids, updates, holders }: EditsAppliedAgain,
  before: Reauthored,
  former: FormerEditsThere | undefined,
  schema: DocumentSchema | undefined,
): ReadonlyMap<number, Pick<Reauthored[number], "update" | "appliedAgain" | "isThere">> => {
  const rest = own.slice(before.length).filter(({ id }) => !ids.has(id));
  const begin = own.length - rest.length;
  if (own.slice(begin).some(({ id }) => ids.has(id))) throw new Error("edits applied again are among others");
  const stages: Array<Stage> = [];
  if (former !== undefined && former.left.length > 0) {
    const firstForms = former.left.flatMap((edit) => edit.firstForms);
    stages.push({ index: 0, edits: former.left, in: former.all, firstForms });
  }
  for (const { first, last } of partsOf(rest, 0, ends, 1)) {
    const edits = rest.slice(first, last + 1);
    const known = own.slice(0, begin + last + 1).map(({ update }) => update);
    stages.push({ index: begin + last, edits, in: known, firstForms: edits.flatMap(firstFormsOf) });
  }
  const applied = new Map<number, Pick<Reauthored[number], "update" | "appliedAgain" | "isThere">>();
  if (stages.length === 0) return applied;
  const type = schema === undefined ? undefined : documentTypeOf(schema, typeName);
  const { make, free } = documentsOf(type);
  try {
    const base = make(acknowledged);
    const made = before.flatMap(({ update }) => update ?? []);
    // What the server has as it was made.
    const asMade = before.flatMap(({ elsewhere: place }) => elsewhere[place ?? -1]?.update ?? []);
    const there = [...holders, ...(former?.holders ?? []), ...asMade, ...made];
    const known = make([
      ...acknowledged,
      ...own.flatMap(({ update }, index) => (before[index]?.elsewhere === undefined ? [] : [update])),
      ...(former?.asMade ?? []),
    ]);
    const target = make([standingBehind(make([...acknowledged, ...updates, ...made]), base, there)]);
    const written = newUpdates(target, peer);
    for (const stage of stages) {
      const changes = stage.edits.map(({ update }) => update);
      const lost = applyUnsaved(make([...acknowledged, ...stage.in]), changes, target, type, isIn(known));
      if (lost.length > 0) throw new Error(`no place for ${lost.join(", ")}`);
      target.commit();
      if (stage === stages.at(-1)) forgetOwnReaches([...own, ...(former?.all ?? []).map(toEdit)], base, target);
      written.take({ first: stage.index, last: stage.index });
      const id = own[stage.index]?.id;
      const update = written.updates.get(stage.index);
      if (id !== undefined) applied.set(id, { update, appliedAgain: stage.firstForms, isThere: false });
    }
    return applied;
  } finally {
    free();
  }
};

const toEdit = (update: Uint8Array): Pick<OwnEdit, "update"> => ({ update });

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
