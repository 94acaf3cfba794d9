/** The indexes over rows in SQLite: entries in the order of their UTF-16 code units, and words. */
import type { DocumentId, WorkspaceId } from "@cairn/protocol";
import { wordsOf } from "@cairn/schema";
import type { DocumentRecord } from "../records.ts";
import type { RowIndex } from "../rows/read-rows.ts";
import type { SqliteDatabase } from "./database.ts";
import { bytes, documentId, number, type Row, text, toDocument } from "./rows.ts";

/** Greater than every word that begins with what stands before it, in the order of code points. */
const AFTER_WORDS = "\u{10ffff}";
/** More rows than can be: SQLite has no other way to say "all" as a number. */
const ALL = -1;

const utf8 = new TextEncoder();
const FIRST_SURROGATE = 0xd800;

/**
 * An entry as bytes whose order is that of its UTF-16 code units: UTF-8 of each code unit on its own. SQLite orders texts by
 * code points, which is another order beyond the basic plane.
 */
export const entryBytes = (entry: string): Uint8Array => {
  let plain = true;
  for (let index = 0; index < entry.length && plain; index += 1) plain = entry.charCodeAt(index) < FIRST_SURROGATE;
  if (plain) return utf8.encode(entry);
  const found: Array<number> = [];
  for (let index = 0; index < entry.length; index += 1) {
    const unit = entry.charCodeAt(index);
    if (unit < 0x80) found.push(unit);
    else if (unit < 0x800) found.push(0xc0 | (unit >> 6), 0x80 | (unit & 0x3f));
    else found.push(0xe0 | (unit >> 12), 0x80 | ((unit >> 6) & 0x3f), 0x80 | (unit & 0x3f));
  }
  return Uint8Array.from(found);
};

/** The entry of `entryBytes`. */
export const entryOf = (encoded: Uint8Array): string => {
  const units: Array<string> = [];
  for (let index = 0; index < encoded.length;) {
    const first = encoded[index] ?? 0;
    const second = (encoded[index + 1] ?? 0) & 0x3f;
    if (first < 0x80) {
      units.push(String.fromCharCode(first));
      index += 1;
    } else if (first < 0xe0) {
      units.push(String.fromCharCode(((first & 0x1f) << 6) | second));
      index += 2;
    } else {
      units.push(String.fromCharCode(((first & 0x0f) << 12) | (second << 6) | ((encoded[index + 2] ?? 0) & 0x3f)));
      index += 3;
    }
  }
  return units.join("");
};

/** The columns that make a document's record. */
export const DOCUMENT_COLUMNS = `documents.key AS key, documents.workspace AS workspace, documents.document AS document,
  type, updated_at, merging, projection, deleted, created_at, fields`;

export type IndexRows = ReturnType<typeof indexRows>;

/** Writing and reading the indexes, inside a transaction that somebody else opened. */
export const indexRows = (database: SqliteDatabase) => {
  const addEntry = database.prepare(
    "INSERT INTO entries (entry, document, key) VALUES (?, ?, ?) ON CONFLICT (entry, document) DO NOTHING",
  );
  const removeEntry = database.prepare("DELETE FROM entries WHERE entry = ? AND document = ?");
  const wordsOfDocument = database.prepare(
    "SELECT group_concat(word, char(10)) AS words FROM words WHERE document = ?",
  );
  const addWord = database.prepare("INSERT INTO words (document, word) VALUES (?, ?)");
  const removeWord = database.prepare("DELETE FROM words WHERE document = ? AND word = ?");
  const forwards = database.prepare(
    "SELECT document FROM entries WHERE entry >= ? AND entry < ? ORDER BY entry, document LIMIT ?",
  );
  const backwards = database.prepare(
    "SELECT document FROM entries WHERE entry >= ? AND entry < ? ORDER BY entry DESC, document DESC LIMIT ?",
  );
  const counts = database.prepare(
    "SELECT entry, count(*) AS count FROM entries WHERE entry >= ? AND entry < ? GROUP BY entry",
  );
  const withWord = database.prepare(`
    SELECT documents.document AS document FROM words JOIN documents ON documents.key = words.document
    WHERE word = ? AND documents.workspace = ?`);
  const withBeginning = database.prepare(`
    SELECT DISTINCT documents.document AS document FROM words JOIN documents ON documents.key = words.document
    WHERE word >= ? AND word < ? AND documents.workspace = ?`);
  const columns = `${DOCUMENT_COLUMNS}, search_text`;
  const find = database.prepare(`
    SELECT ${columns} FROM documents JOIN views ON views.document = documents.key
    WHERE documents.workspace = ? AND documents.document = ?`);
  const ofType = database.prepare(`
    SELECT ${columns} FROM documents JOIN views ON views.document = documents.key
    WHERE documents.workspace = ? AND type = ?`);
  const stale = ["<", ">"].map((side) =>
    database.prepare(
      `SELECT document, updated_at, deleted, unprojected FROM documents
       WHERE workspace = ? AND type = ? AND projection ${side} ?`,
    ),
  );
  const unmade = database.prepare(
    "SELECT document FROM documents WHERE workspace = ? AND type = ? AND projection = ''",
  );

  const toStored = (row: Row) => ({
    record: toDocument(row),
    oldText: row["search_text"] === null ? undefined : text(row["search_text"]),
  });
  const staleRows = (workspace: WorkspaceId, type: string, fingerprint: string) =>
    stale.flatMap((statement) => statement.all(workspace, type, fingerprint));

  return {
    /** Entries of a document in place of those before. */
    putEntries: (
      { key, document }: Pick<DocumentRecord, "document"> & { readonly key: number },
      before: ReadonlyArray<string>,
      now: ReadonlyArray<string>,
    ): void => {
      const known = new Set(before);
      const wanted = new Set(now);
      for (const entry of known) if (!wanted.has(entry)) removeEntry.run(entryBytes(entry), document);
      for (const entry of wanted) if (!known.has(entry)) addEntry.run(entryBytes(entry), document, key);
    },
    /** A document's words are those of this text from now on; what has not changed is not written. */
    putWords: (key: number, searchText: string): void => {
      const joined = wordsOfDocument.get(key)?.["words"];
      const known = new Set(typeof joined === "string" ? joined.split("\n") : []);
      const wanted = wordsOf(searchText);
      for (const word of known) if (!wanted.has(word)) removeWord.run(key, word);
      for (const word of wanted) if (!known.has(word)) addWord.run(key, word);
    },
    /** Documents of a type whose rows show all and were made by another declaration, the newest edited first. */
    outdated: (workspace: WorkspaceId, type: string, fingerprint: string): ReadonlyArray<DocumentId> =>
      staleRows(workspace, type, fingerprint)
        .filter((row) => row["unprojected"] === null)
        .toSorted(
          (left, right) =>
            number(left["deleted"]) - number(right["deleted"]) ||
            number(right["updated_at"]) - number(left["updated_at"]),
        )
        .map((row) => documentId(row["document"])),
    of: (workspace: WorkspaceId): RowIndex => ({
      scan: ({ from, before }, reverse, count) =>
        (reverse ? backwards : forwards)
          .all(entryBytes(from), entryBytes(before), count === Infinity ? ALL : count)
          .map((row) => documentId(row["document"])),
      entries: ({ from, before }) =>
        counts
          .all(entryBytes(from), entryBytes(before))
          .map((row) => ({ entry: entryOf(bytes(row["entry"])), count: number(row["count"]) })),
      withWord: ({ word, prefix }) =>
        (prefix ? withBeginning.all(word, word + AFTER_WORDS, workspace) : withWord.all(word, workspace)).map(
          (row): DocumentId => documentId(row["document"]),
        ),
      rows: (ids) =>
        ids.flatMap((id) => {
          const row = find.get(workspace, id);
          return row === undefined ? [] : [toStored(row)];
        }),
      ofType: (type) => ofType.all(workspace, type).map(toStored),
      stale: (type, fingerprint) => staleRows(workspace, type, fingerprint).map((row) => documentId(row["document"])),
      // They are among the stale ones.
      unmade: () => [],
      outside: (type) => unmade.all(workspace, type).map((row) => documentId(row["document"])),
    }),
  };
};
