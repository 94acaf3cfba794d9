/** Two browsers, each with a profile and processes of its own, that have the same note open: one types, the other shows. */
import { findChromium } from "@cairn/testkit/browser";
import { type BrowserContext, chromium, type Page } from "playwright-core";

export interface TypingPair {
  readonly writer: Page;
  readonly reader: Page;
  readonly close: () => Promise<void>;
}

const PATIENCE = 30_000;

const openBrowser = async (directory: string): Promise<{ readonly context: BrowserContext; readonly page: Page }> => {
  const { args, env, executablePath } = await findChromium();
  const context = await chromium.launchPersistentContext(directory, {
    executablePath,
    args: [...args],
    env: { ...process.env, ...env },
  });
  const page = context.pages()[0] ?? (await context.newPage());
  page.setDefaultTimeout(PATIENCE);
  return { context, page };
};

const editor = (page: Page) => page.locator(".cm-content");
const share = (page: Page) => page.locator('button[aria-label="Share this notebook"]:not([disabled])').first();

const makeLink = async (page: Page): Promise<string> => {
  await share(page).click();
  await page.getByRole("button", { name: "Make a link" }).click();
  await page.getByRole("img", { name: "QR code of the link" }).waitFor();
  const url = await page.locator("#made-link").inputValue();
  await page.keyboard.press("Escape");
  await page.getByRole("dialog").waitFor({ state: "detached" });
  return url;
};

/** Opens the app in both, makes a note in the first and joins with the second by a link. */
export const openTypingPair = async (options: {
  readonly origin: string;
  readonly directories: readonly [string, string];
}): Promise<TypingPair> => {
  const first = await openBrowser(options.directories[0]);
  const second = await openBrowser(options.directories[1]);
  const [writer, reader] = [first.page, second.page];
  await writer.goto(`${options.origin}/`);
  await share(writer).waitFor();
  await writer.getByLabel("A new note").fill("Typing ");
  await writer.getByLabel("A new note").press("Control+Enter");
  await editor(writer).waitFor();
  await reader.goto(await makeLink(writer));
  await reader.getByRole("button", { name: "Join", exact: true }).click();
  await reader.locator("[data-note-row]").first().click();
  await reader.locator(".cm-content", { hasText: "Typing" }).waitFor();
  return {
    writer,
    reader,
    close: async () => {
      await first.context.close();
      await second.context.close();
    },
  };
};
