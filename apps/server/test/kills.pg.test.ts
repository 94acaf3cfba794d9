/**
 * Promise 1: what was acknowledged is there after SIGKILL of the server, of a database connection's process and of the
 * whole database, at moments drawn from a seed, with pushes under way. Promise 2: what was in flight and is sent again
 * is there once.
 */
import { type Entry, entryHash } from "@cairn/protocol";
import type { TestDevice } from "@cairn/testkit/authors";
import { found, type Founded, join, pull, push, renew, state } from "@cairn/testkit/server";
import { PgClient } from "@effect/sql-pg";
import { Effect, Redacted } from "effect";
import { createHash } from "node:crypto";
import { chmod, mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join as joinPath } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { type ServerProcess, startServer } from "./server-process.ts";

const SEED = "kills-1";
const KILLS = 3;
const WRITERS = 3;

let folder: string;
let server: ServerProcess;
const environment = () => ({ CAIRN_DATA_DIR: joinPath(folder, "data") });

beforeEach(async () => {
  folder = await mkdtemp(joinPath(tmpdir(), "cairn-kills-"));
  await chmod(folder, 0o711);
  server = await startServer(environment());
});
afterEach(async () => {
  if (server.child.exitCode === null && server.child.signalCode === null) await server.end("SIGTERM");
  await rm(folder, { recursive: true, force: true });
});

/** How many acknowledgements to wait for before the next kill. */
const drawn = (purpose: string): ReadonlyArray<number> =>
  Array.from({ length: KILLS }, (_, index) => {
    const digest = createHash("sha256").update(`${SEED}/${purpose}/${index}`).digest();
    return 15 + ((digest[0] ?? 0) % 30);
  });

interface Acknowledged {
  readonly seq: number | undefined;
  readonly hash: string;
}

/** Somebody who writes until told to stop, and sends again what was not acknowledged. */
class Writer {
  readonly device: TestDevice;
  readonly acknowledged = new Map<number, Acknowledged>();
  /** Attempts whose outcome it never learned. */
  lost = 0;
  #token: string;

  constructor(device: TestDevice, token: string) {
    this.device = device;
    this.#token = token;
  }

  async write(until: () => boolean, told: () => void): Promise<void> {
    while (!until()) await this.#settle([this.device.author(), this.device.author()], told);
  }

  async #settle(entries: ReadonlyArray<Entry>, told: () => void): Promise<void> {
    for (;;) {
      const answer = await push(server.url, this.device.workspace, this.#token, entries).catch(() => undefined);
      if (answer?.status === 200) {
        for (const [index, result] of answer.body.results.entries()) {
          const entry = entries[index];
          if (entry === undefined || (result.status !== "stored" && result.status !== "duplicate")) {
            throw new Error(JSON.stringify(result));
          }
          this.acknowledged.set(entry.header.counter, { seq: result.seq, hash: entryHash(entry.bytes) });
        }
        told();
        return;
      }
      this.lost += 1;
      if (answer?.status === 401) this.#token = (await renew(server.url, this.device)).body.token;
      await ready();
    }
  }
}

const ready = async (): Promise<void> => {
  for (;;) {
    const answer = await fetch(`${server.url}/ready`).catch(() => undefined);
    await answer?.body?.cancel();
    if (answer?.status === 200) return;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
};

/** Writes on several devices, kills at the drawn moments, and looks at everything in the end. */
const expectNothingLost = async (purpose: string, kill: () => Promise<void>): Promise<void> => {
  const founded: Founded = await found(server.url);
  const writers = [new Writer(founded.owner, founded.session.token)];
  for (let index = 1; index < WRITERS; index += 1) {
    const { device, session } = await join(server.url, founded, "writer");
    writers.push(new Writer(device, session.token));
  }
  const points = drawn(purpose);
  let acknowledgements = 0;
  let kills = 0;
  let dying: Promise<void> = Promise.resolve();
  let next = points[0] ?? 0;
  const told = () => {
    acknowledgements += 1;
    if (acknowledgements < next || kills >= KILLS) return;
    kills += 1;
    next = acknowledgements + (points[kills] ?? 10);
    dying = dying.then(kill);
  };
  const done = () => kills === KILLS && acknowledgements >= next;
  await Promise.all(writers.map((writer) => writer.write(done, told)));
  await dying;
  expect(kills).toBe(KILLS);
  // A kill that hit nothing would prove nothing.
  expect(writers.reduce((sum, { lost }) => sum + lost, 0)).toBeGreaterThan(0);
  await ready();
  await expectAllThere(founded, writers);
};

const expectAllThere = async (founded: Founded, writers: ReadonlyArray<Writer>): Promise<void> => {
  const { token } = (await renew(server.url, founded.owner)).body;
  const hashesBySeq = new Map<number, string>();
  let cursor = 0;
  const { head, devices } = await state(server.url, founded.workspace, token);
  while (cursor < head) {
    const page = await pull(server.url, founded.workspace, token, { after: cursor, own: "full" });
    for (const item of page.items) if (item.type === "entry") hashesBySeq.set(item.seq, entryHash(item.entry));
    cursor = page.until;
  }
  expect(hashesBySeq.size).toBe(head);
  expect(new Set(hashesBySeq.values()).size).toBe(head);
  for (const { device, acknowledged } of writers) {
    for (const { seq, hash } of acknowledged.values()) expect(hashesBySeq.get(seq ?? 0)).toBe(hash);
    expect(devices.find((known) => known.device === device.device)?.last).toBe(device.counter);
  }
};

const cluster = () => joinPath(folder, "data", "database", "cluster");

const postmaster = async (): Promise<number> =>
  Number.parseInt(await readFile(joinPath(cluster(), "postmaster.pid"), "utf8"), 10);

/** The processes that serve the connections of the server under test. */
const backends = async (): Promise<ReadonlyArray<number>> => {
  const password = (await readFile(joinPath(folder, "data", "database", "password"), "utf8")).trim();
  const url = new URL(`postgres://cairn:${password}@127.0.0.1:5432/postgres`);
  url.searchParams.set("host", joinPath(folder, "data", "database", "socket"));
  const rows = await Effect.runPromise(
    Effect.gen(function* () {
      const sql = yield* PgClient.PgClient;
      return yield* sql<{ readonly pid: number }>`
        select pid from pg_stat_activity where application_name = 'cairn' and pid <> pg_backend_pid()`;
    }).pipe(
      Effect.provide(
        PgClient.layer({ url: Redacted.make(url.toString()), maxConnections: 1, applicationName: "look" }),
      ),
    ),
  );
  return rows.map(({ pid }) => pid);
};

/** Whether there was such a process. */
const killIfAlive = (pid: number): boolean => {
  try {
    return process.kill(pid, "SIGKILL");
  } catch {
    return false;
  }
};

describe("every acknowledged entry is there after SIGKILL", () => {
  test("of the server", { timeout: 120_000 }, () =>
    expectNothingLost("server", async () => {
      await server.end("SIGKILL");
      server = await startServer(environment());
    }),
  );

  test("of the process behind a database connection", { timeout: 120_000 }, () =>
    expectNothingLost("backend", async () => {
      // After the kill before, the database may still recover, and then its processes are others than a moment ago.
      for (let killed = false; !killed;) {
        await ready();
        const [pid] = await backends().catch(() => []);
        killed = pid !== undefined && killIfAlive(pid);
      }
    }),
  );

  test("of the database", { timeout: 120_000 }, () =>
    expectNothingLost("postmaster", async () => {
      const pid = await postmaster();
      process.kill(pid, "SIGKILL");
      // The successor writes its own number.
      while ((await postmaster().catch(() => pid)) === pid) await ready();
    }),
  );
});
