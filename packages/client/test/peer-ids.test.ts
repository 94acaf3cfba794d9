import { Result } from "effect";
import fc from "fast-check";
import { LoroDoc } from "loro-crdt";
import { describe, expect, test } from "vitest";
import { PEER_LEASES, peerBelongsTo, peerIdOf } from "../src/documents/peer-ids.ts";
import { joinRanges, operationsOf, peersOfUpdate, rangesOfUpdate } from "../src/documents/update-ranges.ts";
import { commit, deviceId, replica, write } from "./fixtures/devices.ts";

const succeeded = <A>(result: Result.Result<A, unknown>): A => {
  if (Result.isFailure(result)) throw result.failure;
  return result.success;
};
const reasonOf = (result: Result.Result<unknown, { readonly reason: string }>): string =>
  Result.isFailure(result) ? result.failure.reason : "accepted";

describe("peer ids", () => {
  test("are pinned: another number for the same lease would orphan everything that was written under it", () => {
    expect(peerIdOf(deviceId(1), 0)).toMatchInlineSnapshot(`"3203812697799327744"`);
    expect(BigInt(peerIdOf(deviceId(1), 0xffff)) - BigInt(peerIdOf(deviceId(1), 0))).toBe(65_535n);
  });

  test("belong to the device they were made of and to no other, at every lease (rule 13, L4)", () => {
    fc.assert(
      fc.property(fc.nat(255), fc.nat(255), fc.nat(PEER_LEASES - 1), (one, other, lease) => {
        const peer = peerIdOf(deviceId(one), lease);
        expect(peerBelongsTo(deviceId(one), peer)).toBe(true);
        expect(peerBelongsTo(deviceId(other), peer)).toBe(one === other);
        expect(BigInt.asUintN(64, BigInt(peer))).toBe(BigInt(peer));
      }),
    );
  });

  test("differ between leases, so that two tabs never write under one peer (L4)", () => {
    const one = replica(1, 0);
    const other = replica(1, 1);
    const [a, b] = [write(one, "one"), write(other, "other")];
    one.import(b);
    other.import(a);
    expect(one.version().compare(other.version())).toBe(0);
    expect(one.toJSON()).toEqual(other.toJSON());
  });

  test("stay few when a lease is used again (L5)", () => {
    const doc = replica(1);
    write(doc, "first");
    let reopened = doc;
    for (let session = 0; session < 20; session += 1) {
      reopened = replica(1);
      reopened.import(doc.export({ mode: "snapshot" }));
      const update = write(reopened, `session ${session}`);
      doc.import(update);
    }
    expect(doc.version().toJSON().size).toBe(1);
    expect(doc.toJSON()).toEqual(reopened.toJSON());
  });

  test("have lease numbers of 16 bits", () => {
    for (const lease of [-1, PEER_LEASES, 0.5, Number.NaN])
      expect(() => peerIdOf(deviceId(1), lease)).toThrow(RangeError);
  });

  test("Loro takes every one of them", () => {
    const peer = peerIdOf(deviceId(200), 0xffff);
    const doc = new LoroDoc();
    doc.setPeerId(peer);
    expect(succeeded(peersOfUpdate(write(doc, "x")))).toEqual([peer]);
  });
});

describe("the operations of an update", () => {
  test("are those that are in it, not those that it depends on", () => {
    const ours = replica(1);
    const theirs = replica(2);
    theirs.import(write(ours, "hello"));
    const reply = write(theirs, " you", 5);
    expect(succeeded(rangesOfUpdate(reply))).toEqual([{ peer: peerIdOf(deviceId(2), 0), start: 0, end: 4 }]);
    ours.import(reply);
    const next = write(ours, "!", 9);
    expect(succeeded(operationsOf(deviceId(1), next))).toEqual([{ peer: peerIdOf(deviceId(1), 0), start: 5, end: 6 }]);
  });

  test("of another device make an update refused (rule 13)", () => {
    const ours = replica(1);
    const theirs = replica(2);
    ours.import(write(theirs, "theirs"));
    write(ours, "ours");
    // What `export({ from })` gives after a remote import: both authors' operations.
    const mixed = ours.export({ mode: "update" });
    expect(reasonOf(operationsOf(deviceId(1), mixed))).toBe("foreign-peer");
    expect(reasonOf(operationsOf(deviceId(2), mixed))).toBe("foreign-peer");
  });

  test("under a forged peer are refused; applied, they would give equal versions and different texts (L4)", () => {
    const victim = replica(1);
    const forger = new LoroDoc();
    forger.setPeerId(peerIdOf(deviceId(1), 0));
    const honest = write(victim, "true");
    const forged = write(forger, "fake");
    expect(reasonOf(operationsOf(deviceId(2), forged))).toBe("foreign-peer");
    // Why: both replicas say that they have the same.
    const one = new LoroDoc();
    one.importBatch([honest, forged]);
    const other = new LoroDoc();
    other.importBatch([forged, honest]);
    expect(one.version().compare(other.version())).toBe(0);
    expect(one.toJSON()).not.toEqual(other.toJSON());
  });

  test("of several leases of one device are all its own", () => {
    const first = replica(1, 3);
    const second = replica(1, 4);
    second.import(write(first, "a"));
    write(second, "b");
    const both = second.export({ mode: "update" });
    expect(succeeded(operationsOf(deviceId(1), both)).map((range) => range.peer)).toEqual([
      peerIdOf(deviceId(1), 3),
      peerIdOf(deviceId(1), 4),
    ]);
  });

  test("cannot be told of a snapshot, whose state may say something else", () => {
    const doc = replica(1);
    write(doc, "x");
    expect(reasonOf(operationsOf(deviceId(1), doc.export({ mode: "snapshot" })))).toBe("not-an-update");
    const frontiers = doc.frontiers();
    expect(reasonOf(operationsOf(deviceId(1), doc.export({ mode: "shallow-snapshot", frontiers })))).toBe(
      "not-an-update",
    );
  });

  test("of hostile bytes are an error, never an exception", () => {
    const doc = replica(1);
    const good = commit(doc, () => doc.getMap("m").set("k", "v".repeat(50)));
    fc.assert(
      fc.property(
        fc.oneof(
          fc.uint8Array({ maxLength: 200 }),
          fc.nat(good.length).map((length) => good.subarray(0, length)),
          fc
            .tuple(fc.nat(good.length - 1), fc.integer({ min: 1, max: 255 }))
            .map(([at, flip]) => good.with(at, (good[at] ?? 0) ^ flip)),
        ),
        (bytes) => {
          operationsOf(deviceId(1), bytes);
        },
      ),
    );
    expect(reasonOf(operationsOf(deviceId(1), good.subarray(0, -1)))).toBe("malformed");
    expect(reasonOf(operationsOf(deviceId(1), new Uint8Array(0)))).toBe("malformed");
  });
});

test("ranges are joined to the fewest that hold the same operations", () => {
  const peer = "7" as const;
  const range = fc.tuple(fc.nat(30), fc.integer({ min: 1, max: 5 })).map(([start, length]) => ({
    peer,
    start,
    end: start + length,
  }));
  const counters = (ranges: ReadonlyArray<{ start: number; end: number }>) =>
    ranges.flatMap(({ start, end }) => Array.from({ length: end - start }, (_, index) => start + index));
  fc.assert(
    fc.property(fc.array(range), (ranges) => {
      const joined = joinRanges(ranges);
      expect(counters(joined)).toEqual([...new Set(counters(ranges))].toSorted((a, b) => a - b));
      joined.forEach((next, index) => expect(next.start).toBeGreaterThan(joined[index - 1]?.end ?? -1));
    }),
  );
});
