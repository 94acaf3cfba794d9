/**
 * The rule for upgrades of the store's own tables (decision 25): additive. None takes a table, a column or a row away that
 * could hold something that nobody else has, and no version that was released is edited.
 */
import { Schema } from "effect";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { expect, test } from "vitest";
import { TABLE_VERSIONS } from "../src/store/dexie/tables.ts";
import * as Dexie from "../src/store/dexie/tables-version.ts";
import { CREATE_TABLES, TABLES_VERSION, UPGRADES } from "../src/store/sqlite/tables.ts";

const fixture = (name: string): Promise<string> => readFile(join(import.meta.dirname, "fixtures", name), "utf8");

const Shape = Schema.Record(Schema.String, Schema.Array(Schema.String));
type Shape = typeof Shape.Type;
const Shapes = Schema.fromJsonString(Schema.Record(Schema.String, Shape));

/**
 * What an upgrade has taken out of its place, because the same transaction put it into another one: by the version that it
 * made. An upgrade that makes this list longer has to say where the rest went, and may drop nothing that is unsent.
 */
const MOVED: Readonly<Record<number, ReadonlyArray<string>>> = {
  // Into `streams`, and the refused edits back among those that wait.
  2: ["parked"],
  // Into `documents`.
  3: ["views.deleted", "views.created_at"],
};

const columnsOf = (
  database: DatabaseSync,
  table: string,
): ReadonlyArray<{ readonly name: string; readonly type: string }> =>
  database
    .prepare(`SELECT name, type FROM pragma_table_info('${table}') ORDER BY cid`)
    .all()
    .map(({ name, type }) => ({ name: String(name), type: String(type) }));

const tablesOf = (database: DatabaseSync): ReadonlyArray<string> =>
  database
    .prepare("SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY name")
    .all()
    .map(({ name }) => String(name));

/** The columns of every table, sorted: their order is nobody's business. */
const shapeOf = (database: DatabaseSync): Shape =>
  Object.fromEntries(
    tablesOf(database).map((table) => [
      table,
      columnsOf(database, table)
        .map(({ name, type }) => `${name} ${type}`)
        .toSorted(),
    ]),
  );

const indexesOf = (database: DatabaseSync): ReadonlyArray<unknown> =>
  database.prepare("SELECT name, tbl_name, sql FROM sqlite_schema WHERE type = 'index' ORDER BY name").all();

/** An empty database of version 1, as the first Cairn made it. */
const makeFirst = async (): Promise<DatabaseSync> => {
  const database = new DatabaseSync(":memory:");
  database.exec(await fixture("sqlite-tables-1.sql"));
  return database;
};

const valueFor = (type: string, seed: number): string | number | Uint8Array =>
  type === "TEXT" ? `text ${seed}` : type === "BLOB" ? new Uint8Array([seed, 0, 255]) : seed;

/** Two rows in every table: what is in them makes no sense, and stays. */
const fill = (database: DatabaseSync): void => {
  for (const table of tablesOf(database)) {
    if (table === "profile") continue;
    const columns = columnsOf(database, table);
    const insert = database.prepare(`INSERT INTO ${table} VALUES (${columns.map(() => "?").join()})`);
    for (const row of [10, 20]) insert.run(...columns.map(({ type }, index) => valueFor(type, row + index)));
  }
};

type Row = Readonly<Record<string, unknown>>;
const rowsOf = (database: DatabaseSync, table: string): ReadonlyArray<Row> =>
  database
    .prepare(`SELECT * FROM ${table}`)
    .all()
    .map((row) => ({ ...row }));

test("SQLite: every version is as it was recorded, and the last one is what a new folder gets", async () => {
  const recorded = Schema.decodeUnknownSync(Shapes)(await fixture("sqlite-shapes.json"));
  expect(UPGRADES).toHaveLength(TABLES_VERSION - 1);
  const database = await makeFirst();
  const shapes = [shapeOf(database)];
  for (const upgrade of UPGRADES) {
    database.exec(upgrade);
    shapes.push(shapeOf(database));
  }
  expect(Object.fromEntries(shapes.map((shape, index) => [index + 1, shape]))).toEqual(recorded);
  const fresh = new DatabaseSync(":memory:");
  fresh.exec(CREATE_TABLES);
  expect(shapeOf(fresh)).toEqual(shapes.at(-1));
  expect(indexesOf(database).map((index) => JSON.stringify(index))).toEqual(
    indexesOf(fresh).map((index) => JSON.stringify(index)),
  );
});

test("SQLite: no upgrade takes a table, a column or a row away, or changes what a column holds", async () => {
  for (const [index, upgrade] of UPGRADES.entries()) {
    const version = index + 2;
    const moved = MOVED[version] ?? [];
    const database = await makeFirst();
    for (const before of UPGRADES.slice(0, index)) database.exec(before);
    fill(database);
    const before = new Map(tablesOf(database).map((table) => [table, rowsOf(database, table)]));
    database.exec(upgrade);
    for (const [table, rows] of before) {
      if (moved.includes(table)) continue;
      const kept = rows.map((row) =>
        Object.fromEntries(Object.entries(row).filter(([column]) => !moved.includes(`${table}.${column}`))),
      );
      expect(tablesOf(database), `version ${version} drops ${table}`).toContain(table);
      expect(rowsOf(database, table), `version ${version}: ${table}`).toMatchObject(kept);
    }
  }
});

test("IndexedDB: every version is as it was recorded, and none deletes a table or changes a primary key", async () => {
  expect(TABLE_VERSIONS).toHaveLength(Dexie.TABLES_VERSION);
  const recorded = Schema.decodeUnknownSync(Shapes)(await fixture("dexie-shapes.json"));
  const shapes: Array<Shape> = [];
  const keys = new Map<string, string>();
  for (const [index, { stores }] of TABLE_VERSIONS.entries()) {
    const changed = Object.entries(stores).map(([table, indexes]) => {
      // Dexie can delete a table, by a null that its types and these do not allow. With another primary key it opens none.
      const [key = "", ...others] = indexes.split(/,\s*/);
      expect(keys.get(table) ?? key, `version ${index + 1} changes the key of ${table}`).toBe(key);
      keys.set(table, key);
      return [table, [key, ...others.toSorted()]] as const;
    });
    shapes.push({ ...shapes.at(-1), ...Object.fromEntries(changed) });
  }
  expect(Object.fromEntries(shapes.map((shape, index) => [index + 1, shape]))).toEqual(recorded);
});
