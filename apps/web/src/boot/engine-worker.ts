import { firstLookOf } from "@cairn/client/first-look";

/*
 * The engine's worker begins to load before anything else of the page runs, beside React and the first frame, and first of
 * all looks what the list of notes shows. Nothing here knows the client: whoever opens the notebook takes the worker from
 * here.
 */

const start = (): Worker =>
  new Worker(new URL("../notebook/cairn.worker.ts", import.meta.url), { type: "module", name: "cairn" });

let early = isSecureContext ? start() : undefined;
// One that did not load is of no use to whoever asks later.
early?.addEventListener("error", () => (early = undefined), { once: true });

/** What the list shows, often before the engine is there. */
export const firstLook = early === undefined ? undefined : firstLookOf(early);

/** The worker that is on its way; a new one every further time. */
export const engineWorker = (): Worker => {
  const worker = early ?? start();
  early = undefined;
  return worker;
};
