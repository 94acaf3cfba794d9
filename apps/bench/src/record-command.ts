/** Records what somebody writes into a note of the built app: `npm run record -- --help`. */
import { findChromium } from "@cairn/testkit/browser";
import { ServerPlace } from "@cairn/testkit/server-program";
import { replaySequential, type SequentialTrace, type SequentialTransaction } from "@cairn/testkit/traces";
import { existsSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { chromium } from "playwright-core";
import { typeSession } from "./record/type-session.ts";
import { watchEditor } from "./record/watch-editor.ts";

const HELP = `Records what is written into a note of the built app, key by key, as a session for \`npm run replay\`.

  npm run build && npm run record -- FILE [--typed]

  FILE     where the session is written, as JSON
  --typed  type the session of this repository instead of waiting for a person; needs no screen
  --help   this

Without --typed a window opens with an empty note; close it to end the session.
`;

const webFolder = process.env["CAIRN_WEB_DIR"] ?? join(import.meta.dirname, "../../web/dist");

/** As JSON, a line for each transaction. */
const formatSession = ({ startContent, endContent, txns }: SequentialTrace): string =>
  [
    "{",
    `  "startContent": ${JSON.stringify(startContent)},`,
    `  "endContent": ${JSON.stringify(endContent)},`,
    '  "txns": [',
    txns.map((transaction) => `    ${JSON.stringify(transaction)}`).join(",\n"),
    "  ]",
    "}",
    "",
  ].join("\n");

const record = async (file: string, isTyped: boolean): Promise<void> => {
  const place = await ServerPlace.make({ environment: { CAIRN_WEB_DIR: webFolder, CAIRN_LOG_LEVEL: "warn" } });
  const { args, env, executablePath } = await findChromium();
  try {
    await place.start();
    const browser = await chromium.launch({
      executablePath,
      args: [...args],
      env: { ...process.env, ...env },
      headless: isTyped,
    });
    try {
      const page = await browser.newPage();
      await page.goto(`${place.origin}/`);
      await page.locator('button[aria-label="Share this notebook"]:not([disabled])').first().waitFor();
      await page.keyboard.press("Control+Alt+n");
      await page.locator(".cm-content").focus();
      const txns: Array<SequentialTransaction> = [];
      const editor = await watchEditor(page, (transaction) => void txns.push(transaction));
      if (isTyped) await typeSession(page, (what) => void process.stdout.write(`  ${JSON.stringify(what)}\n`));
      else await page.waitForEvent("close", { timeout: 0 });
      const session: SequentialTrace = { kind: "sequential", startContent: "", endContent: "", txns };
      const endContent = replaySequential(session);
      if (isTyped && endContent !== (await editor.text())) throw new Error("the record is not what the editor shows");
      await writeFile(file, formatSession({ ...session, endContent }));
      process.stdout.write(`${txns.length} transactions, ${endContent.length} characters: ${file}\n`);
    } finally {
      await browser.close();
    }
  } finally {
    await place.leave();
  }
};

const { positionals, values } = parseArgs({
  allowPositionals: true,
  options: { typed: { type: "boolean", default: false }, help: { type: "boolean", default: false } },
});
const [file] = positionals;
if (values.help || file === undefined) {
  process.stdout.write(HELP);
  process.exitCode = values.help ? 0 : 2;
} else if (!existsSync(join(webFolder, "index.html"))) {
  process.stderr.write(`There is no built app in ${webFolder}: npm run build, or set CAIRN_WEB_DIR.\n`);
  process.exitCode = 2;
} else await record(file, values.typed);
