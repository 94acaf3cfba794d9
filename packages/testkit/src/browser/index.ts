/**
 * Finds a Chromium for tests: the one that `CHROME_PATH` names, else the system's, else the one that npm brings for
 * Linux. Tests never skip for want of a browser: without one this fails and says what to install.
 */
import { constants } from "node:fs";
import { access, chmod, mkdir, readdir, readFile, rename, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";

export interface FoundChromium {
  readonly executablePath: string;
  /** Arguments it needs on this machine. */
  readonly args: ReadonlyArray<string>;
  /** Environment it needs besides the usual one. */
  readonly env: Readonly<Record<string, string>>;
}

/** Why no browser can be had; `message` says what to install. */
export class ChromiumMissing extends Error {
  override readonly name = "ChromiumMissing";
}

const systemPaths: ReadonlyArray<string> = [
  "/usr/bin/chromium",
  "/usr/bin/chromium-browser",
  "/usr/bin/google-chrome",
  "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
  "/Applications/Chromium.app/Contents/MacOS/Chromium",
  "C:\\Program Files\\Google\\Chrome\\Application\\chrome.exe",
];

/** The browser that tests start. Rejects with `ChromiumMissing`. */
export const findChromium = async (
  environment: Readonly<Record<string, string | undefined>> = process.env,
): Promise<FoundChromium> => {
  const named = environment["CHROME_PATH"];
  if (named !== undefined && named !== "") {
    if (await executable(named)) return { executablePath: named, args: arguments_, env: {} };
    throw new ChromiumMissing(`CHROME_PATH is ${named}, and there is no program. Correct it, or unset it.`);
  }
  for (const path of systemPaths) {
    if (await executable(path)) return { executablePath: path, args: arguments_, env: {} };
  }
  const packed = process.platform === "linux" ? await unpackChromium().catch(explain) : "there is none for this system";
  if (typeof packed !== "string") return packed;
  throw new ChromiumMissing(
    "The browser tests need Chromium, and none was found. Install one (Debian: apt-get install chromium), or set " +
      `CHROME_PATH to the program. The one that comes with npm ci cannot be used: ${packed}.`,
  );
};

const explain = (cause: unknown): string => (cause instanceof Error ? cause.message : String(cause));

const unsandboxed: ReadonlyArray<string> = ["--no-sandbox", "--disable-dev-shm-usage"];

/** Chromium's own sandbox does not start under root, nor where the kernel forbids user namespaces. */
const arguments_: ReadonlyArray<string> =
  process.getuid?.() === 0 || process.env["CI"] !== undefined ? unsandboxed : ["--disable-dev-shm-usage"];

/** Unpacks the npm package's browser and its libraries into a private folder named after its version. */
const unpackChromium = async (): Promise<FoundChromium> => {
  const root = dirname(dirname(createRequire(import.meta.url).resolve("@sparticuz/chromium")));
  const version = /"version":\s*"([^"]+)"/.exec(await readFile(join(root, "package.json"), "utf8"))?.[1] ?? "unknown";
  const folder = join(tmpdir(), `cairn-chromium-${version}-${process.getuid?.() ?? "user"}`);
  await mkdir(folder, { recursive: true, mode: 0o700 });
  await chmod(folder, 0o700);
  // The package unpacks into the temporary folder and reuses whatever lies there: it must be nobody else's.
  const before = process.env["TMPDIR"];
  process.env["TMPDIR"] = folder;
  try {
    const { default: chromium, inflate } = await import("@sparticuz/chromium");
    const executablePath = await chromium.executablePath();
    await inflate(join(root, "bin", "al2023.tar.br"));
    const libraries = join(folder, "al2023", "lib");
    await readdir(libraries);
    // The package's own list of folders does not name this one; without any font Chromium ends at the first character
    // that it has to look for.
    const fonts = join(folder, "fonts");
    const written = join(folder, `fonts-${process.pid}.conf`);
    await writeFile(written, fontsIn(folder));
    await rename(written, join(fonts, "fonts.conf"));
    return {
      executablePath,
      // Not the package's own arguments: they switch off the web's security, and put everything into one process.
      args: unsandboxed,
      env: { LD_LIBRARY_PATH: libraries, FONTCONFIG_PATH: fonts },
    };
  } finally {
    if (before === undefined) delete process.env["TMPDIR"];
    else process.env["TMPDIR"] = before;
  }
};

const fontsIn = (folder: string): string => `<?xml version="1.0"?>
<!DOCTYPE fontconfig SYSTEM "fonts.dtd">
<fontconfig>
  <dir>${join(folder, "fonts", "fonts")}</dir>
  <dir>/usr/share/fonts</dir>
  <cachedir>${join(folder, "fonts-cache")}</cachedir>
</fontconfig>
`;

const executable = (path: string): Promise<boolean> =>
  access(path, constants.X_OK).then(
    () => true,
    () => false,
  );
