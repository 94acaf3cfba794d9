/** The real server program as a child process with its embedded database, which can be killed and started again. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";

const PROGRAM = new URL("../../../server/src/main.ts", import.meta.url);
const START_MILLIS = 60_000;

export interface ServerOptions {
  readonly port: number;
  readonly folder: string;
  /** Where clients reach it. */
  readonly publicUrl: string;
}

export class ServerProcess {
  readonly #options: ServerOptions;
  #child: ChildProcess | undefined;
  #log = "";

  constructor(options: ServerOptions) {
    this.#options = options;
  }

  /** Starts it and waits until it serves. */
  async start(): Promise<void> {
    const { port, folder, publicUrl } = this.#options;
    const child = spawn(
      process.execPath,
      ["--conditions=source", "--disable-warning=ExperimentalWarning", PROGRAM.pathname],
      {
        env: {
          PATH: process.env["PATH"] ?? "",
          PORT: String(port),
          CAIRN_DATA_DIR: folder,
          CAIRN_PUBLIC_URL: publicUrl,
          CAIRN_WEB_DIR: "/nonexistent",
          CAIRN_LOG_LEVEL: "warn",
        },
        stdio: ["ignore", "pipe", "pipe"],
      },
    );
    this.#child = child;
    let printed = "";
    child.stderr.on("data", (chunk: Buffer) => {
      // The end of it is enough to say why it ended.
      this.#log = (this.#log + chunk.toString("utf8")).slice(-20_000);
    });
    await new Promise<void>((resolve, reject) => {
      const timer = setTimeout(
        () => reject(new Error(`the server does not start: ${printed}${this.#log}`)),
        START_MILLIS,
      );
      child.stdout.on("data", (chunk: Buffer) => {
        printed += chunk.toString("utf8");
        if (!printed.includes("is ready")) return;
        clearTimeout(timer);
        resolve();
      });
      child.once("exit", () => {
        clearTimeout(timer);
        reject(new Error(`the server ended: ${printed}${this.#log}`));
      });
    });
  }

  /** What it logged last. */
  get log(): string {
    return this.#log;
  }

  /** SIGKILL; resolves when the process is gone. */
  async kill(): Promise<void> {
    await this.#end("SIGKILL");
  }

  /** Ends it and its database. */
  async stop(): Promise<void> {
    await this.#end("SIGTERM");
  }

  async #end(signal: NodeJS.Signals): Promise<void> {
    const child = this.#child;
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const ended = once(child, "exit");
    child.kill(signal);
    await ended;
  }
}
