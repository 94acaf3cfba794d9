/**
 * What two sequences have in common, in order. The same two sequences give the same answer everywhere: the work is bounded by
 * their sizes, never by time. Takes memory in proportion to their lengths.
 */

/** A position in the sequence before, and the position in the one after that holds the same. */
type Pair = readonly [before: number, after: number];

/** Comparisons of one stretch, of which a longest common subsequence is found. Longer ones are cut at what is unique in both. */
const MAX_COMPARISONS = 1_000_000;

interface Stretch {
  readonly before: number;
  readonly beforeEnd: number;
  readonly after: number;
  readonly afterEnd: number;
}

/** Pairs of positions that hold the same, ascending on both sides. */
export const commonItems = (before: ReadonlyArray<string>, after: ReadonlyArray<string>): ReadonlyArray<Pair> => {
  const pairs: Array<Pair> = [];
  const open: Array<Stretch> = [{ before: 0, beforeEnd: before.length, after: 0, afterEnd: after.length }];
  for (let whole = open.pop(); whole !== undefined; whole = open.pop()) {
    const stretch = withoutEnds(before, after, whole, pairs);
    const rows = stretch.beforeEnd - stretch.before;
    const columns = stretch.afterEnd - stretch.after;
    if (rows === 0 || columns === 0) continue;
    if (rows * columns <= MAX_COMPARISONS) {
      pairs.push(...longestCommon(before, after, stretch));
      continue;
    }
    const anchors = ascending(uniqueInBoth(before, after, stretch));
    if (anchors.length === 0) {
      for (const pair of ascending(byOccurrence(before, after, stretch))) pairs.push(pair);
      continue;
    }
    let [from, to] = [stretch.before, stretch.after];
    for (const pair of anchors) {
      pairs.push(pair);
      open.push({ before: from, beforeEnd: pair[0], after: to, afterEnd: pair[1] });
      [from, to] = [pair[0] + 1, pair[1] + 1];
    }
    open.push({ before: from, beforeEnd: stretch.beforeEnd, after: to, afterEnd: stretch.afterEnd });
  }
  return pairs.toSorted((left, right) => left[0] - right[0]);
};

/** Takes off what both begin and end with. */
const withoutEnds = (
  before: ReadonlyArray<string>,
  after: ReadonlyArray<string>,
  whole: Stretch,
  pairs: Array<Pair>,
): Stretch => {
  let { before: from, beforeEnd: fromEnd, after: to, afterEnd: toEnd } = whole;
  while (from < fromEnd && to < toEnd && before[from] === after[to]) {
    pairs.push([from, to]);
    from += 1;
    to += 1;
  }
  while (from < fromEnd && to < toEnd && before[fromEnd - 1] === after[toEnd - 1]) {
    fromEnd -= 1;
    toEnd -= 1;
    pairs.push([fromEnd, toEnd]);
  }
  return { before: from, beforeEnd: fromEnd, after: to, afterEnd: toEnd };
};

const longestCommon = (
  before: ReadonlyArray<string>,
  after: ReadonlyArray<string>,
  { before: from, beforeEnd, after: to, afterEnd }: Stretch,
): ReadonlyArray<Pair> => {
  const [rows, columns] = [beforeEnd - from, afterEnd - to];
  const width = columns + 1;
  const lengths = new Uint32Array((rows + 1) * width);
  for (let row = 1; row <= rows; row += 1) {
    for (let column = 1; column <= columns; column += 1) {
      lengths[row * width + column] =
        before[from + row - 1] === after[to + column - 1]
          ? (lengths[(row - 1) * width + column - 1] ?? 0) + 1
          : Math.max(lengths[(row - 1) * width + column] ?? 0, lengths[row * width + column - 1] ?? 0);
    }
  }
  const pairs: Array<Pair> = [];
  let [row, column] = [rows, columns];
  while (row > 0 && column > 0) {
    if (before[from + row - 1] === after[to + column - 1]) {
      pairs.push([from + row - 1, to + column - 1]);
      row -= 1;
      column -= 1;
    } else if ((lengths[(row - 1) * width + column] ?? 0) >= (lengths[row * width + column - 1] ?? 0)) row -= 1;
    else column -= 1;
  }
  return pairs;
};

const positionsOf = (items: ReadonlyArray<string>, from: number, end: number): Map<string, Array<number>> => {
  const positions = new Map<string, Array<number>>();
  for (let index = from; index < end; index += 1) {
    const item = items[index] ?? "";
    const known = positions.get(item);
    if (known === undefined) positions.set(item, [index]);
    else known.push(index);
  }
  return positions;
};

/** What is there once on both sides. In the order of the side before. */
const uniqueInBoth = (
  before: ReadonlyArray<string>,
  after: ReadonlyArray<string>,
  stretch: Stretch,
): ReadonlyArray<Pair> => {
  const later = positionsOf(after, stretch.after, stretch.afterEnd);
  return [...positionsOf(before, stretch.before, stretch.beforeEnd)].flatMap(([item, [from, ...more]]) => {
    const [to, ...others] = later.get(item) ?? [];
    return from === undefined || to === undefined || more.length + others.length > 0 ? [] : [[from, to] as const];
  });
};

/** The first of some item with the first of it on the other side, the second with the second. In the order of the side before. */
const byOccurrence = (
  before: ReadonlyArray<string>,
  after: ReadonlyArray<string>,
  stretch: Stretch,
): ReadonlyArray<Pair> => {
  const later = positionsOf(after, stretch.after, stretch.afterEnd);
  return [...positionsOf(before, stretch.before, stretch.beforeEnd)]
    .flatMap(([item, positions]) => {
      const others = later.get(item) ?? [];
      return positions.slice(0, others.length).map((from, index): Pair => [from, others[index] ?? 0]);
    })
    .toSorted((left, right) => left[0] - right[0]);
};

/** As many of some pairs as possible that ascend on both sides; they ascend on the side before. */
const ascending = (pairs: ReadonlyArray<Pair>): ReadonlyArray<Pair> => {
  // The last pair of the best chain of each length, and what comes before each pair in its chain.
  const ends: Array<number> = [];
  const previous: Array<number> = [];
  for (const [index, [, after]] of pairs.entries()) {
    let [low, high] = [0, ends.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((pairs[ends[middle] ?? 0]?.[1] ?? 0) < after) low = middle + 1;
      else high = middle;
    }
    previous.push(low === 0 ? -1 : (ends[low - 1] ?? -1));
    ends[low] = index;
  }
  const chain: Array<Pair> = [];
  for (let index = ends.at(-1) ?? -1; index >= 0; index = previous[index] ?? -1) {
    const pair = pairs[index];
    if (pair !== undefined) chain.push(pair);
  }
  return chain.toReversed();
};
