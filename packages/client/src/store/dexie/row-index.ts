/** The indexes over rows in IndexedDB, inside a transaction that somebody else opened. */
import type { DocumentId, WorkspaceId } from "@cairn/protocol";
import { indexRange } from "@cairn/schema";
import { type Collection, Dexie } from "dexie";
import type { RowIndex, StoredRow } from "../rows/read-rows.ts";
import { toDocument } from "./stored-document.ts";
import { type CairnDatabase, type DocumentRow, ofWorkspace, type ViewRow } from "./tables.ts";
import { UNKNOWN_DECLARATION } from "./tables-version.ts";

/** Beyond this share of a workspace's documents, reading all of them at once is quicker than one by one. */
const ALL_AT_ONCE = 2_000;

export const dexieRowIndex = (database: CairnDatabase, workspace: WorkspaceId): RowIndex => {
  const { documents, views, words } = database;
  const joined = (rows: ReadonlyArray<DocumentRow | undefined>, found: (row: DocumentRow) => ViewRow | undefined) =>
    rows.flatMap((row): ReadonlyArray<StoredRow> => {
      const view = row === undefined ? undefined : found(row);
      return row === undefined || view === undefined
        ? []
        : [{ record: toDocument(row, view), oldText: view.searchText }];
    });
  const allViews = async (): Promise<(row: DocumentRow) => ViewRow | undefined> => {
    const byDocument = new Map((await ofWorkspace(views, workspace).toArray()).map((view) => [view.document, view]));
    return ({ document }) => byDocument.get(document);
  };
  const oneByOne = async (ids: ReadonlyArray<DocumentId>): Promise<ReadonlyArray<StoredRow>> => {
    const keys = ids.map((id): [WorkspaceId, DocumentId] => [workspace, id]);
    const [rows, found] = await Promise.all([documents.bulkGet(keys), views.bulkGet(keys)]);
    const byDocument = new Map(found.flatMap((view) => (view === undefined ? [] : [[view.document, view] as const])));
    return joined(rows, ({ document }) => byDocument.get(document));
  };

  const madeBy = (type: string, fingerprint: string) =>
    idsOf(documents.where("[workspace+type+projection]").equals([workspace, type, fingerprint]));

  return {
    scan: async ({ from, before }, reverse, count) => {
      const range = documents.where("entries").between(from, before, true, false);
      // A few keys backwards come from a cursor; all of them are quicker to get forwards at once.
      if (reverse && count < ALL_AT_ONCE) {
        // oxlint-disable-next-line unicorn/no-array-reverse -- a collection of Dexie
        return (await range.reverse().limit(count).primaryKeys()).map(([, document]) => document);
      }
      const keys = await (reverse || count === Infinity ? range : range.limit(count)).primaryKeys();
      const ids = keys.map(([, document]) => document);
      return reverse ? ids.toReversed().slice(0, count) : ids;
    },

    entries: async ({ from, before }) => {
      const range = () => documents.where("entries").between(from, before, true, false);
      const found: Array<{ entry: string; count: number }> = [];
      for (const entry of await range().uniqueKeys()) {
        if (typeof entry !== "string") continue;
        found.push({ entry, count: await documents.where("entries").equals(entry).count() });
      }
      return found;
    },

    withWord: async ({ word, prefix }) => {
      const found = prefix ? words.where("words").startsWith(word) : words.where("words").equals(word);
      const ids = new Set<DocumentId>();
      for (const [place, document] of await found.primaryKeys()) if (place === workspace) ids.add(document);
      return [...ids];
    },

    rows: async (ids) => {
      if (ids.length < ALL_AT_ONCE) return oneByOne(ids);
      const wanted = new Set(ids);
      const rows = (await ofWorkspace(documents, workspace).toArray()).filter(({ document }) => wanted.has(document));
      const byDocument = new Map(rows.map((row) => [row.document, row]));
      return joined(
        ids.map((id) => byDocument.get(id)),
        await allViews(),
      );
    },

    ofType: async (type) => {
      const rows = await documents
        .where("[workspace+type+projection]")
        .between([workspace, type, Dexie.minKey], [workspace, type, Dexie.maxKey])
        .toArray();
      return rows.length < ALL_AT_ONCE
        ? oneByOne(rows.map(({ document }) => document))
        : joined(rows, await allViews());
    },

    stale: (type, fingerprint) => staleDocuments(database, workspace, type, fingerprint),
    unmade: (type) => madeBy(type, ""),
    outside: (type) => madeBy(type, UNKNOWN_DECLARATION),
  };
};

const idsOf = async (found: Collection<DocumentRow, [WorkspaceId, DocumentId]>): Promise<ReadonlyArray<DocumentId>> =>
  (await found.primaryKeys()).map(([, document]) => document);

/** Documents of a type whose rows were made, and by another declaration. */
const staleDocuments = async (
  { documents }: CairnDatabase,
  workspace: WorkspaceId,
  type: string,
  fingerprint: string,
): Promise<ReadonlyArray<DocumentId>> => {
  const index = () => documents.where("[workspace+type+projection]");
  const lower = index().between([workspace, type, ""], [workspace, type, fingerprint], false, false);
  const higher = index().between([workspace, type, fingerprint], [workspace, type, Dexie.maxKey], false, true);
  const [below, above] = await Promise.all([idsOf(lower), idsOf(higher)]);
  return [...below, ...above];
};

/** Rows of a type that do not show their documents' newest updates, in the order of these. */
export const unprojectedOfType = ({ documents }: CairnDatabase, workspace: WorkspaceId, type: string) =>
  documents
    .where("[workspace+type+unprojected]")
    .between([workspace, type, Dexie.minKey], [workspace, type, Dexie.maxKey]);

/** Documents of a type in the order of their times, the newest edited first and those that are deleted last: by keys alone. */
const newestFirst = async (
  { documents }: CairnDatabase,
  workspace: WorkspaceId,
  type: string,
  ids: ReadonlyArray<DocumentId>,
): Promise<ReadonlyArray<DocumentId>> => {
  const left = new Set(ids);
  const found: Array<DocumentId> = [];
  for (const deleted of [false, true]) {
    const { from, before } = indexRange({ workspace, type, deleted }, "$updated");
    const byTime = await idsOf(documents.where("entries").between(from, before, true, false));
    found.push(...byTime.toReversed().filter((id) => left.delete(id)));
  }
  // Rows of version 2 are in no index until they are made anew.
  return [...found, ...left];
};

/** Rows of a type that do not show their documents' newest updates, the newest edited first; at most `limit`. */
export const unprojectedRows = async (
  database: CairnDatabase,
  workspace: WorkspaceId,
  type: string,
  limit: number,
): Promise<ReadonlyArray<DocumentRow>> => {
  const ofType = () => unprojectedOfType(database, workspace, type);
  if (limit === Infinity || (await ofType().count()) <= limit) {
    return (await ofType().toArray()).toSorted(
      (left, right) => right.updatedAt - left.updatedAt || right.latest - left.latest,
    );
  }
  const ids = await newestFirst(database, workspace, type, await idsOf(ofType()));
  const some = ids.slice(0, limit).map((id): [WorkspaceId, DocumentId] => [workspace, id]);
  return (await database.documents.bulkGet(some)).flatMap((row) => (row === undefined ? [] : [row]));
};

/** The other documents of a type whose rows another declaration made, the newest edited first. */
export const outdatedDocuments = async (
  database: CairnDatabase,
  workspace: WorkspaceId,
  type: string,
  fingerprint: string,
): Promise<ReadonlyArray<DocumentId>> => {
  const stale = await staleDocuments(database, workspace, type, fingerprint);
  if (stale.length === 0) return [];
  const behind = new Set(await idsOf(unprojectedOfType(database, workspace, type)));
  return newestFirst(
    database,
    workspace,
    type,
    stale.filter((id) => !behind.has(id)),
  );
};
