import {
  assembleEntry,
  deviceIdFromBytes,
  emptyLogChain,
  entryHash,
  EntryKind,
  nextLogChain,
  NO_DOCUMENT,
  type Page,
  type PageItem,
  workspaceIdFromBytes,
} from "@cairn/protocol";
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type Position, receivePage } from "../src/index.ts";

const workspace = workspaceIdFromBytes(new Uint8Array(16).fill(1));
const device = deviceIdFromBytes(new Uint8Array(16).fill(2));
const start: Position = { cursor: 0, chain: emptyLogChain(workspace) };

const entryOf = (counter: number): Uint8Array =>
  assembleEntry(
    {
      version: 1,
      kind: EntryKind.update,
      workspace,
      document: NO_DOCUMENT,
      device,
      counter,
      epoch: 1,
      covers: [],
      refs: [],
      extensions: [],
    },
    Uint8Array.of(counter % 256),
    new Uint8Array(64),
  ).bytes;

/** A log of `length` entries, of which some are named only by their hash, and its running hashes. */
const makeLog = (length: number, own: ReadonlySet<number>) => {
  const chains = [start.chain];
  const items: Array<PageItem> = [];
  for (let seq = 1; seq <= length; seq += 1) {
    const entry = entryOf(seq);
    const hash = entryHash(entry);
    chains.push(nextLogChain(chains[seq - 1] ?? start.chain, seq, hash));
    items.push(own.has(seq) ? { type: "own", seq, device, counter: seq, hash } : { type: "entry", seq, entry });
  }
  const page = (after: number, until: number): Page => ({
    after,
    until,
    head: length,
    chain: chains[until] ?? start.chain,
    items: items.slice(after, until),
  });
  return { page, chainAt: (seq: number) => chains[seq] ?? start.chain };
};

describe("receiving a page", () => {
  it("Promise 3: however the log is cut into pages, repeated or overlapping, nothing is skipped or doubled", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 30 }),
        fc.array(fc.integer({ min: 1, max: 30 })),
        fc.array(fc.tuple(fc.nat(30), fc.nat(30)), { maxLength: 20 }),
        (length, own, cuts) => {
          const log = makeLog(length, new Set(own));
          let position = start;
          const seen: Array<number> = [];
          const take = (page: Page): void => {
            const outcome = receivePage(position, page);
            if (outcome.type === "gap") {
              expect(page.after).toBeGreaterThan(position.cursor);
              return;
            }
            if (outcome.type === "known") {
              expect(page.until).toBeLessThanOrEqual(position.cursor);
              return;
            }
            if (outcome.type !== "advanced") throw new Error(outcome.type);
            seen.push(...[...outcome.entries, ...outcome.own].map(({ seq }) => seq).toSorted((a, b) => a - b));
            position = outcome.position;
            expect(position.chain).toBe(log.chainAt(position.cursor));
          };
          for (const [from, size] of cuts) take(log.page(Math.min(from, length), Math.min(from + size, length)));
          take(log.page(position.cursor, length));
          expect(seen).toEqual(Array.from({ length }, (_, index) => index + 1));
        },
      ),
    );
  });

  it("takes positions that no longer count as a whole, with the chain behind them", () => {
    const log = makeLog(5, new Set());
    const page: Page = {
      ...log.page(0, 5),
      items: [{ type: "skipped", seq: 1, until: 4, chain: log.chainAt(4) }, ...log.page(4, 5).items],
    };
    expect(receivePage(start, page)).toMatchObject({ type: "advanced", position: { cursor: 5 }, more: false });
  });

  it("notices another log by its running hash (rule 11)", () => {
    const log = makeLog(3, new Set());
    const other = { cursor: 1, chain: emptyLogChain(workspace) };
    expect(receivePage(other, log.page(1, 3)).type).toBe("diverged");
    expect(receivePage({ cursor: 2, chain: start.chain }, log.page(0, 3)).type).toBe("diverged");
  });

  it("gives an entry that is none a name, and moves nothing", () => {
    const log = makeLog(2, new Set());
    const page: Page = { ...log.page(0, 1), items: [{ type: "entry", seq: 1, entry: Uint8Array.of(9, 9) }] };
    expect(receivePage(start, page).type).toBe("malformed");
  });
});
