import { openCairn } from "@cairn/client";
import { defineDocument, defineSchema, field } from "@cairn/schema";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Browser, BrowserContext, Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { bitmap } from "./support/bitmap.ts";
import { axeViolations, launchBrowser, watchForTrouble } from "./support/browser.ts";
import { type BuiltApp, buildApp } from "./support/built-app.ts";
import { type ServedApp, serveApp } from "./support/serve-app.ts";
import { addNote, editorOf, openApp, soon } from "./support/steps.ts";

/** Promise 12 in a person's hands: one file out, verified, and back in, with and without a passphrase. */

let app: BuiltApp;
let served: ServedApp;
let browser: Browser;
let folder: string;

beforeAll(async () => {
  app = await buildApp();
  served = await serveApp(app.directory);
  browser = await launchBrowser();
  folder = await mkdtemp(join(tmpdir(), "cairn-web-backup-"));
});
afterAll(async () => {
  await browser.close();
  await served.close();
  await rm(folder, { recursive: true, force: true });
});

let contexts: Array<{ readonly context: BrowserContext; readonly trouble: ReadonlyArray<string> }> = [];
afterEach(async () => {
  const trouble = contexts.flatMap((each) => each.trouble);
  for (const { context } of contexts) await context.close();
  contexts = [];
  if (trouble.length > 0) throw new Error(trouble.join("\n"));
});

const person = async (): Promise<Page> => {
  const context = await browser.newContext({ acceptDownloads: true });
  const page = await context.newPage();
  page.setDefaultTimeout(20_000);
  contexts.push({ context, trouble: watchForTrouble(page) });
  return page;
};

const toSettings = async (page: Page): Promise<void> => {
  await page.goto(`${served.origin}/settings`);
  await page.getByRole("heading", { name: "Backup" }).waitFor();
};

/** Exports, and gives the path of what was downloaded. */
const exported = async (page: Page, name: string): Promise<string> => {
  const download = page.waitForEvent("download");
  await page.getByRole("button", { name: "Export", exact: true }).click();
  const path = join(folder, name);
  await (await download).saveAs(path);
  return path;
};

const choose = (page: Page, path: string): Promise<void> => page.locator("[data-import]").setInputFiles(path);

const confirmImport = async (page: Page, words: RegExp): Promise<void> => {
  const question = page.getByRole("alertdialog", { name: "Import this backup?" });
  await question.getByText(words).waitFor();
  await question.getByRole("button", { name: "Import" }).click();
  await page.getByText("Backup imported").first().waitFor();
};

// A passphrase costs a second by design, and more on a machine that does other things.
describe("a backup", { timeout: 90_000 }, () => {
  let writer: Page;
  beforeEach(async () => {
    writer = await person();
    await openApp(writer, served.origin);
    await addNote(writer, "Alps", "over the pass");
    // A page that is left at once takes along what was not called saved yet.
    await writer.locator("[data-note-row]", { hasText: "over the pass" }).waitFor();
    await toSettings(writer);
  });

  test("says that everyone can read it, is read again, and comes back in once", async () => {
    await writer.getByText("Without one, whoever gets the file can read everything in it.").waitFor();
    const path = await exported(writer, "open.cairn");
    await writer.getByText("1 note and 0 attachments, read again and found whole.").first().waitFor();
    expect(await readFile(path, "latin1")).toContain("over the pass");

    const reader = await person();
    await openApp(reader, served.origin);
    await toSettings(reader);
    await choose(reader, path);
    await confirmImport(reader, /It holds 1 note and 0 attachments\. New here: 1 note/);
    await choose(reader, path);
    await reader.getByText("All of it is here already.").waitFor();
  });

  test("gives back notes and picture where everything was wiped", async () => {
    await writer.goto(`${served.origin}/`);
    await writer.getByRole("link", { name: /Alps/ }).click();
    await writer
      .locator("[data-attach]")
      .setInputFiles([{ name: "pass.bmp", mimeType: "image/bmp", buffer: bitmap(1200, 1000) }]);
    await writer.getByRole("img", { name: "pass.bmp" }).waitFor();
    await toSettings(writer);
    const path = await exported(writer, "picture.cairn");
    await writer.getByText("1 note and 1 attachment, read again and found whole.").first().waitFor();

    await writer.getByRole("button", { name: "Sign out", exact: true }).click();
    await writer.getByRole("button", { name: "Sign out and lose them" }).click();
    await writer.getByLabel("A new note").waitFor();
    await toSettings(writer);
    await choose(writer, path);
    await confirmImport(writer, /It holds 1 note and 1 attachment\. New here: 1 note/);
    await writer.goto(`${served.origin}/`);
    await writer.getByRole("link", { name: /Alps/ }).click();
    const picture = writer.getByRole("img", { name: "pass.bmp" });
    const size = () => picture.evaluate((image: HTMLImageElement) => [image.naturalWidth, image.naturalHeight]);
    await picture.waitFor();
    await expect.poll(size, soon).toEqual([1200, 1000]);
    await expect.poll(() => editorOf(writer).innerText(), soon).toContain("over the pass");
  });

  test("with a passphrase opens with it alone", async () => {
    await writer.getByLabel("Passphrase for the file (optional)").fill("dry stone walls");
    await writer.getByText("Nobody opens the file without it").waitFor();
    expect(await axeViolations(writer)).toEqual([]);
    const path = await exported(writer, "sealed.cairn");
    expect(await readFile(path, "latin1")).not.toContain("over the pass");
    expect(await writer.getByLabel("Passphrase for the file (optional)").inputValue()).toBe("");

    const reader = await person();
    await openApp(reader, served.origin);
    await toSettings(reader);
    await choose(reader, path);
    const dialog = reader.getByRole("dialog", { name: "This backup has a passphrase" });
    await dialog.waitFor();
    expect(await axeViolations(reader)).toEqual([]);
    await dialog.getByLabel("Passphrase", { exact: true }).fill("dry stone wall");
    await reader.keyboard.press("Enter");
    await dialog.getByText("This passphrase does not open it.").waitFor();
    expect(await axeViolations(reader)).toEqual([]);
    await dialog.getByLabel("Passphrase", { exact: true }).fill("dry stone walls");
    await dialog.getByRole("button", { name: "Open" }).click();
    await confirmImport(reader, /New here: 1 note/);
  });

  test("can be broken off on its way out, and then nothing is saved", async () => {
    let downloads = 0;
    writer.on("download", () => (downloads += 1));
    // Its key takes about a second, twice: long enough to change one's mind.
    await writer.getByLabel("Passphrase for the file (optional)").fill("dry stone walls");
    await writer.getByRole("button", { name: "Export", exact: true }).click();
    await writer.getByRole("progressbar", { name: "Exporting…" }).waitFor();
    await writer.getByRole("button", { name: "Cancel" }).click();
    await writer.getByText("Export stopped").first().waitFor();
    await writer.getByRole("button", { name: "Export", exact: true }).waitFor();
    expect(downloads).toBe(0);
  });

  test("of the command line with a passphrase comes in, and what is no backup is told apart", async () => {
    const schema = defineSchema({
      version: 1,
      documents: { note: defineDocument({ fields: { title: field.string({ list: true }), text: field.text() } }) },
    });
    const cairn = await openCairn({ schema, directory: join(folder, "profile"), deviceName: "terminal" });
    const workspace = await cairn.workspace();
    await workspace.create("note", (edit) => edit.title.set("From the terminal"));
    await workspace.flush();
    const backup = await new Response(await workspace.exportBackup({ passphrase: "a b c" })).bytes();
    await cairn.close();
    await writer.locator("[data-import]").setInputFiles({
      name: "terminal.cairn",
      mimeType: "application/octet-stream",
      buffer: Buffer.from(backup),
    });
    await writer.getByLabel("Passphrase", { exact: true }).fill("a b c");
    await writer.keyboard.press("Enter");
    await confirmImport(writer, /New here: 1 note/);

    await writer
      .locator("[data-import]")
      .setInputFiles({ name: "x.cairn", mimeType: "text/plain", buffer: Buffer.from("nothing of the kind") });
    await writer.getByText("This is not a whole Cairn backup").first().waitFor();
    expect(await writer.getByRole("alertdialog").count()).toBe(0);
  });
});
