import { expect, test } from "vitest";
import { databaseProblem } from "../src/Database.ts";

const good = { version: 160_004, fsync: "on", synchronous_commit: "on" };
const problem = (found: Partial<typeof good>, allowUnsafe = false) =>
  databaseProblem({ ...good, ...found }, { place: "db.example.org/cairn", allowUnsafe })?.code;

test("PostgreSQL 15 is the oldest that is accepted", () => {
  expect(problem({})).toBeUndefined();
  expect(problem({ version: 150_000 })).toBeUndefined();
  expect(problem({ version: 140_012 })).toBe("database-too-old");
});

test("rule 9: a database that can lose what it confirmed is refused unless that was asked for", () => {
  expect(problem({ fsync: "off" })).toBe("database-unsafe");
  expect(problem({ synchronous_commit: "off" })).toBe("database-unsafe");
  expect(problem({ synchronous_commit: "remote_apply" })).toBeUndefined();
  expect(problem({ fsync: "off", synchronous_commit: "off" }, true)).toBeUndefined();
});
