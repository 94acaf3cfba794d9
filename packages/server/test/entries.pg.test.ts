import { freshDatabase } from "@cairn/testkit/postgres";
import { found, join, pull, push, renew, startTestServer, state, type TestServer } from "@cairn/testkit/server";
import { afterAll, beforeAll, describe, expect, test } from "vitest";

let server: TestServer;
beforeAll(async () => {
  server = await startTestServer({ databaseUrl: await freshDatabase() });
});
afterAll(() => server.close());

describe("push and pull over HTTP", () => {
  test("what one device pushes, another pulls", async () => {
    const founded = await found(server.origin);
    const { owner, workspace, session } = founded;
    const entries = [owner.author(), owner.author(), owner.author()];
    const pushed = await push(server.origin, workspace, session.token, entries);
    expect(pushed.status).toBe(200);
    expect(pushed.body.results.map(({ status }) => status)).toEqual(["stored", "stored", "stored"]);
    const { session: reader } = await join(server.origin, founded, "reader");
    const page = await pull(server.origin, workspace, reader.token, { after: 0 });
    expect(page.items.map(({ type }) => type)).toEqual(["entry", "entry", "entry", "entry", "entry", "own"]);
    expect(page.until).toBe(page.head);
    const renewed = await renew(server.origin, owner);
    expect(renewed.status).toBe(200);
    expect((await state(server.origin, workspace, renewed.body.token)).chain).toBe(page.chain);
  });
});
