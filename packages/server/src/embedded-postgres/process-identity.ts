/**
 * Who a process id is. A number alone says little: after a crash or a reboot the same number may belong to somebody
 * else. A process is therefore known by its id together with the moment at which it started.
 */
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";

/** Linux reports start times in these ticks a second on every architecture that Node supports (`proc_pid_stat(5)`). */
const clockTicksPerSecond = 100;

/** True while a process with this id exists, whoever owns it. A process that ended but was not collected is dead. */
export const isAlive = (pid: number): boolean => {
  if (process.platform === "linux") {
    const fields = linuxStat(pid);
    return fields !== undefined && fields[0] !== "Z" && fields[0] !== "X";
  }
  try {
    process.kill(pid, 0);
    return true;
  } catch (cause) {
    return cause instanceof Error && "code" in cause && cause.code === "EPERM";
  }
};

/**
 * When the process started, in seconds since 1970, give or take two; `undefined` when there is no such process or the
 * platform does not tell.
 */
export const startedAt = (pid: number): number | undefined => {
  if (process.platform === "linux") {
    const ticks = Number(linuxStat(pid)?.[19]);
    const boot = Number(/^btime (\d+)$/m.exec(readOrUndefined("/proc/stat") ?? "")?.[1]);
    return Number.isFinite(ticks) && Number.isFinite(boot) ? boot + ticks / clockTicksPerSecond : undefined;
  }
  if (process.platform === "win32") return undefined;
  try {
    const line = execFileSync("ps", ["-o", "lstart=", "-p", String(pid)], {
      encoding: "utf8",
      env: { LC_ALL: "C", PATH: process.env["PATH"] ?? "" },
      stdio: ["ignore", "pipe", "ignore"],
    });
    const started = Date.parse(line.trim()) / 1000;
    return Number.isFinite(started) ? started : undefined;
  } catch {
    return undefined;
  }
};

/** The fields of `/proc/<pid>/stat` after the name, which may itself contain spaces and brackets. */
const linuxStat = (pid: number): ReadonlyArray<string> | undefined => {
  const text = readOrUndefined(`/proc/${pid}/stat`);
  return text
    ?.slice(text.lastIndexOf(")") + 2)
    .trim()
    .split(" ");
};

const readOrUndefined = (path: string): string | undefined => {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return undefined;
  }
};
