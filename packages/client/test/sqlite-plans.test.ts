/** The cost of an operation does not grow with the log or with other documents: no statement walks over a table. */
import { Effect, Layer } from "effect";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { expect, test, vi } from "vitest";
import * as SqliteStore from "../src/store/SqliteStore.ts";

/** A profile has one row of its own, and a handful of workspaces. */
const SMALL_TABLES = ["profile", "workspaces"];

test("every statement finds its rows by an index", async () => {
  const directory = await mkdtemp(join(tmpdir(), "cairn-plans-"));
  const prepare = vi.spyOn(DatabaseSync.prototype, "prepare");
  await Effect.runPromise(Effect.scoped(Layer.build(SqliteStore.layer({ directory }))));
  const statements = prepare.mock.calls.map(([sql]) => sql).filter((sql) => !sql.startsWith("PRAGMA"));
  prepare.mockRestore();
  expect(statements.length).toBeGreaterThan(40);

  const database = new DatabaseSync(join(directory, "cairn.db"));
  const steps = statements.flatMap((sql) =>
    database
      .prepare(`EXPLAIN QUERY PLAN ${sql}`)
      .all()
      .map((row) => ({ sql, step: String(row["detail"]) })),
  );
  database.close();
  await rm(directory, { recursive: true });
  const onLarge = steps.filter(
    ({ sql }) => !SMALL_TABLES.some((table) => new RegExp(`(FROM|UPDATE) ${table}\\b`).test(sql)),
  );
  expect(onLarge.filter(({ step }) => /^SCAN|FOR ORDER BY/.test(step))).toEqual([]);

  // Nor over all rows of a workspace, where only those are wanted for which there is something to do.
  const indexOf = (condition: string) =>
    steps
      .filter(({ sql, step }) => sql.includes(condition) && step.startsWith("SEARCH documents"))
      .map(({ step }) => step);
  const unprojectedIndexes = indexOf("unprojected IS NOT NULL");
  expect(unprojectedIndexes.length).toBeGreaterThan(0);
  for (const step of unprojectedIndexes) expect(step).toContain("documents_unprojected");
  const pendingIndexes = indexOf("pending_updates > 0");
  expect(pendingIndexes.length).toBeGreaterThan(0);
  for (const step of pendingIndexes) expect(step).toMatch(/documents_pending|workspace=\? AND document=\?/);
  const pendingSteps = steps.filter(({ sql, step }) => /state = 0\s+ORDER BY/.test(sql) && /SEARCH updates/.test(step));
  expect(pendingSteps.length).toBeGreaterThan(0);
  for (const { step } of pendingSteps) expect(step).toContain("updates_pending");
});
