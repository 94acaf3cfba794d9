/** Properties of the decision on a push, over any batches that several devices may bring in any grouping. */
import {
  emptyLogChain,
  EntryKind,
  type Hash,
  hashFromBytes,
  nextLogChain,
  NO_DOCUMENT,
  NO_MEMBERSHIP,
  type PushResult,
  type RoleName,
} from "@cairn/protocol";
import {
  decide,
  type Decision,
  type LogState,
  type Member,
  prepareEntry,
  type Push,
  verifySignature,
} from "@cairn/server";
import { genesis, makeRoot, randomDocument, signEntry, TestDevice } from "@cairn/testkit/authors";
import fc from "fast-check";
import { createHash } from "node:crypto";
import { describe, expect, test } from "vitest";

const root = makeRoot();
const devices = [
  new TestDevice(root.workspace),
  new TestDevice(root.workspace),
  new TestDevice(root.workspace),
] as const;
const roles: ReadonlyArray<RoleName> = ["owner", "writer", "reader"];
const documents = [randomDocument(), randomDocument()] as const;
const chunk: Hash = hashFromBytes(createHash("sha256").update("chunk").digest());

const members = new Map(
  devices.map(({ device, pair, agreementKey }, index): [Member["device"], Member] => [
    device,
    {
      device,
      signingKey: pair.publicKey,
      agreementKey,
      role: roles[index] ?? "reader",
      from: 1,
      to: undefined,
      admitted: true,
      revoked: false,
    },
  ]),
);

const start: LogState = {
  workspace: root.workspace,
  head: 0,
  chain: emptyLogChain(root.workspace),
  membership: {
    rootKey: root.pair.publicKey,
    head: NO_MEMBERSHIP,
    keyEpoch: 1,
    minimumVersion: 1,
    members,
    links: new Map(),
  },
  last: new Map(),
  stored: new Map(),
  chunks: new Set([chunk]),
  purged: new Set(),
  entriesBytes: 0,
  attachmentsBytes: 0,
  quotaBytes: 6000,
};

/** What one entry of a plan is; its counter is relative to what a well-behaved author would write next. */
const planned = fc.record({
  author: fc.integer({ min: 0, max: 2 }),
  skew: fc.constantFrom(0, 0, 0, 0, 0, 0, -1, -2, 1),
  kind: fc.constantFrom(
    EntryKind.update,
    EntryKind.update,
    EntryKind.update,
    EntryKind.snapshot,
    EntryKind.void,
    EntryKind.purge,
    77,
  ),
  document: fc.constantFrom(...documents),
  epoch: fc.constantFrom(1, 1, 1, 1, 0, 2),
  covers: fc.integer({ min: 0, max: 6 }),
  ref: fc.constantFrom("none", "none", "here", "missing"),
  signer: fc.constantFrom("author", "author", "author", "author", "somebody"),
  fill: fc.integer({ min: 0, max: 255 }),
});
type Planned = typeof planned extends fc.Arbitrary<infer Value> ? Value : never;

const missing = hashFromBytes(createHash("sha256").update("missing").digest());
const payloads = Array.from({ length: 256 }, (_, fill) => new Uint8Array(200).fill(fill));

/** Turns plans into pushes, with a counter for each author that goes up as if everything were taken. */
const toPushes = (batches: ReadonlyArray<{ readonly by: number; readonly entries: ReadonlyArray<Planned> }>) => {
  const counters = [0, 0, 0];
  return batches.map(({ by, entries }): Push => {
    const pusher = devices[by % 3] ?? devices[0];
    return {
      device: pusher.device,
      role: roles[by % 3] ?? "reader",
      entries: entries.map((plan) => {
        const author = devices[plan.author] ?? devices[0];
        const next = (counters[plan.author] ?? 0) + 1;
        const counter = Math.max(1, next + plan.skew);
        if (plan.skew === 0) counters[plan.author] = next;
        const isVoid = plan.kind === EntryKind.void;
        const header = {
          ...author.defaults,
          counter,
          kind: plan.kind,
          epoch: plan.kind === EntryKind.purge || isVoid ? 0 : plan.epoch,
          document: isVoid ? NO_DOCUMENT : plan.document,
          covers:
            plan.kind === EntryKind.snapshot && plan.covers > 0
              ? [{ device: author.device, counter: plan.covers }]
              : [],
          refs:
            isVoid || plan.kind === EntryKind.purge || plan.ref === "none"
              ? []
              : [plan.ref === "here" ? chunk : missing],
        };
        const { pair } = plan.signer === "author" ? author : (devices[(plan.author + 1) % 3] ?? author);
        const payload = isVoid ? new Uint8Array() : (payloads[plan.fill] ?? new Uint8Array());
        return prepareEntry(signEntry(pair, header, payload));
      }),
    };
  });
};

const plans = fc
  .array(fc.record({ by: fc.integer({ min: 0, max: 2 }), entries: fc.array(planned, { maxLength: 8 }) }), {
    maxLength: 6,
  })
  .map(toPushes);

const decideOn = (state: LogState, pushes: ReadonlyArray<Push>): Decision => decide(state, pushes, verifySignature);
const resultsOf = (decision: Decision): ReadonlyArray<ReadonlyArray<PushResult>> =>
  decision.outcomes.map((outcome) => (outcome.type === "decided" ? outcome.results : []));

const check = (property: (pushes: ReadonlyArray<Push>) => void) =>
  fc.assert(fc.property(plans, property), { numRuns: 150, seed: 20_261_121 });

describe("a decision", () => {
  test("gives every entry one result, in the batch's order", () => {
    check((pushes) => {
      const decision = decideOn(start, pushes);
      expect(decision.outcomes).toHaveLength(pushes.length);
      for (const [index, outcome] of decision.outcomes.entries()) {
        if (outcome.type !== "decided") continue;
        expect(outcome.results.map(({ device, counter }) => ({ device, counter }))).toEqual(
          pushes[index]?.entries.map(({ entry: { header } }) => ({ device: header.device, counter: header.counter })),
        );
      }
    });
  });

  test("numbers rows without a gap, in order, and runs the hash over them (Promise 3)", () => {
    check((pushes) => {
      const { rows, next } = decideOn(start, pushes);
      let { chain } = start;
      for (const [index, row] of rows.entries()) {
        expect(row.seq).toBe(index + 1);
        chain = nextLogChain(chain, row.seq, row.hash);
        expect(row.chain).toBe(chain);
      }
      expect([next.head, next.chain]).toEqual([rows.length, chain]);
      expect(next.entriesBytes).toBe(rows.reduce((sum, { entry }) => sum + entry.bytes.length, 0));
    });
  });

  test("keeps each device's counters contiguous (rule 2)", () => {
    check((pushes) => {
      const { rows, next } = decideOn(start, pushes);
      for (const { device } of devices) {
        const counters = rows
          .filter(({ entry }) => entry.header.device === device)
          .map(({ entry }) => entry.header.counter);
        expect(counters).toEqual(counters.map((_, index) => index + 1));
        expect(next.last.get(device)?.counter ?? 0).toBe(counters.length);
      }
    });
  });

  test("changes nothing when it is taken again, and names the same positions (Promise 2)", () => {
    check((pushes) => {
      const first = decideOn(start, pushes);
      const stored = resultsOf(first)
        .flat()
        .filter(({ status }) => status === "stored");
      const again = decideOn(first.next, pushes);
      for (const result of stored) {
        if (result.status !== "stored") continue;
        const repeated = resultsOf(again)
          .flat()
          .find(
            (other) =>
              other.status === "duplicate" && other.device === result.device && other.counter === result.counter,
          );
        // Skipped where an entry before it in the batch is refused now as it was then.
        if (repeated !== undefined) expect(repeated).toMatchObject({ seq: result.seq });
      }
      const identities = (decision: Decision) =>
        decision.rows.map(({ entry: { header } }) => `${header.device}:${header.counter}`);
      expect(identities(again).filter((identity) => identities(first).includes(identity))).toEqual([]);
    });
  });

  test("does not depend on how pushes are grouped into commits (rule 9)", () => {
    check((pushes) => {
      const together = decideOn(start, pushes);
      let state: LogState = start;
      const apart = pushes.map((push) => {
        const decision = decideOn(state, [push]);
        state = decision.next;
        return decision;
      });
      expect(apart.flatMap(({ outcomes }) => outcomes)).toEqual(together.outcomes);
      expect(apart.flatMap(({ rows }) => rows.map(({ seq, hash }) => ({ seq, hash })))).toEqual(
        together.rows.map(({ seq, hash }) => ({ seq, hash })),
      );
      expect(state.chain).toBe(together.next.chain);
    });
  });

  test("takes the longest valid prefix of each device in a batch (rule 8)", () => {
    check((pushes) => {
      for (const results of resultsOf(decideOn(start, pushes))) {
        for (const { device } of devices) {
          const own = results.filter((result) => result.device === device).map(({ status }) => status);
          const stop = own.findIndex((status) => status === "refused" || status === "identity-conflict");
          if (stop === -1) expect(own).not.toContain("skipped");
          else expect(own.slice(stop + 1).every((status) => status === "skipped")).toBe(true);
          expect(own.slice(0, stop === -1 ? undefined : stop)).not.toContain("skipped");
        }
      }
    });
  });

  test("stores nothing that a reader wrote, nothing of another epoch, nothing whose chunks are missing (Promise 9)", () => {
    check((pushes) => {
      const { rows } = decideOn(start, pushes);
      const reader = devices[2].device;
      for (const { entry } of rows) {
        if (entry.header.kind === EntryKind.void) continue;
        expect(entry.header.device).not.toBe(reader);
        if (entry.header.kind !== EntryKind.purge) expect(entry.header.epoch).toBe(1);
        expect(entry.header.refs).not.toContain(missing);
      }
    });
  });

  test("stays within the quota, but for what frees a workspace (rule 28)", () => {
    check((pushes) => {
      let bytes = 0;
      const fullest = decideOn(start, pushes).rows.map(({ entry }) => {
        bytes += entry.bytes.length;
        const exempt = entry.header.kind === EntryKind.void || entry.header.kind === EntryKind.purge;
        return exempt ? 0 : bytes;
      });
      expect(Math.max(0, ...fullest)).toBeLessThanOrEqual(start.quotaBytes);
    });
  });

  test("leaves what it was given as it was", () => {
    check((pushes) => {
      const before = structuredClone(start);
      decideOn(start, pushes);
      expect(start).toEqual(before);
      expect([start.head, start.last.size, start.stored.size, start.purged.size]).toEqual([0, 0, 0, 0]);
    });
  });
});

test("a device that one push revokes is refused in the next push of the same commit (Promise 8)", () => {
  const here = makeRoot();
  const [owner, writer] = [new TestDevice(here.workspace), new TestDevice(here.workspace)];
  const first = genesis(here, owner);
  const empty: LogState = {
    ...start,
    workspace: here.workspace,
    chain: emptyLogChain(here.workspace),
    membership: {
      ...start.membership,
      rootKey: here.pair.publicKey,
      keyEpoch: 0,
      members: new Map([
        [
          writer.device,
          {
            device: writer.device,
            signingKey: writer.pair.publicKey,
            agreementKey: undefined,
            role: "writer",
            from: 1,
            to: undefined,
            admitted: true,
            revoked: false,
          },
        ],
      ]),
    },
  };
  const begun = decideOn(empty, [{ device: owner.device, role: "owner", entries: [prepareEntry(first)] }]).next;
  const revocation = owner.propose(begun.membership.head, [{ type: "revoke-device", device: writer.device, to: 0 }]);
  const { outcomes, closed } = decideOn(begun, [
    { device: owner.device, role: "owner", entries: [prepareEntry(revocation)] },
    { device: writer.device, role: "writer", entries: [prepareEntry(writer.author())] },
  ]);
  expect(outcomes).toMatchObject([{ results: [{ status: "stored" }] }, { type: "refused", code: "revoked" }]);
  expect([...closed]).toEqual([writer.device]);
});
