/** A folder in which a filled notebook, its server and its browser's profile are kept from one run to the next. */
import { freePort } from "@cairn/testkit/server-program";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Page } from "playwright-core";

export interface KeptPlace {
  readonly folder: string;
  /** The notebook belongs to its origin, so the port stays. */
  readonly port: number;
  /** How many notes it was filled with; undefined while it was not. */
  readonly notes: number | undefined;
}

const FILE = "place.json";

const numberIn = (value: unknown, name: string): number | undefined => {
  const found: unknown = typeof value === "object" && value !== null ? Reflect.get(value, name) : undefined;
  return typeof found === "number" ? found : undefined;
};

/** The place in this folder, or the beginning of one. */
export const keptPlace = async (folder: string): Promise<KeptPlace> => {
  const text = await readFile(join(folder, FILE), "utf8").catch(() => undefined);
  const known: unknown = text === undefined ? undefined : JSON.parse(text);
  const port = numberIn(known, "port");
  return { folder, port: port ?? (await freePort()), notes: numberIn(known, "notes") };
};

/** Called when everything is in it. */
export const rememberPlace = async ({ folder, ...place }: KeptPlace): Promise<void> => {
  await mkdir(folder, { recursive: true });
  await writeFile(join(folder, FILE), `${JSON.stringify(place)}\n`);
};

/** The profile's service worker would go on serving the build of the run before. */
export const takeThisBuild = async (page: Page, origin: string): Promise<void> => {
  await page.goto(`${origin}/insecure.html`);
  await page.evaluate(async () => {
    for (const registration of await navigator.serviceWorker.getRegistrations()) await registration.unregister();
    for (const name of await caches.keys()) await caches.delete(name);
  });
  await page.goto(`${origin}/`);
  await page.evaluate(() => navigator.serviceWorker.ready.then(() => undefined));
};
