import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { findChromium } from "@cairn/testkit/browser";
import { type Browser, chromium, type Page } from "playwright-core";

/** A host name that resolves to this machine and is no secure context. */
export const insecureHost = "insecure.test";

export const launchBrowser = async (): Promise<Browser> => {
  const { executablePath, args, env } = await findChromium();
  return chromium.launch({
    executablePath,
    args: [...args, `--host-resolver-rules=MAP ${insecureHost} 127.0.0.1`],
    env: { ...process.env, ...env },
  });
};

interface AxeViolation {
  readonly id: string;
  readonly help: string;
  readonly targets: ReadonlyArray<string>;
}

/** What axe finds wrong with the page as it stands, by the rules of WCAG 2.2 A and AA and axe's good practice. */
export const axeViolations = async (page: Page): Promise<ReadonlyArray<AxeViolation>> => {
  const source = await readFile(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
  // Through the debugger, because the page's own policy allows no inline script.
  await page.evaluate(source);
  // Popups fade in; a half-faded text has a poor contrast that nobody gets to read.
  await page.evaluate(async () => {
    await Promise.all(
      document
        .getAnimations()
        .filter((animation) => animation.effect?.getTiming().iterations !== Number.POSITIVE_INFINITY)
        .map((animation) => animation.finished.catch(() => undefined)),
    );
  });
  const results: ReadonlyArray<AxeViolation> = await page.evaluate(`
    axe.run(document, { runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"] }).then((results) =>
      results.violations.map(({ id, help, nodes }) => ({ id, help, targets: nodes.map((node) => node.target.join(" ") + " :: " + node.html.slice(0, 120)) })))
  `);
  // An open menu stands outside of the landmarks, as the rest of the page is out of reach until it closes.
  return results.filter(
    ({ id, targets }) => !(id === "region" && targets.every((target) => target.includes('role="menu"'))),
  );
};

/** Collects what a page must never do: fail, or break its content security policy. */
export const watchForTrouble = (page: Page): ReadonlyArray<string> => {
  const trouble: Array<string> = [];
  page.on("pageerror", (error) => trouble.push(`error: ${error.message}`));
  page.on("console", (message) => {
    if (message.type() === "error" && /content security policy/i.test(message.text())) trouble.push(message.text());
  });
  return trouble;
};
