/**
 * Who may do what: every endpoint of the API's definition with every kind of token. A new endpoint fails the first test
 * until it is put into the table.
 */
import { encodeBatch, ENTRIES_MEDIA_TYPE, type Session } from "@cairn/protocol";
import { TokenKeys, type TokenKeysShape } from "@cairn/server";
import {
  ChallengePurpose,
  certificateText,
  certify,
  encodeCertificate,
  makeLink,
  makeSigningPair,
  prove,
  TestDevice,
} from "@cairn/testkit/authors";
import { freshDatabase } from "@cairn/testkit/postgres";
import {
  apiEndpoints,
  challenge,
  found,
  type Founded,
  join,
  openLive,
  request,
  sayHello,
  startTestServer,
  type TestServer,
} from "@cairn/testkit/server";
import { Effect, Redacted } from "effect";
import jwt from "jsonwebtoken";
import { createHash, randomBytes } from "node:crypto";
import { afterAll, beforeAll, describe, expect, test } from "vitest";

const tokenKey = "the secret that signs the tokens of this test";

/** `open`: no token is looked at. `session`: any good token. `write`: not a reader's. `master`: an owner's. */
type Access = "open" | "session" | "write" | "master";

interface Call {
  readonly method: string;
  readonly path: string;
  readonly headers?: Record<string, string>;
  readonly body?: string | Uint8Array<ArrayBuffer>;
}

interface Row {
  readonly access: Access;
  /** What an allowed request is answered with. */
  readonly success: number;
  /** A request that succeeds with a token that allows it. Made anew for every cell. */
  readonly call: () => Call | Promise<Call>;
}

let server: TestServer;
let founded: Founded;
let keys: TokenKeysShape;
let reader: { readonly device: TestDevice; readonly session: Session };
let writer: { readonly device: TestDevice; readonly session: Session };
let revoked: { readonly device: TestDevice; readonly session: Session };
let stranger: Founded;
const tokens: Record<string, string | undefined> = {};
const chunk = new Uint8Array(randomBytes(100));
const chunkHash = createHash("sha256").update(chunk).digest("base64url");

const json = (method: string, path: string, body: unknown): Call => ({
  method,
  path,
  headers: { "content-type": "application/json" },
  body: JSON.stringify(body),
});
const at = (path = "") => `/v1/workspaces/${founded.workspace}${path}`;

const proven = async (
  purpose: ChallengePurpose,
  signer: TestDevice["pair"],
  subject: TestDevice["device"],
  statement?: Uint8Array,
) => {
  const { server: id, nonce } = await challenge(server.origin);
  const { workspace } = founded;
  return prove(signer, {
    purpose,
    server: id,
    origin: server.origin,
    workspace,
    subject,
    nonce,
    ...(statement === undefined ? {} : { statement }),
  });
};

const newLink = async () => {
  const link = makeLink(founded.workspace);
  const body = { link: link.link, signingKey: link.pair.publicKey, role: "writer", maxUses: 0, expiresAt: null };
  const call = json("POST", at("/links"), body);
  await request(server.origin, "POST", call.path, { token: founded.session.token, json: body });
  return { link, call };
};

const table: Record<string, Row> = {
  "system.health": { access: "open", success: 200, call: () => ({ method: "GET", path: "/health" }) },
  "system.ready": { access: "open", success: 200, call: () => ({ method: "GET", path: "/ready" }) },
  "system.describe": { access: "open", success: 200, call: () => ({ method: "GET", path: "/v1/server" }) },
  "system.challenge": { access: "open", success: 200, call: () => ({ method: "POST", path: "/v1/challenges" }) },
  "workspaces.register": {
    access: "open",
    success: 200,
    call: async () => {
      const { owner, root } = founded;
      const certificate = certify(owner, "owner", { type: "root" }, root.pair);
      const statement = encodeCertificate(certificate);
      return json("PUT", at(), {
        rootKey: root.pair.publicKey,
        certificate: certificateText(certificate),
        proof: await proven(ChallengePurpose.register, root.pair, owner.device, statement),
        label: "again",
      });
    },
  },
  "workspaces.state": { access: "session", success: 200, call: () => ({ method: "GET", path: at() }) },
  "entries.push": {
    access: "write",
    success: 200,
    call: () => ({
      method: "POST",
      path: at("/entries"),
      headers: { "content-type": ENTRIES_MEDIA_TYPE },
      // A gap whoever sends it: answered with a result, and nothing is stored.
      body: encodeBatch([writer.device.author({ counter: 1_000_000 }).bytes]),
    }),
  },
  "entries.pull": { access: "session", success: 200, call: () => ({ method: "GET", path: at("/entries?after=0") }) },
  // The token comes with the first frame; see the matrix of the live connection.
  "entries.live": { access: "open", success: 400, call: () => ({ method: "GET", path: at("/live") }) },
  "tokens.issue": {
    access: "master",
    success: 200,
    call: () =>
      json("POST", at("/tokens"), {
        signingKey: makeSigningPair().publicKey,
        scope: "read",
        label: "issued",
        expiresAt: null,
      }),
  },
  "tokens.renew": {
    access: "open",
    success: 200,
    call: async () => {
      const { owner } = founded;
      const proof = await proven(ChallengePurpose.session, owner.pair, owner.device);
      return json("POST", at("/tokens/renew"), { device: owner.device, proof });
    },
  },
  "tokens.list": { access: "master", success: 200, call: () => ({ method: "GET", path: at("/tokens") }) },
  "tokens.revoke": {
    access: "master",
    success: 204,
    call: () => ({ method: "DELETE", path: at(`/tokens/${revoked.session.grant}`) }),
  },
  "links.createLink": { access: "master", success: 200, call: async () => (await newLink()).call },
  "links.listLinks": { access: "master", success: 200, call: () => ({ method: "GET", path: at("/links") }) },
  "links.describeLink": {
    access: "open",
    success: 200,
    call: async () => ({ method: "GET", path: at(`/links/${(await newLink()).link.link}`) }),
  },
  "links.openLink": {
    access: "open",
    success: 200,
    call: async () => {
      const { link } = await newLink();
      const device = new TestDevice(founded.workspace);
      const certificate = certify(device, "writer", { type: "link", link: link.link }, link.pair);
      const proof = await proven(ChallengePurpose.openLink, link.pair, device.device, encodeCertificate(certificate));
      return json("POST", at(`/links/${link.link}/open`), {
        certificate: certificateText(certificate),
        proof,
        label: "in",
      });
    },
  },
  "links.revokeLink": {
    access: "master",
    success: 204,
    call: async () => ({ method: "DELETE", path: at(`/links/${(await newLink()).link.link}`) }),
  },
  "chunks.putChunk": {
    access: "write",
    success: 200,
    call: () => ({
      method: "PUT",
      path: at(`/chunks/${chunkHash}`),
      headers: { "content-type": "application/octet-stream" },
      body: chunk,
    }),
  },
  "chunks.headChunk": {
    access: "session",
    success: 204,
    call: () => ({ method: "HEAD", path: at(`/chunks/${chunkHash}`) }),
  },
  "chunks.getChunk": {
    access: "session",
    success: 200,
    call: () => ({ method: "GET", path: at(`/chunks/${chunkHash}`) }),
  },
};

const endpoints = apiEndpoints();

type Expected = "success" | readonly [status: number, code: string];
const invalid: Expected = [401, "token-invalid"];
const refusedAlways: Readonly<Record<string, Expected>> = {
  none: [401, "token-missing"],
  empty: [401, "token-missing"],
  garbage: invalid,
  truncated: invalid,
  unsigned: invalid,
  "alg none": invalid,
  "other algorithm": invalid,
  "asymmetric algorithm": invalid,
  "other key": invalid,
  "unknown key id": invalid,
  "other server's": invalid,
  "changed claims": invalid,
  expired: [401, "token-expired"],
  revoked: [403, "revoked"],
  "other workspace's": [403, "wrong-workspace"],
};
const tokenNames = [...Object.keys(refusedAlways), "read", "write", "master"];

const expectedFor = (access: Access, token: string): Expected => {
  if (access === "open") return "success";
  const refusal = refusedAlways[token];
  if (refusal !== undefined) return refusal;
  if (access === "master" && token !== "master") return [403, "master-required"];
  return access === "write" && token === "read" ? [403, "read-only"] : "success";
};

/** What somebody might make of an owner's token, and of a reader's. */
const forge = (good: string, readers: string): Record<string, string | undefined> => {
  const [readersHead, readersBody = "", readersSignature] = readers.split(".");
  const claims: unknown = JSON.parse(Buffer.from(readersBody, "base64url").toString());
  const [head = "", body = "", signature = ""] = good.split(".");
  const payload = jwt.verify(good, keys.current.key, { algorithms: ["HS256"] });
  if (typeof payload === "string") throw new Error("a session is an object");
  const { key, kid } = keys.current;
  const part = (value: unknown) => Buffer.from(JSON.stringify(value)).toString("base64url");
  return {
    none: undefined,
    empty: "",
    garbage: "garbage",
    truncated: good.slice(0, -7),
    unsigned: `${head}.${body}.`,
    "alg none": `${part({ alg: "none", typ: "JWT", kid })}.${body}.`,
    "other algorithm": jwt.sign(payload, key, { algorithm: "HS512", keyid: kid }),
    "asymmetric algorithm": `${part({ alg: "RS256", typ: "JWT", kid })}.${body}.${signature}`,
    "other key": jwt.sign(payload, randomBytes(32), { algorithm: "HS256", keyid: kid }),
    "unknown key id": jwt.sign(payload, key, { algorithm: "HS256", keyid: "unknown" }),
    "other server's": jwt.sign({ ...payload, aud: "AAAAAAAAAAAAAAAAAAAAAA" }, key, { algorithm: "HS256", keyid: kid }),
    "changed claims": `${readersHead}.${part(Object.assign({}, claims, { role: "owner", kind: "master", scope: "read-write" }))}.${readersSignature}`,
    expired: jwt.sign({ ...payload, iat: 1_000_000, exp: 1_000_060 }, key, { algorithm: "HS256", keyid: kid }),
  };
};

beforeAll(async () => {
  server = await startTestServer({ databaseUrl: await freshDatabase(), tokenKey });
  keys = await Effect.runPromise(
    Effect.provide(
      Effect.map(TokenKeys, (found) => found),
      TokenKeys.layerSecret(Redacted.make(tokenKey)),
    ),
  );
  founded = await found(server.origin);
  stranger = await found(server.origin);
  reader = await join(server.origin, founded, "reader");
  writer = await join(server.origin, founded, "writer");
  revoked = await join(server.origin, founded, "writer");
  const { token } = founded.session;
  await request(server.origin, "DELETE", at(`/tokens/${revoked.session.grant}`), { token });
  await fetch(`${server.origin}${at(`/chunks/${chunkHash}`)}`, {
    method: "PUT",
    headers: { authorization: `Bearer ${token}`, "content-type": "application/octet-stream" },
    body: chunk,
  });
  Object.assign(tokens, forge(token, reader.session.token), {
    revoked: revoked.session.token,
    "other workspace's": stranger.session.token,
    read: reader.session.token,
    write: writer.session.token,
    master: token,
  });
});
afterAll(() => server.close());

test("every endpoint of the API is classified, and no other", () => {
  expect(Object.keys(table).toSorted()).toEqual(endpoints.map(({ name }) => name).toSorted());
});

test("the definition asks for a token exactly where the table says so", () => {
  for (const { name, authorized } of endpoints)
    expect([name, table[name]?.access !== "open"]).toEqual([name, authorized]);
});

describe.each(endpoints)("$name", ({ name, method }) => {
  test.each(tokenNames)("with the token: %s", async (token) => {
    const row = table[name];
    if (row === undefined) throw new Error("not classified");
    const { path, headers, body, ...call } = await row.call();
    expect(call.method).toBe(method);
    const bearer = tokens[token];
    const response = await fetch(`${server.origin}${path}`, {
      method,
      headers: { ...headers, ...(bearer === undefined ? {} : { authorization: `Bearer ${bearer}` }) },
      ...(body === undefined ? {} : { body }),
    });
    const expected = expectedFor(row.access, token);
    const text = await response.text();
    if (expected === "success") {
      expect({ status: response.status, text }).toMatchObject({ status: row.success });
      return;
    }
    expect(response.status).toBe(expected[0]);
    // The answer to HEAD has no body.
    if (method !== "HEAD") expect(JSON.parse(text)).toMatchObject({ code: expected[1] });
    expect(response.headers.get("x-request-id")).toBeTruthy();
  });
});

describe("the live connection", () => {
  test.each(tokenNames)("with the token: %s", async (token) => {
    const holder = { read: reader, write: writer, revoked }[token]?.device ?? founded.owner;
    const live = openLive(server.origin, founded.workspace);
    await sayHello(live, server.origin, holder, { token: tokens[token] ?? "" });
    const expected = expectedFor("session", token);
    if (expected === "success") await live.next("welcome");
    else expect((await live.next("closing")).error.code).toBe(expected[1]);
    live.close();
  });
});

describe("hazard 9: the path does not decide", () => {
  test("a good token for one workspace opens nothing of another, whatever the body says", async () => {
    for (const { access, call } of Object.values(table)) {
      if (access === "open") continue;
      const { method, path, headers, body } = await call();
      const response = await fetch(`${server.origin}${path}`, {
        method,
        headers: { ...headers, authorization: `Bearer ${stranger.session.token}` },
        ...(body === undefined ? {} : { body }),
      });
      expect([path, response.status]).toEqual([path, 403]);
    }
  });
});
