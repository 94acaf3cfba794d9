/**
 * The real server program (`apps/server`) as a child process with its own embedded database in a folder of the test's:
 * for tests that kill it, stop it, copy its folder and look into everything it wrote.
 */
import { EmbeddedPostgres } from "@cairn/server/embedded-postgres";
import { PgClient } from "@effect/sql-pg";
import { Effect, Redacted } from "effect";
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { chmod, mkdir, mkdtemp, readFile, rm } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";

export * from "./observed-network.ts";
export * from "./watching-proxy.ts";

const main = join(import.meta.dirname, "../../../../apps/server/src/main.ts");

export interface ServerPlaceOptions {
  /** Further settings of the server, as environment variables. */
  readonly environment?: Readonly<Record<string, string>>;
  /** Another origin under which devices reach it, such as a proxy's. */
  readonly publicUrl?: string;
  /** A folder and a port of one's own, for a place that is used again: leaving it removes nothing. */
  readonly kept?: { readonly folder: string; readonly port: number } | undefined;
}

/** A data folder and the server that runs on it, on one port from the first start to the last. */
export class ServerPlace {
  readonly origin: string;
  readonly #options: ServerPlaceOptions;
  readonly #root: string;
  readonly #port: number;
  #child: ChildProcess | undefined;
  #ended: Promise<unknown> = Promise.resolve();
  #output = "";

  private constructor(options: ServerPlaceOptions, root: string, port: number) {
    this.#options = options;
    this.#root = root;
    this.#port = port;
    this.origin = `http://127.0.0.1:${port}`;
  }

  /** Makes the folder; the server is not started yet. */
  static async make(options: ServerPlaceOptions = {}): Promise<ServerPlace> {
    const { kept } = options;
    if (kept !== undefined) await mkdir(kept.folder, { recursive: true });
    const root = kept?.folder ?? (await mkdtemp(join(tmpdir(), "cairn-whole-")));
    // The database may run as another user, who has to pass through.
    await chmod(root, 0o711);
    return new ServerPlace(options, root, kept?.port ?? (await freePort()));
  }

  /** The server's data folder. */
  get folder(): string {
    return join(this.#root, "data");
  }

  /** A folder beside it for the test's own things. */
  beside(name: string): string {
    return join(this.#root, name);
  }

  /** Everything that the servers of this place printed and logged. */
  get output(): string {
    return this.#output;
  }

  get running(): boolean {
    return this.#child !== undefined;
  }

  /** Starts the server and waits until it serves. */
  async start(): Promise<void> {
    if (this.#child !== undefined) throw new Error("the server runs already");
    const child = spawn(process.execPath, ["--conditions=source", "--disable-warning=ExperimentalWarning", main], {
      env: {
        PATH: process.env["PATH"] ?? "",
        CAIRN_WEB_DIR: "/nonexistent",
        CAIRN_DATA_DIR: this.folder,
        PORT: String(this.#port),
        ...(this.#options.publicUrl === undefined ? {} : { CAIRN_PUBLIC_URL: this.#options.publicUrl }),
        ...this.#options.environment,
      },
      stdio: ["ignore", "pipe", "pipe"],
    });
    this.#child = child;
    this.#ended = once(child, "exit");
    const from = this.#output.length;
    const keep = (chunk: Buffer) => {
      this.#output += chunk.toString("utf8");
    };
    child.stderr.on("data", keep);
    await new Promise<void>((resolve, reject) => {
      child.stdout.on("data", (chunk: Buffer) => {
        keep(chunk);
        if (this.#output.includes("Cairn is ready", from)) resolve();
      });
      child.once("exit", () => reject(new Error(`the server did not start: ${this.#output.slice(from)}`)));
    });
  }

  /** Sends a signal to the server and waits for its end. Its database outlives a SIGKILL as an orphan. */
  async end(signal: "SIGTERM" | "SIGKILL"): Promise<void> {
    this.#child?.kill(signal);
    this.#child?.kill("SIGCONT");
    await this.#ended;
    this.#child = undefined;
  }

  /** Stops the server in its tracks: it takes what comes and answers nothing, until it goes on. */
  suspend(): void {
    this.#child?.kill("SIGSTOP");
  }

  resume(): void {
    this.#child?.kill("SIGCONT");
  }

  /** The process of the database, as its own file says. */
  async postmaster(): Promise<number> {
    const text = await readFile(join(this.folder, "database", "cluster", "postmaster.pid"), "utf8");
    return Number.parseInt(text, 10);
  }

  /** Kills the database's process; the server, if it runs, starts another. */
  async killPostmaster(): Promise<void> {
    // Connections outlive a killed postmaster for a moment, so its file may still name it when the next kill comes.
    for (;;) {
      const pid = await this.postmaster().catch(() => undefined);
      if (pid !== undefined && killIfAlive(pid)) return;
      await setTimeout(20);
    }
  }

  /** The way into the database while the server runs. */
  async databaseUrl(): Promise<string> {
    const password = (await readFile(join(this.folder, "database", "password"), "utf8")).trim();
    const url = new URL(`postgres://cairn:${encodeURIComponent(password)}@127.0.0.1:5432/postgres`);
    url.searchParams.set("host", join(this.folder, "database", "socket"));
    return url.toString();
  }

  /** Every value of every column of every table, decoded: bytes as bytes, the rest as its text. */
  async everyValue(): Promise<ReadonlyArray<DatabaseValue>> {
    const read = Effect.gen(function* () {
      const sql = yield* PgClient.PgClient;
      const tables = yield* sql<{ readonly schema: string; readonly name: string }>`
        SELECT table_schema::text AS schema, table_name::text AS name FROM information_schema.tables
        WHERE table_type = 'BASE TABLE' AND table_schema NOT IN ('pg_catalog', 'information_schema') ORDER BY 1, 2`;
      const values: Array<DatabaseValue> = [];
      for (const { schema, name } of tables) {
        for (const row of yield* sql<Record<string, unknown>>`SELECT * FROM ${sql(schema)}.${sql(name)}`) {
          for (const [column, value] of Object.entries(row)) {
            if (value === null) continue;
            const bytes = value instanceof Uint8Array ? value : Buffer.from(textOf(value), "utf8");
            values.push({ table: name, column, bytes });
          }
        }
      }
      return values;
    });
    return Effect.runPromise(
      read.pipe(Effect.provide(PgClient.layer({ url: Redacted.make(await this.databaseUrl()), maxConnections: 1 }))),
    );
  }

  /** Copies the stopped server's data folder. */
  async backUp(name: string): Promise<void> {
    await copyFolder(this.folder, this.beside(name));
  }

  /** Puts a copy in the place of the stopped server's data folder. */
  async restore(name: string): Promise<void> {
    await rm(this.folder, { recursive: true, force: true });
    await copyFolder(this.beside(name), this.folder);
  }

  /** Ends what runs and removes the folder, unless it is to be kept. */
  async leave(): Promise<void> {
    if (this.#child !== undefined) await this.end("SIGTERM");
    else await this.#stopOrphan();
    if (this.#options.kept === undefined) await rm(this.#root, { recursive: true, force: true, maxRetries: 3 });
  }

  /** Opening the folder ourselves stops what a killed server left behind. */
  async #stopOrphan(): Promise<void> {
    const orphan = await this.postmaster().catch(() => undefined);
    if (orphan === undefined) return;
    const folder = join(this.folder, "database");
    await Effect.runPromise(
      Effect.ignore(Effect.scoped(Effect.provide(Effect.void, EmbeddedPostgres.layer({ folder })))),
    );
  }
}

const killIfAlive = (pid: number): boolean => {
  try {
    return process.kill(pid, "SIGKILL");
  } catch {
    return false;
  }
};

export interface DatabaseValue {
  readonly table: string;
  readonly column: string;
  readonly bytes: Uint8Array;
}

const textOf = (value: unknown): string => {
  if (value instanceof Date) return value.toISOString();
  return typeof value === "string"
    ? value
    : JSON.stringify(value, (_, part) => (typeof part === "bigint" ? `${part}` : (part as unknown)));
};

/** With owners and modes: the database's files belong to its user. */
const copyFolder = async (from: string, to: string): Promise<void> => {
  const copying = spawn("cp", ["-a", from, to], { stdio: "inherit" });
  await once(copying, "exit");
  if (copying.exitCode !== 0) throw new Error(`cp -a ${from} ${to} failed`);
};

/** A port that nobody listens on. */
export const freePort = async (): Promise<number> => {
  const probe = createServer().listen(0, "127.0.0.1");
  await once(probe, "listening");
  const address = probe.address();
  probe.close();
  await once(probe, "close");
  if (address === null || typeof address === "string") throw new Error("the system gave no port");
  return address.port;
};
