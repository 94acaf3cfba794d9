import { expect, test } from "vitest";
import { flags } from "../src/configuration.ts";
import { runServer } from "./server-process.ts";

test("--help documents every setting, with its flag and its variable", async () => {
  const { code, printed } = await runServer({}, "--help");
  expect(code).toBe(0);
  const variables = printed.match(/\[(HOST|PORT|DATABASE_URL|CAIRN_[A-Z_]+)\]/g) ?? [];
  expect(new Set(variables).size).toBe(Object.keys(flags).length);
  for (const flag of ["--host", "--port", "--data-dir", "--database-url", "--public-url", "--tls-cert", "--quota"]) {
    expect(printed).toContain(flag);
  }
});
