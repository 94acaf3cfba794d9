/** What tests with whole devices share: a schema, a server that can go and come back, and devices with folders. */
import { defineDocument, defineSchema, field } from "@cairn/schema";
import { freshDatabase } from "@cairn/testkit/postgres";
import { startTestServer, type TestServer, type TestServerOptions } from "@cairn/testkit/server";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "vitest";
import { type Cairn, openCairn, type OpenOptions } from "../src/node.ts";

export const schema = defineSchema({
  version: 1,
  documents: {
    note: defineDocument({
      fields: {
        title: field.string({ default: "", list: true, search: true }),
        body: field.text({ search: true }),
        files: field.attachments(),
      },
    }),
  },
});

export type Notebook = typeof schema;

const TOKEN_KEY = "a secret of the tests, which signs tokens across restarts";

interface DeviceOptions extends Partial<Pick<OpenOptions<Notebook>, "server" | "invite">> {
  /** Of the app's schema, where another one than 1. */
  readonly version?: number;
}

/** A place for one test: a server and folders, all gone at the end. */
export interface Place {
  readonly origin: () => string;
  readonly device: (name: string, options?: DeviceOptions) => Promise<Cairn<Notebook>>;
  /** The folder of a device. */
  readonly folder: (name: string) => string;
  /** Closes a device, so that its folder can be opened again. */
  readonly close: (cairn: Cairn<Notebook>) => Promise<void>;
  readonly stopServer: () => Promise<void>;
  /** On the same port, with the same database or another one. */
  readonly startServer: (databaseUrl?: string, settings?: TestServerOptions["settings"]) => Promise<void>;
  readonly databaseUrl: () => string;
  readonly leave: () => Promise<void>;
}

export const makePlace = async (first: NonNullable<TestServerOptions["settings"]> = {}): Promise<Place> => {
  const directory = await mkdtemp(join(tmpdir(), "cairn-place-"));
  let databaseUrl = await freshDatabase();
  let settings = first;
  let server: TestServer | undefined = await startTestServer({ databaseUrl, tokenKey: TOKEN_KEY, settings });
  const { origin } = server;
  const open = new Set<Cairn<Notebook>>();
  const stopServer = async () => {
    await server?.close();
    server = undefined;
  };
  return {
    origin: () => origin,
    device: async (name, { version = schema.version, ...options } = {}) => {
      const cairn = await openCairn({
        schema: { ...schema, version },
        directory: join(directory, name),
        server: origin,
        deviceName: name,
        ...options,
      });
      open.add(cairn);
      return cairn;
    },
    folder: (name) => join(directory, name),
    close: async (cairn) => {
      open.delete(cairn);
      await cairn.close();
    },
    stopServer,
    startServer: async (other = databaseUrl, changed = settings) => {
      databaseUrl = other;
      settings = changed;
      const port = Number(new URL(origin).port);
      server = await startTestServer({ databaseUrl, port, tokenKey: TOKEN_KEY, settings });
    },
    databaseUrl: () => databaseUrl,
    leave: async () => {
      for (const cairn of open) await cairn.close();
      await stopServer();
      await rm(directory, { recursive: true, force: true });
    },
  };
};

/** Waits until something holds; `timeout` in milliseconds. */
export const until = async (holds: () => boolean | Promise<boolean>, timeout = 20_000): Promise<void> => {
  await expect.poll(holds, { timeout, interval: 10 }).toBe(true);
};
