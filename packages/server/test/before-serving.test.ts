import { createServer, type Server } from "node:http";
import { afterEach, describe, expect, it } from "vitest";
import { answerUntilServing } from "../src/index.ts";

let server: Server | undefined;
afterEach(() => new Promise<void>((resolve) => (server === undefined ? resolve() : server.close(() => resolve()))));

const listen = async (): Promise<{ server: Server; origin: string }> => {
  const listening = answerUntilServing(createServer());
  server = listening;
  await new Promise<void>((resolve) => listening.listen(0, "127.0.0.1", resolve));
  const address = listening.address();
  if (address === null || typeof address === "string") throw new Error("a TCP server's address is never a pipe's name");
  const { port } = address;
  return { server: listening, origin: `http://127.0.0.1:${port}` };
};

describe("a server that listens and does not serve yet", () => {
  it("answers every request at once, and tells when to come back", async () => {
    const { origin } = await listen();
    const response = await fetch(`${origin}/v1/server`);
    expect(response.status).toBe(503);
    expect(response.headers.get("retry-after")).toBe("1");
    expect(await response.json()).toMatchObject({ code: "unavailable", action: "retry" });
  });

  it("answers a WebSocket, too", async () => {
    const { origin } = await listen();
    const socket = new WebSocket(origin.replace("http", "ws"));
    await expect(new Promise((resolve) => socket.addEventListener("error", () => resolve("refused")))).resolves.toBe(
      "refused",
    );
  });

  it("keeps out of the way afterwards", async () => {
    const { server: listening, origin } = await listen();
    listening.on("request", (_request, response) => response.end("served"));
    expect(await (await fetch(origin)).text()).toBe("served");
  });
});
