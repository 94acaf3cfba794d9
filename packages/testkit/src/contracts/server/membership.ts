/** What every log does with the membership chain (rules 19 to 22). */
import {
  decodeEntry,
  EntryKind,
  type MembershipRecord,
  NO_DOCUMENT,
  NO_MEMBERSHIP,
  type PushResult,
  rotateRootSigningBytes,
} from "@cairn/protocol";
import { Effect } from "effect";
import { Links, Tokens } from "@cairn/server";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import {
  admission,
  certify,
  genesis,
  hashOf,
  linkRecord,
  makeLink,
  makeRoot,
  TestDevice,
} from "../../authors/index.ts";
import { codeOf, type Person, type PortsSubject, register, Scene } from "./scene.ts";

const nothing = new Uint8Array(0);

/** Registers the suite. */
export const membershipContract = (name: string, open: () => Promise<PortsSubject>): void => {
  describe(`${name} keeps the rules of the membership chain`, () => {
    let subject: PortsSubject;
    let scene: Scene;
    beforeAll(async () => {
      subject = await open();
    });
    afterAll(() => subject.close());

    /** Proposes on the head and gives the result; a refused proposal's counter is free again. */
    const propose = async (person: Person, records: ReadonlyArray<MembershipRecord>): Promise<PushResult> => {
      const entry = person.device.propose(await scene.membershipHead(), records);
      const { results } = await scene.push(person, [entry]);
      const [result] = results;
      if (result === undefined) throw new Error("a push of one entry has one result");
      if (result.status !== "stored") person.device.counter -= 1;
      return result;
    };
    const admit = (certificate: ReturnType<typeof certify>): Extract<MembershipRecord, { readonly type: "admit" }> => ({
      type: "admit",
      certificate,
      sealedName: nothing,
    });

    test("the chain begins with the root and its first owner, once", async () => {
      const root = makeRoot();
      const device = new TestDevice(root.workspace);
      const session = await subject.run(register(subject, root, device));
      scene = new Scene(subject, root, { device, session });
      const early = await scene.push(scene.owner, [device.author({ epoch: 0 })]);
      expect(early.results).toMatchObject([{ code: "not-a-member" }]);
      device.counter = 0;
      const ownAdmission = admit(certify(device, "owner", { type: "root" }, root.pair));
      expect(await propose(scene.owner, [ownAdmission])).toMatchObject({ code: "invalid" });
      const stranger = makeRoot();
      const foreign: MembershipRecord = {
        type: "root",
        rootKey: stranger.pair.publicKey,
        recoveryKey: stranger.recoveryKey,
      };
      expect(await propose(scene.owner, [foreign, ownAdmission])).toMatchObject({ code: "invalid" });
      const own: MembershipRecord = { type: "root", rootKey: root.pair.publicKey, recoveryKey: root.recoveryKey };
      expect(await propose(scene.owner, [own])).toMatchObject({ code: "invalid" });
      await scene.store(scene.owner, [genesis(root, device)]);
      expect(await propose(scene.owner, [own])).toMatchObject({ code: "invalid" });
      const again = device.propose(NO_MEMBERSHIP, [own]);
      device.counter -= 1;
      const { results } = await scene.push(scene.owner, [again]);
      expect(results).toMatchObject([{ code: "membership-head", head: await scene.membershipHead() }]);
    });

    test("rule 19: of two proposals on one head, one is taken, and the other is told the head", async () => {
      scene = await Scene.found(subject);
      const links = [await scene.link("writer"), await scene.link("writer")];
      const people = await Promise.all(links.map((link) => scene.open(link, "writer")));
      const head = await scene.membershipHead();
      const [one, two] = people.map(({ device }, index) => {
        const link = links[index];
        if (link === undefined) throw new Error("a link for each");
        return { device, entry: admission(device, head, "writer", link), link };
      });
      if (one === undefined || two === undefined || people[0] === undefined || people[1] === undefined)
        throw new Error("two");
      await scene.store(people[0], [one.entry]);
      const { results } = await scene.push(people[1], [two.entry]);
      expect(results).toMatchObject([{ status: "refused", code: "membership-head", head: hashOf(one.entry) }]);
      // Rule 4: a void takes the counter, and the admission comes again under the next.
      const voided = two.device.author({ kind: EntryKind.void, document: NO_DOCUMENT, epoch: 0, counter: 1 }, nothing);
      await scene.store(people[1], [
        voided,
        admission(two.device, hashOf(one.entry), "writer", two.link),
        two.device.author(),
      ]);
    });

    test("rule 20: nobody writes before the chain has its admission", async () => {
      scene = await Scene.found(subject);
      const link = await scene.link("writer");
      const person = await scene.open(link, "writer");
      expect((await scene.push(person, [person.device.author()])).results).toMatchObject([{ code: "not-a-member" }]);
    });

    test("rule 22: a certificate never exceeds its issuer's role", async () => {
      scene = await Scene.found(subject);
      const link = await scene.link("reader");
      const person = await scene.open(link, "reader");
      const greedy = admit(certify(person.device, "writer", { type: "link", link: link.link }, link.pair));
      expect(await propose(person, [greedy])).toMatchObject({ code: "role" });
      const forged = admit(certify(person.device, "owner", { type: "root" }, link.pair));
      expect(await propose(person, [forged])).toMatchObject({ code: "signature" });
      const unknown = makeLink(scene.workspace);
      const elsewhere = admit(certify(person.device, "reader", { type: "link", link: unknown.link }, unknown.pair));
      expect(await propose(person, [elsewhere])).toMatchObject({ code: "invalid" });
      const selfMade = admit(
        certify(person.device, "reader", { type: "device", device: person.device.device }, person.device.pair),
      );
      expect(await propose(person, [selfMade])).toMatchObject({ code: "not-a-member" });
    });

    test("only an owner changes links, keys, the root and others", async () => {
      scene = await Scene.found(subject);
      const writer = await scene.join("writer");
      const other = await scene.join("writer");
      const link = makeLink(scene.workspace);
      const stranger = new TestDevice(scene.workspace);
      const attempts: ReadonlyArray<MembershipRecord> = [
        linkRecord(link, "writer"),
        { type: "key-change", epoch: 2, keys: [], previous: nothing },
        { type: "revoke-device", device: other.device.device, to: other.device.counter },
        { type: "unknown", code: 99, body: nothing },
        { type: "minimum-version", version: 2 },
        admit(certify(stranger, "writer", { type: "device", device: writer.device.device }, writer.device.pair)),
        admit(certify(stranger, "writer", { type: "root" }, scene.root.pair)),
      ];
      for (const record of attempts) expect(await propose(writer, [record])).toMatchObject({ code: "role" });
      for (const record of attempts.slice(0, 1))
        expect(await propose(scene.owner, [record])).toMatchObject({ status: "stored" });
    });

    test("an owner admits a device, which then needs a grant and nothing else", async () => {
      scene = await Scene.found(subject);
      const { owner } = scene;
      const device = new TestDevice(scene.workspace);
      const issuer = { type: "device", device: owner.device.device } as const;
      expect(await propose(owner, [admit(certify(device, "writer", issuer, owner.device.pair))])).toMatchObject({
        status: "stored",
      });
      const { grant } = await subject.run(
        Effect.flatMap(Tokens, (tokens) =>
          tokens.issue(scene.workspace, {
            signingKey: device.pair.publicKey,
            scope: "read-write",
            label: "",
            expiresAt: null,
          }),
        ),
      );
      const person = { device, session: { ...owner.session, grant } };
      await scene.store(person, [device.author()]);
    });

    test("a key change raises the epoch by one", async () => {
      scene = await Scene.found(subject);
      const change = (epoch: number): MembershipRecord => ({ type: "key-change", epoch, keys: [], previous: nothing });
      expect(await propose(scene.owner, [change(1)])).toMatchObject({ code: "invalid", expected: 2 });
      expect(await propose(scene.owner, [change(3)])).toMatchObject({ code: "invalid", expected: 2 });
      expect(await propose(scene.owner, [change(2)])).toMatchObject({ status: "stored" });
    });

    test("the minimum version is an owner's to raise, and only rises", async () => {
      scene = await Scene.found(subject);
      const raise = (version: number): MembershipRecord => ({ type: "minimum-version", version });
      for (const low of [0, 1])
        expect(await propose(scene.owner, [raise(low)])).toMatchObject({ code: "invalid", expected: 2 });
      expect(await propose(scene.owner, [raise(5)])).toMatchObject({ status: "stored" });
      for (const low of [2, 5])
        expect(await propose(scene.owner, [raise(low)])).toMatchObject({ code: "invalid", expected: 6 });
      expect(await propose(scene.owner, [raise(2 ** 53 - 1)])).toMatchObject({ status: "stored" });
      // The server does not know versions of apps: whoever may write still hands over what there is.
      const writer = await scene.join("writer");
      const reader = await scene.join("reader");
      await scene.store(writer, [writer.device.author()]);
      expect(await propose(reader, [raise(6)])).toMatchObject({ code: "role" });
      const { device, counter } = writer.device;
      expect(await propose(scene.owner, [{ type: "revoke-device", device, to: counter }])).toMatchObject({
        status: "stored",
      });
      const late = writer.device.propose(await scene.membershipHead(), [raise(2 ** 53 - 1)]);
      expect(await subject.run(codeOf(scene.pushing(writer, [late])))).toBe("revoked");
      expect((await scene.push(scene.owner, [late])).results).toMatchObject([{ code: "not-a-member" }]);
    });

    test("rule 19: a revocation names the last counter that is here, and closes interval and grants with it", async () => {
      scene = await Scene.found(subject);
      const writer = await scene.join("writer");
      const { device } = writer.device;
      await scene.store(writer, [writer.device.author()]);
      const early: MembershipRecord = { type: "revoke-device", device, to: 1 };
      expect(await propose(scene.owner, [early])).toMatchObject({ code: "membership-head", expected: 2 });
      const late: MembershipRecord = { type: "revoke-device", device, to: 9 };
      expect(await propose(scene.owner, [late])).toMatchObject({ code: "membership-head", expected: 2 });
      expect(await propose(scene.owner, [{ type: "revoke-device", device, to: 2 }])).toMatchObject({
        status: "stored",
      });
      expect(await subject.run(codeOf(scene.pushing(writer, [writer.device.author()])))).toBe("revoked");
      // Nor does it count when somebody else brings it.
      writer.device.counter = 2;
      expect((await scene.push(scene.owner, [writer.device.author()])).results).toMatchObject([
        { code: "not-a-member" },
      ]);
      const grants = await subject.run(Effect.flatMap(Tokens, (tokens) => tokens.list(scene.workspace)));
      expect(grants.find((grant) => grant.device === device)?.status).toBe("revoked");
    });

    test("a revocation and a push at the same time: whichever is first, they agree", async () => {
      for (let round = 0; round < 5; round += 1) {
        scene = await Scene.found(subject);
        const writer = await scene.join("writer");
        const head = await scene.membershipHead();
        const revoke = scene.owner.device.propose(head, [
          { type: "revoke-device", device: writer.device.device, to: 1 },
        ]);
        const [revoked, pushed] = await subject.run(
          Effect.all(
            [
              scene.pushing(scene.owner, [revoke]),
              Effect.match(scene.pushing(writer, [writer.device.author()]), {
                onFailure: ({ code }) => code,
                onSuccess: ({ results }) => results[0]?.status,
              }),
            ],
            { concurrency: "unbounded" },
          ),
        );
        const outcome = [revoked.results[0]?.status, pushed];
        expect([
          ["stored", "revoked"],
          ["refused", "stored"],
        ]).toContainEqual(outcome);
      }
    });

    test("who was revoked does not admit itself again", async () => {
      scene = await Scene.found(subject);
      const writer = await scene.join("writer");
      const { device } = writer.device;
      expect(await propose(scene.owner, [{ type: "revoke-device", device, to: 1 }])).toMatchObject({
        status: "stored",
      });
      const link = await scene.link("writer");
      const back = admission(writer.device, await scene.membershipHead(), "writer", link);
      expect((await scene.push(scene.owner, [back])).results).toMatchObject([{ code: "not-a-member" }]);
      const issuer = { type: "device", device: scene.owner.device.device } as const;
      const { pair } = scene.owner.device;
      const overlapping = admit(certify(writer.device, "writer", issuer, pair, { from: 1 }));
      expect(await propose(scene.owner, [overlapping])).toMatchObject({ code: "not-a-member" });
      const renewed = admit(certify(writer.device, "writer", issuer, pair, { from: 2 }));
      expect(await propose(scene.owner, [renewed])).toMatchObject({ status: "stored" });
    });

    test("a revoked link admits nobody", async () => {
      scene = await Scene.found(subject);
      const link = await scene.link("writer");
      const person = await scene.open(link, "writer");
      expect(await propose(scene.owner, [{ type: "revoke-link", link: link.link }])).toMatchObject({
        status: "stored",
      });
      const late = admission(person.device, await scene.membershipHead(), "writer", link);
      expect((await scene.push(person, [late])).results).toMatchObject([{ code: "not-a-member" }]);
    });

    describe("rule 12: a device certifies one successor of equal role, which takes its place", () => {
      const replaced = async (role: "writer" | "reader") => {
        scene = await Scene.found(subject);
        const old = await scene.join(role);
        const successor = new TestDevice(scene.workspace);
        const issuer = { type: "device", device: old.device.device } as const;
        const revoke: MembershipRecord = { type: "revoke-device", device: old.device.device, to: old.device.counter };
        const certified = (as: Parameters<typeof certify>[1], device = successor) =>
          admit(certify(device, as, issuer, old.device.pair));
        return { old, successor, revoke, certified };
      };

      test.each(["writer", "reader"] as const)("a %s's, with its grant", async (role) => {
        const { old, successor, revoke, certified } = await replaced(role);
        const entry = successor.propose(await scene.membershipHead(), [revoke, certified(role)]);
        await scene.store(old, [entry]);
        expect(await subject.run(codeOf(scene.pushing(old, [old.device.author()])))).toBe("revoked");
        const grants = await subject.run(Effect.flatMap(Tokens, (tokens) => tokens.list(scene.workspace)));
        const grant = grants.find(({ device, status }) => device === successor.device && status === "active");
        expect(grant).toMatchObject({ role, label: "joined" });
        if (grant === undefined) throw new Error("the grant goes over to the successor");
        const person = { device: successor, session: { ...old.session, grant: grant.grant } };
        const voided = successor.author({ kind: EntryKind.void, document: NO_DOCUMENT, epoch: 0 }, nothing);
        await scene.store(person, [voided]);
      });

      test("or written by the device that leaves", async () => {
        const { old, successor, certified } = await replaced("writer");
        const { device } = old.device;
        const leave: MembershipRecord = { type: "revoke-device", device, to: old.device.counter + 1 };
        expect(await propose(old, [certified("owner"), leave])).toMatchObject({ code: "role" });
        expect(await propose(old, [certified("reader"), leave])).toMatchObject({ code: "role" });
        expect(await propose(old, [certified("writer")])).toMatchObject({ code: "role" });
        const second = certified("writer", new TestDevice(scene.workspace));
        expect(await propose(old, [certified("writer"), second, leave])).toMatchObject({ code: "role" });
        expect(await propose(old, [certified("writer"), leave])).toMatchObject({ status: "stored" });
        expect((await scene.push(scene.owner, [successor.author()])).results).toMatchObject([{ status: "stored" }]);
      });

      test("or, as a writer, goes on beside it: each copy of a profile under an identity of its own", async () => {
        const { old, successor, certified } = await replaced("writer");
        const both = new TestDevice(scene.workspace);
        const two = [certified("writer"), certified("writer", both)];
        const crowd = successor.propose(await scene.membershipHead(), two);
        expect((await scene.push(old, [crowd])).results).toMatchObject([{ code: "role" }]);
        const entry = successor.propose(await scene.membershipHead(), [certified("writer")], { counter: 1 });
        await scene.store(old, [entry]);
        const second = both.propose(await scene.membershipHead(), [certified("writer", both)]);
        await scene.store(old, [second]);
        // Nobody is put out: the old identity writes, and so do both.
        await scene.store(old, [old.device.author(), successor.author(), both.author()]);
      });

      test("not as a reader", async () => {
        const { old, successor, certified } = await replaced("reader");
        const entry = successor.propose(await scene.membershipHead(), [certified("reader")]);
        expect(await subject.run(codeOf(scene.pushing(old, [entry])))).toBe("read-only");
        expect((await scene.push(scene.owner, [entry])).results).toMatchObject([{ code: "role" }]);
      });

      test("not by somebody else, and not with a cut-off that is not the server's", async () => {
        const { old, successor, revoke, certified } = await replaced("writer");
        const head = await scene.membershipHead();
        const other = await scene.join("writer");
        const stolen = other.device.propose(await scene.membershipHead(), [revoke, certified("writer")]);
        expect((await scene.push(other, [stolen])).results).toMatchObject([{ code: "role" }]);
        const stale = successor.propose(head, [revoke, certified("writer")]);
        expect((await scene.push(old, [stale])).results).toMatchObject([{ code: "membership-head" }]);
        await scene.store(old, [old.device.author()]);
        const late = successor.propose(await scene.membershipHead(), [revoke, certified("writer")], { counter: 1 });
        expect((await scene.push(old, [late])).results).toMatchObject([{ code: "membership-head", expected: 2 }]);
      });
    });

    test("a reader that opens a writer's link goes on as a writer; an owner puts it back", async () => {
      scene = await Scene.found(subject);
      const reader = await scene.join("reader");
      const { device } = reader.device;
      const link = await scene.link("writer");
      await scene.open(link, "writer", reader.device);
      const byLink = (role: "writer" | "reader", from: number) =>
        admit(certify(reader.device, role, { type: "link", link: link.link }, link.pair, { from }));
      expect(await propose(reader, [byLink("writer", 1)])).toMatchObject({ code: "not-a-member" });
      expect(await propose(reader, [byLink("reader", 2)])).toMatchObject({ code: "invalid" });
      expect(await propose(reader, [byLink("writer", 2)])).toMatchObject({ status: "stored" });
      await scene.store(reader, [reader.device.author()]);
      const { pair, device: owner } = scene.owner.device;
      const back = admit(certify(reader.device, "reader", { type: "device", device: owner }, pair, { from: 4 }));
      const revoke: MembershipRecord = { type: "revoke-device", device, to: 3 };
      expect(await propose(scene.owner, [revoke, back])).toMatchObject({ status: "stored" });
      // It is a member still, and its session reads.
      expect(await subject.run(codeOf(scene.pushing(reader, [reader.device.author()])))).toBe("read-only");
    });

    test("rule 22: a link's uses are counted in the chain's order", async () => {
      scene = await Scene.found(subject);
      const link = await scene.link("writer", 1);
      const person = await scene.open(link, "writer");
      await scene.store(person, [admission(person.device, await scene.membershipHead(), "writer", link)]);
      const another = new TestDevice(scene.workspace);
      const late = admission(another, await scene.membershipHead(), "writer", link);
      expect((await scene.push(scene.owner, [late])).results).toMatchObject([{ code: "not-a-member" }]);
    });

    test("a link is new to the chain, of the current epoch, and what the server was told of it", async () => {
      scene = await Scene.found(subject);
      const link = makeLink(scene.workspace);
      const { link: id, pair } = link;
      const told = { link: id, signingKey: pair.publicKey, role: "reader", maxUses: 2, expiresAt: null } as const;
      await subject.run(Effect.flatMap(Links, (links) => links.create(scene.workspace, told)));
      expect(await propose(scene.owner, [{ type: "revoke-link", link: id }])).toMatchObject({ code: "invalid" });
      expect(await propose(scene.owner, [linkRecord(link, "writer", 2)])).toMatchObject({ code: "invalid" });
      const elsewhere = { ...linkRecord(link, "reader", 2), link: makeLink(scene.workspace).link };
      expect(await propose(scene.owner, [elsewhere])).toMatchObject({ code: "invalid" });
      const change: MembershipRecord = { type: "key-change", epoch: 2, keys: [], previous: nothing };
      expect(await propose(scene.owner, [change, linkRecord(link, "reader", 2)])).toMatchObject({ code: "invalid" });
      expect(await propose(scene.owner, [linkRecord(link, "reader", 2)])).toMatchObject({ status: "stored" });
      expect(await propose(scene.owner, [linkRecord(link, "reader", 2)])).toMatchObject({ code: "invalid" });
    });

    test("rule 24: the old root signs the new one, and the new one signs from then on", async () => {
      scene = await Scene.found(subject);
      const next = makeRoot();
      const { workspace, owner, root } = scene;
      const bytes = rotateRootSigningBytes(workspace, next.pair.publicKey, next.recoveryKey);
      const rotate = (signature: Uint8Array): MembershipRecord => ({
        type: "rotate-root",
        rootKey: next.pair.publicKey,
        recoveryKey: next.recoveryKey,
        signature,
      });
      expect(await propose(owner, [rotate(next.pair.sign(bytes))])).toMatchObject({ code: "signature" });
      expect(await propose(owner, [rotate(root.pair.sign(bytes))])).toMatchObject({ status: "stored" });
      const device = new TestDevice(workspace);
      expect(await subject.run(codeOf(register(subject, root, device)))).toBe("workspace-conflict");
      const recovered = { workspace, pair: next.pair, recoveryKey: next.recoveryKey };
      const session = await subject.run(register(subject, recovered, device));
      const admitted = device.propose(await scene.membershipHead(), [
        admit(certify(device, "owner", { type: "root" }, next.pair)),
      ]);
      await scene.store({ device, session }, [admitted]);
    });

    test("a lost chain is re-supplied by a member, with authors that the server has never seen (rule 11)", async () => {
      const made = await Scene.found(subject);
      const writer = await made.join("writer");
      await made.store(writer, [writer.device.author()]);
      const { items } = await made.pull(made.owner, 0);
      const other = await open();
      try {
        const session = await other.run(register(other, made.root, made.owner.device));
        const restored = new Scene(other, made.root, { device: made.owner.device, session });
        const entries = items.flatMap((item) => (item.type === "entry" ? [decodeEntry(item.entry)] : []));
        const { results, chain } = await restored.push(restored.owner, entries);
        expect(results.map(({ status }) => status)).toEqual(entries.map(() => "stored"));
        expect(chain).toBe((await made.state()).chain);
      } finally {
        await other.close();
      }
    });
  });
};
