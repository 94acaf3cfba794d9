/**
 * Rule 15 in Node: a device whose imports run in a thread of the app's. One that exceeds its budget is given up with its
 * thread, the document is merging, everything else goes on, and the document arrives.
 */
import { freshDatabase } from "@cairn/testkit/postgres";
import { startTestServer, type TestServer } from "@cairn/testkit/server";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Worker } from "node:worker_threads";
import { afterEach, beforeEach, expect, test } from "vitest";
import { type Cairn, openCairn, type OpenOptions } from "../src/node.ts";
import { Gate, HELD, schema } from "./fixtures/held-notes.ts";
import { until } from "./notebook.ts";

type Notes = typeof schema;

let directory: string;
let server: TestServer;
let gate: Gate;
/** The end of each thread, in the order in which they were started. */
let threads: Array<Promise<unknown>>;
const devices = new Set<Cairn<Notes>>();

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "cairn-threads-"));
  server = await startTestServer({ databaseUrl: await freshDatabase() });
  gate = new Gate();
  threads = [];
});
afterEach(async () => {
  gate.open();
  for (const device of devices) await device.close();
  devices.clear();
  await server.close();
  await rm(directory, { recursive: true, force: true });
});

const importThread = (): Worker => {
  const thread = new Worker(new URL("./fixtures/held-import-thread.ts", import.meta.url), {
    execArgv: ["--conditions=source"],
    workerData: gate.memory,
  });
  threads.push(once(thread, "exit"));
  return thread;
};

const open = async (name: string, options: Partial<OpenOptions<Notes>> = {}): Promise<Cairn<Notes>> => {
  const folder = join(directory, name);
  const cairn = await openCairn({ schema, directory: folder, server: server.origin, deviceName: name, ...options });
  devices.add(cairn);
  return cairn;
};

/** A laptop, and a phone with an import thread that has joined it; both have a note open. */
const pair = async () => {
  const laptop = await (await open("laptop")).workspace();
  const note = await laptop.create("note", (edit) => edit.title.set("Shared"));
  await laptop.flush({ tier: "server", timeout: 20_000 });
  const { url } = await laptop.createLink({ role: "writer" });
  const device = await open("phone", { importThread, importBudgetMillis: 3_000 });
  const phone = await device.join(url);
  await until(async () => (await phone.query("note")).length === 1);
  const copy = await phone.open("note", note.id);
  return { laptop, note, device, phone, copy };
};

test("an import that exceeds its budget is given up with its thread, and everything else goes on", async () => {
  const { laptop, note, phone, copy } = await pair();
  const [first] = threads;
  const long = await laptop.create("note", (edit) => edit.label.set(HELD));
  await until(() => gate.held() >= 1);
  // Nobody knows yet that it takes long: who opens it hears that first, and imports nothing here.
  const late = await phone.open("note", long.id);
  expect(late.merging()).toBe(true);
  expect(late.read().label).toBe("");
  await first;
  // Again, patiently.
  await until(() => gate.held() >= 2);

  await laptop.create("note", (edit) => edit.title.set("From the laptop"));
  const own = await phone.create("note", (edit) => edit.title.set("From the phone"));
  own.edit((edit) => edit.body.insert(0, "written meanwhile"));
  await phone.flush({ tier: "server", timeout: 20_000 });
  await until(async () => (await phone.query("note")).some(({ fields }) => fields.title === "From the laptop"));
  await until(async () => (await laptop.query("note", { search: "meanwhile" })).length === 1);
  note.edit((edit) => edit.title.set("Edited meanwhile"));
  await until(() => copy.read().title === "Edited meanwhile");
  expect(late.merging()).toBe(true);
  expect((await phone.query("note")).find(({ id }) => id === long.id)).toMatchObject({ arriving: true });

  gate.open();
  await until(() => !late.merging() && late.read().label === HELD);
  await until(async () => (await phone.query("note")).some(({ fields }) => fields.label === HELD));
  expect(phone.sync().problem).toBe(undefined);
}, 120_000);

test("closing ends the threads, the one that is in the middle of an import too", async () => {
  const { note, device, copy } = await pair();
  note.edit((edit) => edit.label.set(HELD));
  await until(() => copy.merging());
  await until(() => gate.held() >= 2);
  devices.delete(device);
  await device.close();
  await expect(Promise.all(threads)).resolves.toHaveLength(threads.length);

  // What was not merged is kept, and arrives at the next opening.
  gate.open();
  const again = await (await open("phone", { importThread })).workspace();
  await until(async () => (await again.query("note")).some(({ fields }) => fields.label === HELD));
}, 120_000);
