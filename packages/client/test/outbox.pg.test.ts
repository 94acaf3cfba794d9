/** The outbox of a whole device through the real server, with answers that a test steers. */
import { EntryKind, wireError } from "@cairn/protocol";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { OutboxEvent, SyncOptions } from "../src/sync-api.ts";
import { makeSteering, openSteered, type SteeredDevice, type Steering } from "./fixtures/steered-device.ts";
import { makePlace, type Place, until } from "./notebook.ts";

/** So that what waits for time does not take any. */
const QUICK: SyncOptions = {
  backoff: { baseMillis: 5, ceilingMillis: 40 },
  probeMillis: 40,
  stallMillis: 60_000,
  batch: { entries: 1 },
};

let place: Place;
let steering: Steering;
let devices: Array<SteeredDevice> = [];
beforeEach(async () => {
  place = await makePlace();
  steering = makeSteering();
  devices = [];
});
afterEach(async () => {
  for (const { crash } of devices) await crash();
  await place.leave();
});

const open = async (sync: SyncOptions = QUICK) => {
  const device = await openSteered(join(place.folder("steered")), place.origin(), steering, sync);
  devices.push(device);
  const notebook = await device.cairn.workspace();
  return { ...device, notebook };
};

/** A synced notebook with two notes, and another device that has it. */
const pair = async (sync: SyncOptions = QUICK) => {
  const opened = await open(sync);
  const { notebook } = opened;
  const events: Array<OutboxEvent> = [];
  notebook.onOutboxEvent((event) => events.push(event));
  const one = await notebook.create("note", (edit) => edit.body.insert(0, "one"));
  const two = await notebook.create("note", (edit) => edit.body.insert(0, "two"));
  await notebook.flush({ tier: "server", timeout: 15_000 });
  const { url } = await notebook.createLink({ role: "writer" });
  const phone = await place.device("phone");
  const joined = await phone.join(url);
  await until(async () => (await joined.query("note")).length === 2);
  const copyOfOne = await joined.open("note", one.id);
  const copyOfTwo = await joined.open("note", two.id);
  return { ...opened, events, one, two, joined, copyOfOne, copyOfTwo };
};
type Pair = Awaited<ReturnType<typeof pair>>;

/** Letters that do not compress, so that what is large stays large on its way. */
const noise = (length: number): string => {
  let state = 88_675_123;
  return Array.from({ length }, () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return String.fromCharCode(48 + ((state >>> 8) & 63));
  }).join("");
};

/** Refuses every entry of a document, for good. */
const refuse = (document: string, code: "invalid" | "document-purged" = "invalid"): void => {
  steering.fate = ([first]) => (first?.header.document === document ? { type: "refuse", code } : undefined);
};
const acceptAll = (): void => {
  steering.fate = () => undefined;
};
const parkedNote = async ({ notebook, one }: Pair): Promise<void> => {
  refuse(one.id);
  one.edit((edit) => edit.body.insert(3, " REFUSED"));
  await until(async () => (await notebook.deadLetters()).length === 1);
};
const transitions = (events: ReadonlyArray<OutboxEvent>, document?: string) =>
  events.flatMap((event) =>
    event.type === "transition" && (document === undefined || event.document === document)
      ? [`${event.from} ${event.event} ${event.to}`]
      : [],
  );

describe("hazard 15: refused edits", () => {
  it("are parked with their document's later edits, and hold up no other document", async () => {
    const made = await pair();
    const { notebook, one, two, copyOfOne, copyOfTwo, events } = made;
    await parkedNote(made);
    one.edit((edit) => edit.body.insert(0, "later "));
    two.edit((edit) => edit.body.insert(0, "going on "));
    await until(() => copyOfTwo.read().body === "going on two");
    await notebook.flush({ tier: "server", timeout: 10_000 });

    const [letter] = await notebook.deadLetters();
    expect(letter).toMatchObject({ document: one.id, type: "note", code: "invalid", edits: 1, laterEdits: 1 });
    expect(letter?.history.map(({ event, to }) => [event, to])).toEqual([
      ["never", "FATAL_ERROR"],
      ["voided", "DEAD_LETTER"],
    ]);
    expect(transitions(events, one.id).slice(-3)).toEqual([
      "PENDING frozen IN_FLIGHT",
      "IN_FLIGHT never FATAL_ERROR",
      "FATAL_ERROR voided DEAD_LETTER",
    ]);
    expect(copyOfOne.read().body).toBe("one");
    expect(notebook.sync()).toMatchObject({ pendingDocuments: 0, parked: 1 });
    expect(notebook.outbox()).toMatchObject({ depth: 1, states: { DEAD_LETTER: 1, PENDING: 0, IN_FLIGHT: 0 } });
    // Rule 4: a void took the counter, so that nothing later waits for it.
    expect(steering.pushed.flat().some(({ header }) => header.kind === EntryKind.void)).toBe(true);
  });

  it("go out when a person tries again and the server takes them", async () => {
    const made = await pair();
    const { notebook, one, copyOfOne } = made;
    await parkedNote(made);
    one.edit((edit) => edit.body.insert(0, "later "));
    await notebook.flush();
    await notebook.retryDeadLetter(one.id);
    await until(async () => (await notebook.deadLetters()).length === 1);
    expect((await notebook.deadLetters())[0]?.history.map(({ event }) => event)).toEqual([
      "never",
      "voided",
      "retried",
      "never",
      "voided",
    ]);
    acceptAll();
    await notebook.retryDeadLetter(one.id);
    await until(() => copyOfOne.read().body === "later one REFUSED");
    await notebook.flush({ tier: "server", timeout: 10_000 });
    expect(await notebook.deadLetters()).toEqual([]);
    await expect(notebook.retryDeadLetter(one.id)).rejects.toMatchObject({ code: "dead-letter-unknown" });
  });

  it("can be discarded after a look: the document is made anew, later edits stay, and a second replica converges", async () => {
    const made = await pair();
    const { notebook, one, joined, copyOfOne } = made;
    await parkedNote(made);
    one.edit((edit) => edit.title.set("Kept"));
    one.edit((edit) => edit.body.insert(0, "later "));
    copyOfOne.edit((edit) => edit.body.insert(3, "!"));
    await until(() => one.read().body.includes("!"));
    expect(one.read().body).toContain("REFUSED");

    const preview = await notebook.previewDiscard(one.id);
    expect(preview).toMatchObject({ document: one.id, edits: 1, notReapplied: [] });
    expect(preview.laterEdits).toBeGreaterThan(0);
    expect(JSON.stringify(preview.before)).toContain("REFUSED");
    expect(JSON.stringify(preview.after)).not.toContain("REFUSED");
    expect(JSON.stringify(preview.after)).toContain("later one!");
    expect(one.read().body).toContain("REFUSED");

    acceptAll();
    const oldPeer = one.loro.peerIdStr;
    let replaced = 0;
    one.onChange(({ origin }) => {
      if (origin === "replaced") replaced += 1;
    });
    expect((await notebook.discardDeadLetter(one.id)).after).toEqual(preview.after);
    await until(() => one.read().body === "later one!");
    expect(replaced).toBe(1);
    expect(one.loro.peerIdStr).not.toBe(oldPeer);
    // What comes after is taken by everyone: nothing waits for operations that nobody has.
    one.edit((edit) => edit.body.insert(0, "and on, "));
    await notebook.flush({ tier: "server", timeout: 10_000 });
    await until(() => copyOfOne.read().body === "and on, later one!");
    expect(copyOfOne.read().title).toBe("Kept");
    expect(copyOfOne.loro.exportPendingUpdates()).toBeUndefined();
    expect(await notebook.deadLetters()).toEqual([]);
    copyOfOne.edit((edit) => edit.body.insert(0, "back: "));
    await until(() => one.read().body === "back: and on, later one!");
    expect(joined.sync().parked).toBe(0);
  });

  it("leave nothing of a note whose making was refused, unless somebody writes in it again", async () => {
    const { notebook, joined, copyOfOne } = await pair();
    const titles = async (of: typeof notebook) => (await of.query("note")).map(({ fields }) => fields.title);
    const before = await titles(notebook);
    steering.fate = ([first]) =>
      first?.header.kind === EntryKind.update ? { type: "refuse", code: "invalid" } : undefined;
    const refused = await notebook.create("note", (edit) => edit.title.set("REFUSED"));
    await until(async () => (await notebook.deadLetters()).length === 1);
    expect(await titles(notebook)).toContain("REFUSED");
    acceptAll();
    await notebook.discardDeadLetter(refused.id);
    expect(await titles(notebook)).toEqual(before);
    expect(refused.read().title).toBe("");
    refused.edit((edit) => edit.title.set("Made again"));
    await notebook.flush({ tier: "server", timeout: 10_000 });
    expect(await titles(notebook)).toContain("Made again");
    await until(async () => (await titles(joined)).includes("Made again"));
    expect(copyOfOne.loro.exportPendingUpdates()).toBeUndefined();
  });

  it("promise 14: what a page writes that has not heard of it yet is made anew, and nobody waits for the rest", async () => {
    const made = await pair();
    const { notebook, one, copyOfOne } = made;
    const other = await notebook.open("note", one.id);
    await parkedNote(made);
    await until(() => other.read().body === "one REFUSED");
    acceptAll();
    steering.hearsNoRebuilds = true;
    await notebook.discardDeadLetter(one.id);
    // A peer of its own, which wrote nothing that was given up.
    other.edit((edit) => edit.body.insert(0, "late "));
    await notebook.flush({ tier: "device" });
    expect(other.read().body).toBe("late one");
    await notebook.flush({ tier: "server", timeout: 10_000 });
    await until(() => copyOfOne.read().body === "late one");
    expect(copyOfOne.loro.exportPendingUpdates()).toBeUndefined();
  });

  it("stay given up over a restart, and their peer id is never leased again", async () => {
    const made = await pair();
    const { notebook, one, copyOfOne, crash } = made;
    await parkedNote(made);
    const oldPeer = one.loro.peerIdStr;
    acceptAll();
    await notebook.discardDeadLetter(one.id);
    await notebook.flush({ tier: "server", timeout: 10_000 });
    await crash();
    const again = await open();
    const reopened = await again.notebook.open("note", one.id);
    expect(reopened.read().body).toBe("one");
    expect(reopened.loro.peerIdStr).not.toBe(oldPeer);
    reopened.edit((edit) => edit.body.insert(3, " more"));
    await until(() => copyOfOne.read().body === "one more");
  });

  it("can be taken into a new document, and out as a file", async () => {
    const made = await pair();
    const { notebook, one, joined, copyOfOne } = made;
    await parkedNote(made);
    const file = await notebook.exportDeadLetter(one.id);
    expect(file.updates).toHaveLength(1);
    expect(JSON.parse(file.json)).toMatchObject({
      format: "cairn-dead-letter",
      code: "invalid",
      content: { body: "one REFUSED" },
      contentWithoutRefusedEdits: { body: "one" },
    });
    const fork = await notebook.forkDeadLetter(one.id);
    await until(() => one.read().body === "one");
    await notebook.flush({ tier: "server", timeout: 10_000 });
    await until(async () => (await joined.query("note")).length === 3);
    const copyOfFork = await joined.open("note", fork);
    expect(copyOfFork.read().body).toBe("one REFUSED");
    expect(copyOfOne.read().body).toBe("one");
    expect(await notebook.deadLetters()).toEqual([]);
  });
});

describe("hazard 16: errors by class", () => {
  it("definite refusals use up attempts, and then the edits are parked; nothing else does", async () => {
    const { notebook, one, events } = await pair({ ...QUICK, attempts: 3 });
    let answers = 0;
    steering.fate = ([first]) => {
      if (first?.header.document !== one.id) return undefined;
      answers += 1;
      // A busy server in between uses up none.
      return answers % 2 === 0
        ? { type: "fail", error: wireError("unavailable") }
        : { type: "refuse", code: "key-epoch" };
    };
    one.edit((edit) => edit.body.insert(0, "x"));
    await until(async () => (await notebook.deadLetters()).length === 1);
    expect((await notebook.deadLetters())[0]).toMatchObject({ attempts: 3, code: "key-epoch" });
    expect(transitions(events, one.id).filter((step) => step === "IN_FLIGHT outdated PENDING")).toHaveLength(2);
    expect(answers).toBeGreaterThanOrEqual(5);
  });

  it("hazard 15: a batch that is refused as a whole is narrowed down to the entry that is to blame", async () => {
    const { notebook, one, two, copyOfTwo } = await pair({ ...QUICK, batch: { entries: 16 }, attempts: 2 });
    steering.fate = (entries) =>
      entries.some(({ header }) => header.document === one.id)
        ? { type: "fail", error: wireError("malformed") }
        : undefined;
    await notebook.pause();
    one.edit((edit) => edit.body.insert(0, "x"));
    two.edit((edit) => edit.body.insert(0, "goes on "));
    await notebook.flush();
    await notebook.resume();
    await until(() => copyOfTwo.read().body === "goes on two");
    await until(async () => (await notebook.deadLetters()).length === 1);
    expect((await notebook.deadLetters())[0]).toMatchObject({ document: one.id, code: "invalid", attempts: 2 });
  });

  it("hazard 22: Retry-After is obeyed", async () => {
    const { notebook, one } = await pair();
    let refused = false;
    steering.fate = () => {
      if (refused) return undefined;
      refused = true;
      return { type: "fail", error: wireError("rate-limited", { retryAfter: 30 }) };
    };
    one.edit((edit) => edit.body.insert(0, "x"));
    await until(() => notebook.outbox().condition === "BACKING_OFF" && notebook.outbox().nextAttemptAt !== undefined);
    expect((notebook.outbox().nextAttemptAt ?? 0) - Date.now()).toBeGreaterThan(25_000);
    await until(() => notebook.outbox().states.RETRYABLE_ERROR === 1);
    expect(notebook.connections().at(-1)).toMatchObject({ type: "ended", code: "rate-limited" });
    notebook.syncNow();
    await notebook.flush({ tier: "server", timeout: 10_000 });
  });

  it("401 makes a new session and goes on; nothing is lost or parked", async () => {
    const { notebook, one, events } = await pair();
    let refused = 0;
    steering.fate = () => {
      refused += 1;
      return refused <= 2 ? { type: "fail", error: wireError("token-expired") } : undefined;
    };
    one.edit((edit) => edit.body.insert(0, "x"));
    await until(() => refused > 2);
    await notebook.flush({ tier: "server", timeout: 10_000 });
    expect(events.some((event) => event.type === "condition" && event.to === "WAITING_FOR_TOKEN")).toBe(true);
  });

  it("403 stops with a reason, keeps what waits, and goes on when it is allowed again", async () => {
    const { notebook, events, one } = await pair({ ...QUICK, probeMillis: 60_000 });
    steering.fate = () => ({ type: "refuse", code: "role" });
    one.edit((edit) => edit.body.insert(0, "x"));
    await until(() => notebook.outbox().condition === "STOPPED" && notebook.sync().pendingDocuments === 1);
    expect(notebook.sync()).toMatchObject({ status: "problem", pendingDocuments: 1, problem: { code: "read-only" } });
    // A new connection alone does not make it right.
    const told = events.length;
    const connected = () => notebook.connections().filter(({ type }) => type === "live").length;
    const before = connected();
    for (const changed of steering.networkWatchers) changed(false);
    await until(() => connected() > before);
    await notebook.deadLetters();
    expect(events.slice(told).filter(({ type }) => type === "condition")).toEqual([]);
    acceptAll();
    notebook.syncNow();
    await notebook.flush({ tier: "server", timeout: 10_000 }).catch(() => undefined);
    await until(() => notebook.sync().status === "up-to-date");
    expect(notebook.sync().problem).toBeUndefined();
  });

  it.each([
    ["over a live connection", false],
    ["over HTTP", true],
  ])(
    "409 on the key epoch, %s: the edits are sealed anew, as a new entry, under the key that came meanwhile",
    async (_, socketless) => {
      const laptop = await place.device("laptop");
      const notebook = await laptop.workspace();
      const note = await notebook.create("note", (edit) => edit.body.insert(0, "shared"));
      await notebook.flush({ tier: "server", timeout: 15_000 });
      const { url, link } = await notebook.createLink({ role: "writer" });
      steering.socketless = socketless;
      const device = await openSteered(place.folder("steered"), place.origin(), steering, {
        ...QUICK,
        attempts: 1_000,
      });
      devices.push(device);
      const joined = await device.cairn.join(url);
      await until(async () => (await joined.query("note")).length === 1);
      const copy = await joined.open("note", note.id);

      let changed = false;
      let revoking: Promise<void> | undefined;
      steering.fate = ([first]) => {
        if (first?.header.document !== note.id || changed) return undefined;
        // Rule 22: the key changes with the link, in the middle of what this device has to send.
        revoking ??= notebook.revokeLink(link).then(() => {
          changed = true;
        });
        return { type: "refuse", code: "key-epoch" };
      };
      copy.edit((edit) => edit.body.insert(0, "still "));
      await until(() => note.read().body === "still shared");
      await revoking;
      const sent = steering.pushed.flat().filter(({ header }) => header.document === note.id);
      expect(sent.at(-1)?.header.epoch).toBe((sent[0]?.header.epoch ?? 0) + 1);
      expect(new Set(sent.map(({ header }) => header.counter)).size).toBe(sent.length);
      expect(await joined.deadLetters()).toEqual([]);
    },
  );

  it("hazard 7: a full workspace keeps what it has no room for, and sends it by itself when there is some", async () => {
    const { notebook, one, copyOfOne } = await pair();
    let full = true;
    steering.fate = ([first]) =>
      full && first?.header.kind === EntryKind.update ? { type: "refuse", code: "quota-exceeded" } : undefined;
    one.edit((edit) => edit.body.insert(0, "waits "));
    await until(() => steering.pushed.flat().filter(({ header }) => header.kind === EntryKind.void).length > 0);
    expect(notebook.outbox().attempts).toBe(0);
    expect(notebook.sync().parked).toBe(0);
    full = false;
    await until(() => copyOfOne.read().body === "waits one");
    await until(() => notebook.outbox().condition === "LIVE");
  });
});

describe("attachments", () => {
  const picture = (byte: number) => {
    const data = new Uint8Array(40_000).fill(byte);
    return { name: "picture.png", mediaType: "image/png", size: data.length, data };
  };

  it("hazard 15: one that the server does not take parks its document, before a counter is taken, and no other one", async () => {
    const { notebook, one, two, copyOfTwo } = await pair();
    steering.chunkFate.error = wireError("chunk-mismatch");
    await notebook.attach(one.id, picture(1));
    await until(async () => (await notebook.deadLetters()).length === 1);
    expect((await notebook.deadLetters())[0]).toMatchObject({ document: one.id, code: "chunk-mismatch" });
    two.edit((edit) => edit.body.insert(0, "goes on "));
    await until(() => copyOfTwo.read().body === "goes on two");
    steering.chunkFate.error = undefined;
    await notebook.retryDeadLetter(one.id);
    await notebook.flush({ tier: "server", timeout: 15_000 });
    expect(await notebook.deadLetters()).toEqual([]);
  });

  it("hazard 15: one that does not get through holds up its own document alone", async () => {
    const { notebook, one, two, copyOfTwo } = await pair();
    steering.chunkFate.error = wireError("unavailable");
    await notebook.attach(one.id, picture(2));
    two.edit((edit) => edit.body.insert(0, "goes on "));
    // The other device may have the entry before this one hears that it was taken.
    await until(() => copyOfTwo.read().body === "goes on two" && notebook.sync().pendingDocuments === 1);
    expect(notebook.sync().parked).toBe(0);
    steering.chunkFate.error = undefined;
    await notebook.flush({ tier: "server", timeout: 15_000 });
  });
});

describe("hazard 7: a workspace that is full for the server, too", () => {
  it("goes on by itself when its host gives it more", async () => {
    const { notebook, events, one, copyOfOne } = await pair();
    await place.stopServer();
    await place.startServer(undefined, { workspaceBytes: 20_000 });
    const text = noise(60_000);
    one.edit((edit) => edit.body.insert(0, text));
    const isFull = (event: OutboxEvent) => event.type === "condition" && event.to === "QUOTA";
    await until(() => events.some(isFull));
    const sinceFull = () => events.slice(events.findIndex(isFull) + 1);
    // What stands in the place of the entry finds room, and the entry has none all the same.
    await until(() => sinceFull().some((event) => event.type === "transition" && event.to === "SYNCED"));
    const probes = new Set<number>();
    notebook.onOutbox(({ nextAttemptAt }) => nextAttemptAt !== undefined && probes.add(nextAttemptAt));
    await until(() => probes.size > 2);
    expect(sinceFull().filter(({ type }) => type === "condition")).toEqual([]);
    expect(notebook.outbox().condition).toBe("QUOTA");
    expect(notebook.sync()).toMatchObject({ status: "problem", parked: 0, problem: { code: "quota-exceeded" } });
    expect(notebook.outbox().states).toMatchObject({ DEAD_LETTER: 0 });
    await place.stopServer();
    await place.startServer(undefined, { workspaceBytes: 0 });
    await until(() => copyOfOne.read().body === `${text}one`, 30_000);
    await until(() => notebook.sync().status === "up-to-date");
    expect(notebook.sync().problem).toBeUndefined();
  });
});

describe("too large", () => {
  it("413: edits are split until they fit, and arrive whole", async () => {
    const { notebook, one, copyOfOne } = await pair();
    steering.fate = ([first]) =>
      (first?.bytes.length ?? 0) > 20_000 ? { type: "refuse", code: "too-large" } : undefined;
    // One operation to its author.
    const text = noise(60_000);
    one.edit((edit) => edit.body.insert(0, text));
    await until(() => copyOfOne.read().body === `${text}one`, 30_000);
    await notebook.flush({ tier: "server", timeout: 10_000 });
    expect(await notebook.deadLetters()).toEqual([]);
    expect(steering.pushed.flat().filter(({ header }) => header.document === one.id).length).toBeGreaterThan(3);
  });

  it("a value that no entry can hold is parked before it takes a counter, with a clear reason", async () => {
    const { notebook, one, two, copyOfTwo } = await pair();
    const before = Math.max(...steering.pushed.flat().map(({ header }) => header.counter));
    one.loro.getMap("app").set("picture", noise(4_500_000));
    one.loro.commit();
    await until(async () => (await notebook.deadLetters()).length === 1, 30_000);
    const [letter] = await notebook.deadLetters();
    expect(letter).toMatchObject({ document: one.id, code: "too-large" });
    expect(letter?.message).toMatch(/value of \d+ bytes is larger/);
    two.edit((edit) => edit.body.insert(0, "next "));
    await until(() => copyOfTwo.read().body === "next two");
    const counters = steering.pushed.flat().map(({ header }) => header.counter);
    expect(Math.max(...counters)).toBe(before + 1);
  });
});

describe("hazard 6: answers that nobody heard", () => {
  it("a lost answer: the same bytes go out again, and nothing is there twice", async () => {
    const { notebook, one, copyOfOne } = await pair();
    let lost = 0;
    steering.fate = ([first]) => {
      if (first?.header.document !== one.id || lost > 0) return undefined;
      lost += 1;
      return { type: "lose-answer" };
    };
    one.edit((edit) => edit.body.insert(0, "once "));
    await notebook.flush({ tier: "server", timeout: 15_000 });
    await until(() => copyOfOne.read().body === "once one");
    const sent = steering.pushed.flat().filter(({ header }) => header.document === one.id);
    const last = sent.at(-1);
    const same = sent.filter(({ header }) => header.counter === last?.header.counter);
    expect(same.length).toBeGreaterThanOrEqual(1);
    expect(new Set(same.map(({ bytes }) => Buffer.from(bytes).toString("hex"))).size).toBe(1);
  });

  it("a crash in the middle of a push: what was in flight is recovered and sent unchanged", async () => {
    const { crash, one, copyOfOne, notebook } = await pair();
    steering.fate = ([first]) => (first?.header.document === one.id ? { type: "silence" } : undefined);
    one.edit((edit) => edit.body.insert(0, "kept "));
    await until(
      () => notebook.outbox().states.IN_FLIGHT === 1 && steering.pushed.at(-1)?.[0]?.header.document === one.id,
    );
    const frozen = steering.pushed.at(-1)?.[0]?.bytes;
    await crash();
    acceptAll();
    await open();
    await until(() => copyOfOne.read().body === "kept one");
    expect(Buffer.from(steering.pushed.at(-1)?.[0]?.bytes ?? [])).toEqual(Buffer.from(frozen ?? []));
  });

  it("hazards 1 and 14: edits made while a push is under way are not taken for acknowledged", async () => {
    const { notebook, one, copyOfOne } = await pair();
    let release: () => void = () => undefined;
    const held = new Promise<void>((resolve) => {
      release = resolve;
    });
    let first = true;
    steering.fate = ([entry]) => {
      if (entry?.header.document !== one.id || !first) return undefined;
      first = false;
      one.edit((edit) => edit.body.insert(0, "meanwhile "));
      release();
      return undefined;
    };
    one.edit((edit) => edit.body.insert(0, "before "));
    await held;
    await notebook.flush({ tier: "server", timeout: 10_000 });
    await until(() => copyOfOne.read().body === "meanwhile before one");
    expect(notebook.outbox().depth).toBe(0);
  });
});

describe("hazard 17, Promise 14: the watchdog", () => {
  it("connected, pending and nothing moving becomes STALLED, is told, and is repaired by itself", async () => {
    const made = await pair({ ...QUICK, stallMillis: 200 });
    const { notebook, one, events, copyOfOne } = made;
    steering.fate = () => ({ type: "answer-nothing" });
    // A repair ends the state for a while: it has been there, whenever somebody looks.
    const seen = new Set<string>();
    const ends = [
      notebook.onSync(({ status }) => seen.add(status)),
      notebook.onOutbox(({ condition }) => seen.add(condition)),
    ];
    one.edit((edit) => edit.body.insert(0, "in the end "));
    await until(() => seen.has("stalled") && seen.has("STALLED"));
    for (const end of ends) end();
    const stalls = () => events.flatMap((event) => (event.type === "stalled" ? [event.diagnosis] : []));
    await until(() => stalls().length >= 2);
    expect(notebook.outbox().stalls).toBeGreaterThanOrEqual(1);
    expect(stalls()[0]).toMatchObject({ repair: "reconnect", transport: "live" });
    expect(JSON.stringify(stalls())).not.toContain("in the end");
    acceptAll();
    await until(() => copyOfOne.read().body === "in the end one");
    await until(() => notebook.sync().status === "up-to-date");
    expect(notebook.outbox().stalledSince).toBeUndefined();
  });
});

describe("steering", () => {
  it("pause holds everything, over a restart, until it is resumed", async () => {
    const { notebook, one, copyOfOne, crash } = await pair();
    await notebook.pause();
    await until(() => notebook.sync().status === "paused");
    one.edit((edit) => edit.body.insert(0, "paused "));
    await notebook.flush();
    const pushes = steering.pushed.length;
    await crash();
    const again = await open();
    await until(() => again.notebook.sync().status === "paused");
    expect(again.notebook.outbox()).toMatchObject({ paused: true, states: { PENDING: 1 } });
    expect(steering.pushed.length).toBe(pushes);
    await again.notebook.resume();
    await until(() => copyOfOne.read().body === "paused one");
  });

  it("a simulated outage is one, and its end is the end of it", async () => {
    const { notebook, one, copyOfOne } = await pair();
    await notebook.simulateOffline(true);
    await until(() => notebook.sync().status === "offline");
    one.edit((edit) => edit.body.insert(0, "offline "));
    await notebook.flush();
    await until(() => notebook.outbox().states.PENDING === 1);
    expect(notebook.outbox().simulatedOffline).toBe(true);
    await notebook.simulateOffline(false);
    await until(() => copyOfOne.read().body === "offline one");
    expect(notebook.connections().map(({ type }) => type)).toContain("offline-simulated");
  });

  it("without a socket the same batches go over HTTP", async () => {
    steering.socketless = true;
    const { notebook, one, copyOfOne } = await pair();
    one.edit((edit) => edit.body.insert(0, "over http "));
    await notebook.flush({ tier: "server", timeout: 15_000 });
    await until(() => copyOfOne.read().body === "over http one");
    expect(notebook.connections().map(({ type }) => type)).toContain("http");
  });

  it("hazard 20: removing a workspace first tells how much is not on the server", async () => {
    const made = await pair();
    const { cairn, notebook, one, two } = made;
    await parkedNote(made);
    await notebook.pause();
    two.edit((edit) => edit.body.insert(0, "unsent "));
    await notebook.flush();
    const unsynced = await notebook.unsynced();
    expect(unsynced).toMatchObject({ documents: 2, edits: 2, deadLetters: 1 });
    expect(unsynced.bytes).toBeGreaterThan(50);
    expect(await cairn.unsynced()).toEqual(unsynced);
    await expect(cairn.removeWorkspace(notebook.id)).rejects.toMatchObject({ code: "pending-edits", unsynced });
    await cairn.removeWorkspace(notebook.id, { force: true });
    expect(one.id).toBeDefined();
  });

  it("a report explains without giving anything away", async () => {
    const made = await pair();
    const { notebook, one } = made;
    one.edit((edit) => edit.title.set("Diary of a spy"));
    await parkedNote(made);
    const report = await notebook.report();
    expect(JSON.parse(report)).toMatchObject({
      report: "cairn-sync",
      outbox: { states: { DEAD_LETTER: 1 } },
      deadLetters: [{ code: "invalid", history: [{ event: "never" }, { event: "voided" }] }],
    });
    for (const secret of [one.id, notebook.id, "spy", "REFUSED", "steered", new URL(place.origin()).host]) {
      expect(report).not.toContain(secret);
    }
  });
});
