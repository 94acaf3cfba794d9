/**
 * Whole devices and the real server, killed at moments that a seed decides: what was called safe stays, and nothing
 * arrives twice. `CAIRN_SEED` runs a failure again.
 */
import { ServerPlace } from "@cairn/testkit/server-program";
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { until } from "../notebook.ts";
import { notOnce, pause, seeded, seedOfRun, WholeDevices } from "./whole-devices.ts";

let place: ServerPlace;
const devices = new WholeDevices();
const children = new Set<ChildProcess>();
const open = (name: string) => devices.open({ directory: place.beside(name), server: place.origin, name });

beforeEach(async () => {
  place = await ServerPlace.make();
  await place.start();
});
afterEach(async () => {
  for (const child of children) child.kill("SIGKILL");
  children.clear();
  await devices.closeAll();
  await place.leave();
});

/** A laptop with a note and a phone that has it open as well. */
const pair = async () => {
  const laptop = await open("laptop");
  const notebook = await laptop.workspace();
  const note = await notebook.create("note", (edit) => edit.title.set("Marks"));
  await notebook.flush({ tier: "server", timeout: 20_000 });
  const { url } = await notebook.createLink({ role: "writer" });
  const phone = await open("phone");
  const joined = await phone.join(url);
  await until(async () => (await joined.query("note")).length === 1);
  return { laptop, notebook, note, phone, joined, copy: await joined.open("note", note.id), url };
};

/** The laptop as a process of its own, which writes marks until it is killed. */
const startWriter = (document: string, round: number) => {
  const program = join(import.meta.dirname, "writing-device.ts");
  const child = spawn(
    process.execPath,
    [
      "--conditions=source",
      "--disable-warning=ExperimentalWarning",
      program,
      place.beside("laptop"),
      place.origin,
      document,
      String(round),
    ],
    { stdio: ["ignore", "pipe", "inherit"] },
  );
  children.add(child);
  return child;
};

/** What a device that joins only now can read: what the server has. */
const readCold = async (url: string, document: Parameters<Awaited<ReturnType<typeof pair>>["joined"]["open"]>[1]) => {
  const cold = await (await open("cold")).join(url);
  await until(() => cold.sync().status === "up-to-date");
  await until(async () => (await cold.query("note")).length > 0);
  return (await cold.open("note", document)).read().body;
};

describe("Promises 1 and 2: a killed server", () => {
  it("loses nothing that it acknowledged, and what comes again counts once", { timeout: 120_000 }, async () => {
    const seed = seedOfRun();
    const random = seeded(seed);
    const { notebook, note, joined, copy, url } = await pair();
    const marks: Array<string> = [];
    const done = new AbortController();
    const write = async (name: string, workspace: typeof notebook, document: typeof note) => {
      for (let number = 0; !done.signal.aborted; number += 1) {
        const mark = `<${name}${number}>`;
        marks.push(mark);
        document.edit((edit) => edit.body.insert(document.read().body.length, mark));
        await workspace.flush();
        await pause(random() * 12);
      }
    };
    const writers = [write("L", notebook, note), write("P", joined, copy)];
    for (let kill = 0; kill < 4; kill += 1) {
      await until(() => notebook.sync().status !== "offline" && joined.sync().status !== "offline");
      await pause(random() * 250);
      await place.end("SIGKILL");
      await place.start();
      notebook.syncNow();
      joined.syncNow();
    }
    done.abort();
    await Promise.all(writers);
    for (const workspace of [notebook, joined]) await workspace.flush({ tier: "server", timeout: 60_000 });
    await until(() => note.read().body === copy.read().body && notOnce(note.read().body, marks).length === 0);
    expect(await readCold(url, note.id), `seed ${seed}`).toBe(note.read().body);
    expect(marks.length).toBeGreaterThan(20);
  });

  it("and one whose database was killed goes on by itself", { timeout: 60_000 }, async () => {
    const { notebook, note, copy, joined, url } = await pair();
    await place.killPostmaster();
    note.edit((edit) => edit.body.insert(0, "while it was down"));
    await notebook.flush({ tier: "server", timeout: 30_000 });
    await until(() => copy.read().body === "while it was down");
    await place.killPostmaster();
    copy.edit((edit) => edit.body.insert(0, "and again "));
    await joined.flush({ tier: "server", timeout: 30_000 });
    await until(() => note.read().body === "and again while it was down");
    expect(await readCold(url, note.id)).toBe("and again while it was down");
  });
});

describe("Promise 4: a killed device", () => {
  it("keeps everything it called saved, and sends it once, whenever it was killed", { timeout: 180_000 }, async () => {
    const seed = seedOfRun();
    const random = seeded(seed);
    const { laptop, notebook, note, joined, copy } = await pair();
    await notebook.flush({ tier: "server", timeout: 20_000 });
    await devices.close(laptop);
    const saved: Array<string> = [];
    for (let round = 0; round < 6; round += 1) {
      const child = startWriter(note.id, round);
      const ended = once(child, "exit");
      let count = 0;
      const enough = 1 + Math.floor(random() * 30);
      // From right after an edit was saved to when it is sealed, on its way, or acknowledged.
      const delay = random() < 0.4 ? 0 : random() * 40;
      for await (const line of createInterface({ input: child.stdout })) {
        const [word, mark] = line.split(" ");
        if (word !== "saved" || mark === undefined) continue;
        saved.push(mark);
        count += 1;
        if (count !== enough) continue;
        if (delay > 0) void pause(delay).then(() => child.kill("SIGKILL"));
        else child.kill("SIGKILL");
      }
      await ended;
      children.delete(child);
      expect(count, `round ${round} of seed ${seed} ended by itself`).toBeGreaterThanOrEqual(enough);
    }
    const again = await open("laptop");
    const reopened = await again.workspace();
    const document = await reopened.open("note", note.id);
    expect(notOnce(document.read().body, saved), `seed ${seed}`).toEqual([]);
    await reopened.flush({ tier: "server", timeout: 60_000 });
    await joined.flush({ tier: "server", timeout: 60_000 });
    await until(() => copy.read().body === document.read().body);
    // Marks that were not confirmed may be there or not, and none twice.
    const all = document.read().body.match(/<\d+\.\d+>/g) ?? [];
    expect(new Set(all).size, `seed ${seed}`).toBe(all.length);
    expect(all.length).toBeGreaterThanOrEqual(saved.length);
  });

  it("sends again what was acknowledged after its death, and it counts once", { timeout: 60_000 }, async () => {
    const { laptop, notebook, note, joined, copy } = await pair();
    await notebook.flush({ tier: "server", timeout: 20_000 });
    await devices.close(laptop);
    const child = startWriter(note.id, 1);
    const ended = once(child, "exit");
    const saved: Array<string> = [];
    let suspendedAt: number | undefined;
    for await (const line of createInterface({ input: child.stdout })) {
      const [word, mark] = line.split(" ");
      if (word !== "saved" || mark === undefined) continue;
      saved.push(mark);
      if (suspendedAt === undefined && copy.read().body.includes("<1.")) {
        // It is connected: what it sends from now on reaches a server that answers when its sender is dead.
        place.suspend();
        suspendedAt = saved.length;
      }
      if (suspendedAt !== undefined && saved.length === suspendedAt + 20) child.kill("SIGKILL");
    }
    await ended;
    children.delete(child);
    place.resume();
    const reopened = await (await open("laptop")).workspace();
    await reopened.flush({ tier: "server", timeout: 30_000 });
    const document = await reopened.open("note", note.id);
    await until(() => copy.read().body === document.read().body);
    expect(notOnce(copy.read().body, saved)).toEqual([]);
    expect(joined.sync().problem).toBeUndefined();
  });
});
