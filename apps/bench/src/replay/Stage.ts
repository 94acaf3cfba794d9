/** What a replay runs on: a server that can be killed, the wire before it, and the devices; all in one temporary folder. */
import type { PlannedKill } from "./kill-plan.ts";
import { chmod, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DeviceThread } from "./DeviceThread.ts";
import { ServerProcess } from "./ServerProcess.ts";
import { freePort, Wire } from "./Wire.ts";

export class Stage {
  readonly #folder: string;
  readonly #devices: Array<DeviceThread> = [];
  readonly #restarts: Array<Promise<void>> = [];
  #closed: Promise<void> | undefined;
  readonly wire: Wire;
  readonly server: ServerProcess;
  /** Kills that have happened. */
  kills = 0;

  private constructor(folder: string, wire: Wire, server: ServerProcess) {
    this.#folder = folder;
    this.wire = wire;
    this.server = server;
  }

  static async open(): Promise<Stage> {
    const folder = await mkdtemp(join(tmpdir(), "cairn-replay-"));
    // The database's own user has to get through.
    await chmod(folder, 0o711);
    const port = await freePort();
    const wire = await Wire.open(port);
    const server = new ServerProcess({ port, folder: join(folder, "server"), publicUrl: wire.origin });
    const stage = new Stage(folder, wire, server);
    try {
      await server.start();
    } catch (error) {
      await stage.close();
      throw error;
    }
    return stage;
  }

  /** Another device, with an empty store. */
  async addDevice(name: string): Promise<DeviceThread> {
    const device = new DeviceThread(name);
    this.#devices.push(device);
    await device.call("open", { directory: join(this.#folder, name), server: this.wire.origin, name });
    return device;
  }

  /** Kills the server at the next push, and starts it again on the same port and data. */
  killAtNextPush(kill: PlannedKill, say: (line: string) => void): void {
    this.wire.setTrap(kill.moment, () => {
      this.kills += 1;
      const started = performance.now();
      const restarted = this.server
        .kill()
        .then(() => this.server.start())
        .then(() => {
          const seconds = ((performance.now() - started) / 1_000).toFixed(1);
          const moment = kill.moment === "request" ? "with a push just sent" : "with an answer on its way";
          say(`killed the server after ${kill.after} acknowledged transactions, ${moment}; back after ${seconds} s`);
        });
      // Looked at when the run ends; until then nobody waits for it.
      restarted.catch(() => undefined);
      this.#restarts.push(restarted);
    });
  }

  /** Rejects where the server did not come back from a kill. */
  async restarted(): Promise<void> {
    await Promise.all(this.#restarts);
  }

  close(): Promise<void> {
    this.#closed ??= this.#close();
    return this.#closed;
  }

  async #close(): Promise<void> {
    await Promise.allSettled(this.#restarts);
    await Promise.allSettled(this.#devices.map((device) => device.close()));
    await this.server.stop();
    await this.wire.close();
    await rm(this.#folder, { recursive: true, force: true, maxRetries: 5, retryDelay: 200 });
  }
}
