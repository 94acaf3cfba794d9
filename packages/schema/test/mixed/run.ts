/**
 * One run: devices of several versions of an app edit one document, go offline, are updated, and meet again. A device that
 * stays on the first version edits what newer ones have changed already. In the end everything is compared.
 */
import { editDocument, readDocument, stateDigestInput } from "@cairn/schema";
import { LoroDoc } from "loro-crdt";
import { versions } from "./versions.ts";

type Version = 1 | 2 | 3;

/** A generator of numbers that a seed decides (mulberry32). */
const randomOf = (seed: number): ((below: number) => number) => {
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
  version: Version;
}

/** Registers by the name they have in the first version. */
type Register = "title" | "pinned" | "name" | "row label" | "row done";

interface Write {
  readonly register: Register;
  /** What the first version reads. */
  readonly value: string | boolean;
  /** What a newer version wrote, as it reads it. */
  readonly newer: unknown;
  readonly peer: `${number}`;
  /** The version of the document after the write, as counts of operations by peer. */
  readonly after: ReadonlyMap<`${number}`, number>;
}

/** What the devices were told is theirs. */
class Expectations {
  readonly writes: Array<Write> = [];
  readonly characters = new Set<string>();
  readonly tags = new Set<string>();
  readonly items = new Set<string>();
  readonly lines = new Set<string>();
  readonly words = new Set<string>();
  /** What somebody deleted: it may be there again only because somebody else edited it at the same time. */
  readonly deleted = new Set<string>();
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
      peer: device.doc.peerIdStr,
      after: device.doc.version().toJSON(),
    });
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
        // One character, which nobody can insert anything into.
        const character = String.fromCodePoint(0x4e00 + this.count);
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
        expected.lines.add(token);
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
        expected.words.add(token);
      }
    }
    doc.commit();
  }

  #addItem({ doc, version }: Device, token: string): void {
    if (version === 1) {
      const { tasks } = editDocument(note1, doc);
      tasks.insert(this.random(tasks.entries().length + 1), token);
    } else if (version === 2) {
      const { tasks } = editDocument(note2, doc);
      tasks.insert(this.random(tasks.entries().length + 1), { id: token, label: token, done: false });
    } else editDocument(note3, doc).items.ensure(token).label.set(token);
    this.expected.items.add(token);
  }

  #changeItem({ doc, version }: Device): void {
    const what = this.random(3);
    if (version === 1) {
      const { tasks } = editDocument(note1, doc);
      const at = this.random(Math.max(1, tasks.get().length));
      const item = tasks.get()[at];
      if (item === undefined || what > 0) return;
      tasks.delete(at);
      this.expected.deleted.add(item);
    } else if (version === 2) {
      const { tasks } = editDocument(note2, doc);
      const at = this.random(Math.max(1, tasks.get().length));
      const item = tasks.get()[at];
      if (item === undefined) return;
      if (what === 0) {
        tasks.delete(at);
        this.expected.deleted.add(item.id);
      } else if (what === 1) tasks.replace(at, { ...item, done: !item.done });
      else tasks.move(at, this.random(tasks.get().length));
    } else {
      const { items } = editDocument(note3, doc);
      const keys = Object.keys(items.get());
      const key = keys[this.random(Math.max(1, keys.length))];
      if (key === undefined) return;
      if (what === 0) {
        items.remove(key);
        this.expected.deleted.add(key);
      } else if (what === 1) items.ensure(key).done.set(true);
      else items.ensure(key).notes.insert(0, "n");
    }
  }

  #deleteLine(device: Device): void {
    const editor = editorOf(device);
    const at = this.random(Math.max(1, editor.lines.get().length));
    const line = editor.lines.get()[at];
    if (line === undefined || this.random(2) === 0) return;
    editor.lines.delete(at);
    this.expected.deleted.add(line);
  }

  meet(one: Device, other: Device): void {
    send(other, one);
    send(one, other);
  }
}

/** Loro's `compare`: 1 where the left version has all of the right one, and more. */
const send = (from: Device, to: Device): void => {
  const [has, known] = [from.doc.oplogVersion(), to.doc.oplogVersion()];
  const order = has.compare(known);
  if (order === 1 || order === undefined) to.doc.import(from.doc.export({ mode: "update", from: known }));
  has.free();
  known.free();
};

const pickVersion = (random: (below: number) => number): Version => {
  const drawn = random(3);
  return drawn === 0 ? 1 : drawn === 1 ? 2 : 3;
};

const KINDS = 13;

/** Whether the author of the later write knew the earlier one. */
const replaces = (later: Write, earlier: Write): boolean =>
  (later.after.get(earlier.peer) ?? 0) >= (earlier.after.get(earlier.peer) ?? 0);

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
  const once = (name: string, wanted: ReadonlySet<string>, found: ReadonlyArray<string>): void => {
    const counts = new Map<string, number>();
    for (const item of found) counts.set(item, (counts.get(item) ?? 0) + 1);
    for (const [item, count] of counts) {
      holds(count === 1, `${name}: ${item} is there ${count} times`);
      holds(wanted.has(item), `${name}: nobody wrote ${item}`);
    }
    for (const item of wanted) holds(counts.has(item) || expected.deleted.has(item), `${name}: lost ${item}`);
  };
  once(
    "items",
    expected.items,
    Object.values(three.items).map(({ label }) => label),
  );
  once("lines", expected.lines, three.lines);
  once("words", expected.words, row.three?.words ?? []);
  const values: Readonly<Record<Register, unknown>> = {
    title: one.title,
    pinned: one.pinned,
    name: one.name,
    "row label": row.one?.label,
    "row done": row.one?.done,
  };
  for (const [register, value] of Object.entries(values)) {
    const writes = expected.writes.filter((write) => write.register === register);
    const latest = writes.filter((write, index) => !writes.slice(index + 1).some((later) => replaces(later, write)));
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
