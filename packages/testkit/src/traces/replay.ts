/**
 * Replaying traces with bare Loro documents: the reference for replays through the whole system, and the check that a
 * trace is what it says.
 */
import { LoroDoc, type PeerID } from "loro-crdt";

import { applyTransaction } from "./apply.ts";
import { parentsVersions } from "./parents-versions.ts";
import { type ConcurrentTrace, InvalidTrace, type SequentialTrace } from "./trace.ts";

const TEXT = "text";

/** The content after every patch of a sequential trace, one commit per transaction. */
export const replaySequential = (trace: SequentialTrace): string => {
  const doc = new LoroDoc();
  doc.setPeerId(1);
  const text = doc.getText(TEXT);
  text.insert(0, trace.startContent);
  doc.commit();
  for (const transaction of trace.txns) {
    applyTransaction(text, transaction);
    doc.commit();
  }
  const content = text.toString();
  doc.free();
  return content;
};

/**
 * The merged content of a concurrent trace: one document per agent, which before each transaction imports exactly the
 * ranges that the transaction's parents name and no more. Throws `InvalidTrace` where a document's version is not the
 * union of the parents, or where the agents' merges differ. `peers` gives each agent's peer id (its index plus one).
 */
export const replayConcurrent = (
  trace: ConcurrentTrace,
  peers: ReadonlyArray<PeerID> = Array.from({ length: trace.numAgents }, (_, agent): PeerID => `${agent + 1}`),
): string => {
  const versions = parentsVersions(trace);
  const agents = peers.map((peer) => {
    const doc = new LoroDoc();
    doc.setPeerId(peer);
    return { peer, doc, text: doc.getText(TEXT), has: new Int32Array(trace.numAgents) };
  });
  const hear = (index: number, version: Int32Array): void => {
    const agent = agents[index];
    if (agent === undefined) throw new InvalidTrace({ reason: `there is no agent ${index}` });
    const ranges = agents.flatMap((author, other) => {
      const from = agent.has[other] ?? 0;
      const to = version[other] ?? 0;
      if (other === index || to <= from) return [];
      agent.has[other] = to;
      const spans = [{ id: { peer: author.peer, counter: from }, len: to - from }];
      return [author.doc.export({ mode: "updates-in-range", spans })];
    });
    if (ranges.length === 0) return;
    // Together, because one author's range may build on another's.
    const { pending } = agent.doc.importBatch(ranges);
    if (pending !== null) throw new InvalidTrace({ reason: `agent ${index} cannot apply the ranges it was told of` });
  };
  for (const [index, transaction] of trace.txns.entries()) {
    const agent = agents[transaction.agent];
    if (agent === undefined) throw new InvalidTrace({ reason: `there is no agent ${transaction.agent}` });
    hear(transaction.agent, versions.before(index));
    assertVersion(agent.doc, peers, versions.before(index), `before transaction ${index}`);
    applyTransaction(agent.text, transaction);
    agent.doc.commit();
    agent.has.set(versions.after(index));
    assertVersion(agent.doc, peers, versions.after(index), `after transaction ${index}`);
  }
  const contents = agents.map((agent, index) => {
    hear(index, versions.end);
    assertVersion(agent.doc, peers, versions.end, "at the end");
    return agent.text.toString();
  });
  for (const { doc } of agents) doc.free();
  const [content = ""] = contents;
  if (contents.some((other) => other !== content)) throw new InvalidTrace({ reason: "the agents' merges differ" });
  return content;
};

const assertVersion = (doc: LoroDoc, peers: ReadonlyArray<PeerID>, expected: Int32Array, when: string): void => {
  const version = doc.version();
  const exact = peers.every((peer, agent) => (version.get(peer) ?? 0) === expected[agent]);
  const others = version.length() > expected.reduce((count, counter) => count + (counter > 0 ? 1 : 0), 0);
  version.free();
  if (!exact || others) throw new InvalidTrace({ reason: `a document's version is not the expected one ${when}` });
};
