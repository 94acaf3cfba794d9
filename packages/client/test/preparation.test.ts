/** A client that dies while it makes rows of an older version anew goes on where it was. */
import type { DocumentId } from "@cairn/protocol";
import { projectionFingerprint } from "@cairn/schema";
import { Effect } from "effect";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { cp, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import type { Preparation } from "../src/workspace-api.ts";
import { openCairn } from "../src/node.ts";
import type { LocalStoreShape } from "../src/store/LocalStore.ts";
import { first, third } from "./evolving-notes.ts";
import { prepareFolder } from "./preparing-device.ts";

/** Rows are made 64 at a time. */
const NOTES = 150;
const FINGERPRINT = projectionFingerprint(third.documents.note);

let directory: string;
const written = (): string => join(directory, "written");
const copyOf = async (name: string): Promise<string> => {
  const folder = join(directory, name);
  await cp(written(), folder, { recursive: true });
  return folder;
};

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "cairn-preparation-"));
  const app = await openCairn({ schema: first, directory: written() });
  const workspace = await app.workspace();
  for (let index = 0; index < NOTES; index += 1) {
    const note = await workspace.create("note", (draft) => {
      draft.title.set(`note ${index}`);
      draft.pinned.set(index % 2 === 0);
      draft.body.insert(0, `about ${index}`);
      draft.tasks.push(`task ${index}`);
    });
    await note.close();
  }
  await app.close();
}, 240_000);
afterAll(() => rm(directory, { recursive: true, force: true }));

/** What lists show of the notes in the third version of the app, by title. */
const expected = new Map(
  Array.from({ length: NOTES }, (_, index) => [
    `note ${index}`,
    {
      body: `about ${index}`,
      urgency: { level: index % 2 === 0 ? 2 : 0 },
      tasks: [{ label: `task ${index}`, done: false }],
    },
  ]),
);

class Killed extends Error {}

/** A store that dies at its n-th operation: before it was done, or after. Remembers whose rows it stored, in order. */
const dyingAt = (at: number, afterIt: boolean) => {
  let operations = 0;
  const rows: Array<DocumentId> = [];
  const counted = <A, E>(effect: Effect.Effect<A, E>): Effect.Effect<A, E> =>
    Effect.suspend(() => {
      const isLast = operations === at;
      operations += 1;
      if (operations > at + 1 || (isLast && !afterIt)) return Effect.die(new Killed());
      return isLast ? Effect.andThen(effect, Effect.die(new Killed())) : effect;
    });
  const wrap = (store: LocalStoreShape): LocalStoreShape => ({
    ...store,
    outdated: (...given) => counted(store.outdated(...given)),
    unprojected: (...given) => counted(store.unprojected(...given)),
    openDocuments: (...given) => counted(store.openDocuments(...given)),
    putProjections: (workspace, projections) =>
      counted(
        Effect.tap(store.putProjections(workspace, projections), () =>
          Effect.sync(() => rows.push(...projections.map(({ document }) => document))),
        ),
      ),
  });
  return { wrap, rows, operations: () => operations };
};

const run = async (folder: string, at = Infinity, afterIt = false) => {
  const { wrap, rows, operations } = dyingAt(at, afterIt);
  const result = await Effect.runPromise(prepareFolder(folder, wrap));
  return { ...result, rows, operations: operations() };
};

test("killed at any operation, before or after it, it goes on where it was: no row is made twice, and none is lost", async () => {
  const whole = await run(await copyOf("whole"));
  expect(whole).toMatchObject({ finished: true, left: 0 });
  expect(new Set(whole.rows).size).toBe(NOTES);
  const times = new Map(whole.notes.map(({ document, updatedAt }) => [document, updatedAt]));
  // People look at the newest first.
  const inTurn = whole.rows.map((document) => times.get(document) ?? 0);
  expect(inTurn).toEqual(inTurn.toSorted((left, right) => right - left));
  // What asks in vain whether there is more is not waited for.
  const needed = 2 + 3 * 3;
  expect(whole.operations).toBeGreaterThanOrEqual(needed);
  for (let at = 0; at < needed; at += 1) {
    for (const afterIt of at === needed - 1 ? [false] : [false, true]) {
      const folder = await copyOf(`killed-${at}-${String(afterIt)}`);
      const killed = await run(folder, at, afterIt);
      expect(killed.left).toBe(NOTES - killed.rows.length);
      const resumed = await run(folder);
      expect(resumed).toMatchObject({ finished: true, left: 0 });
      expect([...killed.rows, ...resumed.rows]).toEqual(whole.rows);
      expect(resumed.notes.map(({ fields }) => fields)).toEqual(whole.notes.map(({ fields }) => fields));
      await rm(folder, { recursive: true });
    }
  }
}, 240_000);

test("SIGKILL halfway: what was made stays, what was not sent waits, and the app that is started next does the rest", async () => {
  const folder = await copyOf("sigkill");
  const script = join(import.meta.dirname, "preparing-device.ts");
  const child = spawn(process.execPath, ["--conditions=source", script, folder, "1"], {
    stdio: ["ignore", "ignore", "inherit"],
  });
  expect(await once(child, "exit")).toEqual([null, "SIGKILL"]);

  const database = new DatabaseSync(join(folder, "cairn.db"));
  const waiting = database.prepare("SELECT count(*) AS count FROM updates WHERE state = 0").get();
  // Whoever made them again would take this away.
  const { changes: made } = database
    .prepare(
      `UPDATE views SET fields = json_set(fields, '$.body', 'finished')
       WHERE document IN (SELECT key FROM documents WHERE projection = ?)`,
    )
    .run(FINGERPRINT);
  database.close();
  expect(made).toBe(64);

  const app = await openCairn({ schema: third, directory: folder });
  const workspace = await app.workspace();
  const seen: Array<Preparation> = [];
  workspace.onSync(({ preparing }) => {
    if (preparing !== undefined) seen.push(preparing);
  });
  expect(await workspace.count("note")).toBe(NOTES);
  const finished = await vi.waitFor(
    async () => {
      const rows = await workspace.query("note");
      expect(rows).toHaveLength(NOTES);
      for (const { fields } of rows) {
        const { body, tasks, urgency } = fields;
        const row = expected.get(fields.title);
        expect({ urgency, tasks }).toEqual({ urgency: row?.urgency, tasks: row?.tasks });
        expect([row?.body, "finished"]).toContain(body);
      }
      return rows.filter(({ fields }) => fields.body === "finished");
    },
    { timeout: 120_000, interval: 50 },
  );
  expect(finished).toHaveLength(64);
  for (const { total } of seen) expect(total).toBe(NOTES - 64);
  const [row] = finished;
  if (row === undefined) throw new Error("some were finished");
  // Only the row was made to say something else.
  const note = await workspace.open("note", row.id);
  expect(note.read()).toMatchObject(expected.get(row.fields.title) ?? {});
  await note.close();
  await app.close();
  const again = new DatabaseSync(join(folder, "cairn.db"), { readOnly: true });
  expect(again.prepare("SELECT count(*) AS count FROM updates WHERE state = 0").get()).toEqual(waiting);
  again.close();
}, 240_000);
