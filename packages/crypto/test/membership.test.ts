import { beforeEach, describe, expect, it } from "vitest";
import {
  admitRecord,
  authorityOf,
  certifyByRoot,
  certifyDevice,
  createLink,
  currentEpoch,
  currentRole,
  emptyMembership,
  extendMembership,
  foldMembership,
  foundWorkspace,
  generateRootSecret,
  keyChangeRecord,
  keyRecipients,
  Keyring,
  openText,
  proposeMembership,
  rootKeysFromSecret,
  rotateRootRecord,
  signCertificate,
  toMembershipStep,
  unlockEpochs,
  verifyMembership,
} from "@cairn/crypto";
import {
  assembleEntry,
  type Certificate,
  decodeMembership,
  encodeBase64Url,
  encodeMembership,
  type Entry,
  EntryKind,
  type MembershipRecord,
  publicKeyFromBytes,
} from "@cairn/protocol";
import { TestWorkspace } from "./test-workspace.ts";

let ws: TestWorkspace;
beforeEach(async () => {
  ws = await TestWorkspace.found("membership");
});

const update = { kind: EntryKind.update } as const;

describe("a founded workspace", () => {
  it("has its first device as owner, and the first key for it and for recovery", async () => {
    expect(currentRole(ws.state, ws.owner.id)).toBe("owner");
    expect(currentEpoch(ws.state)).toBe(1);
    const name = ws.state.devices.get(ws.owner.id)?.sealedName ?? new Uint8Array();
    expect(await openText(ws.keyring, { use: "device-name", id: ws.owner.id }, name)).toBe("laptop");
    const recovered = new Keyring(ws.workspace);
    expect(await unlockEpochs(ws.state, recovered, { type: "recovery", keys: ws.root.recovery })).toEqual([]);
    expect(recovered.epochKeys).toEqual(ws.keyring.epochKeys);
  });

  it("is anchored in its id: no other root founds it", async () => {
    const other = await rootKeysFromSecret(generateRootSecret(ws.random));
    const foreign = await foundWorkspace({
      root: other,
      deviceKeys: ws.owner.keys,
      deviceName: "x",
      random: ws.random,
    });
    await expect(verifyMembership(ws.workspace, [foreign.genesis])).rejects.toMatchObject({
      code: "chain-not-membership",
    });
    const { records } = decodeMembership(foreign.genesis.payload);
    const entry = await proposeMembership(emptyMembership(ws.workspace), records, {
      device: ws.owner.id,
      counter: 1,
      signing: ws.owner.keys.signing,
    });
    await expect(verifyMembership(ws.workspace, [entry])).rejects.toMatchObject({ code: "chain-genesis" });
  });

  it("does not begin with anything else", async () => {
    const genesis = decodeMembership(ws.entries[0]?.payload ?? new Uint8Array()).records;
    const author = { device: ws.owner.id, counter: 1, signing: ws.owner.keys.signing };
    for (const records of [[], genesis.slice(1), genesis.slice(0, 2), genesis.toReversed()]) {
      const entry = await proposeMembership(emptyMembership(ws.workspace), records, author);
      await expect(verifyMembership(ws.workspace, [entry])).rejects.toMatchObject({ code: "chain-genesis" });
    }
  });
});

describe("the chain", () => {
  it("is read whole or in steps, with the same result", async () => {
    await ws.join("writer");
    await ws.join("reader");
    const { state, refusals } = await verifyMembership(ws.workspace, ws.entries);
    expect(refusals).toEqual([]);
    expect(state).toEqual(ws.state);
    const steps = ws.entries.map((entry) => toMembershipStep(ws.workspace, entry));
    expect(foldMembership(emptyMembership(ws.workspace), steps)).toEqual(state);
  });

  it("shows a missing, repeated or exchanged entry", async () => {
    await ws.join("writer");
    const [genesis, link, admission] = ws.entries;
    if (genesis === undefined || link === undefined || admission === undefined) throw new Error("too short");
    for (const entries of [[genesis, admission], [genesis, genesis], [link], [genesis, admission, link]])
      await expect(verifyMembership(ws.workspace, entries)).rejects.toMatchObject({
        _tag: "MembershipChainBroken",
        code: "chain-not-linked",
      });
  });

  it("lets nobody change a bit of an entry (Promise 9)", async () => {
    const entry = await ws.propose(ws.owner, [{ type: "revoke-device", device: ws.owner.id, to: 2 }]);
    for (let index = 0; index < entry.payload.length; index += 1) {
      const payload = entry.payload.map((byte, at) => (at === index ? byte ^ 1 : byte));
      const forged = assembleEntry(entry.header, payload, entry.signature);
      const outcome = await extendMembership(ws.state, forged).then(
        ({ refusal }) => refusal?.code,
        (error: { readonly code?: string }) => error.code,
      );
      expect(["signature", "not-a-member", "chain-not-linked", "chain-not-membership"]).toContain(outcome);
    }
  });

  it("goes on behind an entry without effect, and such an entry changes nothing but the head", async () => {
    const writer = await ws.join("writer");
    const before = ws.state;
    const { refusal } = await ws.say(writer, { type: "revoke-device", device: ws.owner.id, to: 1 });
    expect(refusal?.code).toBe("role");
    expect(ws.state).toEqual({ ...before, head: ws.state.head });
    expect((await ws.say(ws.owner, { type: "revoke-device", device: writer.id, to: 2 })).refusal).toBeUndefined();
    const { state, refusals } = await verifyMembership(ws.workspace, ws.entries);
    expect(state).toEqual(ws.state);
    expect(refusals.map(({ refusal: { code } }) => code)).toEqual(["role"]);
  });

  it("acts on all records of an entry or on none", async () => {
    const writer = await ws.join("writer");
    const { refusal } = await ws.say(
      ws.owner,
      { type: "revoke-device", device: writer.id, to: 1 },
      { type: "key-change", epoch: 7, keys: [], previous: new Uint8Array(0) },
    );
    expect(refusal?.code).toBe("key-epoch");
    expect(currentRole(ws.state, writer.id)).toBe("writer");
  });

  it("keeps records of later versions and acts on the others", async () => {
    const writer = await ws.join("writer");
    const unknown: MembershipRecord = { type: "unknown", code: 99, body: Uint8Array.of(1, 2) };
    await ws.say(ws.owner, unknown, { type: "revoke-device", device: writer.id, to: 1 });
    expect(ws.state.unknownRecords).toEqual([unknown]);
    expect(currentRole(ws.state, writer.id)).toBeUndefined();
    expect((await ws.say(await ws.join("writer"), unknown)).refusal?.code).toBe("role");
  });

  it("stops an old reader at a critical extension, and at nothing less", async () => {
    const entry = await ws.propose(ws.owner, []);
    const extended = (critical: boolean): Entry =>
      assembleEntry(
        { ...entry.header, extensions: [{ type: 1, critical, bytes: new Uint8Array() }] },
        entry.payload,
        entry.signature,
      );
    await expect(extendMembership(ws.state, extended(true))).rejects.toMatchObject({ code: "chain-unsupported" });
    expect((await extendMembership(ws.state, extended(false))).refusal?.code).toBe("signature");
  });
});

describe("joining through a link", () => {
  it("admits a device that has the secret, in the link's role or a lower one", async () => {
    const link = await ws.makeLink("writer");
    for (const [role, outcome] of [
      ["writer", undefined],
      ["reader", undefined],
      ["owner", "certificate"],
    ] as const) {
      const device = await ws.newDevice();
      const { refusal } = await ws.say(device, await ws.admission(link, device, role));
      expect(refusal?.code).toBe(outcome);
      expect(currentRole(ws.state, device.id)).toBe(outcome === undefined ? role : undefined);
    }
  });

  it("brings the keys of this and earlier epochs, and of later ones", async () => {
    const change = await keyChangeRecord(ws.state, ws.keyring, ws.random);
    await ws.say(ws.owner, change.record);
    ws.keyring.add(change.epoch, change.key);
    const link = await ws.makeLink("reader");
    const next = await keyChangeRecord(ws.state, ws.keyring, ws.random);
    await ws.say(ws.owner, next.record);
    ws.keyring.add(next.epoch, next.key);
    const joining = new Keyring(ws.workspace);
    expect(await unlockEpochs(ws.state, joining, { type: "link", id: link.link, keys: link.agreement })).toEqual([]);
    expect([...joining.epochKeys.keys()]).toEqual([3, 2, 1]);
    expect(joining.epochKeys).toEqual(new Map([...ws.keyring.epochKeys].toSorted(([a], [b]) => b - a)));
  });

  it("counts uses in the chain's order, and ends with the link's revocation", async () => {
    const link = await ws.makeLink("writer", 1);
    const [first, second] = [await ws.newDevice(), await ws.newDevice()];
    expect((await ws.say(first, await ws.admission(link, first, "writer"))).refusal).toBeUndefined();
    expect((await ws.say(second, await ws.admission(link, second, "writer"))).refusal?.code).toBe("link-not-live");
    const revoked = await ws.makeLink("writer");
    await ws.say(ws.owner, { type: "revoke-link", link: revoked.link });
    expect((await ws.say(second, await ws.admission(revoked, second, "writer"))).refusal?.code).toBe("link-not-live");
    expect(currentRole(ws.state, second.id)).toBeUndefined();
  });

  it("needs the link's signature, and is not for somebody else to write", async () => {
    const link = await ws.makeLink("writer");
    const device = await ws.newDevice();
    const stranger = await ws.newDevice();
    const forged = await certifyDevice({
      workspace: ws.workspace,
      device: device.keys,
      role: "writer",
      from: 1,
      issuer: { type: "link", link: link.link },
      issuerKeys: stranger.keys.signing,
    });
    const record = await admitRecord(ws.keyring, forged, "x", ws.random);
    expect((await ws.say(device, record)).refusal?.code).toBe("signature");
    const writer = await ws.join("writer");
    const valid = await ws.admission(link, stranger, "writer");
    expect((await ws.say(writer, valid)).refusal?.code).toBe("role");
    expect((await ws.say(stranger, { type: "revoke-device", device: ws.owner.id, to: 1 })).refusal?.code).toBe(
      "not-a-member",
    );
  });

  it("takes no certificate of another workspace, with unusable keys, or twice", async () => {
    const elsewhere = await TestWorkspace.found("elsewhere");
    const device = await ws.newDevice();
    const certify = async (change: Partial<Certificate>) => {
      const base = await certifyByRoot(ws.root, ws.workspace, device.keys, 1);
      return signCertificate({ ...base.certificate, ...change }, ws.root.signing);
    };
    const admit = async (change: Partial<Certificate>): Promise<MembershipRecord> => ({
      type: "admit",
      certificate: await certify(change),
      sealedName: new Uint8Array(0),
    });
    const foreign = await admit({ workspace: elsewhere.workspace });
    expect((await ws.say(ws.owner, foreign)).refusal?.code).toBe("certificate");
    for (const change of [
      { agreementKey: publicKeyFromBytes(new Uint8Array(32)) },
      { signingKey: publicKeyFromBytes(new Uint8Array(32)) },
      { from: 3, to: 2 },
    ])
      expect((await ws.say(ws.owner, await admit(change))).refusal?.code).toBe("certificate");
    expect((await ws.say(ws.owner, await admit({}))).refusal).toBeUndefined();
    expect((await ws.say(ws.owner, await admit({}))).refusal?.code).toBe("already-member");
  });
});

describe("roles", () => {
  it("let only owners change links, keys, the root and other devices", async () => {
    const change = await keyChangeRecord(ws.state, ws.keyring, ws.random);
    const { record: link } = await createLink({
      state: ws.state,
      keyring: ws.keyring,
      server: "https://notes.example",
      role: "writer",
      maxUses: 0,
      label: "",
      random: ws.random,
    });
    const rotation = await rotateRootRecord(
      ws.workspace,
      ws.root,
      await rootKeysFromSecret(generateRootSecret(ws.random)),
    );
    const device = await ws.newDevice();
    for (const role of ["writer", "reader"] as const) {
      const member = await ws.join(role);
      const byMember = await certifyDevice({
        workspace: ws.workspace,
        device: device.keys,
        role: "reader",
        from: 1,
        issuer: { type: "device", device: member.id },
        issuerKeys: member.keys.signing,
      });
      const records: ReadonlyArray<MembershipRecord> = [
        change.record,
        link,
        rotation,
        { type: "revoke-device", device: ws.owner.id, to: 1 },
        { type: "admit", certificate: byMember, sealedName: new Uint8Array(0) },
      ];
      for (const record of records) expect((await ws.say(member, record)).refusal?.code).toBe("role");
    }
    expect(currentRole(ws.state, ws.owner.id)).toBe("owner");
    expect(currentRole(ws.state, device.id)).toBeUndefined();
  });

  it("say which entries count, by header alone (rule 19)", async () => {
    const [writer, reader] = [await ws.join("writer"), await ws.join("reader")];
    const authority = (device: typeof writer, kind: number, counter = 2) => {
      const { counts, ...rest } = authorityOf(ws.state, { kind, device: device.id, counter });
      return counts ? "counts" : "reason" in rest ? rest.reason : "";
    };
    const stranger = await ws.newDevice();
    expect(authority(writer, EntryKind.update)).toBe("counts");
    expect(authority(writer, EntryKind.snapshot)).toBe("counts");
    expect(authority(writer, 200)).toBe("counts");
    expect(authority(writer, EntryKind.purge)).toBe("role");
    expect(authority(ws.owner, EntryKind.purge)).toBe("counts");
    for (const kind of [EntryKind.update, EntryKind.snapshot, EntryKind.purge, 200])
      expect(authority(reader, kind)).toBe("role");
    for (const kind of [EntryKind.void, EntryKind.membership]) expect(authority(reader, kind)).toBe("counts");
    expect(authority(stranger, EntryKind.update)).toBe("not-a-member");
    await ws.say(ws.owner, { type: "revoke-device", device: writer.id, to: 5 });
    expect(authority(writer, EntryKind.update, 5)).toBe("counts");
    expect(authority(writer, EntryKind.update, 6)).toBe("outside-interval");
    expect(authority(writer, EntryKind.void, 6)).toBe("outside-interval");
  });

  it("change by closing one interval and opening the next", async () => {
    const writer = await ws.join("writer");
    const certify = (role: "reader" | "writer", from: number) =>
      certifyDevice({
        workspace: ws.workspace,
        device: writer.keys,
        role,
        from,
        issuer: { type: "device", device: ws.owner.id },
        issuerKeys: ws.owner.keys.signing,
      });
    const admit = async (role: "reader" | "writer", from: number) =>
      admitRecord(ws.keyring, await certify(role, from), "phone", ws.random);
    expect((await ws.say(ws.owner, await admit("reader", 10))).refusal?.code).toBe("already-member");
    const close = { type: "revoke-device", device: writer.id, to: 9 } as const;
    expect((await ws.say(ws.owner, close, await admit("reader", 9))).refusal?.code).toBe("already-member");
    expect((await ws.say(ws.owner, close, await admit("reader", 10))).refusal).toBeUndefined();
    const countsAt = (counter: number) => authorityOf(ws.state, { ...update, device: writer.id, counter }).counts;
    expect([1, 9, 10].map(countsAt)).toEqual([true, true, false]);
    expect(currentRole(ws.state, writer.id)).toBe("reader");
    expect(keyRecipients(ws.state).map(({ recipient }) => recipient)).toContainEqual({ type: "device", id: writer.id });
  });
});

describe("a member that opens a link", () => {
  it("goes on under the link's role where that may do more, and only then", async () => {
    const reader = await ws.join("reader");
    const writerLink = await ws.makeLink("writer");
    const readerLink = await ws.makeLink("reader");
    expect((await ws.say(reader, await ws.admission(readerLink, reader, "reader"))).refusal?.code).toBe(
      "already-member",
    );
    const raised = await ws.say(reader, await ws.admission(writerLink, reader, "writer"));
    expect(raised.refusal).toBeUndefined();
    expect(ws.state.devices.get(reader.id)?.grants).toEqual([
      { role: "reader", from: 1, to: 2 },
      { role: "writer", from: 3, to: undefined },
    ]);
    const countsAt = (counter: number) => authorityOf(ws.state, { ...update, device: reader.id, counter }).counts;
    expect([1, 2, 3, 4].map(countsAt)).toEqual([false, false, true, true]);
    expect((await ws.say(reader, await ws.admission(readerLink, reader, "reader"))).refusal?.code).toBe(
      "already-member",
    );
    expect(currentRole(ws.state, reader.id)).toBe("writer");
  });

  it("does not come back by itself after it was revoked at a counter that it has passed", async () => {
    const writer = await ws.join("writer");
    const link = await ws.makeLink("writer");
    await ws.say(ws.owner, { type: "revoke-device", device: writer.id, to: 5 });
    const { refusal } = await ws.say(writer, await ws.admission(link, writer, "writer"));
    expect(refusal?.code).toBe("already-member");
  });
});

describe("leaving", () => {
  it("is everybody's right, and closes the interval at the leaving entry", async () => {
    const reader = await ws.join("reader");
    const to = reader.counter + 1;
    expect((await ws.say(reader, { type: "revoke-device", device: reader.id, to })).refusal).toBeUndefined();
    expect(currentRole(ws.state, reader.id)).toBeUndefined();
    expect((await ws.say(reader, { type: "revoke-device", device: reader.id, to: 1 })).refusal?.code).toBe(
      "not-a-member",
    );
  });

  it("cannot be undone by a later cut-off", async () => {
    const writer = await ws.join("writer");
    await ws.say(ws.owner, { type: "revoke-device", device: writer.id, to: 3 });
    const again = await ws.say(ws.owner, { type: "revoke-device", device: writer.id, to: 30 });
    expect(again.refusal?.code).toBe("not-a-member");
    expect(authorityOf(ws.state, { ...update, device: writer.id, counter: 4 }).counts).toBe(false);
  });

  it("names one successor of equal role where an identity is retired (rule 12)", async () => {
    const writer = await ws.join("writer");
    const successor = await ws.newDevice();
    const certify = (role: "writer" | "reader" | "owner") =>
      certifyDevice({
        workspace: ws.workspace,
        device: successor.keys,
        role,
        from: 1,
        issuer: { type: "device", device: writer.id },
        issuerKeys: writer.keys.signing,
      });
    const admit = async (role: "writer" | "reader" | "owner") =>
      admitRecord(ws.keyring, await certify(role), "phone", ws.random);
    const leave = { type: "revoke-device", device: writer.id, to: writer.counter } as const;
    const refused = async (...records: ReadonlyArray<MembershipRecord>) =>
      (await ws.say({ ...successor }, ...records)).refusal?.code;
    expect(await refused(await admit("reader"))).toBe("role");
    expect(await refused(await admit("reader"), leave)).toBe("role");
    expect(await refused(await admit("owner"), leave)).toBe("certificate");
    expect((await ws.say(successor, await admit("writer"), leave)).refusal).toBeUndefined();
    expect(currentRole(ws.state, successor.id)).toBe("writer");
    expect(currentRole(ws.state, writer.id)).toBeUndefined();
    const clone = await ws.newDevice();
    const secondSuccessor = await certifyDevice({
      workspace: ws.workspace,
      device: clone.keys,
      role: "writer",
      from: 1,
      issuer: { type: "device", device: writer.id },
      issuerKeys: writer.keys.signing,
    });
    const record = await admitRecord(ws.keyring, secondSuccessor, "clone", ws.random);
    expect((await ws.say(clone, record, leave)).refusal?.code).toBe("certificate");
  });

  it("lets a copied writer go on beside the other copy, under a successor of its own (rule 12)", async () => {
    const writer = await ws.join("writer");
    const reader = await ws.join("reader");
    const named = async (issuer: typeof writer, role: "owner" | "writer" | "reader") => {
      const device = await ws.newDevice();
      const certificate = await certifyDevice({
        workspace: ws.workspace,
        device: device.keys,
        role,
        from: 1,
        issuer: { type: "device", device: issuer.id },
        issuerKeys: issuer.keys.signing,
      });
      return { device, record: await admitRecord(ws.keyring, certificate, "copy", ws.random) };
    };
    // Each copy names one, and writes the entry under its new identity.
    for (let copy = 0; copy < 2; copy += 1) {
      const { device, record } = await named(writer, "writer");
      expect((await ws.say(device, record)).refusal).toBeUndefined();
      expect(currentRole(ws.state, device.id)).toBe("writer");
    }
    expect(currentRole(ws.state, writer.id)).toBe("writer");

    const [one, other] = [await named(writer, "writer"), await named(writer, "writer")];
    expect((await ws.say({ ...one.device }, one.record, other.record)).refusal?.code).toBe("role");
    expect((await ws.say({ ...writer }, one.record)).refusal?.code).toBe("role");
    const more = await named(writer, "owner");
    expect((await ws.say({ ...more.device }, more.record)).refusal?.code).toBe("certificate");
    const less = await named(writer, "reader");
    expect((await ws.say({ ...less.device }, less.record)).refusal?.code).toBe("role");
    // A reader's copy has nothing of its own to tell apart, and lets nobody else in.
    const guest = await named(reader, "reader");
    expect((await ws.say({ ...guest.device }, guest.record)).refusal?.code).toBe("role");
    // Once the old identity is revoked, its copies name nobody any more.
    await ws.say(ws.owner, { type: "revoke-device", device: writer.id, to: writer.counter });
    expect((await ws.say({ ...one.device }, one.record)).refusal?.code).toBe("certificate");
  });

  it("does not let a device that an owner let in revoke that owner", async () => {
    const guest = await ws.newDevice();
    const certificate = await certifyDevice({
      workspace: ws.workspace,
      device: guest.keys,
      role: "writer",
      from: 1,
      issuer: { type: "device", device: ws.owner.id },
      issuerKeys: ws.owner.keys.signing,
    });
    const admission = await admitRecord(ws.keyring, certificate, "guest", ws.random);
    const { refusal } = await ws.say({ ...guest }, admission, { type: "revoke-device", device: ws.owner.id, to: 1 });
    expect(refusal?.code).toBe("role");
    expect((await ws.say(guest, admission)).refusal).toBeUndefined();
    expect(currentRole(ws.state, ws.owner.id)).toBe("owner");
  });
});

describe("a key change", () => {
  it("leaves out who was removed: nothing later can be read (Promise 8)", async () => {
    const [stays, goes] = [await ws.join("writer"), await ws.join("writer")];
    const readable = async (device: typeof stays) => {
      const keyring = new Keyring(ws.workspace, [[1, ws.keyring.epochKey(1)]]);
      const missing = await unlockEpochs(ws.state, keyring, {
        type: "device",
        id: device.id,
        keys: device.keys.agreement,
      });
      return { newest: keyring.newest, missing };
    };
    const change = await keyChangeRecord(ws.state, ws.keyring, ws.random, new Set([goes.id]));
    const { refusal } = await ws.say(
      ws.owner,
      { type: "revoke-device", device: goes.id, to: goes.counter },
      change.record,
    );
    expect(refusal).toBeUndefined();
    expect(await readable(stays)).toEqual({ newest: 2, missing: [] });
    expect(await readable(goes)).toEqual({ newest: 1, missing: [2] });
    ws.keyring.add(change.epoch, change.key);
    const next = await keyChangeRecord(ws.state, ws.keyring, ws.random);
    expect(next.record.keys.some(({ id }) => encodeBase64Url(id) === goes.id)).toBe(false);
    await ws.say(ws.owner, next.record);
    expect(await readable(goes)).toEqual({ newest: 1, missing: [2, 3] });
    expect(await readable(stays)).toEqual({ newest: 3, missing: [] });
  });

  it("still opens what it can where an owner sealed rubbish", async () => {
    const member = await ws.join("writer");
    const change = await keyChangeRecord(ws.state, ws.keyring, ws.random);
    await ws.say(ws.owner, { ...change.record, previous: new Uint8Array(60) });
    const keyring = new Keyring(ws.workspace);
    const holder = { type: "device", id: member.id, keys: member.keys.agreement } as const;
    expect(await unlockEpochs(ws.state, keyring, holder)).toEqual([1]);
    expect(keyring.epochKey(2)).toEqual(change.key);
  });
});

describe("the root", () => {
  it("brings an owner back who has lost every device", async () => {
    const device = await ws.newDevice();
    const recovered = new Keyring(ws.workspace);
    expect(await unlockEpochs(ws.state, recovered, { type: "recovery", keys: ws.root.recovery })).toEqual([]);
    const certificate = await certifyByRoot(ws.root, ws.workspace, device.keys, 1);
    const record = await admitRecord(recovered, certificate, "new laptop", ws.random);
    expect((await ws.say(device, record)).refusal).toBeUndefined();
    expect(currentRole(ws.state, device.id)).toBe("owner");
  });

  it("is rotated by the old one: the new one certifies from then on, and keys are sealed to its recovery key", async () => {
    const next = await rootKeysFromSecret(generateRootSecret(ws.random));
    const thief = await rootKeysFromSecret(generateRootSecret(ws.random));
    const forged = { ...(await rotateRootRecord(ws.workspace, ws.root, next)), recoveryKey: thief.recovery.publicKey };
    expect((await ws.say(ws.owner, forged)).refusal?.code).toBe("signature");
    expect((await ws.say(ws.owner, await rotateRootRecord(ws.workspace, thief, next))).refusal?.code).toBe("signature");
    expect((await ws.say(ws.owner, await rotateRootRecord(ws.workspace, ws.root, next))).refusal).toBeUndefined();
    const device = await ws.newDevice();
    const byOld = await admitRecord(
      ws.keyring,
      await certifyByRoot(ws.root, ws.workspace, device.keys, 1),
      "x",
      ws.random,
    );
    expect((await ws.say({ ...device }, byOld)).refusal?.code).toBe("signature");
    const byNew = await admitRecord(
      ws.keyring,
      await certifyByRoot(next, ws.workspace, device.keys, 1),
      "x",
      ws.random,
    );
    expect((await ws.say(device, byNew)).refusal).toBeUndefined();
    const change = await keyChangeRecord(ws.state, ws.keyring, ws.random);
    await ws.say(ws.owner, change.record);
    const keyring = new Keyring(ws.workspace);
    expect(await unlockEpochs(ws.state, keyring, { type: "recovery", keys: next.recovery })).toEqual([]);
    const old = new Keyring(ws.workspace);
    expect(await unlockEpochs(ws.state, old, { type: "recovery", keys: ws.root.recovery })).toEqual([2]);
  });
});

it("entries of the chain are canonical", () => {
  for (const entry of ws.entries) expect(encodeMembership(decodeMembership(entry.payload))).toEqual(entry.payload);
});
