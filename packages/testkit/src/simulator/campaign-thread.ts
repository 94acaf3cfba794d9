/** One thread of a campaign of the simulator. */
import "./without-async-context.ts";
import { serveSeeds } from "../campaign/index.ts";
import { runSeeds } from "./seeds.ts";

serveSeeds(({ from, count, parameters: { devices, steps, defect } }) =>
  runSeeds({
    from,
    count,
    devices: Number(devices),
    steps: Number(steps),
    defect: defect === undefined ? undefined : String(defect),
  }),
);
