/**
 * The packages as an app's author gets them: packed, installed into a fresh Vite app outside the repository, and used by
 * the README's own lines, built and under Vite's development server, with a real server between the devices.
 */
import { findChromium } from "@cairn/testkit/browser";
import { ServerPlace } from "@cairn/testkit/server-program";
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { type Browser, chromium, type Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";

const repository = join(import.meta.dirname, "..");
const packages = ["protocol", "schema", "crypto", "sync", "client", "react", "server"];
/** Where the README has its server; the test's own is elsewhere. */
const readmeServer = "http://localhost:4780";

/** Without what Vitest and a surrounding npm add, which would change how installs and builds behave. */
const environment = {
  ...Object.fromEntries(
    Object.entries(process.env).filter(([name]) => !/^(npm_|VITEST|NODE_ENV$|NODE_OPTIONS$)/.test(name)),
  ),
  PATH: `${join(repository, "node_modules/.bin")}${delimiter}${process.env["PATH"] ?? ""}`,
};

let folder: string;
let app: string;
let server: ServerPlace;
let browser: Browser;
let origins: { readonly built: string; readonly development: string };
const children: Array<ChildProcess> = [];

/** Runs a program to its end and returns what it printed; rejects with that where it fails. */
const run = async (command: string, args: ReadonlyArray<string>, cwd: string): Promise<string> => {
  const child = spawn(command, args, { cwd, env: environment, stdio: ["ignore", "pipe", "pipe"] });
  const printed: Array<Buffer> = [];
  for (const stream of [child.stdout, child.stderr]) stream.on("data", (chunk: Buffer) => printed.push(chunk));
  await once(child, "close");
  const text = Buffer.concat(printed).toString("utf8");
  if (child.exitCode !== 0) throw new Error(`${command} ${args.join(" ")} failed:\n${text}`);
  return text;
};

/** Runs a program that the app installed. */
const runInstalled = (program: string, ...args: ReadonlyArray<string>): Promise<string> =>
  run(process.execPath, [join(app, "node_modules", program), ...args], app);

/** The README's files: fenced blocks below a line that begins with their name. */
const readmeFiles = async (): Promise<ReadonlyMap<string, string>> => {
  const readme = await readFile(join(repository, "README.md"), "utf8");
  const blocks = readme.matchAll(/^`([\w.]+)`[^\n]*:\n\n```\w+\n([\s\S]*?)```/gm);
  return new Map([...blocks].map(([, name = "", text = ""]) => [name, text]));
};

const freePort = async (): Promise<number> => {
  const listener = createServer().listen(0, "127.0.0.1");
  await once(listener, "listening");
  const address = listener.address();
  listener.close();
  await once(listener, "close");
  return typeof address === "object" && address !== null ? address.port : 0;
};

/** Starts Vite in the app and waits until it serves. */
const startVite = async (origin: string, ...args: ReadonlyArray<string>): Promise<void> => {
  const { hostname, port } = new URL(origin);
  const child = spawn(
    process.execPath,
    [join(app, "node_modules/vite/bin/vite.js"), ...args, "--host", hostname, "--port", port, "--strictPort"],
    { cwd: app, env: { ...environment, NO_COLOR: "1" }, stdio: ["ignore", "pipe", "inherit"] },
  );
  children.push(child);
  await new Promise<void>((resolve, reject) => {
    let printed = "";
    child.stdout.on("data", (chunk: Buffer) => {
      printed += chunk.toString("utf8");
      if (printed.includes(port)) resolve();
    });
    child.once("exit", () => reject(new Error(`Vite did not start: ${printed}`)));
  });
};

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "cairn-installed-"));
  app = join(folder, "app");
  await mkdir(app);
  const [built, development] = [await freePort(), await freePort()];
  origins = { built: `http://127.0.0.1:${built}`, development: `http://127.0.0.1:${development}` };
  server = await ServerPlace.make({ environment: { CAIRN_ALLOWED_ORIGINS: Object.values(origins).join(",") } });
  await Promise.all([packAndInstall(), server.start(), writeApp()]);
  const { executablePath, args, env } = await findChromium();
  browser = await chromium.launch({ executablePath, args: [...args], env: { ...process.env, ...env } });
}, 300_000);

afterAll(async () => {
  for (const child of children) child.kill();
  await browser?.close();
  await server?.leave();
  await rm(folder, { recursive: true, force: true });
});

const packAndInstall = async (): Promise<void> => {
  await run("turbo", ["run", "build", "--filter=./packages/*", "--output-logs=errors-only"], repository);
  const workspaces = packages.flatMap((name) => ["--workspace", `packages/${name}`]);
  await run("npm", ["pack", ...workspaces, "--ignore-scripts", "--pack-destination", folder], repository);
  const tarballs = (await readdir(folder)).filter((name) => name.endsWith(".tgz"));
  expect(tarballs).toHaveLength(packages.length);
  const versions = await installedVersions("react", "vite", "typescript", "@types/node", "@types/react");
  await writeFile(
    join(app, "package.json"),
    JSON.stringify({
      name: "fresh-app",
      private: true,
      type: "module",
      dependencies: {
        ...Object.fromEntries(tarballs.map((name) => [`@cairn/${name.split("-")[1]}`, `file:../${name}`])),
        ...versions,
      },
    }),
  );
  // What npm ci has fetched for the repository is in npm's cache.
  await run("npm", ["install", "--prefer-offline", "--ignore-scripts", "--no-audit", "--no-fund"], app);
};

const installedVersions = async (...names: ReadonlyArray<string>): Promise<Readonly<Record<string, string>>> => {
  const versions: Record<string, string> = {};
  for (const name of names) {
    const text = await readFile(join(repository, "node_modules", name, "package.json"), "utf8");
    versions[name] = /"version":\s*"([^"]+)"/.exec(text)?.[1] ?? "";
  }
  return versions;
};

const writeApp = async (): Promise<void> => {
  const files = await readmeFiles();
  expect([...files.keys()]).toEqual(["schema.ts", "cairn.worker.ts", "main.ts", "index.html", "vite.config.ts"]);
  for (const [name, text] of files) {
    if (name === "main.ts") expect(text).toContain(`"${readmeServer}"`);
    await writeFile(join(app, name), text.replace(readmeServer, server.origin));
  }
  await writeFile(join(app, "every-package.ts"), everyPackage);
  await writeFile(join(app, "on-node.ts"), onNode);
  await writeFile(
    join(app, "tsconfig.json"),
    JSON.stringify({
      compilerOptions: {
        target: "ESNext",
        module: "ESNext",
        moduleResolution: "bundler",
        lib: ["ESNext", "DOM", "DOM.Iterable", "DOM.AsyncIterable"],
        types: ["node"],
        strict: true,
        exactOptionalPropertyTypes: true,
        noUncheckedIndexedAccess: true,
        allowImportingTsExtensions: true,
        noEmit: true,
      },
    }),
  );
};

/** Each public entry, by its name. */
const everyPackage = `
import { openCairn } from "@cairn/client";
import * as effect from "@cairn/client/effect";
import { runCairnWorker } from "@cairn/client/worker";
import * as crypto from "@cairn/crypto";
import * as protocol from "@cairn/protocol";
import { createCairnHooks } from "@cairn/react";
import { defineSchema } from "@cairn/schema";
import * as server from "@cairn/server";
import { makeEmbeddedPostgres } from "@cairn/server/embedded-postgres";
import * as sync from "@cairn/sync";

const functions = [openCairn, runCairnWorker, createCairnHooks, defineSchema, makeEmbeddedPostgres];
const modules = [effect, crypto, protocol, server, sync];
console.log([...functions.map((value) => typeof value), ...modules.map((module) => Object.keys(module).length > 0)].join());
`;

/** A device without a browser: joins, says what it reads, and adds a note. */
const onNode = `
import { openCairn } from "@cairn/client";
import { schema } from "./schema.ts";

const [directory = "", link = ""] = process.argv.slice(2);
const cairn = await openCairn({ schema, directory, server: new URL(link).origin });
const notebook = await cairn.join(link);
const titles = await new Promise<ReadonlyArray<string>>((resolve) => notebook.liveQuery("note", {}, (notes) => {
  if (notes.length === 2) resolve(notes.map(({ fields }) => fields.title));
}));
console.log(titles.toSorted().join());
await (await notebook.create("note", (note) => note.title.set("from Node"))).close();
await notebook.flush({ tier: "server", timeout: 20_000 });
await cairn.close();
`;

/** A browser profile of its own, with the app open in it. */
const openProfile = async (origin: string): Promise<Page> => {
  const context = await browser.newContext();
  const page = await context.newPage();
  const trouble: Array<string> = [];
  page.on("pageerror", ({ message }) => trouble.push(message));
  page.on("console", (message) => {
    if (message.type() === "error") trouble.push(message.text());
  });
  await page.goto(origin);
  await opened(page).catch((cause: unknown) => {
    throw new Error(`the app did not open: ${trouble.join("\n")}`, { cause });
  });
  return page;
};

/** The list is on the page once the workspace is open. */
const opened = (page: Page): Promise<void> => page.locator("pre").waitFor({ state: "attached", timeout: 60_000 });

/** Presses a button and answers the question that follows; returns the answer that the app suggested. */
const press = async (page: Page, button: string, answer?: string): Promise<string> => {
  const asked = page.waitForEvent("dialog");
  const failed = page.waitForEvent("pageerror").then((error) => Promise.reject(error));
  const clicked = page.locator(`#${button}`).click();
  const question = await Promise.race([asked, failed]);
  const suggested = question.defaultValue();
  await question.accept(answer ?? suggested);
  await clicked;
  return suggested;
};

const expectNotes = (page: Page, ...titles: ReadonlyArray<string>): Promise<void> =>
  vi.waitFor(
    async () => {
      const shown = (await page.locator("pre").textContent()) ?? "";
      expect(shown.split("\n").toSorted()).toEqual(titles.toSorted());
    },
    { timeout: 20_000, interval: 50 },
  );

test("the README's example has twenty lines", async () => {
  const files = await readmeFiles();
  const lines = ["schema.ts", "cairn.worker.ts", "main.ts"].flatMap((name) => files.get(name)?.trimEnd().split("\n"));
  expect(lines).toHaveLength(20);
});

test("types of every package resolve, and its modules load in Node", async () => {
  await runInstalled("typescript/bin/tsc", "--project", app);
  const loaded = await run(process.execPath, ["every-package.ts"], app);
  expect(loaded.trim()).toBe([...Array<string>(5).fill("function"), ...Array<string>(5).fill("true")].join());
});

describe.each(["built", "development"] as const)("the README's app, %s", (mode) => {
  test("keeps a note over a reload, and shares it with another profile and with Node", async () => {
    const origin = origins[mode];
    if (mode === "built") await runInstalled("vite/bin/vite.js", "build", "--logLevel", "error");
    await startVite(origin, ...(mode === "built" ? ["preview"] : []));

    const first = await openProfile(origin);
    await press(first, "add", "Dry stone walls");
    await expectNotes(first, "Dry stone walls");
    await first.reload();
    await opened(first);
    await expectNotes(first, "Dry stone walls");

    const link = await press(first, "share");
    expect(link).toContain(`${server.origin}/join#`);
    const second = await openProfile(origin);
    await expectNotes(second, "");
    const reloaded = second.waitForEvent("load");
    await press(second, "join", link);
    await reloaded;
    await opened(second);
    await expectNotes(second, "Dry stone walls");
    await press(second, "add", "Two faces, filled with rubble");
    await expectNotes(first, "Dry stone walls", "Two faces, filled with rubble");

    const read = await run(process.execPath, ["on-node.ts", join(folder, `node-${mode}`), link], app);
    expect(read.trim()).toBe("Dry stone walls,Two faces, filled with rubble");
    await expectNotes(second, "Dry stone walls", "Two faces, filled with rubble", "from Node");
    await Promise.all([first.context().close(), second.context().close()]);
  }, 120_000);
});
