import { EntryKind } from "@cairn/protocol";
import { makeRoot, TestDevice } from "@cairn/testkit/authors";
import { freshDatabase } from "@cairn/testkit/postgres";
import {
  connectLive,
  found,
  join,
  openLive,
  push,
  renew,
  request,
  sayHello,
  startTestServer,
  state,
  type TestServer,
} from "@cairn/testkit/server";
import { afterAll, beforeAll, describe, expect, test } from "vitest";

let server: TestServer;
let databaseUrl: string;
beforeAll(async () => {
  databaseUrl = await freshDatabase();
  server = await startTestServer({ databaseUrl });
});
afterAll(() => server.close());

describe("a live connection", () => {
  test("catches up from its cursor, then gets what others push, without a gap (Promise 3)", async () => {
    const founded = await found(server.origin);
    const { owner, session, workspace } = founded;
    const writer = await join(server.origin, founded, "writer");
    await push(server.origin, workspace, session.token, [owner.author(), owner.author()]);
    const { live, welcome } = await connectLive(server.origin, writer.device, writer.session);
    expect(welcome).toMatchObject({
      head: 5,
      role: "writer",
      scope: "read-write",
      keyEpoch: 1,
      last: 1,
      diverged: false,
    });
    await live.readTo(5);
    const other = await connectLive(server.origin, owner, session);
    for (let round = 0; round < 20; round += 1) await other.live.push([owner.author()]);
    await live.readTo(25);
    let cursor = 0;
    for (const page of live.pages) {
      expect(page.after).toBe(cursor);
      cursor = page.until;
    }
    expect(live.pages.at(-1)?.chain).toBe((await state(server.origin, workspace, session.token)).chain);
    live.close();
    other.live.close();
  });

  test("its own entries come back named only", async () => {
    const { owner, session } = await found(server.origin);
    const { live } = await connectLive(server.origin, owner, session);
    const { results } = await live.push([owner.author()]);
    expect(results).toMatchObject([{ status: "stored", seq: 2 }]);
    await live.readTo(2);
    expect(live.pages.flatMap(({ items }) => items.map(({ type }) => type))).toEqual(["own", "own"]);
    live.close();
  });

  test("pushes that are under way at once keep their order", async () => {
    const { owner, session } = await found(server.origin);
    const { live } = await connectLive(server.origin, owner, session);
    for (let count = 0; count < 50; count += 1) live.startPush([owner.author()]);
    for (let count = 1; count <= 50; count += 1) {
      const answer = await live.next("pushed");
      expect(answer.push).toBe(count);
      expect(answer.response.results).toMatchObject([{ status: "stored", seq: count + 1 }]);
    }
    live.close();
  });

  test("a client that confirms nothing is sent no more than the window, and the rest once it does", async () => {
    const founded = await found(server.origin);
    const { owner, session, workspace } = founded;
    const reader = await join(server.origin, founded, "reader");
    const large = new Uint8Array(1024 * 1024);
    for (let count = 0; count < 12; count += 1) {
      await push(server.origin, workspace, session.token, [owner.author({}, large)]);
    }
    const { live } = await connectLive(server.origin, reader.device, reader.session);
    await live.readTo(6, false);
    const before = live.pages.length;
    // Were the window ignored, the other pages would come before this answer.
    live.send({ type: "ping" });
    await live.next("pong");
    expect(live.pages.length).toBeLessThanOrEqual(before + 2);
    expect(live.pages.at(-1)?.until).toBeLessThan(15);
    live.send({ type: "received", cursor: live.pages.at(-1)?.until ?? 0 });
    await live.readTo(15);
    live.close();
  });

  test("a withdrawn grant ends it within a second, also on another node (Promise 8)", async () => {
    const founded = await found(server.origin);
    const { session, workspace } = founded;
    const writer = await join(server.origin, founded, "writer");
    const other = await startTestServer({ databaseUrl, tokenKey: "a key of this test, used by its second node" });
    const elsewhere = await renew(other.origin, writer.device);
    const near = await connectLive(server.origin, writer.device, writer.session);
    const far = await connectLive(other.origin, writer.device, elsewhere.body);
    const started = performance.now();
    const { status } = await request(
      server.origin,
      "DELETE",
      `/v1/workspaces/${workspace}/tokens/${writer.session.grant}`,
      { token: session.token },
    );
    expect(status).toBe(204);
    expect((await near.live.next("closing")).error.code).toBe("revoked");
    expect((await far.live.next("closing")).error.code).toBe("revoked");
    await Promise.all([near.live.closed, far.live.closed]);
    expect(performance.now() - started).toBeLessThan(1000);
    await other.close();
  });

  test("what another node commits arrives, too", async () => {
    const founded = await found(server.origin);
    const { owner, session, workspace } = founded;
    const reader = await join(server.origin, founded, "reader");
    const other = await startTestServer({ databaseUrl });
    const { live } = await connectLive(other.origin, reader.device, (await renew(other.origin, reader.device)).body);
    await live.readTo(3);
    await push(server.origin, workspace, session.token, [owner.author(), owner.author()]);
    await live.readTo(5);
    expect(live.pages.flatMap(({ items }) => items.map(({ seq }) => seq))).toEqual([1, 2, 3, 4, 5]);
    live.close();
    await other.close();
  });

  test("a device that the chain revokes is put out by the commit", async () => {
    const founded = await found(server.origin);
    const { owner, session, workspace } = founded;
    const writer = await join(server.origin, founded, "writer");
    const { live } = await connectLive(server.origin, writer.device, writer.session);
    const { membershipHead } = await state(server.origin, workspace, session.token);
    const revocation = owner.propose(membershipHead, [{ type: "revoke-device", device: writer.device.device, to: 1 }]);
    await push(server.origin, workspace, session.token, [revocation]);
    expect((await live.next("closing")).error.code).toBe("revoked");
    const refused = await push(server.origin, workspace, writer.session.token, [writer.device.author()]);
    expect(refused.status).toBe(403);
    expect(refused.body).toMatchObject({ code: "revoked" });
  });

  test("a reader's pushes are refused, and the connection goes on (Promise 9)", async () => {
    const founded = await found(server.origin);
    const reader = await join(server.origin, founded, "reader");
    const { live } = await connectLive(server.origin, reader.device, reader.session);
    const number = live.startPush([reader.device.author()]);
    expect(await live.next("push-failed")).toMatchObject({ push: number, error: { code: "read-only" } });
    live.send({ type: "ping" });
    await live.next("pong");
    live.close();
  });

  test("a cursor of another log is told, and gets no pages (rule 11)", async () => {
    const { owner, session } = await found(server.origin);
    const beyond = await connectLive(server.origin, owner, session, { cursor: 7 });
    expect(beyond.welcome.diverged).toBe(true);
    const { results } = await beyond.live.push([owner.author({ kind: EntryKind.void, epoch: 0 }, new Uint8Array())]);
    expect(results).toMatchObject([{ status: "stored" }]);
    expect(beyond.live.pages).toEqual([]);
    beyond.live.close();
  });

  test("a fresh token keeps it open", async () => {
    const { owner } = await found(server.origin);
    const first = await renew(server.origin, owner);
    const { live } = await connectLive(server.origin, owner, first.body);
    const second = await renew(server.origin, owner);
    live.send({ type: "renew", token: second.body.token });
    expect((await live.next("renewed")).sessionExpiresAt).toBe(second.body.expiresAt);
    live.send({ type: "renew", token: "not.a.token" });
    expect((await live.next("closing")).error.code).toBe("token-invalid");
  });

  test("an expired session ends it", async () => {
    const { owner } = await found(server.origin);
    const brief = await startTestServer({ databaseUrl, settings: { sessionMillis: 3000 } });
    const { live } = await connectLive(brief.origin, owner, (await renew(brief.origin, owner)).body);
    expect((await live.next("closing")).error.code).toBe("token-expired");
    await brief.close();
  });

  test("a shutdown says goodbye first, and does not wait for clients", async () => {
    const leaving = await startTestServer({ databaseUrl: await freshDatabase() });
    const { owner, session } = await found(leaving.origin);
    const { live } = await connectLive(leaving.origin, owner, session);
    const started = performance.now();
    const closed = leaving.close();
    expect((await live.next("closing")).error.code).toBe("unavailable");
    await live.closed;
    await closed;
    expect(performance.now() - started).toBeLessThan(1500);
  });
});

describe("a handshake is refused", () => {
  const cases: ReadonlyArray<readonly [string, string, Parameters<typeof sayHello>[5]]> = [
    ["without a token", "token-missing", (hello) => ({ ...hello, token: "" })],
    [
      "with another device's name",
      "wrong-device",
      (hello) => ({ ...hello, device: new TestDevice(makeRoot().workspace).device }),
    ],
    ["with an unknown version", "unsupported-protocol", (hello) => ({ ...hello, protocol: 99 })],
    [
      "with a proof for another origin",
      "proof-invalid",
      (hello) => ({ ...hello, proof: { ...hello.proof, origin: "http://elsewhere" } }),
    ],
    ["with another nonce", "proof-invalid", (hello) => ({ ...hello, proof: { ...hello.proof, nonce: "AAAA" } })],
  ];
  test.each(cases)("%s", async (_name, code, change) => {
    const { owner, session, workspace } = await found(server.origin);
    const live = openLive(server.origin, workspace);
    await sayHello(live, server.origin, owner, session, {}, change);
    expect((await live.next("closing")).error.code).toBe(code);
    await live.closed;
  });

  test("with another key's proof", async () => {
    const founded = await found(server.origin);
    const writer = await join(server.origin, founded, "writer");
    const live = openLive(server.origin, founded.workspace);
    await sayHello(live, server.origin, writer.device, founded.session, {}, (hello) => ({
      ...hello,
      device: founded.owner.device,
    }));
    expect((await live.next("closing")).error.code).toBe("proof-invalid");
  });
});
