/**
 * What each transaction of a concurrent trace had seen, as a version: per agent, the Loro counter that the merge of the
 * transaction's parents holds.
 */
import { type ConcurrentTrace, InvalidTrace, operationsIn } from "./trace.ts";

export interface TraceVersions {
  /** Per agent, the counter that transaction `index` applies to. A view: do not change it. */
  readonly before: (index: number) => Int32Array;
  /** The same after the transaction. */
  readonly after: (index: number) => Int32Array;
  /** Per agent, the counter at the end. */
  readonly end: Int32Array;
}

/**
 * The versions of all transactions, in time and memory of transactions times agents. Throws `InvalidTrace` unless every
 * parent is an earlier transaction and every transaction has seen its own agent's earlier ones: only such a history can
 * be replayed by agents that each keep one document.
 */
export const parentsVersions = (trace: ConcurrentTrace): TraceVersions => {
  const { numAgents, txns } = trace;
  const befores = new Int32Array(txns.length * numAgents);
  const afters = new Int32Array(txns.length * numAgents);
  const end = new Int32Array(numAgents);
  const row = (rows: Int32Array, index: number): Int32Array =>
    rows.subarray(index * numAgents, (index + 1) * numAgents);
  for (const [index, transaction] of txns.entries()) {
    const { agent, parents } = transaction;
    const counter = end[agent];
    if (counter === undefined) throw invalid(index, `there is no agent ${agent}`);
    const before = row(befores, index);
    for (const parent of parents) {
      if (parent >= index) throw invalid(index, `its parent ${parent} is not an earlier one`);
      const seen = row(afters, parent);
      for (let each = 0; each < numAgents; each += 1) {
        before[each] = Math.max(before[each] ?? 0, seen[each] ?? 0);
      }
    }
    if (before[agent] !== counter) throw invalid(index, "its parents do not include its agent's own earlier work");
    end[agent] = counter + operationsIn(transaction);
    const after = row(afters, index);
    after.set(before);
    after[agent] = end[agent];
  }
  return { before: (index) => row(befores, index), after: (index) => row(afters, index), end };
};

const invalid = (index: number, reason: string): InvalidTrace =>
  new InvalidTrace({ reason: `transaction ${index}: ${reason}` });
