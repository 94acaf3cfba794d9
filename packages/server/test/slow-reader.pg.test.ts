/** Hazards 5 and 11: who does not read is put out before it costs much, and nobody else notices. */
import {
  decodeFrame,
  encodeBatch,
  encodeFrame,
  emptyLogChain,
  hashFromBytes,
  LIMITS,
  sortHashes,
} from "@cairn/protocol";
import { ChallengePurpose, prove } from "@cairn/testkit/authors";
import { freshDatabase } from "@cairn/testkit/postgres";
import { connectLive, found, join, startTestServer, type TestServer } from "@cairn/testkit/server";
import { NodeWS } from "@effect/platform-node";
import { createHash } from "node:crypto";
import { once } from "node:events";
import { afterAll, beforeAll, expect, test } from "vitest";

let server: TestServer;
beforeAll(async () => {
  server = await startTestServer({ databaseUrl: await freshDatabase() });
});
afterAll(() => server.close());

test("a client that asks for answers and does not read them", { timeout: 60_000 }, async () => {
  const founded = await found(server.origin);
  const { owner, workspace } = founded;
  const greedy = await join(server.origin, founded, "writer");
  const socket = new NodeWS.WebSocket(`${server.origin.replace("http", "ws")}/v1/workspaces/${workspace}/live`);
  const frames: Array<ReturnType<typeof decodeFrame>> = [];
  let wake = () => {};
  socket.on("message", (data) => {
    if (Buffer.isBuffer(data)) frames.push(decodeFrame(new Uint8Array(data)));
    wake();
  });
  const next = async () => {
    while (frames.length === 0) await new Promise<void>((resolve) => (wake = resolve));
    return frames.shift();
  };
  const challenge = await next();
  if (challenge?.type !== "challenge") throw new Error("the server speaks first");
  const { device, pair } = greedy.device;
  const { server: id, nonce } = challenge;
  const purpose = ChallengePurpose.live;
  const proof = prove(pair, { purpose, server: id, origin: server.origin, workspace, subject: device, nonce });
  const { token } = greedy.session;
  socket.send(
    encodeFrame({ type: "hello", protocol: 1, token, device, proof, cursor: 0, chain: emptyLogChain(workspace) }),
  );
  expect((await next())?.type).toBe("welcome");
  socket.pause();

  // Each is refused with a list of 2,048 missing chunks: a small question with a large answer.
  const refs = sortHashes(
    Array.from({ length: LIMITS.refs }, (_, index) => hashFromBytes(createHash("sha256").update(`${index}`).digest())),
  );
  const batch = encodeBatch([greedy.device.author({ refs }).bytes]);
  const closed = once(socket, "close");
  const pushes = 400;
  for (let push = 1; push <= pushes; push += 1) socket.send(encodeFrame({ type: "push", push, batch }));

  const other = await connectLive(server.origin, owner, founded.session);
  for (let round = 0; round < 20; round += 1) {
    const { results } = await other.live.push([owner.author()]);
    expect(results).toMatchObject([{ status: "stored" }]);
  }
  // What the server gave up is seen only by reading on: it ends before all answers came.
  await until(() => socket.bufferedAmount === 0 || socket.readyState !== NodeWS.WebSocket.OPEN);
  socket.resume();
  await closed;
  expect(frames.filter(({ type }) => type === "pushed").length).toBeLessThan(pushes);
  const { results } = await other.live.push([owner.author()]);
  expect(results).toMatchObject([{ status: "stored" }]);
  other.live.close();
});

const until = async (condition: () => boolean): Promise<void> => {
  while (!condition()) await new Promise((resolve) => setTimeout(resolve, 20));
};
