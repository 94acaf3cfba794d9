/*
 * The engine's worker begins to load before anything else of the page runs, beside React and the first frame. Nothing here
 * knows the client: whoever opens the notebook takes the worker from here.
 */

const start = (): Worker =>
  new Worker(new URL("../notebook/cairn.worker.ts", import.meta.url), { type: "module", name: "cairn" });

let early = isSecureContext ? start() : undefined;
// One that did not load is of no use to whoever asks later.
early?.addEventListener("error", () => (early = undefined), { once: true });

/** The worker that is on its way; a new one every further time. */
export const engineWorker = (): Worker => {
  const worker = early ?? start();
  early = undefined;
  return worker;
};
