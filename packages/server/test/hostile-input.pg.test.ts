/**
 * Promise 11: bad input gets a clear, typed error, changes nothing, and leaves the process healthy. Every endpoint of
 * the API's definition and the live connection, with truncated, oversized, wrongly versioned and random bytes.
 */
import {
  encodeBatch,
  encodeFrame,
  ENTRIES_MEDIA_TYPE,
  ERROR_CATALOGUE,
  FRAME_TYPES,
  LIMITS,
  WireError,
} from "@cairn/protocol";
import { freshDatabase, fingerprint } from "@cairn/testkit/postgres";
import {
  apiEndpoints,
  connectLive,
  found,
  type Founded,
  openLive,
  push,
  startTestServer,
  type TestServer,
} from "@cairn/testkit/server";
import { Schema } from "effect";
import { createHash } from "node:crypto";
import { connect } from "node:net";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";

const decodeWireError = Schema.decodeUnknownSync(WireError);

/** Bytes that look random and are the same in every run. */
const noise = (seed: string, length: number): Uint8Array<ArrayBuffer> => {
  const bytes = new Uint8Array(length);
  for (let offset = 0, block = 0; offset < length; offset += 32, block += 1) {
    bytes.set(
      createHash("sha256")
        .update(`${seed}${block}`)
        .digest()
        .subarray(0, length - offset),
      offset,
    );
  }
  return bytes;
};

let databaseUrl: string;
let server: TestServer;
let founded: Founded;
let before: Readonly<Record<string, string>>;
const logs: Array<string> = [];
let genesisBatch: Uint8Array<ArrayBuffer>;

beforeAll(async () => {
  databaseUrl = await freshDatabase();
  server = await startTestServer({ databaseUrl, onLog: (line) => logs.push(line) });
  founded = await found(server.origin);
  genesisBatch = encodeBatch([founded.owner.author({ counter: 2 }).bytes]);
  founded.owner.counter = 1;
});
afterAll(() => server.close());

const expectUnchangedAndHealthy = async () => {
  expect(await fingerprint(databaseUrl)).toEqual(before);
  expect((await fetch(`${server.origin}/ready`)).status).toBe(200);
};

beforeEach(async () => {
  before = await fingerprint(databaseUrl);
});
afterEach(async () => {
  await expectUnchangedAndHealthy();
});

const endpoints = apiEndpoints();
const withBody = endpoints.filter(({ mediaType }) => mediaType !== undefined);

const fill = (path: string): string =>
  path
    .replace(":workspace", founded.workspace)
    .replace(":grant", founded.session.grant)
    .replace(":link", "AAAAAAAAAAAAAAAAAAAAAA")
    .replace(":hash", "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA");

interface Sent {
  readonly method: string;
  readonly path: string;
  readonly headers?: Record<string, string>;
  readonly body?: BodyInit;
}

/** Sends a request with the owner's token and expects this error. */
const expectError = async (sent: Sent, code: keyof typeof ERROR_CATALOGUE): Promise<void> => {
  const { path, ...init } = sent;
  const response = await fetch(`${server.origin}${path}`, {
    ...init,
    headers: { authorization: `Bearer ${founded.session.token}`, ...sent.headers },
    // A streamed body needs it.
    ...(init.body instanceof ReadableStream ? { duplex: "half" } : {}),
  });
  const text = await response.text();
  expect({ status: response.status, text }).toMatchObject({ status: ERROR_CATALOGUE[code].status });
  expect(response.headers.get("x-request-id")).toBeTruthy();
  if (sent.method === "HEAD") return;
  const error = decodeWireError(JSON.parse(text));
  expect(error.code).toBe(code);
  expect(error.action).toBe(ERROR_CATALOGUE[code].action);
  expect(error.requestId).toBe(response.headers.get("x-request-id"));
  expect(text).not.toMatch(/\bat [^ ]+ \(|\.ts:\d|node_modules|stack/);
};

describe.each(endpoints)("$name", ({ method, path, name, authorized }) => {
  test("an unsupported protocol version", async () => {
    for (const version of ["0", "2", "99", "-1", "one", ""]) {
      await expectError({ method, path: fill(path), headers: { "cairn-protocol": version } }, "unsupported-protocol");
    }
  });

  const parameters = path.match(/:(workspace|grant|link|hash)/g) ?? [];
  test.each(parameters)("no id where %s is expected", async (parameter) => {
    for (const value of ["x", "%00", "..%2f..", "A".repeat(90)]) {
      const body = name === "chunks.putChunk" ? noise(name, 10) : "{}";
      const hasBody = withBody.some((endpoint) => endpoint.name === name);
      const mediaType = withBody.find((endpoint) => endpoint.name === name)?.mediaType ?? "";
      await expectError(
        {
          method,
          path: fill(path.replace(parameter, value)),
          ...(hasBody ? { body, headers: { "content-type": mediaType } } : {}),
        },
        // Whatever it is, it is not the workspace that the token is for.
        authorized && parameter === ":workspace" ? "wrong-workspace" : "malformed",
      );
    }
  });
});

describe.each(withBody)("the body of $name", ({ name, method, path, mediaType = "" }) => {
  const garbage = name === "chunks.putChunk" ? "chunk-mismatch" : "malformed";
  const headers = { "content-type": mediaType };

  test("random bytes", async () => {
    for (const length of [0, 1, 3, 17, 500, 20_000]) {
      await expectError({ method, path: fill(path), headers, body: noise(name, length) }, garbage);
    }
  });

  test("JSON of another shape, and JSON that is cut off", async () => {
    for (const body of ["null", "[]", "{}", '{"label":1}', "[".repeat(5000), '{"label": "x']) {
      await expectError({ method, path: fill(path), headers, body }, garbage);
    }
  });

  test("too large by its own word, and too large as it comes", async () => {
    const limit =
      { "entries.push": LIMITS.batchBytes, "chunks.putChunk": LIMITS.chunkBytes }[name] ?? LIMITS.controlBytes;
    await expectError({ method, path: fill(path), headers, body: new Uint8Array(limit + 1) }, "too-large");
    let left = Math.ceil(limit / 65_536) + 8;
    const endless = new ReadableStream<Uint8Array>({
      pull: (controller) => {
        if (left === 0) return controller.close();
        left -= 1;
        controller.enqueue(new Uint8Array(65_536));
      },
    });
    await expectError({ method, path: fill(path), headers, body: endless }, "too-large");
  });

  test("another media type, and none", async () => {
    for (const type of ["text/html", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "?"]) {
      await expectError(
        { method, path: fill(path), headers: { "content-type": type }, body: "{}" },
        "unsupported-media-type",
      );
    }
  });
});

describe("batches", () => {
  const expectRefused = (body: Uint8Array<ArrayBuffer>, code: keyof typeof ERROR_CATALOGUE = "malformed") =>
    expectError(
      {
        method: "POST",
        path: fill("/v1/workspaces/:workspace/entries"),
        headers: { "content-type": ENTRIES_MEDIA_TYPE },
        body,
      },
      code,
    );

  test("cut off at every length", async () => {
    for (let length = 0; length < genesisBatch.length; length += 7) await expectRefused(genesisBatch.slice(0, length));
  });

  test("of another version, with more behind, with a wrong count", async () => {
    const changed = (index: number, value: number) => {
      const copy = genesisBatch.slice();
      copy[index] = value;
      return copy;
    };
    await expectRefused(changed(2, 9));
    await expectRefused(changed(3, 2));
    await expectRefused(changed(0, 0));
    await expectRefused(new Uint8Array([...genesisBatch, 0]));
  });

  test("of another workspace", async () => {
    const other = await found(server.origin);
    before = await fingerprint(databaseUrl);
    await expectRefused(encodeBatch([other.owner.author().bytes]), "wrong-workspace");
    await expectRefused(
      encodeBatch([founded.owner.author({ counter: 2 }).bytes, other.owner.author().bytes]),
      "wrong-workspace",
    );
    founded.owner.counter = 1;
  });
});

describe("queries of a pull", () => {
  test.each([
    "",
    "?after=-1",
    "?after=1.5",
    "?after=x",
    "?after=0&after=1",
    "?after=0&bytes=0",
    "?after=0&bytes=99999999999",
    "?after=0&chain=x",
    "?after=0&own=maybe",
    "?after=NaN",
    "?after=1e400",
  ])("%s", (query) =>
    expectError({ method: "GET", path: fill(`/v1/workspaces/:workspace/entries${query}`) }, "malformed"),
  );

  test("a cursor that the log never gave", async () => {
    for (const query of ["after=2", "after=9007199254740991", `after=0&chain=${"A".repeat(43)}`]) {
      await expectError({ method: "GET", path: fill(`/v1/workspaces/:workspace/entries?${query}`) }, "diverged");
    }
  });
});

describe("addresses", () => {
  test("that are none", async () => {
    for (const path of ["/v1", "/v1/", "/v1/nothing", "/v1/workspaces", "/v2/server", "/v1/server/x", "/v1/%zz"]) {
      await expectError({ method: "GET", path }, "not-found");
    }
  });

  test("asked in another way", async () => {
    for (const { path } of endpoints) {
      await expectError({ method: "PATCH", path: fill(path) }, "method-not-allowed");
    }
    await expectError({ method: "DELETE", path: "/v1/server" }, "method-not-allowed");
  });
});

/** Sends bytes over a plain connection and gives what comes back. */
const overTcp = (bytes: string | Uint8Array): Promise<string> =>
  new Promise((resolve, reject) => {
    const { hostname, port } = new URL(server.origin);
    const socket = connect(Number(port), hostname, () => socket.write(bytes));
    let answer = "";
    socket.setTimeout(3000, () => socket.destroy(new Error("no answer")));
    socket.on("data", (data) => {
      answer += data.toString("latin1");
      if (/\r\n\r\n[^]*}$/.test(answer) || answer.startsWith("HTTP/1.1 400 Bad Request")) socket.destroy();
    });
    socket.on("close", () => resolve(answer));
    socket.on("error", reject);
  });

describe("upgrades", () => {
  const upgrade = (lines: ReadonlyArray<string>, path = fill("/v1/workspaces/:workspace/live")) =>
    overTcp([`GET ${path} HTTP/1.1`, "Host: x", ...lines, "", ""].join("\r\n"));
  const good = {
    upgrade: "Upgrade: websocket",
    connection: "Connection: Upgrade",
    key: "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
    version: "Sec-WebSocket-Version: 13",
  };

  test.each([
    ["without a key", [good.upgrade, good.connection, good.version]],
    ["with a key that is none", [good.upgrade, good.connection, good.version, "Sec-WebSocket-Key: x"]],
    ["of another version", [good.upgrade, good.connection, good.key, "Sec-WebSocket-Version: 8"]],
    ["to another protocol", ["Upgrade: h2c", good.connection, good.key, good.version]],
    ["that are none", ["Connection: close"]],
  ])("%s", async (_name, lines) => {
    const answer = await upgrade(lines);
    expect(answer).toMatch(/^HTTP\/1\.1 400 /);
    expect(answer).toContain('"code":"malformed"');
  });

  test("at another address", async () => {
    const answer = await upgrade(Object.values(good), "/v1/server");
    expect(answer).toMatch(/^HTTP\/1\.1 200 /);
    const nowhere = await upgrade(Object.values(good), "/v1/nothing");
    expect(nowhere).toContain('"code":"not-found"');
  });

  test("from a page of another origin", async () => {
    const answer = await upgrade([...Object.values(good), "Origin: https://elsewhere.example"]);
    expect(answer).toMatch(/^HTTP\/1\.1 403 /);
    expect(answer).toContain('"code":"origin-not-allowed"');
  });
});

test("bytes that are not HTTP", async () => {
  for (const seed of ["a", "b", "c"]) {
    expect(await overTcp(noise(seed, 300))).toMatch(/^(HTTP\/1\.1 400|$)/);
  }
});

describe("frames", () => {
  const batchOf = (bytes: Uint8Array) => encodeFrame({ type: "push", push: 1, batch: bytes });
  const frames: ReadonlyArray<readonly [string, string, () => Uint8Array<ArrayBuffer> | string]> = [
    ["nothing", "malformed", () => new Uint8Array(0)],
    ["text", "malformed", () => "hello"],
    ["an unknown type", "malformed", () => Uint8Array.of(0x99, 1, 2)],
    ["random bytes", "malformed", () => noise("frame", 1000)],
    ["a push without a number", "malformed", () => Uint8Array.of(FRAME_TYPES.push)],
    ["a control frame that is no JSON", "malformed", () => Uint8Array.of(FRAME_TYPES.received, 0x7b)],
    [
      "a control frame of another type",
      "malformed",
      () => new Uint8Array([FRAME_TYPES.renew, ...encodeFrame({ type: "ping" }).slice(1)]),
    ],
    [
      "a control frame that is too large",
      "malformed",
      () => new Uint8Array(LIMITS.controlBytes + 2).fill(FRAME_TYPES.ping),
    ],
    ["a frame that is too large", "too-large", () => new Uint8Array(LIMITS.frameBytes + 1).fill(FRAME_TYPES.push)],
    ["what only a server sends", "malformed", () => encodeFrame({ type: "page", page: noise("page", 50) })],
    ["a cursor beyond what was sent", "malformed", () => encodeFrame({ type: "received", cursor: 999 })],
    ["an invalid UTF-8 text", "malformed", () => Uint8Array.of(FRAME_TYPES.received, 0xff, 0xfe)],
  ];

  test.each(frames)("after the welcome: %s", async (_name, code, make) => {
    const { live } = await connectLive(server.origin, founded.owner, founded.session);
    live.sendBytes(make());
    expect((await live.next("closing")).error.code).toBe(code);
    await live.closed;
  });

  test.each(frames)("instead of hello: %s", async (_name, code, make) => {
    const live = openLive(server.origin, founded.workspace);
    await live.next("challenge");
    live.sendBytes(make());
    expect((await live.next("closing")).error.code).toBe(code);
    await live.closed;
  });

  test("a frame far beyond every limit is cut off before it is read", async () => {
    const { live } = await connectLive(server.origin, founded.owner, founded.session);
    live.sendBytes(new Uint8Array(LIMITS.frameBytes * 2));
    // Its bytes are thrown away unread, so that the code is all there is to say.
    expect(await live.closed).toMatchObject({ code: 1009 });
    const answer = await fetch(`${server.origin}/ready`);
    expect(answer.status).toBe(200);
  });

  test("a frame just beyond the limit is refused in words, and by the same code", async () => {
    const { live } = await connectLive(server.origin, founded.owner, founded.session);
    live.sendBytes(new Uint8Array(LIMITS.frameBytes + 1));
    expect((await live.next("closing")).error).toMatchObject({ code: "too-large", action: "stop" });
    expect(await live.closed).toEqual({ code: 1009, reason: "too-large" });
  });

  test("a push whose batch is malformed is answered, and the connection goes on", async () => {
    const { live } = await connectLive(server.origin, founded.owner, founded.session);
    for (const bytes of [new Uint8Array(0), noise("batch", 300), genesisBatch.slice(0, 40)]) {
      live.sendBytes(batchOf(bytes));
      expect(await live.next("push-failed")).toMatchObject({ push: 1, error: { code: "malformed" } });
    }
    live.close();
  });

  test("hello twice", async () => {
    const { live } = await connectLive(server.origin, founded.owner, founded.session);
    live.sendBytes(Uint8Array.of(FRAME_TYPES.hello, 0x7b, 0x7d));
    expect((await live.next("closing")).error.code).toBe("malformed");
  });
});

describe("afterwards", () => {
  test("what is good is taken", async () => {
    const { owner, session, workspace } = founded;
    const { body } = await push(server.origin, workspace, session.token, [owner.author()]);
    expect(body.results).toMatchObject([{ status: "stored" }]);
    before = await fingerprint(databaseUrl);
  });

  test("no log has a token or a body (Promise 6)", () => {
    const text = logs.join("\n");
    expect(text).not.toContain(founded.session.token);
    expect(text).not.toContain(founded.session.token.split(".")[2]);
    expect(text).not.toMatch(/Bearer/);
    expect(logs.filter((line) => /"level":"(ERROR|FATAL)"/.test(line))).toEqual([]);
  });
});
