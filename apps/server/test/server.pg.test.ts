import { makeEmbeddedPostgres } from "@cairn/server/embedded-postgres";
import { freshDatabase } from "@cairn/testkit/postgres";
import { once } from "node:events";
import { chmod, mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { PgClient } from "@effect/sql-pg";
import { Effect, Exit, Redacted, Scope } from "effect";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { runServer, runServerIn, type ServerProcess, startServer } from "./server-process.ts";

let folder: string;
const running: Array<ServerProcess> = [];

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "cairn-server-"));
  await chmod(folder, 0o711);
});

afterEach(async () => {
  for (const server of running.splice(0)) {
    if (server.child.exitCode === null && server.child.signalCode === null) await server.end("SIGTERM");
  }
});

afterAll(() => rm(folder, { recursive: true, force: true }));

const start = async (environment: Readonly<Record<string, string>>) => {
  const server = await startServer(environment);
  running.push(server);
  return server;
};

/** A server on a database of its own in the tests' PostgreSQL: quicker than one with its own. */
const startOnFreshDatabase = async (name: string, environment: Readonly<Record<string, string>> = {}) =>
  start({ CAIRN_DATA_DIR: join(folder, name), DATABASE_URL: await freshDatabase(), ...environment });

const health = async (url: string): Promise<number> => (await fetch(`${url}/health`)).status;

const untilHealth = async (url: string, status: number): Promise<void> => {
  for (;;) {
    const now = await health(url);
    if (now === status) return;
  }
};

describe("with its embedded database", () => {
  test("it serves, survives its own death and its database's, and stops cleanly", { timeout: 90_000 }, async () => {
    const environment = { CAIRN_DATA_DIR: join(folder, "embedded") };
    const pidFile = join(folder, "embedded", "database", "cluster", "postmaster.pid");
    const postmaster = async () => Number.parseInt(await readFile(pidFile, "utf8"), 10);

    const startedAt = performance.now();
    const first = await start(environment);
    expect(await health(first.url)).toBe(200);
    const cold = performance.now() - startedAt;

    process.kill(await postmaster(), "SIGKILL");
    await first.untilLogged("accepts connections again");
    await untilHealth(first.url, 200);

    const second = await runServer(environment);
    expect(second.code).toBe(1);
    expect(second.logged).toMatch(/Another Cairn \(process \d+, since .*\) is using the data folder/);
    expect(second.logged).not.toMatch(/^\s+at /m);

    const orphan = await postmaster();
    await first.end("SIGKILL");
    const began = performance.now();
    const next = await start(environment);
    expect(await health(next.url)).toBe(200);
    // Within five seconds, and on a machine that is slower at the time: sooner than the first time.
    expect(performance.now() - began).toBeLessThan(Math.max(5_000, cold));
    expect(next.printed()).toContain(`process ${orphan}`);

    const last = await postmaster();
    expect(await next.end("SIGINT")).toBe(0);
    expect(() => process.kill(last, 0)).toThrow("ESRCH");
  });
});

describe("what it answers", () => {
  test("503 while its database is away, and 200 again once it is back", async () => {
    const at = join(folder, "elsewhere");
    const openDatabase = async () => {
      const scope = Scope.makeUnsafe();
      const { url } = await Effect.runPromise(Scope.provide(makeEmbeddedPostgres({ folder: at }), scope));
      return { url: Redacted.value(url), close: () => Effect.runPromise(Scope.close(scope, Exit.void)) };
    };
    const database = await openDatabase();
    const server = await start({ CAIRN_DATA_DIR: join(folder, "away"), DATABASE_URL: database.url });
    expect(await health(server.url)).toBe(200);
    await database.close();
    expect(await health(server.url)).toBe(503);
    const again = await openDatabase();
    await untilHealth(server.url, 200);
    await server.end("SIGTERM");
    await again.close();
  });

  test("health, unknown endpoints, and a page that says how to build the app", async () => {
    const { url } = await startOnFreshDatabase("answers");
    const ok = await fetch(`${url}/health`);
    expect(ok.status).toBe(200);
    await expect(ok.json()).resolves.toEqual({ status: "ok" });

    const unknown = await fetch(`${url}/v1/nothing`);
    expect(unknown.status).toBe(404);
    expect(unknown.headers.get("content-type")).toContain("application/json");

    const page = await fetch(`${url}/`, { headers: { accept: "text/html" } });
    expect(page.status).toBe(503);
    await expect(page.text()).resolves.toContain("npm run build -w @cairn/web");
  });

  test("every response has an id and the security headers; the log has the id and no secret", async () => {
    const server = await startOnFreshDatabase("headers");
    const response = await fetch(`${server.url}/v1/nothing?token=query-secret`, {
      method: "POST",
      headers: { authorization: "Bearer header-secret", "x-request-id": "from-a-proxy-1" },
      body: "body-secret",
    });
    expect(response.headers.get("x-request-id")).toBe("from-a-proxy-1");
    const csp = response.headers.get("content-security-policy") ?? "";
    expect(csp).toContain("script-src 'self' 'wasm-unsafe-eval'");
    expect(csp).toContain("worker-src 'self' blob:");
    expect(csp).toContain(`ws://${new URL(server.url).host}`);
    expect(csp).toContain("frame-ancestors 'none'");
    expect(response.headers.get("x-content-type-options")).toBe("nosniff");
    expect(response.headers.get("referrer-policy")).toBe("no-referrer");

    const forged = await fetch(`${server.url}/v1/nothing`, { headers: { "x-request-id": "a b" } });
    expect(forged.headers.get("x-request-id")).toMatch(/^[0-9a-f-]{36}$/);

    await server.end("SIGTERM");
    const lines = server.logged().trim().split("\n");
    expect(lines.every((line) => line.startsWith("{") && line.endsWith("}"))).toBe(true);
    expect(lines.filter((line) => line.includes('"requestId":"from-a-proxy-1"'))).toHaveLength(1);
    expect(server.logged()).not.toMatch(/query-secret|header-secret|body-secret/);
  });

  test("other origins are let in when they are allowed, and not otherwise", async () => {
    const { url } = await startOnFreshDatabase("cors", { CAIRN_ALLOWED_ORIGINS: "https://app.example.org" });
    const allowed = (origin: string) =>
      fetch(`${url}/v1/nothing`, { headers: { origin } }).then((r) => r.headers.get("access-control-allow-origin"));
    await expect(allowed("https://app.example.org")).resolves.toBe("https://app.example.org");
    await expect(allowed("https://evil.example.org")).resolves.not.toBe("https://evil.example.org");
    const preflight = await fetch(`${url}/v1/nothing`, {
      method: "OPTIONS",
      headers: { origin: "https://app.example.org", "access-control-request-method": "PUT" },
    });
    expect(preflight.headers.get("access-control-allow-methods")).toContain("PUT");
  });
});

describe("shutdown", () => {
  test("open sockets are told to go away first, so that they do not hold it up", async () => {
    const server = await startOnFreshDatabase("shutdown");
    // Unauthenticated, and thus silent: it waits for the server's first frame or its end.
    const socket = new WebSocket(`${server.url.replace("http", "ws")}/v1/workspaces/${"A".repeat(22)}/live`);
    await once(socket, "open");
    const closed = new Promise<number>((resolve) => {
      socket.addEventListener("close", ({ code }) => resolve(code), { once: true });
    });
    const began = performance.now();
    expect(await server.end("SIGTERM")).toBe(0);
    expect(performance.now() - began).toBeLessThan(3_000);
    expect(await closed).toBe(1001);
  });
});

describe("the built app", () => {
  test("is served whole, with what caches need, and never from outside its folder", async () => {
    const web = join(folder, "web");
    await mkdir(join(web, "assets"), { recursive: true });
    await writeFile(join(web, "index.html"), "<!doctype html><title>the app</title>");
    await writeFile(join(web, "sw.js"), "self.x = 1;");
    await writeFile(join(web, "assets", "main-abc.js"), `console.log("${"x".repeat(5_000)}");`);
    await writeFile(join(folder, "outside.txt"), "outside");
    const { url } = await startOnFreshDatabase("app", { CAIRN_WEB_DIR: web });
    const get = (path: string, headers: Record<string, string> = {}) => fetch(`${url}${path}`, { headers });

    const page = await get("/");
    expect(page.headers.get("content-type")).toBe("text/html; charset=utf-8");
    expect(page.headers.get("cache-control")).toBe("no-cache");
    expect((await get("/sw.js")).headers.get("cache-control")).toBe("no-cache");
    const asset = await get("/assets/main-abc.js");
    expect(asset.headers.get("cache-control")).toBe("public, max-age=31536000, immutable");
    expect(asset.headers.get("content-type")).toBe("text/javascript; charset=utf-8");
    expect((await asset.text()).length).toBeGreaterThan(5_000);
    const again = await get("/assets/main-abc.js", { "if-none-match": asset.headers.get("etag") ?? "" });
    expect(again.status).toBe(304);

    const deep = await get("/join", { accept: "text/html,*/*" });
    await expect(deep.text()).resolves.toContain("the app");
    expect((await get("/assets/gone.js", { accept: "*/*" })).status).toBe(404);
    for (const path of ["/..%2foutside.txt", "/assets/..%2f..%2foutside.txt", "/%2e%2e/outside.txt"]) {
      const response = await get(path);
      await expect(response.text()).resolves.not.toContain("outside");
    }
    const head = await fetch(`${url}/`, { method: "HEAD" });
    expect(head.status).toBe(200);
  });
});

describe("what it refuses, in one paragraph and with exit code 1", () => {
  const refused = async (environment: Readonly<Record<string, string>>, said: RegExp) => {
    const { code, logged, printed } = await runServer({ CAIRN_DATA_DIR: join(folder, "refused"), ...environment });
    expect(printed + logged).toMatch(said);
    expect(printed + logged).not.toMatch(/^\s+at /m);
    expect(logged.trim().split("\n")).toHaveLength(1);
    expect(code).toBe(1);
  };

  test("a port that is in use", async () => {
    const other = createServer();
    await new Promise<void>((resolve) => other.listen(0, "127.0.0.1", resolve));
    const address = other.address();
    const port = address !== null && typeof address === "object" ? address.port : 0;
    await refused({ PORT: String(port) }, new RegExp(`Port ${port} .*in use.*PORT=${port + 1}`));
    await new Promise((resolve) => other.close(resolve));
  });

  test("an address that is not this machine's", () => refused({ HOST: "192.0.2.1", PORT: "1234" }, /no such address/));

  test("a data folder that cannot be made", async () => {
    const file = join(folder, "file");
    await writeFile(file, "");
    await refused({ CAIRN_DATA_DIR: join(file, "data") }, /cannot create its data folder/);
  });

  test.runIf(process.platform === "linux")("a data folder where the system keeps none", () =>
    refused({ CAIRN_DATA_DIR: "/proc/cairn/data" }, /cannot create its data folder/),
  );

  test.runIf(process.getuid?.() === 0)(
    "data that the database's user cannot reach any more: it starts with no other",
    async () => {
      const closed = await mkdtemp(join(folder, "closed-"));
      await mkdir(join(closed, "data"));
      await writeFile(
        join(closed, "data/cairn.json"),
        `{"format":1,"cairn":"0.1.0","createdAt":"2030-01-01T00:00:00.000Z"}\n`,
      );
      const { code, logged } = await runServerIn(closed, {});
      expect(logged).toMatch(/cannot reach its folder .*chmod o\+x/);
      expect(code).toBe(1);
    },
  );

  test("data of a newer Cairn, which stays as it is", async () => {
    const newer = join(folder, "newer");
    await mkdir(newer);
    const marker = '{"format":99,"cairn":"9.9.9","createdAt":"2030-01-01T00:00:00.000Z"}\n';
    await writeFile(join(newer, "cairn.json"), marker);
    await refused({ CAIRN_DATA_DIR: newer }, /written by a newer Cairn \(9\.9\.9\)/);
    await expect(readFile(join(newer, "cairn.json"), "utf8")).resolves.toBe(marker);
  });

  test("a database that does not answer, without telling its password", async () => {
    await refused(
      { DATABASE_URL: "postgres://me:pass-secret@127.0.0.1:1/x" },
      /127\.0\.0\.1:1\/x does not let Cairn in/,
    );
    const { logged } = await runServer({
      CAIRN_DATA_DIR: join(folder, "refused"),
      DATABASE_URL: "postgres://me:pass-secret@127.0.0.1:1/x",
    });
    expect(logged).not.toContain("pass-secret");
  });

  test("promise 1: a database that confirms before it has written, unless told so", async () => {
    const url = await freshDatabase();
    await Effect.runPromise(
      Effect.gen(function* () {
        const sql = yield* PgClient.PgClient;
        const name = new URL(url).pathname.slice(1);
        yield* sql.unsafe(`ALTER DATABASE "${name}" SET synchronous_commit = off`);
      }).pipe(Effect.provide(PgClient.layer({ url: Redacted.make(url), maxConnections: 1 }))),
    );
    await refused({ DATABASE_URL: url }, /synchronous_commit off/);
    const server = await start({
      CAIRN_DATA_DIR: join(folder, "unsafe"),
      DATABASE_URL: url,
      CAIRN_ALLOW_UNSAFE_DATABASE: "yes",
    });
    expect(await health(server.url)).toBe(200);
  });

  test("a certificate that is none", () =>
    refused({ CAIRN_TLS_CERT: "/nonexistent/cert.pem", CAIRN_TLS_KEY: "/nonexistent/key.pem" }, /cannot serve https/));

  test("settings that make no sense", async () => {
    await refused({ PORT: "http" }, /PORT \(or --port\) is "http", and NUMBER is expected/);
    await refused({ CAIRN_REGISTRATION: "maybe" }, /open\|invite\|closed/);
    await refused({ CAIRN_REGISTRATION: "invite" }, /set CAIRN_INVITE/);
    await refused({ CAIRN_PUBLIC_URL: "notes.example.org" }, /https:\/\/notes\.example\.org/);
    await refused({ CAIRN_TLS_CERT: "x" }, /both CAIRN_TLS_CERT and CAIRN_TLS_KEY/);
    await refused({ CAIRN_TOKEN_KEY: "too-short" }, /at least 32/);
    await refused({ CAIRN_ATTACHMENT_LIMIT: "10GB" }, /at most 2GB/);
    await refused({ CAIRN_TRUSTED_PROXIES: "10.0.0.0/8, proxy.example.org" }, /X-Forwarded-For/);
  });
});
