import { freshDatabase } from "@cairn/testkit/postgres";
import { Effect } from "effect";
import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer, get } from "node:https";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { TLSSocket } from "node:tls";
import { generate } from "selfsigned";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { readCertificate, renewCertificate } from "../src/Certificate.ts";
import { startServer } from "./server-process.ts";

let folder: string;
const files = () => ({ certificateFile: join(folder, "cert.pem"), keyFile: join(folder, "key.pem") });

const writeCertificate = async (): Promise<string> => {
  const made = await generate([{ name: "commonName", value: "localhost" }]);
  await writeFile(files().certificateFile, made.cert);
  await writeFile(files().keyFile, made.private, { mode: 0o600 });
  return made.fingerprint.replaceAll(":", "").toUpperCase();
};

/** The status of an answer, and the fingerprint of the certificate that came with it. */
const ask = (url: string): Promise<{ readonly status: number | undefined; readonly fingerprint: string }> =>
  new Promise((resolve, reject) => {
    const request = get(url, { rejectUnauthorized: false, agent: false }, (response) => {
      const { socket } = response;
      const fingerprint = socket instanceof TLSSocket ? socket.getPeerCertificate().fingerprint : "no certificate";
      response.once("end", () =>
        resolve({ status: response.statusCode, fingerprint: fingerprint.replaceAll(":", "") }),
      );
      response.resume();
    });
    request.once("error", reject);
  });

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "cairn-https-"));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

test("https is served with the given certificate", async () => {
  const fingerprint = await writeCertificate();
  const server = await startServer({
    CAIRN_DATA_DIR: join(folder, "data"),
    DATABASE_URL: await freshDatabase(),
    CAIRN_TLS_CERT: files().certificateFile,
    CAIRN_TLS_KEY: files().keyFile,
  });
  try {
    expect(server.url).toMatch(/^https:/);
    expect(await ask(`${server.url}/health`)).toEqual({ status: 200, fingerprint });
  } finally {
    await server.end("SIGTERM");
  }
});

describe("a renewed certificate", () => {
  test("is served from then on; one that does not fit its key is not", async () => {
    const fingerprint = await writeCertificate();
    const first = await Effect.runPromise(readCertificate(files()));
    const server = createServer({ ...first }, (_request, response) => response.end());
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    // It listens on a port, so its address is one.
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion
    const url = `https://127.0.0.1:${(server.address() as AddressInfo).port}/`;
    try {
      expect((await ask(url)).fingerprint).toBe(fingerprint);
      expect(await Effect.runPromise(renewCertificate(server, files(), first))).toBe(first);

      const renewed = await writeCertificate();
      const second = await Effect.runPromise(renewCertificate(server, files(), first));
      expect((await ask(url)).fingerprint).toBe(renewed);

      await writeFile(files().keyFile, first.key);
      const refused = await Effect.runPromise(Effect.flip(renewCertificate(server, files(), second)));
      expect(refused.code).toBe("certificate");
      expect((await ask(url)).fingerprint).toBe(renewed);
    } finally {
      server.close();
    }
  });
});
