/**
 * Full-text search: which words a text holds, and what a search asks of them.
 *
 * A word is a run of letters, digits and underscores, folded: case, diacritics, width and ligatures do not matter. Scripts
 * that put no spaces between words (Chinese, Japanese, Thai and their like) are cut into overlapping pairs of characters.
 * The tokenizer is our own and not the platform's, so that a text has the same words on every device and in every store.
 */

/** Bounds, so that any text and any search costs a bounded amount. */
export const SEARCH_LIMITS = {
  /** UTF-16 code units of a word; longer ones are cut, in texts and in searches alike. */
  wordLength: 64,
  /** Different words of one text. Those that come later are not found. */
  words: 20_000,
  /** UTF-16 code units of a search. */
  searchLength: 500,
  /** Words of a search. */
  terms: 20,
} as const;

/** A word that must occur; with `prefix`, one that begins so. */
export interface SearchTerm {
  readonly word: string;
  readonly prefix: boolean;
}

// oxlint-disable-next-line no-control-regex -- all of ASCII
const ONLY_ASCII = /^[\x00-\x7f]*$/;
// Latin, Greek and Cyrillic accents, Hebrew points, Arabic vowels. Marks that make another letter in their script stay.
const DIACRITICS = new RegExp(
  [
    "[\\u0300-\\u036f]",
    "[\\u0591-\\u05bd\\u05bf\\u05c1\\u05c2\\u05c4\\u05c5\\u05c7]",
    "[\\u064b-\\u065f\\u0670]",
    "[\\u1ab0-\\u1aff\\u1dc0-\\u1dff\\u20d0-\\u20ff\\ufe20-\\ufe2f]",
  ].join("|"),
  "g",
);
// Letters that have no decomposition, and are typed without their stroke all the same.
const LETTERS: ReadonlyMap<string, string> = new Map([
  ["ß", "ss"],
  ["ς", "σ"],
  ["æ", "ae"],
  ["œ", "oe"],
  ["ø", "o"],
  ["đ", "d"],
  ["ł", "l"],
  ["ı", "i"],
]);
const OWN_LETTERS = /[ßςæœøđłı]/g;

/** The form in which words are compared. */
export const fold = (text: string): string =>
  ONLY_ASCII.test(text)
    ? text.toLowerCase()
    : text
        .normalize("NFKC")
        .toLowerCase()
        .normalize("NFD")
        .replace(DIACRITICS, "")
        .normalize("NFC")
        .replace(OWN_LETTERS, (letter) => LETTERS.get(letter) ?? letter);

const RUNS = /[\p{L}\p{N}\p{M}_]+/gu;
const SPACELESS =
  "\\p{Script=Han}\\p{Script=Hiragana}\\p{Script=Katakana}\\p{Script=Thai}\\p{Script=Lao}\\p{Script=Khmer}\\p{Script=Myanmar}\u30fc\u3005";
const HAS_SPACELESS = new RegExp(`[${SPACELESS}]`, "u");
/** Pieces of a run: either all of scripts without spaces, or of others. */
const PIECES = new RegExp(`[${SPACELESS}\\p{M}]+|[^${SPACELESS}]+`, "gu");

const cut = (word: string): string => {
  if (word.length <= SEARCH_LIMITS.wordLength) return word;
  const kept = word.slice(0, SEARCH_LIMITS.wordLength);
  return kept.isWellFormed() ? kept : kept.slice(0, -1);
};

/** Calls back with each piece of a folded text: a word, or a run of a script without spaces by its characters. */
const eachPiece = (
  folded: string,
  onWord: (word: string) => boolean,
  onRun: (characters: ReadonlyArray<string>) => boolean,
): void => {
  for (const [run] of folded.matchAll(RUNS)) {
    if (!HAS_SPACELESS.test(run)) {
      if (!onWord(cut(run))) return;
      continue;
    }
    for (const [piece] of run.matchAll(PIECES)) {
      const more = HAS_SPACELESS.test(piece) ? onRun(Array.from(piece)) : onWord(cut(piece));
      if (!more) return;
    }
  }
};

/** The different words of a text, in no particular order; at most `SEARCH_LIMITS.words`. */
export const wordsOf = (text: string): ReadonlySet<string> => {
  const words = new Set<string>();
  const add = (word: string): boolean => {
    if (words.size >= SEARCH_LIMITS.words) return false;
    words.add(word);
    return true;
  };
  eachPiece(fold(text), add, (characters) =>
    // The last character stands alone, so that every character begins a word.
    characters.every((character, index) => add(character + (characters[index + 1] ?? ""))),
  );
  return words;
};

/** What a search asks. All terms must occur; the last word may go on. */
export const searchTerms = (search: string): ReadonlyArray<SearchTerm> => {
  const terms: Array<SearchTerm> = [];
  let lastIsWord = false;
  eachPiece(
    fold(search.slice(0, SEARCH_LIMITS.searchLength).toWellFormed()),
    (word) => {
      terms.push({ word, prefix: false });
      lastIsWord = true;
      return terms.length < SEARCH_LIMITS.terms;
    },
    (characters) => {
      // One character alone is the beginning of a pair; of more, all pairs must occur.
      if (characters.length === 1) terms.push({ word: characters.join(""), prefix: true });
      for (let index = 0; index + 1 < characters.length; index += 1) {
        terms.push({ word: characters.slice(index, index + 2).join(""), prefix: false });
      }
      lastIsWord = false;
      return terms.length < SEARCH_LIMITS.terms;
    },
  );
  const last = lastIsWord ? terms.pop() : undefined;
  if (last !== undefined) terms.push({ word: last.word, prefix: true });
  return terms.slice(0, SEARCH_LIMITS.terms);
};

/** Whether a text with these words is found. */
export const holdsTerms = (words: ReadonlySet<string>, terms: ReadonlyArray<SearchTerm>): boolean =>
  terms.every(({ word, prefix }) => {
    if (words.has(word)) return true;
    if (!prefix) return false;
    for (const candidate of words) if (candidate.startsWith(word)) return true;
    return false;
  });
