/** Chromium with a profile of its own and the built app, and a debugger's line to all of its threads. */
import { findChromium } from "@cairn/testkit/browser";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { type BrowserContext, chromium, type Page } from "playwright-core";
import { ThreadDebugger } from "./ThreadDebugger.ts";

export interface AppBrowser {
  readonly page: Page;
  readonly threads: ThreadDebugger;
  readonly close: () => Promise<void>;
}

const PATIENCE = 120_000;

export const openAppBrowser = async (directory: string): Promise<AppBrowser> => {
  const { args, env, executablePath } = await findChromium();
  const context: BrowserContext = await chromium.launchPersistentContext(directory, {
    executablePath,
    args: [...args, "--remote-debugging-port=0"],
    env: { ...process.env, ...env },
    viewport: { width: 1280, height: 800 },
  });
  const page = context.pages()[0] ?? (await context.newPage());
  page.setDefaultTimeout(PATIENCE);
  const [port] = (await readFile(join(directory, "DevToolsActivePort"), "utf8")).split("\n");
  const threads = await ThreadDebugger.connect(Number(port));
  return {
    page,
    threads,
    close: async () => {
      threads.close();
      await context.close();
    },
  };
};
