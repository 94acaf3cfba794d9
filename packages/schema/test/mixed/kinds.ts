/**
 * One run over changes from every kind of field to another: devices of both versions add, move and take out tokens, offline and
 * together. In the end every token is there once, or not at all where somebody took it out.
 */
import { stateDigestInput } from "@cairn/schema";
import { LoroDoc } from "loro-crdt";
import { counter, kinds, readAll } from "./kinds-versions.ts";
import { randomOf, send } from "./run.ts";

type Version = 1 | 2;

interface Device {
  readonly doc: LoroDoc;
  version: Version;
}

interface Token {
  readonly added: Version;
  /** The lowest version of an app that took it out. */
  removed: Version | undefined;
  /** Whoever moves it while another one takes it out may keep it. */
  isMoved: boolean;
}

class KindsRun {
  readonly devices: Array<Device>;
  readonly random: (below: number) => number;
  readonly tokens: ReadonlyMap<string, Map<string, Token>>;
  count = 0;
  total = { 1: 0, 2: 0 };

  constructor(seed: number) {
    this.random = randomOf(seed);
    this.tokens = new Map(Object.keys(kinds).map((kind) => [kind, new Map<string, Token>()]));
    this.devices = Array.from({ length: 2 + this.random(3) }, (_, index): Device => {
      const doc = new LoroDoc();
      doc.setPeerId(BigInt(index + 1));
      return { doc, version: index > 0 && this.random(2) === 0 ? 2 : 1 };
    });
  }

  edit({ doc, version }: Device): void {
    const { random } = this;
    this.count += 1;
    const names = [...this.tokens.keys()];
    // Few fields in one run, so that much happens in each.
    const name = names[(this.devices.length + random(3) * 3) % names.length] ?? "";
    const handling = kinds[name]?.[version - 1];
    const known = this.tokens.get(name);
    if (random(8) === 0 || handling === undefined || known === undefined) {
      const amount = 1 + random(5);
      counter.add(doc, version, amount);
      this.total[2] += amount;
      if (version === 1) this.total[1] += amount;
    } else {
      const there = handling.tokens(doc);
      const token = there[random(Math.max(1, there.length))];
      const drawn = random(4);
      if (drawn < 2 || token === undefined) {
        const added = String.fromCodePoint(0x4e00 + this.count);
        handling.add(doc, added, random);
        known.set(added, { added: version, removed: undefined, isMoved: false });
      } else if (drawn === 2) {
        const isMoved = handling.move?.(doc, token, random) === true;
        const found = known.get(token);
        if (isMoved && found !== undefined) found.isMoved = true;
      } else {
        handling.remove(doc, token);
        const found = known.get(token);
        if (found !== undefined && (found.removed === undefined || version < found.removed)) found.removed = version;
      }
    }
    doc.commit();
  }

  meet(one: Device, other: Device): void {
    send(one, other);
    send(other, one);
  }

  meetAll(): void {
    for (const one of this.devices) for (const other of this.devices) if (one !== other) this.meet(one, other);
    for (const one of this.devices) for (const other of this.devices) if (one !== other) this.meet(one, other);
  }
}

const check = ({ devices, tokens, total }: KindsRun): Array<string> => {
  const [first, ...others] = devices.map(({ doc }) => doc);
  if (first === undefined) return ["no devices"];
  const problems: Array<string> = [];
  const digest = (doc: LoroDoc): string => new TextDecoder().decode(stateDigestInput(doc));
  for (const doc of others) if (digest(doc) !== digest(first)) problems.push("replicas differ");
  for (const version of [1, 2] as const) {
    const all = JSON.stringify(readAll(first, version));
    for (const doc of others)
      if (JSON.stringify(readAll(doc, version)) !== all) problems.push(`replicas differ as version ${version}`);
    const sum = counter.read(first, version);
    if (sum !== total[version]) problems.push(`version ${version}: the counter is ${sum} instead of ${total[version]}`);
    for (const [kind, known] of tokens) {
      const shown = kinds[kind]?.[version - 1]?.tokens(first) ?? [];
      const tell = (text: string): void => void problems.push(`version ${version}: ${kind}: ${text}`);
      if (new Set(shown).size < shown.length) tell(`twice in ${shown.join(" ")}`);
      for (const token of shown) if (!known.has(token)) tell(`nobody added ${token}`);
      for (const [token, { added, removed, isMoved }] of known) {
        if (added > version) continue;
        const isRemoved = removed !== undefined && removed <= version;
        if (shown.includes(token) === isRemoved && !(isRemoved && isMoved))
          tell(`${token} is ${isRemoved ? "back" : "lost"}`);
      }
    }
  }
  return problems;
};

/** The run of a seed: what does not hold in the end, empty where all holds. */
export const runMixedKinds = (seed: number): ReadonlyArray<string> => {
  const run = new KindsRun(seed);
  const { devices, random } = run;
  const edits = 30 + random(40);
  for (let index = 0; index < edits; index += 1) {
    const device = devices[random(devices.length)];
    const other = devices[random(devices.length)];
    if (device === undefined || other === undefined) break;
    run.edit(device);
    if (device !== other && random(4) === 0) run.meet(device, other);
    if (random(10) === 0 && device !== devices[0]) device.version = 2;
  }
  run.meetAll();
  const problems = check(run);
  for (const device of devices) run.edit(device);
  run.meetAll();
  problems.push(...check(run).map((problem) => `after one more edit of each: ${problem}`));
  for (const { doc } of devices) doc.free();
  return problems;
};
