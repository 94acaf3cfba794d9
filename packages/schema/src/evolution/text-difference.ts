/**
 * The difference of two texts: by lines, in lines that differ by words, in words that differ by letters. So two people who
 * edit one paragraph keep both what they did. A pure function of the texts: how much is compared depends on their size alone.
 */
import { commonItems } from "./common-items.ts";

/** What stands between two positions (UTF-16 code units of the text before) becomes another text. */
export interface Replacement {
  readonly start: number;
  readonly end: number;
  readonly insert: string;
}

// Scripts that put no spaces between words: a sentence would be one word, and taken for another one when half of it changed.
const UNSPACED = String.raw`[\p{scx=Han}\p{scx=Hira}\p{scx=Kana}\p{scx=Thai}\p{scx=Laoo}\p{scx=Khmr}\p{scx=Mymr}]\p{M}*`;
const WORDS = new RegExp(
  String.raw`${UNSPACED}|(?:(?!${UNSPACED})[\p{L}\p{N}\p{M}])+\s*|[^\p{L}\p{N}\p{M}\s]\s*|\s+`,
  "gu",
);

/** How a text is cut, the coarsest first: lines, words with the space after them, code points. */
const CUTS: ReadonlyArray<(text: string) => ReadonlyArray<string>> = [
  (text) => text.match(/[^\n]*\n|[^\n]+/gu) ?? [],
  (text) => text.match(WORDS) ?? [],
  (text) => Array.from(text),
];

/** What makes one text of another, ascending. */
export const differenceOf = (before: string, after: string): ReadonlyArray<Replacement> => {
  const replacements: Array<Replacement> = [];
  compare(before, after, 0, 0, replacements);
  return replacements;
};

const compare = (before: string, after: string, level: number, offset: number, found: Array<Replacement>): void => {
  const cut = CUTS[level];
  if (before === after) return;
  if (before === "" || after === "" || cut === undefined) {
    found.push({ start: offset, end: offset + before.length, insert: after });
    return;
  }
  const [pieces, later] = [cut(before), cut(after)];
  const all = commonItems(pieces, later);
  const common = level < CUTS.length - 1 || isAlike(all.length, pieces, later) ? all : ends(all, pieces, later);
  let [from, to, start] = [0, 0, offset];
  for (const [index, other] of [...common, [pieces.length, later.length] as const]) {
    const replaced = pieces.slice(from, index).join("");
    compare(replaced, later.slice(to, other).join(""), level + 1, start, found);
    start += replaced.length + (pieces[index]?.length ?? 0);
    [from, to] = [index + 1, other + 1];
  }
};

type Pieces = ReadonlyArray<unknown>;

/** Whether one came of the other. Any two words have some letters in common, which does not mean that these stayed. */
const isAlike = (common: number, before: Pieces, after: Pieces): boolean =>
  common * 3 >= Math.min(before.length, after.length) * 2;

/** Of pairs, those that both begin and end with. */
const ends = (pairs: ReturnType<typeof commonItems>, before: Pieces, after: Pieces): ReturnType<typeof commonItems> => {
  const first = pairs.findIndex(([from, to], index) => from !== index || to !== index);
  const head = first < 0 ? pairs : pairs.slice(0, first);
  const rest = pairs.slice(head.length);
  const isTail = ([from, to]: readonly [number, number], index: number): boolean =>
    before.length - from === rest.length - index && after.length - to === rest.length - index;
  return [...head, ...rest.filter(isTail)];
};

/** A text after some replacements in it. */
export const replaceAll = (text: string, replacements: ReadonlyArray<Replacement>): string => {
  let [made, from] = ["", 0];
  for (const { start, end, insert } of replacements) {
    made += text.slice(from, start) + insert;
    from = end;
  }
  return made + text.slice(from);
};
