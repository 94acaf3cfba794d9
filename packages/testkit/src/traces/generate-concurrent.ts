/**
 * Seeded concurrent sessions: several agents who type into one text at once and hear of each other late.
 *
 * The text is a row of lines. An agent inserts into a line only when it has seen every earlier insertion into that line,
 * so insertions into one line follow one another, while those into different lines, and deletions everywhere, are
 * concurrent. Two agents thus never insert at the same place without knowing of each other: their order there would
 * depend on the peer ids, which a replay is free to choose, and the end content would not be one text.
 */
import { LoroDoc, type LoroText } from "loro-crdt";

import { applyTransaction } from "./apply.ts";
import { typingTimes, words } from "./generate-sequential.ts";
import { type SeededRandom, seededRandom } from "./random.ts";
import { replayConcurrent } from "./replay.ts";
import type { ConcurrentTrace, ConcurrentTransaction, Patch } from "./trace.ts";

export interface ConcurrentOptions {
  readonly seed: number;
  readonly transactions: number;
  /** 2 to 4. */
  readonly agents: number;
}

interface Agent {
  readonly doc: LoroDoc;
  readonly text: LoroText;
  /** Per agent, how many of its transactions this one has seen. */
  readonly seen: Array<number>;
}

/** Equal options give the same trace. Its end content is Loro's merge. */
export const generateConcurrent = ({ seed, transactions, agents: count }: ConcurrentOptions): ConcurrentTrace => {
  if (count < 2 || count > 4) throw new RangeError(`agents is 2 to 4, not ${count}`);
  const random = seededRandom(seed);
  const time = typingTimes(random);
  const agents = Array.from({ length: count }, (_, index): Agent => {
    const doc = new LoroDoc();
    doc.setPeerId(index + 1);
    return { doc, text: doc.getText("text"), seen: Array.from({ length: count }, () => 0) };
  });
  /** Per agent: the indices of its transactions, what each had seen (itself included), and its update. */
  const history = agents.map(() => new Array<{ index: number; seen: ReadonlyArray<number>; update: Uint8Array }>());
  const lines = count + 2;
  const lastInsertByLine = Array.from({ length: lines }, () => ({ agent: 0, number: 1 }));
  const drafts: Array<Omit<ConcurrentTransaction, "numChildren">> = [];

  const hear = (listener: Agent, from: number, upTo: number): void => {
    const entry = history[from]?.[upTo - 1];
    if (entry === undefined || (listener.seen[from] ?? 0) >= upTo) return;
    // What the other had seen by then comes with it: a version is always the union of whole histories.
    const updates = entry.seen.flatMap((number, author) => {
      const heard = listener.seen[author] ?? 0;
      listener.seen[author] = Math.max(heard, number);
      return history[author]?.slice(heard, number).map(({ update }) => update) ?? [];
    });
    listener.doc.importBatch(updates);
  };

  const write = (index: number, patches: ReadonlyArray<Patch>): void => {
    const agent = agents[index];
    const own = history[index];
    if (agent === undefined || own === undefined) throw new RangeError(`no agent ${index}`);
    const parents = heads(agent.seen, history);
    const before = agent.doc.version();
    applyTransaction(agent.text, { patches });
    agent.doc.commit();
    agent.seen[index] = own.length + 1;
    own.push({
      index: drafts.length,
      seen: [...agent.seen],
      update: agent.doc.export({ mode: "update", from: before }),
    });
    drafts.push({ parents, agent: index, time: time(), patches });
  };

  write(0, [[0, 0, Array.from({ length: lines }, (_, line) => `${line + 1}: ${words(random, 3)}\n`).join("")]]);
  for (const agent of agents) hear(agent, 0, 1);

  while (drafts.length < transactions) {
    if (random.chance(1, 60)) {
      // Now and then everybody is in step, as people are; without it, merging costs more with every transaction.
      for (const each of agents) history.forEach((own, author) => hear(each, author, own.length));
    }
    const index = random.below(count);
    const agent = agents[index];
    if (agent === undefined) continue;
    if (random.chance(1, 4)) {
      const from = random.below(count);
      // Sometimes all of the other's work, sometimes only an older part of it.
      const all = history[from]?.length ?? 0;
      hear(agent, from, random.chance(1, 2) ? all : Math.max(1, all - random.below(6)));
    }
    const open = lastInsertByLine.flatMap((last, line) => ((agent.seen[last.agent] ?? 0) >= last.number ? [line] : []));
    const { patches, inserted } = transactionIn(random, agent.text.toString(), open);
    if (patches.length === 0) continue;
    write(index, patches);
    for (const line of inserted) lastInsertByLine[line] = { agent: index, number: agent.seen[index] ?? 0 };
  }

  const children = drafts.map(() => 0);
  for (const { parents } of drafts) for (const parent of parents) children[parent] = (children[parent] ?? 0) + 1;
  const txns = drafts.map((draft, index) => ({ ...draft, numChildren: children[index] ?? 0 }));
  for (const { doc } of agents) doc.free();
  const trace: ConcurrentTrace = { kind: "concurrent", numAgents: count, endContent: "", txns };
  return { ...trace, endContent: replayConcurrent(trace) };
};

/** The newest transactions that were seen, without those that another of them had seen already. */
const heads = (
  seen: ReadonlyArray<number>,
  history: ReadonlyArray<ReadonlyArray<{ readonly index: number; readonly seen: ReadonlyArray<number> }>>,
): Array<number> => {
  const newest = seen.flatMap((number, author) => {
    const entry = history[author]?.[number - 1];
    return entry === undefined ? [] : [{ author, number, ...entry }];
  });
  return newest
    .filter((one) => !newest.some((other) => other !== one && (other.seen[one.author] ?? 0) >= one.number))
    .map((one) => one.index);
};

/** One transaction of one to three patches: insertions into open lines, deletions in any line, never of a line break. */
const transactionIn = (
  random: SeededRandom,
  content: string,
  open: ReadonlyArray<number>,
): { patches: ReadonlyArray<Patch>; inserted: ReadonlySet<number> } => {
  const lines = content.split("\n").map((line) => Array.from(line));
  const patches: Array<Patch> = [];
  const inserted = new Set<number>();
  const startOf = (line: number): number => lines.slice(0, line).reduce((sum, each) => sum + each.length + 1, 0);
  const count = random.chance(1, 8) ? 2 + random.below(2) : 1;
  for (let number = 0; number < count; number += 1) {
    const insert = open.length > 0 && random.chance(3, 4);
    // The last line break ends the text: what follows it belongs to no line.
    const line = insert ? random.pick(open) : random.below(lines.length - 1);
    const letters = lines[line] ?? [];
    const column = random.below(letters.length + 1);
    const deleted = insert && random.chance(4, 5) ? 0 : Math.min(letters.length - column, 1 + random.below(5));
    const text = insert
      ? random.chance(1, 6)
        ? words(random, 3)
        : Array.from(words(random, 1)).slice(0, 2).join("")
      : "";
    if (deleted === 0 && text === "") continue;
    patches.push([startOf(line) + column, deleted, text]);
    letters.splice(column, deleted, ...Array.from(text));
    if (text !== "") inserted.add(line);
  }
  return { patches, inserted };
};
