/** One device: a disk with one profile, a clock that may be wrong, a network that may be gone, and its tabs. */
import { DeviceEvents, DeviceLocks } from "./DeviceServices.ts";
import type { Defect } from "./Defect.ts";
import type { DiskState } from "./DeviceDisk.ts";
import type { Ledger } from "./Ledger.ts";
import type { Network } from "./Network.ts";
import type { NoteVersion } from "./note-schema.ts";
import { MemoryStorage } from "../memory/index.ts";
import type { ServerCluster } from "./ServerCluster.ts";
import { SimulatedTab } from "./SimulatedTab.ts";
import type { Host, Wire } from "./SimulatedTransport.ts";
import type { World } from "./World.ts";

/** What all devices of a run are in. */
export interface SimulatedSystem {
  readonly world: World;
  readonly network: Network;
  readonly cluster: ServerCluster;
  readonly ledger: Ledger;
  readonly defect: Defect | undefined;
  /** The version of the app that each device begins with; undefined where all have the first one for ever. */
  readonly versions: ReadonlyArray<NoteVersion> | undefined;
}

export class SimulatedDevice implements Host {
  readonly system: SimulatedSystem;
  readonly index: number;
  storage = new MemoryStorage();
  readonly disk: DiskState = { full: false, operationsUntilCrash: undefined };
  locks = new DeviceLocks();
  events = new DeviceEvents();
  /** Milliseconds by which its clock is wrong. */
  skew = 0;
  online = true;
  /** Of the app that tabs open with. */
  version: NoteVersion;
  readonly wires = new Set<Wire>();
  readonly calls = new Set<() => void>();
  tabs: ReadonlyArray<SimulatedTab> = [];
  /** A backup of the disk, and the edits and forks that were durable then. */
  image: { readonly storage: MemoryStorage; readonly durable: ReadonlySet<string> } | undefined;
  #tabsOpened = 0;

  constructor(system: SimulatedSystem, index: number) {
    this.system = system;
    this.index = index;
    this.version = system.versions?.[index] ?? 1;
  }

  /** Tabs that are open; crashed ones are gone. */
  openTabs(): ReadonlyArray<SimulatedTab> {
    this.tabs = this.tabs.filter(({ alive }) => alive);
    return this.tabs;
  }

  openTab(): SimulatedTab {
    this.#tabsOpened += 1;
    const tab = new SimulatedTab(this, `device ${this.index} tab ${this.#tabsOpened}`, this.system.defect);
    this.tabs = [...this.openTabs(), tab];
    return tab;
  }

  /** Some tab that is open and not frozen. */
  anyTab(): SimulatedTab | undefined {
    return this.system.world.random.pick(this.openTabs().filter(({ process }) => !process.frozen));
  }

  goOffline(): void {
    if (!this.online) return;
    this.online = false;
    this.disconnect();
  }

  goOnline(): void {
    this.online = true;
  }

  /** Every connection breaks; new ones can be made at once, unless the device is offline. */
  disconnect(): void {
    for (const wire of this.wires) wire.cut();
    for (const cut of this.calls) cut();
  }

  /** Power is cut: all tabs die at once. */
  crash(): void {
    for (const tab of this.openTabs()) tab.close();
    this.wires.clear();
    this.calls.clear();
  }

  /** Keeps a copy of the disk. */
  backUp(): void {
    this.image = { storage: this.storage.copy(), durable: this.system.ledger.durableOf(this.index) };
  }

  /** Puts the copy in the disk's place, and everything dies that ran on it. False where there is none. */
  restoreBackup(): boolean {
    const { image } = this;
    if (image === undefined) return false;
    if (this.#isUsedAgain(image.storage)) this.system.world.count("copy with waiting edits restored again");
    this.crash();
    this.storage = image.storage.copy();
    this.system.ledger.diskReplaced(this.index, image.durable);
    return true;
  }

  /** Whether the copy has edits waiting that may have been made anew under another identity since. */
  #isUsedAgain(image: MemoryStorage): boolean {
    return [...image.workspaces.values()].some(({ record, documents, outgoing }) => {
      const waits = outgoing.size > 0 || [...documents.values()].some(({ pending }) => pending.length > 0);
      const now = this.storage.workspaces.get(record.workspace)?.record.device;
      return waits && now !== undefined && now !== record.device;
    });
  }
}
