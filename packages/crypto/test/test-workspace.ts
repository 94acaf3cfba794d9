/** A workspace whose chain a test extends step by step, with devices that keep their own counters. */
import {
  admitRecord,
  type AppliedStep,
  certifyByLink,
  createLink,
  type DeviceKeys,
  deviceIdOf,
  deviceKeysFromSecret,
  extendMembership,
  foundWorkspace,
  generateDeviceSecret,
  generateRootSecret,
  type Keyring,
  type LinkKeys,
  linkKeysFromSecret,
  type MembershipState,
  parseAccessLink,
  proposeMembership,
  type RandomSource,
  type RootKeys,
  rootKeysFromSecret,
  verifyMembership,
  encodeAccessLink,
} from "@cairn/crypto";
import type { DeviceId, Entry, MembershipRecord, RoleName, WorkspaceId } from "@cairn/protocol";
import { seededRandom } from "./seeded-random.ts";

export interface TestDevice {
  readonly id: DeviceId;
  readonly keys: DeviceKeys;
  counter: number;
}

export class TestWorkspace {
  readonly random: RandomSource;
  readonly root: RootKeys;
  readonly workspace: WorkspaceId;
  readonly owner: TestDevice;
  readonly keyring: Keyring;
  readonly entries: Array<Entry>;
  state: MembershipState;

  private constructor(
    parts: Pick<TestWorkspace, "random" | "root" | "workspace" | "owner" | "keyring" | "entries" | "state">,
  ) {
    this.random = parts.random;
    this.root = parts.root;
    this.workspace = parts.workspace;
    this.owner = parts.owner;
    this.keyring = parts.keyring;
    this.entries = parts.entries;
    this.state = parts.state;
  }

  static async found(seed: string): Promise<TestWorkspace> {
    const random = seededRandom(seed);
    const root = await rootKeysFromSecret(generateRootSecret(random));
    const keys = await deviceKeysFromSecret(generateDeviceSecret(random));
    const founded = await foundWorkspace({ root, deviceKeys: keys, deviceName: "laptop", random });
    const { workspace, keyring, genesis } = founded;
    const { state } = await verifyMembership(workspace, [genesis]);
    const owner = { id: founded.device, keys, counter: 1 };
    return new TestWorkspace({ random, root, workspace, owner, keyring, entries: [genesis], state });
  }

  async newDevice(): Promise<TestDevice> {
    const keys = await deviceKeysFromSecret(generateDeviceSecret(this.random));
    return { id: deviceIdOf(this.workspace, keys), keys, counter: 0 };
  }

  /** The device's next entry with these records, not yet in the chain. */
  propose(device: TestDevice, records: ReadonlyArray<MembershipRecord>): Promise<Entry> {
    return proposeMembership(this.state, records, {
      device: device.id,
      counter: device.counter + 1,
      signing: device.keys.signing,
    });
  }

  /** Adds the device's next entry to the chain. */
  async say(device: TestDevice, ...records: ReadonlyArray<MembershipRecord>): Promise<AppliedStep> {
    const entry = await this.propose(device, records);
    const applied = await extendMembership(this.state, entry);
    device.counter += 1;
    this.entries.push(entry);
    this.state = applied.state;
    return applied;
  }

  async makeLink(role: RoleName, maxUses = 0): Promise<LinkKeys> {
    const { record, accessLink } = await createLink({
      state: this.state,
      keyring: this.keyring,
      server: "https://notes.example",
      role,
      maxUses,
      label: "for a friend",
      random: this.random,
    });
    await this.say(this.owner, record);
    const opened = parseAccessLink(encodeAccessLink(accessLink));
    return linkKeysFromSecret(opened.workspace, opened.secret);
  }

  async admission(link: LinkKeys, device: TestDevice, role: RoleName): Promise<MembershipRecord> {
    const certificate = await certifyByLink(link, this.workspace, device.keys, role, device.counter + 1);
    return admitRecord(this.keyring, certificate, "phone", this.random);
  }

  /** A device that joined through a new link of this role. */
  async join(role: RoleName): Promise<TestDevice> {
    const link = await this.makeLink(role);
    const device = await this.newDevice();
    const { refusal } = await this.say(device, await this.admission(link, device, role));
    if (refusal !== undefined) throw new Error(refusal.reason);
    return device;
  }
}
