/** One run: a system is set up, a plan is carried out on it, everything is healed, and the promises are checked. */
import { documentIdFromBytes, type DocumentId, type WorkspaceId } from "@cairn/protocol";
import { replaceCryptography } from "@cairn/crypto/cryptography";
import type { Defect } from "./Defect.ts";
import { Ledger } from "./Ledger.ts";
import { CALM, Network } from "./Network.ts";
import type { Plan } from "./plan.ts";
import { SeededRandom } from "./seeded-random.ts";
import { ServerCluster } from "./ServerCluster.ts";
import { SimulatedDevice, type SimulatedSystem } from "./SimulatedDevice.ts";
import { simulatedCryptography } from "./simulated-cryptography.ts";
import { DECISIONS, decide, parkedOf, Steps } from "./steps.ts";
import { heldUp, isAtRest, standings, verify } from "./verify.ts";
import { World } from "./World.ts";

replaceCryptography(simulatedCryptography);

export interface RunOptions {
  readonly defect?: Defect | undefined;
  /** Keeps the events as lines. */
  readonly trace?: boolean;
}

export interface RunResult {
  readonly hash: string;
  readonly violations: ReadonlyArray<string>;
  readonly counts: ReadonlyMap<string, number>;
  readonly lines: ReadonlyArray<string>;
  readonly tasks: number;
}

/** Calm minutes after which everything has to be quiet. */
const QUIET_WITHIN = 15 * 60_000;
const QUIET_STEP = 2_000;
const LATER_STEP = 15_000;
const SETUP_WITHIN = 60_000;

/** So often everybody decides about all dead letters that are left. */
const DECIDING_ROUNDS = 8;

export class Run {
  readonly plan: Plan;
  readonly world: World;
  readonly network: Network;
  readonly cluster: ServerCluster;
  readonly ledger = new Ledger();
  readonly devices: ReadonlyArray<SimulatedDevice>;
  readonly notes: ReadonlyArray<DocumentId>;
  readonly #steps = new Steps(this);
  workspace: WorkspaceId | undefined;
  /** URLs of the links for those who write and for those who read. */
  #links: { readonly writer: string; readonly reader: string } | undefined;
  /** Devices that are in the workspace, as far as they were told. */
  readonly joined = new Set<number>();
  /** Devices whose grant was withdrawn. */
  readonly revoked = new Set<number>();
  /** No fault comes any more. */
  isHealed = false;
  /** Where a server crashes next. */
  crashAt: { readonly node: number; readonly point: "decided" | "committed" } | undefined;

  constructor(plan: Plan, options: RunOptions) {
    simulatedCryptography.forgetKeys();
    this.plan = plan;
    this.world = new World(plan.seed, { trace: options.trace === true });
    this.network = new Network(this.world);
    const { nodes, notes, sessionMillis } = plan.circumstances;
    this.cluster = new ServerCluster(this.world, nodes, { sessionMillis, quotaBytes: 0, defect: options.defect });
    const system: SimulatedSystem = {
      world: this.world,
      network: this.network,
      cluster: this.cluster,
      ledger: this.ledger,
      defect: options.defect,
      versions: plan.circumstances.versions,
    };
    this.devices = Array.from({ length: plan.devices }, (_, index) => new SimulatedDevice(system, index));
    const random = new SeededRandom(plan.seed, 4);
    this.notes = Array.from({ length: notes }, () => documentIdFromBytes(random.bytes(16)));
    this.cluster.refusals.concerns = (document) => this.documents.includes(document);
    this.cluster.atPoint = (node, point) => {
      const crash = this.crashAt;
      if (crash === undefined || crash.node !== node || crash.point !== point) return;
      this.crashAt = undefined;
      this.world.count(point === "decided" ? "fault: server crash before commit" : "fault: server crash after commit");
      this.crashNode(node);
    };
  }

  /** The notes, and what was made of them since. */
  get documents(): ReadonlyArray<DocumentId> {
    return this.ledger.forks.size === 0 ? this.notes : [...this.notes, ...this.ledger.forks.keys()];
  }

  async execute(): Promise<RunResult> {
    const violations: Array<string> = [];
    try {
      await this.setUp();
      const begin = this.world.now;
      for (const step of this.plan.steps) {
        await this.world.runUntil(begin + step.at);
        this.#steps.carryOut(step);
      }
      await this.heal();
      violations.push(...(await verify(this)));
    } catch (error) {
      violations.push(`the run failed: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`);
    } finally {
      this.end();
    }
    violations.push(
      ...this.ledger.violations,
      ...this.world.complaints.map((complaint) => `error logged: ${complaint}`),
      ...[...this.world.circling].map((name) => `a loop without end: ${name} goes round in circles`),
    );
    return {
      hash: this.world.hash,
      violations,
      counts: this.world.counts,
      lines: this.world.lines ?? [],
      tasks: this.world.tasks,
    };
  }

  /** Nothing of it runs any more. */
  end(): void {
    for (const device of this.devices) device.crash();
    for (const node of this.cluster.nodes) node?.process.kill();
  }

  /** The first device founds the workspace and makes links; the others come in while the plan is under way. */
  async setUp(): Promise<void> {
    const [founder] = this.devices;
    if (founder === undefined) throw new Error("a run has a device");
    const tab = founder.openTab();
    let failure: unknown;
    const made = (async () => {
      const engine = await tab.started;
      const { id } = await engine.currentWorkspace();
      this.workspace = id;
      await engine.flush(id, "server", undefined);
      const options = { maxUses: 0, expiresInMillis: undefined, name: "" };
      const writer = await engine.createLink(id, { ...options, role: "writer", label: "writers" });
      const reader = await engine.createLink(id, { ...options, role: "reader", label: "readers" });
      this.#links = { writer: writer.url, reader: reader.url };
      this.joined.add(0);
    })().catch((error: unknown) => {
      failure = error;
    });
    await this.world.runUntil(SETUP_WITHIN, () => this.#links !== undefined || failure !== undefined);
    await Promise.race([made, Promise.resolve()]);
    if (this.#links === undefined) throw new Error(`the workspace was not founded: ${String(failure)}`);
    const span = (this.plan.steps.at(-1)?.at ?? 0) * this.plan.circumstances.joinShare;
    for (const device of this.devices.slice(1)) {
      this.world.after(this.world.random.unit() * span, () => this.join(device));
    }
    if (span === 0) await this.world.runUntil(this.world.now + 5_000);
  }

  /** Joins, and tries again until it has worked. */
  join(device: SimulatedDevice): void {
    const links = this.#links;
    if (links === undefined || this.joined.has(device.index)) return;
    const again = (): void => void this.world.after(3_000, () => this.join(device));
    const tab = device.anyTab() ?? device.openTab();
    const isReader = this.plan.circumstances.withReader && device.index === this.plan.devices - 1;
    let answered = false;
    tab.started
      .then((engine) => engine.join(isReader ? links.reader : links.writer))
      .then(
        () => {
          answered = true;
          this.joined.add(device.index);
          this.world.count("joined");
        },
        () => {
          answered = true;
          again();
        },
      );
    // A tab that died with the question gives no answer.
    this.world.after(60_000, () => {
      if (!answered) this.join(device);
    });
  }

  crashNode(index: number): void {
    this.cluster.crash(index);
    this.world.after(200 + this.world.random.unit() * 4_000, () => this.cluster.restart(index));
  }

  /** An owner withdraws a device's grant at the server. */
  revoke(device: SimulatedDevice): void {
    const { workspace } = this;
    const id = workspace === undefined ? undefined : device.storage.workspaces.get(workspace)?.record.device;
    const log = workspace === undefined ? undefined : this.cluster.database.logs.get(workspace);
    if (id === undefined || log === undefined) return;
    for (const grant of log.grants.values()) {
      if (grant.device !== id || grant.status === "revoked") continue;
      log.grants.set(grant.grant, { ...grant, status: "revoked" });
      this.cluster.database.revocationMark += 1n;
      this.revoked.add(device.index);
      this.world.count("fault: revocation");
    }
  }

  /** All faults end; then time passes until nothing moves any more. */
  async heal(): Promise<void> {
    const { world, network } = this;
    world.note("healed");
    this.isHealed = true;
    network.conditions = CALM;
    this.crashAt = undefined;
    this.cluster.refusals.end();
    for (const index of this.cluster.nodes.keys()) this.cluster.restart(index);
    for (const device of this.devices) {
      device.disk.full = false;
      device.disk.operationsUntilCrash = undefined;
      device.goOnline();
      device.events.hearAgain();
      // People close what an older version of the app shows, in the end.
      for (const tab of device.openTabs()) if (tab.version < device.version) tab.close();
      for (const tab of device.openTabs()) tab.process.thaw();
      for (const wire of device.wires) wire.toClient.stalledUntil = 0;
      if (device.openTabs().length === 0) device.openTab();
      if (!this.joined.has(device.index)) this.join(device);
    }
    await this.#comeToRest();
    await this.#decideAll();
  }

  async #comeToRest(): Promise<void> {
    const { world } = this;
    const until = world.now + QUIET_WITHIN;
    for (let looks = 0; world.now < until && this.workspace !== undefined; looks += 1) {
      await world.runUntil(world.now + (looks < 10 ? QUIET_STEP : LATER_STEP));
      if (isAtRest(await standings(this, this.workspace))) return;
    }
  }

  /** Hazard 15: what is parked holds up nothing else. Then people decide about every dead letter, until none is left. */
  async #decideAll(): Promise<void> {
    const { world, workspace } = this;
    if (workspace === undefined) return;
    const random = new SeededRandom(this.plan.seed, 40);
    for (let round = 0; round < DECIDING_ROUNDS; round += 1) {
      const troubled = this.devices.filter((device) => parkedOf(this, device).length > 0);
      if (troubled.length === 0) return;
      if (round === 0) this.ledger.violations.push(...heldUp(this, await standings(this, workspace)));
      let open = 0;
      for (const device of troubled) {
        const tab = device.anyTab();
        if (tab === undefined) continue;
        open += 1;
        const decided = (): void => {
          open -= 1;
        };
        // Whoever only looks does not get anywhere in the end.
        const b = random.unit() * (1 - 1 / DECISIONS.length);
        void decide(tab, workspace, random.unit(), b).then(decided, decided);
      }
      await world.runUntil(world.now + 60_000, () => open === 0);
      await this.#comeToRest();
    }
  }
}

/** Carries out a plan. */
export const runPlan = (plan: Plan, options: RunOptions = {}): Promise<RunResult> => new Run(plan, options).execute();
