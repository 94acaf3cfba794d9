/**
 * The words of documents in IndexedDB: an index with an entry for each word, over rows that each hold some of a document's
 * words. Which words a row holds is decided by the words, so that a keystroke rewrites the row of the changed word.
 */
import { wordsOf } from "@cairn/schema";
import type { DocumentId, WorkspaceId } from "@cairn/protocol";
import { Dexie } from "dexie";
import type { CairnDatabase, WordsRow } from "./tables.ts";

/** Words of one row, on average and at most: a document's words are put into more rows when they are more. */
const WORDS_PER_ROW = 64;

const bucketOf = (word: string, buckets: number): number => {
  let hash = 0x811c9dc5;
  for (let index = 0; index < word.length; index += 1) hash = Math.imul(hash ^ word.charCodeAt(index), 0x01000193);
  return (hash >>> 0) % buckets;
};

/** Enough, and the same as before as long as that does, since another number rewrites everything. */
const bucketsFor = (words: number, before: number | undefined): number => {
  const least = Math.ceil(words / WORDS_PER_ROW);
  if (before !== undefined && before >= least && before <= 4 * least) return before;
  return least <= 1 ? least : 2 ** Math.ceil(Math.log2(least));
};

const split = (words: ReadonlySet<string>, buckets: number): ReadonlyArray<ReadonlyArray<string>> => {
  const parts: Array<Array<string>> = Array.from({ length: buckets }, () => []);
  for (const word of words) parts[bucketOf(word, buckets)]?.push(word);
  return parts.map((part) => part.toSorted());
};

const isSame = (left: ReadonlyArray<string>, right: ReadonlyArray<string>): boolean =>
  left.length === right.length && left.every((word, index) => word === right[index]);

/** The text that a document is found by. */
export interface NewWords {
  readonly workspace: WorkspaceId;
  readonly document: DocumentId;
  readonly text: string;
  /** It had none before. */
  readonly first: boolean;
}

/** Documents' words are those of these texts from now on; what has not changed is not written. */
export const putWords = async (database: CairnDatabase, texts: ReadonlyArray<NewWords>): Promise<void> => {
  const known = await Promise.all(texts.map((text) => wordsBefore(database, text)));
  const changes = texts.map((text, index) => changeOf(text, known[index] ?? []));
  const gone = changes.flatMap((change) => change.gone);
  if (gone.length > 0) {
    await database.words.bulkDelete(
      gone.map(({ workspace, document, bucket }): [WorkspaceId, DocumentId, number] => [workspace, document, bucket]),
    );
  }
  const changed = changes.flatMap((change) => change.changed);
  if (changed.length > 0) await database.words.bulkPut(changed);
};

/** No words of this document from now on. */
export const removeWords = async (
  database: CairnDatabase,
  workspace: WorkspaceId,
  document: DocumentId,
): Promise<void> => {
  await rowsOf(database, workspace, document).delete();
};

const rowsOf = (database: CairnDatabase, workspace: WorkspaceId, document: DocumentId) =>
  database.words.where(":id").between([workspace, document, Dexie.minKey], [workspace, document, Dexie.maxKey]);

const wordsBefore = async (
  database: CairnDatabase,
  { workspace, document, first }: NewWords,
): Promise<ReadonlyArray<WordsRow>> => (first ? [] : rowsOf(database, workspace, document).toArray());

const changeOf = (
  { workspace, document, text }: NewWords,
  known: ReadonlyArray<WordsRow>,
): { readonly changed: ReadonlyArray<WordsRow>; readonly gone: ReadonlyArray<WordsRow> } => {
  const words = wordsOf(text);
  const buckets = bucketsFor(words.size, known[0]?.buckets);
  const sameBuckets = known[0]?.buckets === buckets;
  const before = new Map(known.map((row) => [row.bucket, row]));
  const changed: Array<WordsRow> = [];
  const kept = new Set<number>();
  for (const [bucket, part] of split(words, buckets).entries()) {
    if (part.length === 0) continue;
    kept.add(bucket);
    const row = before.get(bucket);
    if (!sameBuckets || row === undefined || !isSame(row.words, part)) {
      changed.push({ workspace, document, bucket, buckets, words: part });
    }
  }
  return { changed, gone: known.filter(({ bucket }) => !kept.has(bucket)) };
};
