import { emptyMembership, foldMembership, toMembershipStep, verifyMembership } from "@cairn/crypto";
import { type MembershipRecord, RECORD_CODES } from "@cairn/protocol";
import fc from "fast-check";
import { beforeAll, describe, expect, it } from "vitest";
import { TestWorkspace } from "./test-workspace.ts";

const raise = (version: number): MembershipRecord => ({ type: "minimum-version", version });

/** The same record as a reader has it that does not know the type. */
const unknownTo = (record: MembershipRecord): MembershipRecord =>
  record.type === "minimum-version"
    ? { type: "unknown", code: RECORD_CODES["minimum-version"], body: Uint8Array.of(record.version) }
    : record;

describe("the minimum version", () => {
  it("is 1 until an owner raises it", async () => {
    const ws = await TestWorkspace.found("minimum/owner");
    expect(ws.state.minimumVersion).toBe(1);
    expect((await ws.say(ws.owner, raise(3))).refusal).toBeUndefined();
    expect(ws.state.minimumVersion).toBe(3);
  });

  it("is not for writers, readers, and those who were revoked", async () => {
    const ws = await TestWorkspace.found("minimum/others");
    const writer = await ws.join("writer");
    for (const member of [writer, await ws.join("reader")])
      expect((await ws.say(member, raise(2))).refusal?.code).toBe("role");
    await ws.say(ws.owner, { type: "revoke-device", device: writer.id, to: writer.counter });
    expect((await ws.say(writer, raise(2))).refusal).toBeDefined();
    expect((await ws.say(await ws.newDevice(), raise(2))).refusal?.code).toBe("not-a-member");
    expect(ws.state.minimumVersion).toBe(1);
  });

  it("does not move where the entry as a whole has no effect", async () => {
    const ws = await TestWorkspace.found("minimum/whole");
    const nobody = await ws.newDevice();
    const { refusal } = await ws.say(ws.owner, raise(2), { type: "revoke-device", device: nobody.id, to: 1 });
    expect(refusal?.code).toBe("not-a-member");
    expect(ws.state.minimumVersion).toBe(1);
  });

  describe("in any chain", () => {
    let ws: TestWorkspace;
    beforeAll(async () => {
      ws = await TestWorkspace.found("minimum/any");
    });

    it("is the highest that owners have said, and changes nothing else for readers that do not know it", async () => {
      const author = fc.constantFrom("owner", "writer", "reader");
      const step = fc.record({ author, version: fc.nat(100), link: fc.boolean() });
      await fc.assert(
        fc.asyncProperty(fc.array(step, { maxLength: 6 }), async (steps) => {
          const members = { owner: ws.owner, writer: await ws.join("writer"), reader: await ws.join("reader") };
          let expected = ws.state.minimumVersion;
          for (const { author: name, version, link } of steps) {
            const joined = await ws.join("reader");
            const beside: ReadonlyArray<MembershipRecord> = link
              ? [{ type: "revoke-device", device: joined.id, to: joined.counter }]
              : [];
            await ws.say(members[name], raise(version), ...beside);
            if (name === "owner") expected = Math.max(expected, version);
            expect(ws.state.minimumVersion).toBe(expected);
          }
          const { state } = await verifyMembership(ws.workspace, ws.entries);
          expect(state).toEqual(ws.state);
          const older = foldMembership(
            emptyMembership(ws.workspace),
            ws.entries.map((entry) => {
              const { payload, ...known } = toMembershipStep(ws.workspace, entry);
              return { ...known, payload: { ...payload, records: payload.records.map(unknownTo) } };
            }),
          );
          const { unknownRecords } = ws.state;
          expect({ ...older, unknownRecords }).toEqual({ ...ws.state, minimumVersion: 1 });
        }),
        { numRuns: 12 },
      );
    });
  });
});
