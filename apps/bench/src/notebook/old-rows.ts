/** The rows of a browser's notebook as an older version of the app would have left them, and what became of them. */
import type { Page } from "playwright-core";

export interface RowCounts {
  readonly notes: number;
  /** Of these, those whose rows are of the older version. */
  readonly old: number;
  /** Of these, those whose rows wait to be made for another reason. */
  readonly behind: number;
  /** Edits of all documents. */
  readonly updates: number;
}

/**
 * Counts, and before that, with `makeOld`, gives every note's row the fingerprint of another declaration and takes its preview
 * away. The page is one of the same origin in which the app does not run.
 */
export const rowsOf = (page: Page, makeOld = false): Promise<RowCounts> =>
  page.evaluate(async (isWriting) => {
    const OLD = "an older version";
    const answered = <A>(request: IDBRequest<A>): Promise<A> =>
      new Promise((resolve, reject) => {
        request.addEventListener("success", () => resolve(request.result));
        request.addEventListener("error", () => reject(new Error(String(request.error))));
      });
    const database = await answered(indexedDB.open("notebook"));
    const transaction = database.transaction(["documents", "views", "updates"], isWriting ? "readwrite" : "readonly");
    const [documents, views] = [transaction.objectStore("documents"), transaction.objectStore("views")];
    const textOf = (row: unknown, name: string): unknown =>
      typeof row === "object" && row !== null ? Reflect.get(row, name) : undefined;
    const rows: ReadonlyArray<unknown> = await answered(documents.getAll());
    const notes = rows.filter((row) => textOf(row, "type") === "note");
    for (const row of isWriting ? notes : []) {
      if (typeof row !== "object" || row === null) continue;
      documents.put({ ...row, projection: OLD });
      const view: unknown = await answered(
        views.get([String(textOf(row, "workspace")), String(textOf(row, "document"))]),
      );
      const fields = textOf(view, "fields");
      if (typeof view !== "object" || typeof fields !== "object" || fields === null) continue;
      views.put({ ...view, fields: { ...fields, body: undefined } });
    }
    const updates = await answered(transaction.objectStore("updates").count());
    if (isWriting) await new Promise((resolve) => transaction.addEventListener("complete", resolve));
    database.close();
    return {
      notes: notes.length,
      old: isWriting ? notes.length : notes.filter((row) => textOf(row, "projection") === OLD).length,
      behind: notes.filter((row) => textOf(row, "unprojected") !== undefined).length,
      updates,
    };
  }, makeOld);
