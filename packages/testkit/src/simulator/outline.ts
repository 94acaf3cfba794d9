/** The outline of a note: what people do to its nodes, and what has to be left of it. */
import type { LedgerEdit } from "./Ledger.ts";
import type { Outline, OutlineView } from "./note-schema.ts";
import type { SeededRandom } from "./seeded-random.ts";

/** What an edit does to the outline. Nodes go by their labels; a label is the id of the edit that made the node. */
export type OutlineChange =
  | { readonly kind: "made" }
  /** Under another node, or to the roots. */
  | { readonly kind: "moved"; readonly node: string; readonly under: string | undefined }
  /** With all below it. */
  | { readonly kind: "removed"; readonly node: string };

/** The path of the outline in a note. */
export const OUTLINE = "outline";

/** A node as it stands. */
export interface OutlineNode {
  readonly id: string;
  readonly label: string;
  readonly notes: string;
  /** The label of the node above it; none for a root. */
  readonly under: string | undefined;
}

/** The nodes at every depth, those above before those below. */
export const nodesOf = (nodes: OutlineView, under?: string): ReadonlyArray<OutlineNode> =>
  nodes.flatMap(({ id, label, notes, children }) => [{ id, label, notes, under }, ...nodesOf(children, label)]);

/** Makes a root before the others. */
export const makeNode = (outline: Outline, label: string): OutlineChange => {
  const node = outline.edit(outline.create(undefined, 0));
  node?.label.set(label);
  node?.notes.insert(0, label);
  return { kind: "made" };
};

/** Moves some node to where it can be; nothing where there is none. */
export const moveNode = (outline: Outline, random: SeededRandom): OutlineChange | undefined => {
  const nodes = nodesOf(outline.get());
  const moved = random.pick(nodes);
  if (moved === undefined) return undefined;
  const isBelow = (node: OutlineNode | undefined): boolean =>
    node !== undefined && (node.label === moved.label || isBelow(nodes.find(({ label }) => label === node.under)));
  const above = random.pick([undefined, ...nodes.filter((node) => !isBelow(node))]);
  outline.move(moved.id, above?.id, random.chance(0.5) ? 0 : undefined);
  return { kind: "moved", node: moved.label, under: above?.label };
};

/** Removes some node, and all below it; nothing where there is none. */
export const removeNode = (outline: Outline, random: SeededRandom): OutlineChange | undefined => {
  const removed = random.pick(nodesOf(outline.get()));
  if (removed === undefined) return undefined;
  outline.delete(removed.id);
  return { kind: "removed", node: removed.label };
};

interface Move {
  readonly edit: LedgerEdit;
  readonly node: string;
  readonly under: string | undefined;
}

const movesIn = (edits: Iterable<LedgerEdit>): ReadonlyArray<Move> =>
  [...edits].flatMap((edit) =>
    edit.outline?.kind === "moved" ? [{ edit, node: edit.outline.node, under: edit.outline.under }] : [],
  );

/** Whether moves may have put a node, at some time and step by step, below one of those. */
const canBeBelow = (moves: ReadonlyArray<Move>, node: string, above: (label: string) => boolean): boolean => {
  const seen = new Set<string>();
  const waiting = [node];
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    if (above(next)) return true;
    if (seen.has(next)) continue;
    seen.add(next);
    for (const move of moves) if (move.node === next && move.under !== undefined) waiting.push(move.under);
  }
  return false;
};

/**
 * What is not as the edits of a document left it: a node of nobody, one that is there twice, lost, or removed and still
 * there, and one that stands where nobody has put it.
 *
 * @param all the edits of the run
 * @param present the ids of those that are in the document
 */
export const outlineProblems = (
  all: ReadonlyMap<string, LedgerEdit>,
  present: ReadonlySet<string>,
  nodes: ReadonlyArray<OutlineNode>,
): ReadonlyArray<string> => {
  const broken: Array<string> = [];
  const shown = new Map(nodes.map((node) => [node.label, node]));
  if (shown.size !== nodes.length) broken.push(`promise 2: nodes of the outline are there twice`);
  for (const { label, notes } of nodes) {
    if (all.get(label)?.outline?.kind === "made" && present.has(label) && notes === label) continue;
    broken.push(`promise 4: the node ${label} with ${notes} was made by nobody`);
  }
  const edits = [...present].flatMap((id) => all.get(id) ?? []);
  const everMoved = movesIn(all.values());
  const moves = movesIn(edits);
  const removed = new Set(edits.flatMap(({ outline }) => (outline?.kind === "removed" ? [outline.node] : [])));
  /** Given up, and waiting again on an old copy of the disk: what was done to the node went with it (decision 28). */
  const mayWaitAgain = (made: string | undefined): boolean =>
    made !== undefined && all.get(made)?.state === "uncertain";
  for (const { id: label, outline } of edits) {
    if (outline?.kind !== "made") continue;
    const node = shown.get(label);
    const ownMoves = moves.filter((move) => move.node === label);
    if (node === undefined) {
      if (!canBeBelow(everMoved, label, (above) => removed.has(above)))
        broken.push(`promise 4: the node ${label} is lost`);
      continue;
    }
    if (mayWaitAgain(label)) continue;
    // Whoever moves a node while somebody else removes it may be the later one.
    if (removed.has(label) && ownMoves.length === 0)
      broken.push(`promise 4: the node ${label} was removed and is there`);
    const [move, another] = ownMoves;
    if (another !== undefined || move?.edit.unplaced === true) continue;
    const under = move?.under;
    if (node.under === under || mayWaitAgain(under)) continue;
    // Applied again as a difference: whoever put it where it already stood by an edit that is given up did nothing (decision 14).
    if (everMoved.some((other) => other.node === label && other.under === under && !present.has(other.edit.id)))
      continue;
    // Of moves that together close a circle one has no effect; what was moved to where nothing is any more stays.
    if (under !== undefined && (!shown.has(under) || canBeBelow(moves, under, (above) => above === label))) continue;
    broken.push(`promise 4: the node ${label} is under ${node.under} and was put under ${under}`);
  }
  return broken;
};

/**
 * The moves that were made behind edits which a person gives up, and whose nodes do not stand there any more: what they
 * were moved to went with those.
 */
export const lostMoves = (
  edits: ReadonlyArray<LedgerEdit>,
  later: ReadonlySet<string>,
  before: ReadonlyArray<OutlineNode>,
  after: ReadonlyArray<OutlineNode>,
): ReadonlyArray<LedgerEdit> => {
  const moves = movesIn(edits);
  return moves.flatMap(({ edit, node, under }) => {
    const isOnly = moves.every((other) => other.edit === edit || other.node !== node);
    const was = before.find(({ label }) => label === node);
    const is = after.find(({ label }) => label === node);
    const isLost =
      later.has(edit.id) && was !== undefined && was.under === under && is !== undefined && is.under !== under;
    return isOnly && isLost ? [edit] : [];
  });
};
