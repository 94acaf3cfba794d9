/** The same session without Cairn: what bare Loro takes for it. */
import { applyTransaction, replayConcurrent, type Trace } from "@cairn/testkit/traces";
import { LoroDoc } from "loro-crdt";
import { TEXT } from "./session-schema.ts";

export interface BareReplay {
  readonly seconds: number;
  readonly equal: boolean;
  /** Bytes that were handed over. */
  readonly bytes: number;
}

/**
 * One document, the same commits, and the same hand-over of each commit's bytes. A concurrent session needs a document for
 * each agent, and the exchange between them.
 */
export const replayBare = (trace: Trace): BareReplay => {
  const started = performance.now();
  const seconds = (): number => (performance.now() - started) / 1_000;
  if (trace.kind === "concurrent") {
    const content = replayConcurrent(trace);
    return { seconds: seconds(), equal: content === trace.endContent, bytes: 0 };
  }
  const doc = new LoroDoc();
  const text = doc.getText(TEXT);
  let bytes = 0;
  doc.subscribeLocalUpdates((update) => {
    bytes += update.length;
  });
  if (trace.startContent !== "") {
    text.insert(0, trace.startContent);
    doc.commit();
  }
  for (const transaction of trace.txns) {
    applyTransaction(text, transaction);
    doc.commit();
  }
  const took = seconds();
  const equal = text.toString() === trace.endContent;
  doc.free();
  return { seconds: took, equal, bytes };
};
