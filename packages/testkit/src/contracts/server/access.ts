/** What every adapter of tokens, links and chunks does. */
import { ChallengePurpose, encodeCertificate, hashFromBytes, type WireError } from "@cairn/protocol";
import { BlobStore, Challenges, EntryLog, Links, Tokens } from "@cairn/server";
import { Effect, Redacted } from "effect";
import { randomBytes } from "node:crypto";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { certificateText, certify, makeLink, makeRoot, prove, TestDevice } from "../../authors/index.ts";
import { codeOf, type PortsSubject, register, Scene, type ServerPorts } from "./scene.ts";

/** Registers the suite. */
export const accessContract = (name: string, open: () => Promise<PortsSubject>): void => {
  describe(`${name} keeps the contracts of Tokens, Links and BlobStore`, () => {
    let subject: PortsSubject;
    let scene: Scene;
    beforeAll(async () => {
      subject = await open();
      scene = await Scene.found(subject);
    });
    afterAll(() => subject.close());
    const code = <A>(effect: Effect.Effect<A, WireError, ServerPorts>) => subject.run(codeOf(effect));

    const renewing = (device: TestDevice) =>
      Effect.gen(function* () {
        const { server, nonce } = yield* Effect.flatMap(Challenges, ({ make }) => make);
        const proof = prove(device.pair, {
          purpose: ChallengePurpose.session,
          server,
          origin: subject.origin,
          workspace: device.workspace,
          subject: device.device,
          nonce,
        });
        const tokens = yield* Tokens;
        return yield* tokens.renew(device.workspace, { device: device.device, proof });
      });

    describe("registration and sessions", () => {
      test("registering again gives the same grant, and changes no row of the log", async () => {
        const before = await scene.state();
        const again = await subject.run(register(subject, scene.root, scene.owner.device));
        expect(again.grant).toBe(scene.owner.session.grant);
        expect(again).toMatchObject({ kind: "master", scope: "read-write", role: "owner" });
        expect(await scene.state()).toEqual(before);
      });

      test("registering at the same time makes one workspace and one grant", async () => {
        const root = makeRoot();
        const device = new TestDevice(root.workspace);
        const sessions = await subject.run(
          Effect.all(
            Array.from({ length: 6 }, () => register(subject, root, device)),
            { concurrency: "unbounded" },
          ),
        );
        expect(new Set(sessions.map(({ grant }) => grant)).size).toBe(1);
      });

      test("the root key recovers access for a new device, also after its grants were withdrawn", async () => {
        const made = await Scene.found(subject);
        await made.revokeGrant(made.owner);
        expect(await code(renewing(made.owner.device))).toBe("revoked");
        const device = new TestDevice(made.workspace);
        expect(await subject.run(register(subject, made.root, device))).toMatchObject({ role: "owner" });
        expect(await subject.run(register(subject, made.root, made.owner.device))).toMatchObject({ role: "owner" });
      });

      test("another key, another server, another purpose, another origin prove nothing", async () => {
        const { device } = scene.owner;
        const attempt = (change: { pair?: TestDevice["pair"]; purpose?: ChallengePurpose; origin?: string }) =>
          Effect.gen(function* () {
            const { server, nonce } = yield* Effect.flatMap(Challenges, ({ make }) => make);
            const proof = prove(change.pair ?? device.pair, {
              purpose: change.purpose ?? ChallengePurpose.session,
              server,
              origin: change.origin ?? subject.origin,
              workspace: device.workspace,
              subject: device.device,
              nonce,
            });
            const tokens = yield* Tokens;
            return yield* tokens.renew(device.workspace, { device: device.device, proof });
          });
        expect(await code(attempt({}))).toBe("success");
        expect(await code(attempt({ pair: scene.root.pair }))).toBe("proof-invalid");
        expect(await code(attempt({ purpose: ChallengePurpose.live }))).toBe("proof-invalid");
        expect(await code(attempt({ origin: "https://elsewhere.example" }))).toBe("proof-invalid");
      });

      test("a device or workspace that is not known", async () => {
        expect(await code(renewing(new TestDevice(scene.workspace)))).toBe("grant-unknown");
        expect(await code(renewing(new TestDevice(makeRoot().workspace)))).toBe("workspace-unknown");
      });

      test("a session says who it is, and ends with the grant", async () => {
        const writer = await scene.join("writer");
        const authorize = Effect.flatMap(Tokens, (tokens) =>
          tokens.authorize(Redacted.make(writer.session.token), scene.workspace),
        );
        expect(await subject.run(authorize)).toMatchObject({
          workspace: scene.workspace,
          device: writer.device.device,
          kind: "access",
          scope: "read-write",
          role: "writer",
        });
        await scene.revokeGrant(writer);
        expect(await code(authorize)).toBe("revoked");
        expect(await code(renewing(writer.device))).toBe("revoked");
      });

      test("a grant ends at its time, and with it its sessions", async () => {
        const device = new TestDevice(scene.workspace);
        const request = { signingKey: device.pair.publicKey, scope: "read", label: "guest" } as const;
        const issue = (expiresAt: number | null) =>
          Effect.flatMap(Tokens, (tokens) => tokens.issue(scene.workspace, { ...request, expiresAt }));
        const grant = await subject.run(issue(1_000_000));
        expect(grant).toMatchObject({
          kind: "access",
          scope: "read",
          role: "reader",
          expiresAt: 1_000_000,
          status: "active",
        });
        expect(await code(renewing(device))).toBe("grant-expired");
        expect((await subject.run(issue(null))).grant).toBe(grant.grant);
      });

      test("the revocation mark rises with every withdrawal", async () => {
        const mark = Effect.flatMap(Tokens, ({ revocationMark }) => revocationMark);
        const writer = await scene.join("writer");
        const before = await subject.run(mark);
        await scene.revokeGrant(writer);
        const between = await subject.run(mark);
        expect(between).toBeGreaterThan(before);
        const other = await scene.join("writer");
        await scene.store(scene.owner, [
          scene.owner.device.propose(await scene.membershipHead(), [
            { type: "revoke-device", device: other.device.device, to: 1 },
          ]),
        ]);
        expect(await subject.run(mark)).toBeGreaterThan(between);
        const grants = new Set([writer.session.grant, other.session.grant, scene.owner.session.grant]);
        const withdrawn = await subject.run(
          Effect.flatMap(Tokens, (tokens) => tokens.withdrawn(scene.workspace, grants)),
        );
        expect(withdrawn).toEqual(new Set([writer.session.grant, other.session.grant]));
      });
    });

    describe("links", () => {
      test("creating twice is once; with other properties it is a conflict", async () => {
        const link = makeLink(scene.workspace);
        const create = (role: "writer" | "reader", maxUses = 0) =>
          Effect.flatMap(Links, (links) =>
            links.create(scene.workspace, {
              link: link.link,
              signingKey: link.pair.publicKey,
              role,
              maxUses,
              expiresAt: null,
            }),
          );
        const first = await subject.run(create("writer"));
        expect(first).toMatchObject({ status: "live", uses: 0, role: "writer" });
        expect(await subject.run(create("writer"))).toEqual(first);
        expect(await code(create("reader"))).toBe("link-conflict");
        expect(await code(create("writer", 3))).toBe("link-conflict");
      });

      test("a device that opens twice is one use and one grant; the next one finds it used up", async () => {
        const link = await scene.link("writer", 1);
        const first = await scene.open(link, "writer");
        const again = await scene.open(link, "writer", first.device);
        expect(again.session.grant).toBe(first.session.grant);
        await expect(scene.open(link, "writer")).rejects.toMatchObject({ code: "link-used-up" });
        const listed = await subject.run(Effect.flatMap(Links, (links) => links.list(scene.workspace)));
        expect(listed.find((state) => state.link === link.link)).toMatchObject({ uses: 1, status: "used-up" });
      });

      test("the last use is given once, however many ask at the same time", async () => {
        const link = await scene.link("writer", 2);
        const outcomes = await Promise.allSettled(Array.from({ length: 6 }, () => scene.open(link, "writer")));
        expect(outcomes.filter(({ status }) => status === "fulfilled")).toHaveLength(2);
      });

      test("a revoked link lets nobody in, and who is in stays", async () => {
        const link = await scene.link("writer");
        const inside = await scene.open(link, "writer");
        await subject.run(Effect.flatMap(Links, (links) => links.revoke(scene.workspace, link.link)));
        await expect(scene.open(link, "writer")).rejects.toMatchObject({ code: "link-revoked" });
        expect(await code(renewing(inside.device))).toBe("success");
      });

      test("an expired link lets nobody in", async () => {
        const link = makeLink(scene.workspace);
        const request = { link: link.link, signingKey: link.pair.publicKey, role: "reader", maxUses: 0 } as const;
        await subject.run(
          Effect.flatMap(Links, (links) => links.create(scene.workspace, { ...request, expiresAt: 1_000_000 })),
        );
        await expect(scene.open(link, "reader")).rejects.toMatchObject({ code: "link-expired" });
      });

      test("Promise 8: who was put out does not come back through the same door", async () => {
        const link = await scene.link("writer");
        const person = await scene.open(link, "writer");
        await scene.revokeGrant(person);
        await expect(scene.open(link, "writer", person.device)).rejects.toMatchObject({ code: "revoked" });
      });

      test("a certificate of more than the link gives, or of another key, is refused", async () => {
        const link = await scene.link("reader");
        await expect(scene.open(link, "writer")).rejects.toMatchObject({ code: "malformed" });
        const stranger = { link: link.link, pair: makeLink(scene.workspace).pair };
        await expect(scene.open(stranger, "reader")).rejects.toMatchObject({ code: "proof-invalid" });
        await expect(scene.open(makeLink(scene.workspace), "reader")).rejects.toMatchObject({ code: "link-unknown" });
      });

      test("a proof for one device is worth nothing for another", async () => {
        const link = await scene.link("writer");
        const [mine, theirs] = [new TestDevice(scene.workspace), new TestDevice(scene.workspace)];
        const certificate = certify(mine, "writer", { type: "link", link: link.link }, link.pair);
        const other = certify(theirs, "writer", { type: "link", link: link.link }, link.pair);
        const opening = Effect.gen(function* () {
          const { server, nonce } = yield* Effect.flatMap(Challenges, ({ make }) => make);
          const proof = prove(link.pair, {
            purpose: ChallengePurpose.openLink,
            server,
            origin: subject.origin,
            workspace: scene.workspace,
            subject: mine.device,
            statement: encodeCertificate(certificate),
            nonce,
          });
          const links = yield* Links;
          return yield* links.open(scene.workspace, link.link, {
            certificate: certificateText(other),
            proof,
            label: "",
          });
        });
        expect(await code(opening)).toBe("proof-invalid");
      });
    });

    describe("chunks", () => {
      const put = (hash: Parameters<BlobStore["Service"]["put"]>[1], bytes: Uint8Array) =>
        Effect.flatMap(BlobStore, (blobs) =>
          blobs.put({ workspace: scene.workspace, grant: scene.owner.session.grant }, hash, bytes),
        );

      test("are stored once, counted once, and come back as they were", async () => {
        const bytes = randomBytes(5000);
        const before = (await scene.state()).usage.attachmentsBytes;
        const hash = await scene.upload(scene.owner, bytes);
        await scene.upload(scene.owner, bytes);
        expect((await scene.state()).usage.attachmentsBytes).toBe(before + 5000);
        const blobs = Effect.flatMap(BlobStore, (store) =>
          Effect.all([store.get(scene.workspace, hash), store.head(scene.workspace, hash)]),
        );
        const [found, size] = await subject.run(blobs);
        expect(Buffer.from(found).equals(bytes)).toBe(true);
        expect(size).toBe(5000);
      });

      test("are known by their hash, and in their workspace only", async () => {
        const bytes = randomBytes(100);
        const other = hashFromBytes(randomBytes(32));
        expect(await code(put(other, bytes))).toBe("chunk-mismatch");
        const hash = await scene.upload(scene.owner, bytes);
        const elsewhere = await Scene.found(subject);
        const get = (place: Scene, what: typeof hash) =>
          code(Effect.flatMap(BlobStore, (store) => store.get(place.workspace, what)));
        expect(await get(scene, hash)).toBe("success");
        expect(await get(elsewhere, hash)).toBe("chunk-unknown");
        expect(await get(scene, other)).toBe("chunk-unknown");
      });
    });

    test("rule 28: a full workspace takes neither entries nor chunks, and can still free itself", async () => {
      const full = await open();
      try {
        const made = await Scene.found(full);
        const { owner } = made;
        const { usage } = await made.state();
        const room = usage.quotaBytes;
        if (room === 0) return;
        while (
          (await made.push(owner, [owner.device.author({}, randomBytes(60_000))])).results[0]?.status === "stored"
        );
        owner.device.counter -= 1;
        await expect(made.upload(owner, randomBytes(100_000))).rejects.toMatchObject({ code: "quota-exceeded" });
        const records = await made.push(owner, [
          owner.device.propose(await made.membershipHead(), [
            { type: "key-change", epoch: 2, keys: [], previous: new Uint8Array() },
          ]),
        ]);
        expect(records.results).toMatchObject([{ status: "stored" }]);
        expect((await made.state()).usage.entriesBytes).toBeLessThanOrEqual(room + 1000);
        expect(await full.run(codeOf(Effect.flatMap(EntryLog, (log) => log.state(made.workspace))))).toBe("success");
      } finally {
        await full.close();
      }
    });
  });
};
