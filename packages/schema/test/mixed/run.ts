/**
 * One run: devices of several versions of an app edit one document, go offline, are updated, and meet again. A device that
 * stays on the first version edits what newer ones have changed already. In the end everything is compared.
 */
import { editDocument, readDocument, stateDigestInput } from "@cairn/schema";
import { LoroDoc } from "loro-crdt";
import { type AppVersion, type Author, Ledger, knew } from "./ledger.ts";
import { versions } from "./versions.ts";

/** A generator of numbers that a seed decides (mulberry32). */
export const randomOf = (seed: number): ((below: number) => number) => {
  let state = seed >>> 0;
  return (below) => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) % below;
  };
};

export interface Device {
  readonly doc: LoroDoc;
  version: AppVersion;
}

/** Registers by the name they have in the first version. */
type Register = "title" | "pinned" | "name" | "row label" | "row done";

interface Write {
  readonly register: Register;
  /** What the first version reads. */
  readonly value: string | boolean;
  /** What a newer version wrote, as it reads it. */
  readonly newer: unknown;
  /** The version of the document after the write, as counts of operations by peer. */
  readonly after: ReadonlyMap<`${number}`, number>;
}

/** What the devices were told is theirs. */
class Expectations {
  readonly writes: Array<Write> = [];
  readonly characters = new Set<string>();
  readonly tags = new Set<string>();
  readonly items = new Ledger();
  readonly lines = new Ledger();
  readonly words = new Ledger();
  views = 0;
}

const note1 = versions.one.documents.note;
const note2 = versions.two.documents.note;
const note3 = versions.three.documents.note;

const newerEditorOf = ({ doc, version }: Device) =>
  version === 2 ? editDocument(note2, doc) : editDocument(note3, doc);

const editorOf = (device: Device) => (device.version === 1 ? editDocument(note1, device.doc) : newerEditorOf(device));

export class Run {
  readonly devices: Array<Device> = [];
  readonly expected = new Expectations();
  readonly random: (below: number) => number;
  count = 0;

  constructor(seed: number) {
    this.random = randomOf(seed);
    const devices = 2 + this.random(5);
    for (let index = 0; index < devices; index += 1) {
      const doc = new LoroDoc();
      doc.setPeerId(BigInt(index + 1));
      // Device 0 stays on the first version until the end, device 1 is updated early.
      const version = index === 0 ? 1 : index === 1 ? 2 : pickVersion(this.random);
      this.devices.push({ doc, version });
    }
  }

  #write(device: Device, register: Register, value: string | boolean, newer?: unknown): void {
    device.doc.commit();
    this.expected.writes.push({
      register,
      value,
      newer,
      after: device.doc.version().toJSON(),
    });
  }

  /** Whoever did what was just done. Commits. */
  #author({ doc, version }: Device): Author {
    doc.commit();
    return { version, after: doc.version().toJSON() };
  }

  /** A character that nobody wrote yet, and that nobody can insert anything into. */
  #character(): string {
    return String.fromCodePoint(0x4e00 + this.count);
  }

  /** One edit of one kind of field, as an app of the device's version makes it. */
  edit(device: Device, kind: number): void {
    const { doc, version } = device;
    const { expected, random } = this;
    this.count += 1;
    const token = `w${this.count}`;
    switch (kind) {
      case 0:
        if (version === 1) editDocument(note1, doc).title.set(token);
        else newerEditorOf(device).heading.set(token);
        return this.#write(device, "title", token);
      case 1: {
        const level = random(4);
        if (version === 1) editDocument(note1, doc).pinned.set(level > 1);
        else if (version === 2) editDocument(note2, doc).priority.set(level);
        else editDocument(note3, doc).urgency.set({ level });
        return this.#write(device, "pinned", level > 1, version === 1 ? undefined : level);
      }
      case 2: {
        const last = random(2) === 0 ? "" : `l${this.count}`;
        const name = last === "" ? token : `${token} ${last}`;
        if (version === 1) editDocument(note1, doc).name.set(name);
        else if (version === 3) editDocument(note3, doc).person.set({ first: token, last });
        else {
          const edit = editDocument(note2, doc);
          edit.first.set(token);
          this.#write(device, "name", readDocument(note1, doc).name);
          edit.last.set(last);
        }
        return this.#write(device, "name", version === 2 ? readDocument(note1, doc).name : name);
      }
      case 3: {
        const { body } = editorOf(device);
        const character = this.#character();
        body.insert(random(body.length + 1), character);
        expected.characters.add(character);
        break;
      }
      case 4:
        editorOf(device).tags.add(token);
        expected.tags.add(token);
        break;
      case 5:
        editorOf(device).views.add(1);
        expected.views += 1;
        break;
      case 6:
        this.#addItem(device, token);
        break;
      case 7:
        this.#changeItem(device);
        break;
      case 8: {
        const at = random(4);
        if (version === 3) {
          const { lines } = editDocument(note3, doc);
          lines.insert(Math.min(at, lines.entries().length), token);
        } else {
          const { lines } = version === 1 ? editDocument(note1, doc) : editDocument(note2, doc);
          lines.insert(Math.min(at, lines.entries().length), token);
        }
        expected.lines.added(token, this.#author(device));
        break;
      }
      case 9:
        this.#deleteLine(device);
        break;
      case 10: {
        const done = random(2) === 0;
        if (version === 1) editDocument(note1, doc).rows.ensure("r").done.set(done);
        else
          newerEditorOf(device)
            .rows.ensure("r")
            .state.set(done ? "done" : token);
        return this.#write(device, "row done", done);
      }
      case 11:
        if (version === 1) editDocument(note1, doc).rows.ensure("r").label.set(token);
        else newerEditorOf(device).rows.ensure("r").label.set(token);
        return this.#write(device, "row label", token);
      default: {
        if (version === 1) editDocument(note1, doc).rows.ensure("r").words.push(token);
        else newerEditorOf(device).rows.ensure("r").words.push(token);
        expected.words.added(token, this.#author(device));
      }
    }
    doc.commit();
  }

  #addItem(device: Device, token: string): void {
    const { doc, version } = device;
    if (version === 1) {
      const { tasks } = editDocument(note1, doc);
      tasks.insert(this.random(tasks.entries().length + 1), token);
    } else if (version === 2) {
      const { tasks } = editDocument(note2, doc);
      tasks.insert(this.random(tasks.entries().length + 1), { id: token, label: token, done: false });
    } else editDocument(note3, doc).items.ensure(token).label.set(token);
    this.expected.items.added(token, this.#author(device), { label: token, done: false });
  }

  #changeItem(device: Device): void {
    const { doc, version } = device;
    const { items: ledger } = this.expected;
    const what = this.random(4);
    if (version === 1) {
      const { tasks } = editDocument(note1, doc);
      const at = this.random(Math.max(1, tasks.get().length));
      const item = tasks.get()[at];
      if (item === undefined || what > 0) return;
      tasks.delete(at);
      ledger.deleted(item, this.#author(device));
    } else if (version === 2) {
      const { tasks } = editDocument(note2, doc);
      const at = this.random(Math.max(1, tasks.get().length));
      const item = tasks.get()[at];
      if (item === undefined) return;
      if (what === 0) {
        tasks.delete(at);
        ledger.deleted(item.id, this.#author(device));
      } else if (what === 1) {
        tasks.move(at, this.random(tasks.get().length));
        ledger.moved(item.id, this.#author(device));
      } else {
        const replaced = { ...item, ...(what === 2 ? { done: !item.done } : { label: `w${this.count} again` }) };
        tasks.replace(at, replaced);
        const author = this.#author(device);
        ledger.wrote(item.id, "done", replaced.done, author, what !== 2);
        ledger.wrote(item.id, "label", replaced.label, author, what === 2);
      }
    } else {
      const { items } = editDocument(note3, doc);
      const keys = Object.keys(items.get());
      const key = keys[this.random(Math.max(1, keys.length))];
      if (key === undefined) return;
      if (what === 0) {
        items.remove(key);
        ledger.deleted(key, this.#author(device));
      } else if (what === 1) {
        const done = items.get()[key]?.done !== true;
        items.ensure(key).done.set(done);
        ledger.wrote(key, "done", done, this.#author(device));
      } else if (what === 2) {
        const label = `w${this.count} again`;
        items.ensure(key).label.set(label);
        ledger.wrote(key, "label", label, this.#author(device));
      } else {
        const { notes } = items.ensure(key);
        notes.insert(this.random(notes.length + 1), this.#character());
        ledger.typed(key, this.#character(), this.#author(device));
      }
    }
  }

  #deleteLine(device: Device): void {
    const editor = editorOf(device);
    const at = this.random(Math.max(1, editor.lines.get().length));
    const line = editor.lines.get()[at];
    if (line === undefined || this.random(2) === 0) return;
    editor.lines.delete(at);
    this.expected.lines.deleted(line, this.#author(device));
  }

  meet(one: Device, other: Device): void {
    send(other, one);
    send(one, other);
  }
}

/** Loro's `compare`: 1 where the left version has all of the right one, and more. */
export const send = (from: Device, to: Device): void => {
  const [has, known] = [from.doc.oplogVersion(), to.doc.oplogVersion()];
  const order = has.compare(known);
  if (order === 1 || order === undefined) to.doc.import(from.doc.export({ mode: "update", from: known }));
  has.free();
  known.free();
};

const pickVersion = (random: (below: number) => number): AppVersion => {
  const drawn = random(3);
  return drawn === 0 ? 1 : drawn === 1 ? 2 : 3;
};

const KINDS = 13;

/** The run of a seed: what does not hold in the end, empty where all holds. */
export const runMixedVersions = (seed: number): ReadonlyArray<string> => {
  const run = new Run(seed);
  const { devices, random } = run;
  const [old, updated] = devices;
  if (old === undefined || updated === undefined) return ["no devices"];
  const edits = 50 + random(30);
  // The changes that newer versions made are there before the old device's last edits.
  const early = 10 + random(20);
  for (let index = 0; index < edits; index += 1) {
    const device = devices[random(devices.length)];
    const other = devices[random(devices.length)];
    if (device === undefined || other === undefined) break;
    run.edit(device, random(KINDS));
    if (index === early) run.edit(updated, 6);
    if (device !== other && random(3) === 0) run.meet(device, other);
    if (random(12) === 0 && device !== old && device.version < 3) device.version = device.version === 1 ? 2 : 3;
  }
  run.edit(old, 6);
  run.edit(old, 8);
  // Two that know different things are updated at the same moment, and edit at once.
  for (const device of devices.slice(1)) {
    device.version = 3;
    run.edit(device, 6 + random(3));
  }
  for (let round = 0; round < 2; round += 1) {
    for (const device of devices) for (const other of devices) if (device !== other) run.meet(device, other);
  }
  const problems = check(run);
  // What was carried over is written down by the next edit, and still the same.
  run.edit(updated, 6);
  for (const device of devices) if (device !== updated) run.meet(device, updated);
  problems.push(...check(run).map((problem) => `after one more edit: ${problem}`));
  for (const { doc } of devices) doc.free();
  return problems;
};

const digest = (doc: LoroDoc): string => new TextDecoder().decode(stateDigestInput(doc));

const check = ({ devices, expected }: Run): Array<string> => {
  const problems: Array<string> = [];
  const holds = (is: boolean, problem: string): void => void (is || problems.push(problem));
  const same = (left: unknown, right: unknown): boolean => JSON.stringify(left) === JSON.stringify(right);
  const [first] = devices;
  if (first === undefined) return ["no devices"];
  const one = readDocument(note1, first.doc);
  const two = readDocument(note2, first.doc);
  const three = readDocument(note3, first.doc);
  const content = digest(first.doc);
  for (const { doc } of devices.slice(1)) holds(digest(doc) === content, "replicas differ");
  // What is read is a pure function of the replica; one that got there by another way is enough to show it.
  const last = devices.at(-1) ?? first;
  holds(same(readDocument(note1, last.doc), one), "replicas differ as version 1 sees them");
  holds(same(readDocument(note2, last.doc), two), "replicas differ as version 2 sees them");
  holds(same(readDocument(note3, last.doc), three), "replicas differ as version 3 sees them");
  holds(one.title === two.heading && two.heading === three.heading, "a renamed field differs");
  holds(two.priority === three.urgency.level, "version 2 is not down of version 3: priority");
  holds(one.pinned === two.priority > 1, "version 1 is not down of version 2: pinned");
  holds(two.first === three.person.first && two.last === three.person.last, "not down of version 3: name");
  holds(one.name === (two.last === "" ? two.first : `${two.first} ${two.last}`), "not down of version 2: name");
  holds(one.body === three.body, "the text differs");
  holds(one.views === expected.views && three.views === expected.views, "the counter lost something");
  for (const character of expected.characters) holds(three.body.includes(character), "lost from the text");
  for (const tag of expected.tags) holds(three.tags.includes(tag), `lost tag ${tag}`);
  const row = { one: one.rows["r"], two: two.rows["r"], three: three.rows["r"] };
  holds((row.one?.done ?? false) === (row.two?.state === "done"), "not down of version 2: state in a record");
  const named = (names: ReadonlyArray<string>) => names.map((name) => [name, {}] as const);
  const { items, lines, words } = expected;
  // Versions that share a container show what each other's apps did in it: lines of 1 and 2, words of 2 and 3.
  const found = [
    ...items.problems(1, named(one.tasks)),
    ...items.problems(
      2,
      two.tasks.map((task) => [task.id, task] as const),
    ),
    ...items.problems(3, Object.entries(three.items)),
    ...lines.problems(2, named(one.lines)),
    ...lines.problems(2, named(two.lines)),
    ...lines.problems(3, named(three.lines)),
    ...words.problems(1, named(row.one?.words ?? [])),
    ...words.problems(3, named(row.two?.words ?? [])),
    ...words.problems(3, named(row.three?.words ?? [])),
  ];
  problems.push(...found);
  const values: Readonly<Record<Register, unknown>> = {
    title: one.title,
    pinned: one.pinned,
    name: one.name,
    "row label": row.one?.label,
    "row done": row.one?.done,
  };
  for (const [register, value] of Object.entries(values)) {
    const writes = expected.writes.filter((write) => write.register === register);
    const latest = writes.filter((write, index) => !writes.slice(index + 1).some((later) => knew(later, write)));
    if (register === "pinned" && latest.length > 0 && latest.every(({ newer }) => newer !== undefined)) {
      holds(
        latest.some(({ newer }) => newer === two.priority),
        `priority is ${two.priority}, which nobody wrote last`,
      );
    }
    holds(
      writes.length === 0 || latest.some((write) => write.value === value),
      `${register} is ${String(value)}, which nobody wrote last`,
    );
  }
  return problems;
};
