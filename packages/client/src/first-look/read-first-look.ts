/**
 * Reads a first look in IndexedDB, without the libraries of the store: they take longer to load than this takes to read. It
 * opens the database as it is, changes nothing in it, and lets go of it at once.
 */
import type { DocumentId, WorkspaceId } from "@cairn/protocol";
import { toPlainRow } from "../engine/plain-row.ts";
import { toDocument } from "../store/dexie/stored-document.ts";
import type { DocumentRow, ProfileRow, SecretRow, ViewRow } from "../store/dexie/tables.ts";
import { TABLES_VERSION, UNKNOWN_DECLARATION } from "../store/dexie/tables-version.ts";
import { readLater, readPage, type RowIndex, type StoredRow } from "../store/rows/read-rows.ts";
import { type FirstLook, KEPT_QUESTIONS, type KeptQuestions } from "./FirstLook.ts";

/** Dexie's native versions are ten times its own. */
const NATIVE_VERSION = TABLES_VERSION * 10;

const TABLES = ["profile", "secrets", "documents", "views"];

/** Only a database that is there, with the tables of this build. */
const openAsItIs = (name: string): Promise<IDBDatabase | undefined> =>
  new Promise((resolve, reject) => {
    const opening = indexedDB.open(name);
    // There was none. Whoever may make one is on its way.
    opening.addEventListener("upgradeneeded", () => opening.transaction?.abort());
    opening.addEventListener("error", () => reject(opening.error ?? new Error("the database does not open")));
    opening.addEventListener("success", () => {
      const { result: database } = opening;
      // Nobody waits for a look.
      database.addEventListener("versionchange", () => database.close());
      if (database.version === NATIVE_VERSION) return resolve(database);
      database.close();
      resolve(undefined);
    });
  });

const resultOf = <A>(request: IDBRequest<A>): Promise<A> =>
  new Promise((resolve, reject) => {
    request.addEventListener("success", () => resolve(request.result));
    request.addEventListener("error", () => reject(request.error ?? new Error("the database does not answer")));
  });

/** A row of a table, which has the form that `tables.ts` says. */
const rowIn = async <Row>(table: IDBObjectStore, key: IDBValidKey): Promise<Row | undefined> => {
  const found: unknown = await resultOf<unknown>(table.get(key));
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the version of the tables was compared
  return found as Row | undefined;
};

/** The first `count` keys of the table in a range of an index. */
const keysIn = (index: IDBIndex, range: IDBKeyRange, reverse: boolean, count: number): Promise<Array<IDBValidKey>> => {
  if (!reverse) return resultOf(index.getAllKeys(range, Number.isFinite(count) ? count : undefined));
  return new Promise((resolve, reject) => {
    const keys: Array<IDBValidKey> = [];
    const request = index.openKeyCursor(range, "prev");
    request.addEventListener("error", () => reject(request.error ?? new Error("the database does not answer")));
    request.addEventListener("success", () => {
      const { result: cursor } = request;
      if (cursor === null || keys.length >= count) return resolve(keys);
      keys.push(cursor.primaryKey);
      cursor.continue();
    });
  });
};

/** Those of the kept questions' indexes that they can need. */
const indexesIn = (transaction: IDBTransaction, workspace: WorkspaceId): RowIndex => {
  const documents = transaction.objectStore("documents");
  const views = transaction.objectStore("views");
  const idsOf = (keys: ReadonlyArray<IDBValidKey>): ReadonlyArray<DocumentId> =>
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the table's keys are pairs of workspace and document
    (keys as ReadonlyArray<[WorkspaceId, DocumentId]>).map(([, id]) => id);
  const scan: RowIndex["scan"] = async ({ from, before }, reverse, count) =>
    idsOf(await keysIn(documents.index("entries"), IDBKeyRange.bound(from, before, false, true), reverse, count));
  const byDeclaration = async (range: IDBKeyRange) =>
    idsOf(await keysIn(documents.index("[workspace+type+projection]"), range, false, Infinity));
  const madeBy = (type: string, fingerprint: string) => byDeclaration(IDBKeyRange.only([workspace, type, fingerprint]));
  const row = async (id: DocumentId): Promise<ReadonlyArray<StoredRow>> => {
    const key = [workspace, id];
    const [found, view] = await Promise.all([rowIn<DocumentRow>(documents, key), rowIn<ViewRow>(views, key)]);
    return found === undefined || view === undefined
      ? []
      : [{ record: toDocument(found, view), oldText: view.searchText }];
  };
  const never = (): never => {
    throw new Error("a first look searches for no words");
  };
  return {
    scan,
    rows: async (ids) => (await Promise.all(ids.map(row))).flat(),
    stale: async (type, fingerprint) => {
      const [below, above] = await Promise.all([
        byDeclaration(IDBKeyRange.bound([workspace, type, ""], [workspace, type, fingerprint], true, true)),
        byDeclaration(IDBKeyRange.bound([workspace, type, fingerprint], [workspace, type, []], true, true)),
      ]);
      return [...below, ...above];
    },
    unmade: (type) => madeBy(type, ""),
    outside: (type) => madeBy(type, UNKNOWN_DECLARATION),
    entries: never,
    withWord: never,
    ofType: never,
  };
};

/** The look at a profile, by the questions that this build has kept; undefined where there is none. */
export const readFirstLook = async (profile: string, build: string): Promise<FirstLook | undefined> => {
  const database = await openAsItIs(profile);
  if (database === undefined) return undefined;
  try {
    const transaction = database.transaction(TABLES, "readonly");
    const [row, secret] = await Promise.all([
      rowIn<ProfileRow>(transaction.objectStore("profile"), 1),
      rowIn<SecretRow>(transaction.objectStore("secrets"), KEPT_QUESTIONS),
    ]);
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- what stands there was put there by the engine
    const kept = secret?.value as KeptQuestions | undefined;
    if (kept === undefined || kept.build !== build || row?.profile?.currentWorkspace !== kept.workspace)
      return undefined;
    const index = indexesIn(transaction, kept.workspace);
    const answers = await Promise.all(
      kept.questions.map(async ({ checked, query, rows, type }) => {
        const { next, rows: records } = await readLater(readPage(rows, checked), index);
        // What another declaration made, or nobody yet, is shown by whoever knows the schema.
        const isShown = records.every(({ projection }) => projection === rows.fingerprint);
        return isShown ? [{ type, query, page: { rows: records.map(toPlainRow), next } }] : undefined;
      }),
    );
    // All or none: lists that belong together are drawn together.
    return answers.includes(undefined)
      ? undefined
      : { workspace: kept.workspace, answers: answers.flatMap((answer) => answer ?? []) };
  } finally {
    database.close();
  }
};
