/** What stands in a document before and no more after: shown before edits are given up. Pure. */
export interface ComparedLine {
  readonly text: string;
  readonly fate: "kept" | "lost" | "back";
}

/** Beyond so many lines on a side the order of lines is not looked at any more. */
const most = 600;

/** What the engine keeps of a document for itself: nothing that a person wrote. */
const own = "cairn";

/** What versions of the notebook's documents note beside a field that has several forms (`$base`), not the forms (`$v3.…`). */
const isBookkeeping = (key: string): boolean => /^\$(?!v\d)/.test(key);

/** The document as lines: texts by their own lines, everything else as `path: value`. */
export const linesOf = (value: unknown, path = ""): ReadonlyArray<string> => {
  if (typeof value === "string") return value === "" ? [] : value.split("\n");
  if (typeof value !== "object" || value === null)
    return value === undefined ? [] : [`${path}: ${JSON.stringify(value)}`];
  return Object.entries(value)
    .filter(([key]) => (path !== "" || key !== own) && !isBookkeeping(key))
    .flatMap(([key, inner]) => linesOf(inner, path === "" ? key : `${path}.${key}`));
};

/** The lines of both, in order: what is lost, what comes back, and what stays. */
export const compareLines = (
  before: ReadonlyArray<string>,
  after: ReadonlyArray<string>,
): ReadonlyArray<ComparedLine> => {
  let start = 0;
  while (start < before.length && start < after.length && before[start] === after[start]) start += 1;
  let end = 0;
  while (
    end < before.length - start &&
    end < after.length - start &&
    before[before.length - 1 - end] === after[after.length - 1 - end]
  )
    end += 1;
  const kept = (lines: ReadonlyArray<string>): ReadonlyArray<ComparedLine> =>
    lines.map((text) => ({ text, fate: "kept" }));
  return [
    ...kept(before.slice(0, start)),
    ...compareMiddle(before.slice(start, before.length - end), after.slice(start, after.length - end)),
    ...kept(before.slice(before.length - end)),
  ];
};

const compareMiddle = (before: ReadonlyArray<string>, after: ReadonlyArray<string>): ReadonlyArray<ComparedLine> => {
  if (before.length > most || after.length > most) {
    return [
      ...before.map((text): ComparedLine => ({ text, fate: "lost" })),
      ...after.map((text): ComparedLine => ({ text, fate: "back" })),
    ];
  }
  // The longest common subsequence, by the length that is still to come at each pair of lines.
  const width = after.length + 1;
  const lengths = new Uint16Array((before.length + 1) * width);
  const at = (left: number, right: number): number => lengths[left * width + right] ?? 0;
  for (let left = before.length - 1; left >= 0; left -= 1)
    for (let right = after.length - 1; right >= 0; right -= 1)
      lengths[left * width + right] =
        before[left] === after[right]
          ? at(left + 1, right + 1) + 1
          : Math.max(at(left + 1, right), at(left, right + 1));
  const lines: Array<ComparedLine> = [];
  for (let left = 0, right = 0; left < before.length || right < after.length;) {
    const [lost, back] = [before[left], after[right]];
    if (lost !== undefined && lost === back) {
      lines.push({ text: lost, fate: "kept" });
      left += 1;
      right += 1;
    } else if (lost !== undefined && (back === undefined || at(left + 1, right) >= at(left, right + 1))) {
      lines.push({ text: lost, fate: "lost" });
      left += 1;
    } else if (back !== undefined) {
      lines.push({ text: back, fate: "back" });
      right += 1;
    }
  }
  return lines;
};

/** Only what changes, with a line around it; `undefined` stands for lines that are left out. */
export const changedLines = (lines: ReadonlyArray<ComparedLine>): ReadonlyArray<ComparedLine | undefined> => {
  const near = lines.map((_, index) =>
    lines.slice(Math.max(0, index - 1), index + 2).some(({ fate }) => fate !== "kept"),
  );
  return lines.flatMap((line, index): ReadonlyArray<ComparedLine | undefined> => {
    if (near[index]) return [line];
    return index > 0 && near[index - 1] ? [undefined] : [];
  });
};
