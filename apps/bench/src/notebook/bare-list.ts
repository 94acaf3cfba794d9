/**
 * The floor under every list in a browser: a page without a script of its own, whose worker opens the same database without
 * any library, reads as many rows along the same index as the notebook's list shows first, and hands them over; the page
 * puts them on screen. What the app takes is told as a multiple of it, which depends little on the machine.
 */
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Page } from "playwright-core";
import type { ReloadTimes } from "./measure-reload.ts";

/** As many as the notebook's list asks for at first. */
const ROWS = 30;
const WORKER = "bare-worker.js";
/** A page of the build that runs no script. */
const PAGE = "/insecure.html";

const WORKER_SOURCE = `
const opening = indexedDB.open("notebook");
opening.onsuccess = () => {
  const transaction = opening.result.transaction(["profile", "documents", "views"], "readonly");
  const views = transaction.objectStore("views");
  transaction.objectStore("profile").get(1).onsuccess = ({ target: { result } }) => {
    const prefix = result.profile.currentWorkspace + "/0/note/$updated/";
    const range = IDBKeyRange.bound(prefix, prefix + "\\uffff");
    const found = [];
    const step = transaction.objectStore("documents").index("entries").openCursor(range, "prev");
    step.onsuccess = () => {
      const cursor = step.result;
      if (cursor === null || found.length === ${ROWS}) return;
      const row = { document: cursor.value };
      found.push(row);
      views.get([cursor.value.workspace, cursor.value.document]).onsuccess = (event) => {
        row.view = event.target.result;
      };
      cursor.continue();
    };
    transaction.oncomplete = () => postMessage(found);
  };
};
`;

/** Puts the worker beside the build's files. */
export const addBareWorker = (folder: string): Promise<void> => writeFile(join(folder, WORKER), WORKER_SOURCE);

/** Times of `turns` reloads of the bare page. */
export const measureBareList = async (
  page: Page,
  origin: string,
  turns: number,
): Promise<ReadonlyArray<ReloadTimes>> => {
  const times: Array<ReloadTimes> = [];
  for (let turn = 0; turn <= turns; turn += 1) {
    await page.goto(`${origin}${PAGE}`);
    const measured = await page.evaluate(
      (url) =>
        new Promise<ReloadTimes>((resolve, reject) => {
          const started = performance.now();
          const worker = new Worker(url);
          worker.addEventListener("error", () => reject(new Error("the bare worker failed")));
          worker.addEventListener("message", ({ data }: MessageEvent<ReadonlyArray<{ view: { fields: object } }>>) => {
            const list = document.createElement("ul");
            for (const { view } of data) {
              const item = document.createElement("li");
              item.textContent = JSON.stringify(view.fields).slice(0, 200);
              list.append(item);
            }
            document.body.replaceChildren(list);
            requestAnimationFrame(() => {
              const { port1, port2 } = new MessageChannel();
              port1.addEventListener("message", () => {
                worker.terminate();
                const now = performance.now();
                const [navigation] = performance.getEntriesByType("navigation");
                const ready =
                  navigation instanceof PerformanceNavigationTiming ? navigation.domContentLoadedEventStart : 0;
                resolve({ whole: ready + now - started, fromWorker: now - started });
              });
              port1.start();
              port2.postMessage(undefined);
            });
          });
        }),
      `/${WORKER}`,
    );
    // The first one fills caches.
    if (turn > 0) times.push(measured);
  }
  return times;
};
