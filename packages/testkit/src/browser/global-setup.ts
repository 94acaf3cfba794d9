import { findChromium } from "./index.ts";

/** Vitest's global setup for `*.browser.test.ts`: fails with what to install, where a missing browser would hang. */
export default async function setup(): Promise<void> {
  await findChromium();
}
