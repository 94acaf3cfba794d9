/** What the steps of a plan do to a system. */
import type { DocumentId, WorkspaceId } from "@cairn/protocol";
import { CALM } from "./Network.ts";
import { LATEST } from "./note-schema.ts";
import type { Step } from "./plan.ts";
import type { Run } from "./Run.ts";
import { sendRubbish } from "./rubbish.ts";
import type { SimulatedDevice } from "./SimulatedDevice.ts";
import type { Decision, EditKind, SimulatedTab } from "./SimulatedTab.ts";

/** For so long at most a leader that is replaced hears nothing of it. */
const DEAF_MILLIS = 120_000;
const YEAR = 365 * 24 * 3_600_000;
export const DECISIONS: ReadonlyArray<Decision> = ["retry", "retry", "fork", "discard", "discard", "look"];

const EDITS: ReadonlyArray<EditKind> = [
  "text",
  "text",
  "text",
  "list",
  "list",
  "map",
  "counter",
  "counter",
  "title",
  "delete",
  "restore",
];

const OUTLINE_EDITS: ReadonlyArray<EditKind> = ["list", "move", "move", "move", "remove"];

/** The documents of a device whose edits the server does not take. */
export const parkedOf = ({ workspace }: Run, device: SimulatedDevice): ReadonlyArray<DocumentId> => {
  const stored = workspace === undefined ? undefined : device.storage.workspaces.get(workspace);
  return [...(stored?.streams.values() ?? [])].flatMap(({ state, document }) =>
    state === "DEAD_LETTER" ? [document] : [],
  );
};

/** Somebody looks at the dead letters of a device, and does something about one. */
export const decide = async (tab: SimulatedTab, workspace: WorkspaceId, a: number, b: number): Promise<void> => {
  const letters = await tab.deadLetters(workspace);
  const letter = letters[Math.floor(a * letters.length)];
  const decision = DECISIONS[Math.floor(b * DECISIONS.length)];
  if (letter !== undefined && decision !== undefined) await tab.decide(workspace, letter, decision);
};

/** Carries out steps on a run. */
export class Steps {
  readonly #run: Run;
  #edits = 0;

  constructor(run: Run) {
    this.#run = run;
  }

  carryOut({ kind, who, a, b }: Step): void {
    const run = this.#run;
    const { world, network, workspace } = run;
    const device = run.devices[who % run.devices.length];
    if (device === undefined || workspace === undefined) return;
    world.note(`step ${kind}`, who);
    switch (kind) {
      case "edit":
        this.#edit(device, workspace, a, EDITS[Math.floor(b * EDITS.length)]);
        return;
      case "outline":
        this.#edit(device, workspace, a, OUTLINE_EDITS[Math.floor(b * OUTLINE_EDITS.length)]);
        return;
      case "open-tab":
        if (device.openTabs().length < 3) {
          device.openTab();
          world.count("tab opened");
        }
        return;
      case "reload-tab":
        if (this.#closeTab(device)) world.count("tab reloaded");
        device.openTab();
        return;
      case "crash-tab":
        if (this.#closeTab(device)) world.count("fault: tab crash");
        this.#reopenSoon(device, a);
        return;
      case "crash-at-operation":
        device.disk.operationsUntilCrash = 1 + Math.floor(a * 24);
        this.#reopenSoon(device, b);
        return;
      case "crash-device":
        if (device.openTabs().length > 0) world.count("fault: device crash");
        device.crash();
        this.#reopenSoon(device, a);
        return;
      case "freeze-tab": {
        const tab = device.anyTab();
        if (tab === undefined) return;
        world.count("fault: tab frozen");
        tab.process.freeze();
        world.after(a * 60_000, () => tab.process.thaw());
        return;
      }
      case "split-lead":
        if (device.openTabs().length < 2) device.openTab();
        else {
          const older = device.locks.split(`cairn/v1/device-${device.index}/leader`);
          if (older === undefined) return;
          world.count("fault: two leaders");
          // It would know at once by what the other one says.
          device.events.deafen(older, a * DEAF_MILLIS);
        }
        return;
      case "offline":
        if (device.online) world.count("fault: disconnection");
        device.goOffline();
        return;
      case "online":
        device.goOnline();
        return;
      case "weather": {
        const heavy = a < 0.3 ? 0.15 : 0.03;
        network.conditions = {
          lost: heavy * b * 0.5,
          delayed: heavy,
          duplicated: heavy,
          reordered: heavy * 0.5,
          truncated: heavy * b * 0.5,
          lostAnswer: heavy,
        };
        return;
      }
      case "calm":
        network.conditions = CALM;
        return;
      case "crash-node": {
        const node = Math.floor(a * run.cluster.nodes.length);
        if (run.cluster.nodes[node]?.up === true) world.count("fault: server crash");
        run.crashNode(node);
        return;
      }
      case "crash-node-at-commit":
        run.crashAt = {
          node: Math.floor(a * run.cluster.nodes.length),
          point: b < 0.5 ? "decided" : "committed",
        };
        return;
      case "disk-full":
        device.disk.full = true;
        world.after(a * 8_000, () => {
          device.disk.full = false;
        });
        return;
      case "wrong-clock":
        world.count("fault: wrong clock");
        device.skew = Math.floor((a - 0.5) * 10 * YEAR);
        return;
      case "idle":
        // The plan has left time before this step.
        world.count("idle");
        return;
      case "sync-now":
        device
          .anyTab()
          ?.engine?.syncNow(workspace)
          .catch(() => undefined);
        return;
      case "revoke":
        if (device.index >= 2 && run.revoked.size === 0 && run.joined.has(device.index)) run.revoke(device);
        return;
      case "change-key": {
        const founder = run.devices[0]?.anyTab()?.engine;
        if (founder === undefined) return;
        world.count("key change asked for");
        // A link that is revoked is followed by a new key (rule 22): what was sealed under the old one is refused.
        founder
          .createLink(workspace, { maxUses: 1, expiresInMillis: undefined, name: "", role: "writer", label: "short" })
          .then(({ link }) => founder.revokeLink(workspace, link))
          .catch(() => undefined);
        return;
      }
      case "back-up":
        device.backUp();
        return;
      case "restore":
        if (device.index === 0 || !device.restoreBackup()) return;
        world.count("fault: old copy restored");
        // A copy from before it came in: it has to come in anew.
        if (!device.storage.workspaces.has(workspace)) {
          run.joined.delete(device.index);
          world.after(5_000, () => run.join(device));
        }
        this.#reopenSoon(device, a);
        return;
      case "rubbish":
        if (sendRubbish(run, device, a, b)) world.count("fault: rubbish");
        return;
      case "storm":
        world.count("fault: reconnect storm");
        for (const each of run.devices) each.disconnect();
        return;
      case "slow-consumer":
        for (const wire of device.wires) {
          world.count("fault: slow consumer");
          wire.toClient.stalledUntil = world.now + 2_000 + a * 20_000;
        }
        return;
      case "upgrade":
        this.#upgrade(device, workspace, a, b);
        return;
      case "refuse": {
        const id = device.storage.workspaces.get(workspace)?.record.device;
        if (id !== undefined) run.cluster.refusals.refuseNext(id, a < 0.7 ? 1 : 2);
        return;
      }
      case "decide": {
        const tab = device.anyTab();
        if (tab === undefined) return;
        void decide(tab, workspace, a, b);
        // Two people before two tabs: one of them is slower.
        const other = a < 0.3 ? device.openTabs().find((each) => each !== tab && !each.process.frozen) : undefined;
        if (other === undefined) return;
        if (parkedOf(run, device).length > 0) world.count("dead letter decided in two tabs at once");
        void decide(other, workspace, a, (b + 0.4) % 1);
        return;
      }
    }
  }

  #edit(device: SimulatedDevice, workspace: WorkspaceId, a: number, edit: EditKind | undefined): void {
    const { documents, joined, world } = this.#run;
    const tab = device.anyTab();
    const note = documents[Math.floor(a * documents.length)];
    if (tab === undefined || note === undefined || edit === undefined || !joined.has(device.index)) return;
    this.#edits += 1;
    world.count(`edit: ${edit}`);
    void tab.edit(workspace, note, edit, `${device.index}.${this.#edits}`);
  }

  /** A newer version of the app comes to a device: to all of its tabs, or to one. It may die while it starts. */
  #upgrade(device: SimulatedDevice, workspace: WorkspaceId, a: number, b: number): void {
    const run = this.#run;
    const { world } = run;
    if (device.version === LATEST) return;
    device.version = a < 0.3 || device.version === 2 ? LATEST : 2;
    world.count("upgrade");
    if (!device.online) world.count("upgrade while offline");
    const documents = [...(device.storage.workspaces.get(workspace)?.documents.values() ?? [])];
    if (documents.some(({ pending }) => pending.length > 0)) world.count("upgrade while edits wait");
    if (b < 0.4) this.#closeTab(device);
    else for (const tab of device.openTabs()) tab.close();
    if (device.openTabs().length > 0) world.count("upgrade beside a tab of the older version");
    const tab = device.openTab();
    if (b < 0.7) return;
    device.disk.operationsUntilCrash = 1 + Math.floor(a * 40);
    tab.process.onDeath(() => {
      if (run.isHealed || device.disk.operationsUntilCrash !== undefined) return;
      world.count("fault: upgrade cut short by a crash");
    });
    this.#reopenSoon(device, a);
  }

  #closeTab(device: SimulatedDevice): boolean {
    const tab = device.anyTab();
    tab?.close();
    return tab !== undefined;
  }

  #reopenSoon(device: SimulatedDevice, a: number): void {
    this.#run.world.after(50 + a * 4_000, () => {
      if (device.openTabs().length === 0) device.openTab();
    });
  }
}
