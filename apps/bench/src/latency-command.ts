/**
 * `npm run bench:latency [-- PRESSES]`: how long a key press takes to the other person's screen, through the built web app,
 * the real server program and its embedded database. Needs `npm run build` before. Exit code 1 above 100 ms at the median
 * or 250 ms at the 95th percentile.
 *
 * It does not measure a network, and not the time from the document to the photons: both browsers run on this machine.
 */
import { ServerPlace } from "@cairn/testkit/server-program";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { measureTyping, percentile } from "./latency/measure-typing.ts";
import { openTypingPair } from "./latency/TypingPair.ts";

const MEDIAN = 100;
const TAIL = 250;
/** Somebody who types fast. */
const EVERY = 120;

const say = (line: string): void => void process.stdout.write(`${line}\n`);
const millis = (value: number): string => `${value.toFixed(1)} ms`;

const presses = Number(process.argv[2] ?? 200);
const webFolder = join(import.meta.dirname, "../../web/dist");

if (!existsSync(join(webFolder, "index.html"))) {
  process.stderr.write("The web app is not built: npm run build\n");
  process.exitCode = 2;
} else {
  const place = await ServerPlace.make({ environment: { CAIRN_WEB_DIR: webFolder } });
  try {
    await place.start();
    const pair = await openTypingPair({
      origin: place.origin,
      directories: [place.beside("writer"), place.beside("reader")],
    });
    try {
      const latencies = await measureTyping(pair, { presses, every: EVERY });
      const [median, tail] = [percentile(latencies, 0.5), percentile(latencies, 0.95)];
      say(`${presses} key presses, one every ${EVERY} ms on average`);
      say(`p50 ${millis(median)}  p95 ${millis(tail)}  longest ${millis(Math.max(...latencies))}`);
      process.exitCode = median < MEDIAN && tail < TAIL ? 0 : 1;
    } finally {
      await pair.close();
    }
  } finally {
    await place.leave();
  }
}
