import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

export interface CairnServer {
  readonly origin: string;
  readonly stop: () => Promise<void>;
}

const main = join(import.meta.dirname, "..", "..", "..", "server", "src", "main.ts");

/** Starts the server program on a free port, with the app that was built for the test. */
export const startCairn = async (options: {
  databaseUrl: string;
  webFolder: string;
  /** More of the server's settings. */
  env?: Readonly<Record<string, string>>;
}): Promise<CairnServer> => {
  const data = await mkdtemp(join(tmpdir(), "cairn-data-"));
  const child = spawn(process.execPath, ["--conditions=source", "--disable-warning=ExperimentalWarning", main], {
    env: {
      PATH: process.env["PATH"] ?? "",
      PORT: "0",
      DATABASE_URL: options.databaseUrl,
      CAIRN_DATA_DIR: data,
      CAIRN_WEB_DIR: options.webFolder,
      ...options.env,
    },
    stdio: ["ignore", "pipe", "pipe"],
  });
  const ended = once(child, "exit");
  let output = "";
  const origin = await new Promise<string>((resolve, reject) => {
    child.stderr.on("data", (chunk: Buffer) => (output += chunk.toString("utf8")));
    child.stdout.on("data", (chunk: Buffer) => {
      output += chunk.toString("utf8");
      const found = /is ready: (\S+)/.exec(output)?.[1];
      if (found !== undefined) resolve(new URL(found).origin);
    });
    child.once("exit", () => reject(new Error(`the server did not start: ${output}`)));
  });
  return {
    origin,
    stop: async () => {
      child.kill("SIGTERM");
      await ended;
      await rm(data, { recursive: true, force: true });
    },
  };
};
