import { makeRoot, TestDevice } from "@cairn/testkit/authors";
import { freshDatabase } from "@cairn/testkit/postgres";
import { register, request, startTestServer, type TestServer } from "@cairn/testkit/server";
import { Redacted } from "effect";
import { afterEach, describe, expect, test } from "vitest";

const running: Array<TestServer> = [];
const start = async (...[settings, databaseUrl]: [Parameters<typeof startTestServer>[0]["settings"]?, string?]) => {
  const server = await startTestServer({
    databaseUrl: databaseUrl ?? (await freshDatabase()),
    ...(settings === undefined ? {} : { settings }),
  });
  running.push(server);
  return server.origin;
};
afterEach(async () => {
  for (const server of running.splice(0)) await server.close();
});

const someone = () => {
  const root = makeRoot();
  return { root, device: new TestDevice(root.workspace) };
};

describe("who may register", () => {
  test("open: everybody, as master", async () => {
    const { root, device } = someone();
    const answer = await register(await start(), root, device);
    expect(answer.status).toBe(200);
    expect(answer.body).toMatchObject({ kind: "master", scope: "read-write", role: "owner" });
  });

  test("closed: nobody new, and who is known still gets in", async () => {
    const databaseUrl = await freshDatabase();
    const { root, device } = someone();
    await register(await start({ registration: "open" }, databaseUrl), root, device);
    const closed = await start({ registration: "closed" }, databaseUrl);
    expect((await register(closed, root, new TestDevice(root.workspace))).status).toBe(200);
    const stranger = someone();
    const refused = await register(closed, stranger.root, stranger.device);
    expect([refused.status, refused.body]).toMatchObject([403, { code: "registration-closed" }]);
  });

  test("invite: whoever has a code", async () => {
    const origin = await start({ registration: "invite", invites: [Redacted.make("spring"), Redacted.make("autumn")] });
    const { root, device } = someone();
    for (const extra of [{}, { invite: "winter" }, { invite: "" }]) {
      const refused = await register(origin, root, device, extra);
      expect([refused.status, refused.body]).toMatchObject([403, { code: "invite-invalid" }]);
    }
    expect((await register(origin, root, device, { invite: "autumn" })).status).toBe(200);
  });

  test("not with another workspace's name, nor another root's key", async () => {
    const origin = await start();
    const [one, two] = [someone(), someone()];
    const borrowed = { ...one.root, pair: two.root.pair };
    const device = new TestDevice(one.root.workspace);
    const refused = await register(origin, borrowed, device);
    expect([refused.status, refused.body]).toMatchObject([409, { code: "workspace-conflict" }]);
    await register(origin, one.root, one.device);
    expect((await register(origin, borrowed, device)).body).toMatchObject({ code: "workspace-conflict" });
  });
});

test("unproven requests of one address are limited, and told how long to wait", async () => {
  const origin = await start({ unprovenPerMinute: 5 });
  for (let count = 0; count < 5; count += 1) {
    expect((await request(origin, "POST", "/v1/challenges")).status).toBe(200);
  }
  const limited = await request(origin, "POST", "/v1/challenges");
  expect([limited.status, limited.body]).toMatchObject([429, { code: "rate-limited", action: "retry" }]);
  expect(Number(limited.headers.get("retry-after"))).toBeGreaterThan(0);
  expect((await request(origin, "GET", "/v1/server")).status).toBe(200);
});

test("behind a proxy, one visitor does not use up what the others may ask", async () => {
  const origin = await start({ unprovenPerMinute: 1 });
  const from = async (address: string) =>
    (await request(origin, "POST", "/v1/challenges", { headers: { "x-forwarded-for": address } })).status;
  expect([await from("198.51.100.1"), await from("198.51.100.1"), await from("198.51.100.2")]).toEqual([200, 429, 200]);
});

test("without a proxy, nobody gets another try by making up an address", async () => {
  const origin = await start({ unprovenPerMinute: 1, trustedProxies: [] });
  const from = async (address: string) =>
    (await request(origin, "POST", "/v1/challenges", { headers: { "x-forwarded-for": address } })).status;
  expect([await from("198.51.100.1"), await from("198.51.100.2")]).toEqual([200, 429]);
});

test("the API describes itself", async () => {
  const origin = await start();
  const api = await request<{ readonly paths: Record<string, unknown> }>(origin, "GET", "/openapi.json");
  expect(Object.keys(api.body.paths)).toContain("/v1/workspaces/{workspace}/entries");
  const docs = await fetch(`${origin}/docs`);
  expect(docs.headers.get("content-type")).toContain("text/html");
  // Promise 6, and pages that work without the internet: nothing is loaded from elsewhere.
  expect(await docs.text()).not.toMatch(/<(script|link)[^>]+(src|href)="https?:/);
});
