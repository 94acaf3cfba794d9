/**
 * What happens in a run, decided before it begins: a list of steps with times between them. A step says what to do and
 * carries the numbers that it needs, so that leaving others out leaves its meaning alone; that is how traces shrink.
 */
import { LATEST, type NoteVersion } from "./note-schema.ts";
import { SeededRandom } from "./seeded-random.ts";

export type StepKind =
  | "edit"
  | "open-tab"
  | "reload-tab"
  | "crash-tab"
  | "crash-at-operation"
  | "crash-device"
  | "freeze-tab"
  | "split-lead"
  | "offline"
  | "online"
  | "weather"
  | "calm"
  | "crash-node"
  | "crash-node-at-commit"
  | "disk-full"
  | "wrong-clock"
  | "idle"
  | "sync-now"
  | "revoke"
  | "change-key"
  | "back-up"
  | "restore"
  | "rubbish"
  | "storm"
  | "slow-consumer"
  | "upgrade"
  | "refuse"
  | "decide"
  | "outline";

export interface Step {
  readonly kind: StepKind;
  /** Virtual milliseconds since the plan began. */
  readonly at: number;
  /** Index of a device, or of a node, by the kind. */
  readonly who: number;
  /** Two numbers from [0, 1) whose meaning is the kind's. */
  readonly a: number;
  readonly b: number;
}

/** How often each kind is drawn. */
const WEIGHTS: ReadonlyArray<readonly [StepKind, number]> = [
  ["edit", 120],
  ["open-tab", 5],
  ["reload-tab", 5],
  ["crash-tab", 5],
  ["crash-at-operation", 10],
  ["crash-device", 3],
  ["freeze-tab", 3],
  ["split-lead", 4],
  ["offline", 5],
  ["online", 6],
  ["weather", 8],
  ["calm", 4],
  ["crash-node", 4],
  ["crash-node-at-commit", 6],
  ["disk-full", 3],
  ["wrong-clock", 3],
  ["idle", 3],
  ["sync-now", 3],
  ["revoke", 0.4],
  ["change-key", 1.5],
  ["back-up", 2],
  ["restore", 1],
  ["rubbish", 4],
  ["storm", 2],
  ["slow-consumer", 3],
];

/** How often each kind is drawn where people put back old copies all the time, which is too rare otherwise (rule 12). */
const WEIGHTS_WITH_COPIES = WEIGHTS.map(([kind, weight]): readonly [StepKind, number] =>
  kind === "back-up" || kind === "restore" ? [kind, 15] : [kind, weight],
);

const drawKind = (random: SeededRandom, weights: typeof WEIGHTS): StepKind => {
  let at = random.unit() * weights.reduce((sum, [, weight]) => sum + weight, 0);
  for (const [kind, weight] of weights) {
    at -= weight;
    if (at < 0) return kind;
  }
  return "edit";
};

/** The circumstances of a run, drawn from its seed. */
export interface Circumstances {
  readonly nodes: number;
  readonly notes: number;
  /** How long sessions last, in milliseconds. */
  readonly sessionMillis: number;
  /** Whether the last device may only read. */
  readonly withReader: boolean;
  /** Devices join within this share of the run. */
  readonly joinShare: number;
  /** The version of the app that each device begins with; undefined where all have the first one for ever. */
  readonly versions: ReadonlyArray<NoteVersion> | undefined;
}

export interface Plan {
  readonly seed: number;
  readonly devices: number;
  readonly circumstances: Circumstances;
  readonly steps: ReadonlyArray<Step>;
}

/** How many runs have devices of several versions. */
const MIXED_SHARE = 0.4;

/**
 * The versions of the app in a run, and the moments of their upgrades. It is drawn from a stream of its own, beside what else
 * happens.
 */
const drawVersions = (
  seed: number,
  devices: number,
  until: number,
): { readonly versions: Circumstances["versions"]; readonly upgrades: ReadonlyArray<Step> } => {
  const random = new SeededRandom(seed, 38);
  if (!random.chance(MIXED_SHARE)) return { versions: undefined, upgrades: [] };
  const drawVersion = (): NoteVersion => random.pick([1, 1, 2, LATEST]) ?? 1;
  // The founder begins with the first version: whoever is not updated writes what others have moved away from.
  const versions = Array.from({ length: devices }, (_, index) => (index === 0 ? 1 : drawVersion()));
  const upgrades = Array.from({ length: 1 + random.below(2 * devices) }, (): Step => ({
    kind: "upgrade",
    at: random.unit() * until,
    who: random.below(devices),
    a: random.unit(),
    b: random.unit(),
  }));
  return { versions, upgrades };
};

/** How many runs have a server that refuses edits for good. */
const REFUSALS_SHARE = 0.25;

/** When entries are refused for good, and when somebody looks at what became of it; from a stream of its own. */
const drawRefusals = (seed: number, devices: number, until: number): ReadonlyArray<Step> => {
  const random = new SeededRandom(seed, 44);
  if (!random.chance(REFUSALS_SHARE)) return [];
  return Array.from({ length: 2 + random.below(5) }).flatMap((): ReadonlyArray<Step> => {
    const at = random.unit() * until;
    const who = random.below(devices);
    const step = (kind: StepKind, later: number): Step => ({
      kind,
      at: Math.min(until, at + later),
      who,
      a: random.unit(),
      b: random.unit(),
    });
    const decisions = Array.from({ length: random.below(4) }, () => step("decide", random.unit() * 20_000));
    return [step("refuse", 0), ...decisions];
  });
};

/** How many runs have people who put the nodes of an outline elsewhere, and take them away. */
const OUTLINES_SHARE = 0.3;

/** When somebody changes an outline, mostly soon after somebody else; from a stream of its own. */
const drawOutlineChanges = (seed: number, devices: number, until: number): ReadonlyArray<Step> => {
  const random = new SeededRandom(seed, 47);
  if (!random.chance(OUTLINES_SHARE)) return [];
  return Array.from({ length: 4 + random.below(8) }).flatMap((): ReadonlyArray<Step> => {
    const from = random.unit() * until;
    const a = random.unit();
    return Array.from({ length: 1 + random.below(5) }, (): Step => ({
      kind: "outline",
      at: Math.min(until, from + random.unit() * 1_000),
      who: random.below(devices),
      a,
      b: random.unit(),
    }));
  });
};

/** The plan of a seed. */
export const makePlan = (seed: number, devices: number, steps: number): Plan => {
  const random = new SeededRandom(seed, 3);
  const drawnCircumstances = {
    nodes: random.chance(0.7) ? 2 : 1,
    notes: 1 + random.below(4),
    sessionMillis: random.pick([45_000, 90_000, 900_000]) ?? 900_000,
    withReader: devices > 2 && random.chance(0.2),
    joinShare: random.pick([0, 0.1, 0.3]) ?? 0,
  };
  const weights = new SeededRandom(seed, 5).chance(0.06) ? WEIGHTS_WITH_COPIES : WEIGHTS;
  const drawn: Array<Step> = [];
  let at = 0;
  while (drawn.length < steps) {
    const kind = drawKind(random, weights);
    // Edits come in bursts.
    at += kind === "edit" && random.chance(0.6) ? random.unit() * 40 : random.unit() * 400;
    if (kind === "idle") at += 2_000 + random.unit() * 20_000;
    drawn.push({ kind, at, who: random.below(devices), a: random.unit(), b: random.unit() });
  }
  const { versions, upgrades } = drawVersions(seed, devices, at);
  const refusals = drawRefusals(seed, devices, at);
  const outlines = drawOutlineChanges(seed, devices, at);
  return {
    seed,
    devices,
    circumstances: { ...drawnCircumstances, versions },
    steps: [...drawn, ...upgrades, ...refusals, ...outlines].toSorted((left, right) => left.at - right.at),
  };
};

/** The plan with these steps only, by their index. */
export const keepSteps = (plan: Plan, kept: ReadonlyArray<number>): Plan => ({
  ...plan,
  steps: kept.flatMap((index) => plan.steps[index] ?? []),
});

/** What has to happen in every campaign of some size: a fault that never fires is a bug of the simulator. */
export const FAULTS = [
  "fault: lost frame",
  "fault: delayed frame",
  "fault: duplicated frame",
  "fault: reordered frame",
  "fault: truncated frame",
  "fault: lost answer",
  "fault: disconnection",
  "fault: crash between two awaits",
  "fault: tab crash",
  "fault: tab frozen",
  "fault: device crash",
  "fault: server crash",
  "fault: server crash before commit",
  "fault: server crash after commit",
  "fault: two leaders",
  "fault: wrong clock",
  "fault: full disk",
  "fault: token expired",
  "fault: revocation",
  "fault: slow consumer",
  "fault: reconnect storm",
  "fault: old copy restored",
  "fault: rubbish",
  "fault: lost event between tabs",
  "fault: upgrade cut short by a crash",
  "upgrade",
  "upgrade while offline",
  "upgrade while edits wait",
  "upgrade beside a tab of the older version",
  "late edit of an older app",
  "edit: move",
  "edit: remove",
  "fault: refused for good",
  "edit behind a dead letter",
  "dead letter retried",
  "dead letter forked",
  "dead letter discarded",
  "dead letter with later edits discarded",
  "dead letter decided in two tabs at once",
] as const;
