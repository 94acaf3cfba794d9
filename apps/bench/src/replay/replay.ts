/**
 * Replays a recorded session: real clients, each with its own store, through a real server process over the network, and
 * says at the end whether every replica holds what was recorded.
 */
import { documentIdFromBytes, ID_BYTES } from "@cairn/protocol";
import { loadTrace, operationsIn, parentsVersions, seededRandom, type Trace } from "@cairn/testkit/traces";
import type { PeerID } from "loro-crdt";
import { versionAt } from "./AgentHistory.ts";
import { type BareReplay, replayBare } from "./bare.ts";
import type { DeviceThread } from "./DeviceThread.ts";
import { planKills, type PlannedKill } from "./kill-plan.ts";
import { Stage } from "./Stage.ts";
import type { Version } from "./versions.ts";

const DEFAULT_DEVICES = 3;
const TURN = 1_000;
const PROGRESS_MILLIS = 2_000;

export interface ReplaySettings {
  readonly file: string | URL;
  readonly devices: number | undefined;
  readonly rate: number | undefined;
  readonly kills: number;
  readonly seed: number;
  /** Transactions after which a sequential session's author moves to the next device. */
  readonly turn?: number;
  readonly say: (line: string) => void;
}

export interface ReplayReport {
  readonly kind: Trace["kind"];
  readonly transactions: number;
  readonly devices: number;
  readonly kills: number;
  /** Entries that carry the session. */
  readonly entries: number;
  /** Those of them whose author heard of their acknowledgement. */
  readonly acknowledged: number;
  readonly bytesUp: number;
  readonly bytesDown: number;
  /** From the first edit until every outbox is empty and all live replicas are equal. */
  readonly seconds: number;
  readonly bare: BareReplay;
  readonly cold: { readonly seconds: number; readonly bytesUp: number; readonly bytesDown: number };
  /** Bytes of the largest device's heap and of what is outside of it, as last seen. */
  readonly memory: number;
  /** Per replica, the cold one included, whether it equals the recorded content. */
  readonly equal: ReadonlyMap<string, boolean>;
}

/** Everything is as it has to be. */
export const succeeded = (report: ReplayReport, kills: number): boolean =>
  report.bare.equal &&
  report.kills === kills &&
  report.acknowledged === report.entries &&
  [...report.equal.values()].every((equal) => equal);

/** Rejects where the session cannot be replayed at all. */
export const replay = async (settings: ReplaySettings): Promise<ReplayReport> => {
  const trace = await loadTrace(settings.file);
  if (trace.kind === "concurrent" && settings.devices !== undefined) {
    throw new RangeError("a concurrent session has one device for each agent: leave --devices out");
  }
  const plan = planKills(seededRandom(settings.seed), settings.kills, trace.txns.length);
  const bare = replayBare(trace);
  const stage = await Stage.open();
  // Whoever ends the command early leaves no server, no database and no folder behind.
  const end = (): void => void stage.close().finally(() => process.exit(130));
  process.once("SIGINT", end).once("SIGTERM", end);
  try {
    return await new Replay(settings, trace, plan, bare, stage).run();
  } catch (error) {
    throw stage.server.log === "" ? error : new Error(`the server said: ${stage.server.log}`, { cause: error });
  } finally {
    process.off("SIGINT", end).off("SIGTERM", end);
    await stage.close();
  }
};

class Replay {
  readonly #settings: ReplaySettings;
  readonly #trace: Trace;
  readonly #plan: ReadonlyArray<PlannedKill>;
  readonly #bare: BareReplay;
  readonly #stage: Stage;
  readonly #devices: Array<DeviceThread> = [];
  /** The author of a sequential session. */
  #typing: DeviceThread | undefined;
  #started = 0;
  #memory = 0;

  constructor(
    settings: ReplaySettings,
    trace: Trace,
    plan: ReadonlyArray<PlannedKill>,
    bare: BareReplay,
    stage: Stage,
  ) {
    this.#settings = settings;
    this.#trace = trace;
    this.#plan = plan;
    this.#bare = bare;
    this.#stage = stage;
  }

  async run(): Promise<ReplayReport> {
    const { say, seed } = this.#settings;
    const { wire } = this.#stage;
    const trace = this.#trace;
    const count = trace.kind === "concurrent" ? trace.numAgents : (this.#settings.devices ?? DEFAULT_DEVICES);
    say(`${trace.kind}: ${trace.txns.length} transactions, ${count} devices, seed ${seed}`);
    const first = await this.#stage.addDevice("device-1");
    const link = await first.call("invite");
    const others = await Promise.all(
      Array.from({ length: count - 1 }, (_, index) => this.#joining(`device-${index + 2}`, link)),
    );
    this.#devices.push(first, ...others);
    const document = documentIdFromBytes(crypto.getRandomValues(new Uint8Array(ID_BYTES)));
    wire.watch(document, () => void this.#typing?.call("acknowledged").catch(() => undefined));
    const peers = await Promise.all(this.#devices.map((device) => device.call("begin", { document, trace })));

    const before = wire.traffic;
    const stopTelling = this.#tellProgress();
    this.#started = performance.now();
    let replicas: ReadonlyArray<boolean>;
    try {
      const version = trace.kind === "concurrent" ? await this.#playConcurrently(peers) : await this.#typeInTurns();
      // A kill whose moment did not come has nothing left to happen at.
      await this.#stage.restarted();
      replicas = await Promise.all(this.#devices.map((device) => this.#finish(device, version)));
    } finally {
      await stopTelling();
    }
    const seconds = (performance.now() - this.#started) / 1_000;
    const after = wire.traffic;
    const version = await first.call("version");

    const coldStarted = performance.now();
    const cold = await this.#joining("cold-device", link);
    await cold.call("begin", { document, trace: { ...trace, txns: [] } });
    const coldReplica = await cold.call("finish", version);
    const coldSeconds = (performance.now() - coldStarted) / 1_000;
    const end = wire.traffic;

    return {
      kind: trace.kind,
      transactions: trace.txns.length,
      devices: count,
      kills: this.#stage.kills,
      entries: after.entries,
      acknowledged: after.acknowledged,
      bytesUp: after.up - before.up,
      bytesDown: after.down - before.down,
      seconds,
      bare: this.#bare,
      cold: { seconds: coldSeconds, bytesUp: end.up - after.up, bytesDown: end.down - after.down },
      memory: this.#memory,
      equal: new Map([
        ...this.#devices.map(({ name }, index): [string, boolean] => [name, replicas[index] ?? false]),
        [cold.name, coldReplica.equal],
      ]),
    };
  }

  async #joining(name: string, link: string): Promise<DeviceThread> {
    const device = await this.#stage.addDevice(name);
    await device.call("join", link);
    return device;
  }

  async #finish(device: DeviceThread, version: Version): Promise<boolean> {
    await device.call("flush");
    return (await device.call("finish", version)).equal;
  }

  /** A point of acknowledged progress: nothing waits anywhere. The next push is the server's end. */
  async #killAfter(kill: PlannedKill): Promise<void> {
    await this.#stage.restarted();
    await Promise.all(this.#devices.map((device) => device.call("flush")));
    this.#stage.killAtNextPush(kill, this.#settings.say);
  }

  async #typeInTurns(): Promise<Version> {
    const { rate, turn = TURN } = this.#settings;
    const total = this.#trace.txns.length;
    const kills = new Map(this.#plan.map((kill) => [kill.after, kill]));
    const turns = Array.from({ length: Math.ceil(total / turn) }, (_, index) => index * turn);
    const starts = [...new Set([...turns, ...kills.keys()])].toSorted((left, right) => left - right);
    let version: Version = new Map();
    for (const [index, from] of starts.entries()) {
      const author = this.#devices[Math.floor(from / turn) % this.#devices.length];
      if (author === undefined) throw new RangeError("there is no device");
      this.#typing = author;
      if (from > 0 && from % turn === 0) await author.call("takeOver", version);
      const kill = kills.get(from);
      if (kill !== undefined) await this.#killAfter(kill);
      version = await author.call("type", { from, to: starts[index + 1] ?? total, rate });
    }
    return version;
  }

  async #playConcurrently(peers: ReadonlyArray<PeerID>): Promise<Version> {
    const trace = this.#trace;
    if (trace.kind !== "concurrent") throw new RangeError("not a concurrent session");
    const { rate } = this.#settings;
    await Promise.all(this.#devices.map((device, agent) => device.call("meet", { agent, peers })));
    const everybody = (until: number): Promise<unknown> =>
      Promise.all(this.#devices.map((device) => device.call("play", { until, rate })));
    for (const kill of this.#plan) {
      await everybody(kill.after);
      await this.#killAfter(kill);
    }
    await everybody(trace.txns.length);
    return versionAt(peers, parentsVersions(trace).end);
  }

  /** Says how far everything is, until the returned function is called. */
  #tellProgress(): () => Promise<void> {
    const total = this.#trace.txns.length;
    const operations = this.#trace.txns.reduce((sum, transaction) => sum + operationsIn(transaction), 0);
    const tell = async (): Promise<void> => {
      const all = await Promise.all(this.#devices.map((device) => device.call("status")));
      const authored = all.reduce((sum, status) => sum + status.authored, 0);
      const received = all.map((status) => `${Math.floor((100 * status.received) / Math.max(1, operations))} %`);
      const pending = all.reduce((sum, { sync }) => sum + (sync?.pendingBytes ?? 0), 0);
      this.#memory = Math.max(this.#memory, ...all.map(({ memory }) => memory));
      const { acknowledged, down, up } = this.#stage.wire.traffic;
      const seconds = ((performance.now() - this.#started) / 1_000).toFixed(0);
      this.#settings.say(
        `${seconds.padStart(4)} s: ${authored} of ${total} typed, received ${received.join(" ")}, ${acknowledged} entries ` +
          `acknowledged, ${pending} bytes waiting, ${up} bytes up, ${down} bytes down, ${Math.round(this.#memory / 1e6)} MB`,
      );
    };
    const timer = setInterval(() => void tell().catch(() => undefined), PROGRESS_MILLIS);
    return () => {
      clearInterval(timer);
      return tell().catch(() => undefined);
    };
  }
}
