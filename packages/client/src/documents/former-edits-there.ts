/** What the log has of edits that a person's decision about refused ones applied again: on another copy of the store (decision 28). */
import { commonEdits } from "./common-edits.ts";
import { rangesOf } from "./document-versions.ts";
import type { LaterEdit, ReauthorRequest } from "./own-edits.ts";
import { documentsOf } from "./reauthor.ts";

export interface FormerEditsThere {
  /** All of them, what was given up first: the document in which the ones that are left were made, beside what is acknowledged. */
  readonly all: ReadonlyArray<Uint8Array>;
  /** Those that the log does not have with all that come before them. */
  readonly left: ReadonlyArray<LaterEdit>;
  /** Those that the log has as they were made, with what was given up. */
  readonly asMade: ReadonlyArray<Uint8Array>;
  /** The log's updates in which these are. */
  readonly holders: ReadonlyArray<Uint8Array>;
}

/** Of what the first own edit applies again; undefined where the log has nothing of it. */
export const formerEditsThere = ({ acknowledged, elsewhere, own }: ReauthorRequest): FormerEditsThere | undefined => {
  const former = own[0]?.former;
  if (former === undefined) return undefined;
  const { givenUp, later } = former;
  const edits = [...givenUp, ...later];
  const all = edits.map(({ update }) => update);
  const known = commonFormer(acknowledged, elsewhere, edits) - givenUp.length;
  let there = Math.max(0, known);
  // One behind another that is not there may be somebody else's of the same bytes: an update says nothing of what it builds on.
  while (later[there]?.isNamed === true) there += 1;
  if (there === 0) return undefined;
  const ranges = later.slice(0, Math.max(0, known)).flatMap(({ update }) => rangesOf(update));
  const holders = elsewhere.flatMap(({ update }) =>
    rangesOf(update).some((taken) =>
      ranges.some(({ peer, start, end }) => peer === taken.peer && start < taken.end && taken.start < end),
    )
      ? [update]
      : [],
  );
  return { all, left: later.slice(there), asMade: all.slice(0, known <= 0 ? 0 : givenUp.length + known), holders };
};

/** How many of them the server has as they were made, from the first on. */
const commonFormer = (
  acknowledged: ReauthorRequest["acknowledged"],
  elsewhere: ReauthorRequest["elsewhere"],
  own: Parameters<typeof commonEdits>[2]["own"],
): number => {
  if (elsewhere.length === 0) return 0;
  const { make, free } = documentsOf(undefined);
  try {
    const ours = make([...acknowledged, ...own.map(({ update }) => update)]);
    const theirs = make([...acknowledged, ...elsewhere.map(({ update }) => update)]);
    return commonEdits(ours, theirs, { own, elsewhere });
  } finally {
    free();
  }
};
