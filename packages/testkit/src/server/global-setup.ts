/**
 * Vitest's global setup for browser tests that need a server: one real server over an embedded PostgreSQL a run, which
 * lets the tests' own pages in.
 */
import type { TestProject } from "vitest/node";
import startPostgres from "../postgres/global-setup.ts";
import { startTestServer } from "./index.ts";

declare module "vitest" {
  interface ProvidedContext {
    /** The origin of the run's server. */
    readonly cairnServerOrigin: string;
  }
}

/** Starts database and server and tells the tests its origin; the returned function stops both. */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const stopPostgres = await startPostgres(project);
  try {
    const databaseUrl = project.getProvidedContext().cairnPostgresUrl;
    const server = await startTestServer({ databaseUrl, localPages: true });
    project.provide("cairnServerOrigin", server.origin);
    return async () => {
      await server.close();
      await stopPostgres();
    };
  } catch (cause) {
    await stopPostgres();
    throw cause;
  }
}
