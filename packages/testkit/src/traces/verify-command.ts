/** `npm run verify-traces -w @cairn/testkit -- FILE…`: replays trace files with bare Loro and says whether they are true. */
import { loadTrace } from "./load-trace.ts";
import { replayConcurrent, replaySequential } from "./replay.ts";

const files = process.argv.slice(2);
if (files.length === 0) {
  process.stderr.write("Name at least one trace file (JSON, gzipped or not).\n");
  process.exitCode = 2;
}
for (const file of files) {
  const trace = await loadTrace(file);
  const started = performance.now();
  const content = trace.kind === "concurrent" ? replayConcurrent(trace) : replaySequential(trace);
  const seconds = ((performance.now() - started) / 1_000).toFixed(1);
  const equal = content === trace.endContent;
  process.stdout.write(
    `${file}: ${trace.kind}, ${trace.txns.length} transactions, ${seconds} s: ${equal ? "equal" : "DIFFERENT"}\n`,
  );
  if (!equal) process.exitCode = 1;
}
