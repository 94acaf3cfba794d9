import { playwright } from "@vitest/browser-playwright";
import { defineConfig, type ViteUserConfig } from "vitest/config";
import { findChromium } from "./packages/testkit/src/browser/index.ts";

// Where a test runs is in its name: `.pg.test.ts` needs PostgreSQL, `.browser.test.ts` needs Chromium.
const roots = "{packages,apps}/*/test/**";
const tests = (kind: string) => [`${roots}/*${kind}.test.{ts,tsx}`, `test/**/*${kind}.test.ts`];
const elsewhere = ["**/node_modules/**", "**/dist/**"];

// The packages' sources, not their builds.
const onNode = {
  conditions: ["source", "node", "development|production"],
  externalConditions: ["source", "node"],
};
const ours = [/^@cairn\//];

/** CAIRN_PROPERTY_SEED: a number, or `random` for other examples than those of every run. */
const propertySeed = (said = "20261122"): number | undefined => {
  if (said === "random") return undefined;
  if (!/^\d{1,9}$/.test(said)) throw new Error(`CAIRN_PROPERTY_SEED is a number or "random", not "${said}".`);
  return Number(said);
};

export default defineConfig(async (): Promise<ViteUserConfig> => {
  // A missing browser is reported by the project's global setup, and only when browser tests are to run.
  const chromium = await findChromium().catch(() => undefined);
  return {
    resolve: { conditions: ["source", "module", "browser", "development|production"] },
    ssr: { noExternal: ours, resolve: onNode },
    // Global setups run in an environment of their own.
    environments: { __vitest__: { resolve: { ...onNode, noExternal: ours } } },
    test: {
      reporters: ["default", "./scripts/closing-line-reporter.ts"],
      testTimeout: 60_000,
      hookTimeout: 120_000,
      setupFiles: ["./scripts/property-seed.ts"],
      provide: { propertySeed: propertySeed(process.env["CAIRN_PROPERTY_SEED"]) },
      projects: [
        {
          extends: true,
          test: { name: "node", include: tests(""), exclude: [...elsewhere, "**/*.{pg,browser}.test.{ts,tsx}"] },
        },
        {
          extends: true,
          test: {
            name: "pg",
            include: tests(".pg"),
            exclude: elsewhere,
            globalSetup: ["./packages/testkit/src/postgres/global-setup.ts"],
          },
        },
        {
          extends: true,
          // Loro finds its WebAssembly beside itself, and there must be one copy of it. What only workers import is not
          // found by looking at the tests, and would reload them when it is.
          optimizeDeps: {
            exclude: ["loro-crdt"],
            include: [
              "@noble/curves/ed25519.js",
              "@noble/hashes/scrypt.js",
              "@noble/hashes/sha2.js",
              "@scure/base",
              "@scure/bip39",
              "@scure/bip39/wordlists/english.js",
              "dexie",
              "effect",
              "effect/http",
              "effect/http-api",
              "fast-check",
              "react",
              "react-dom",
              "react-dom/client",
              "react/jsx-dev-runtime",
            ],
          },
          test: {
            name: "browser",
            include: tests(".browser"),
            exclude: elsewhere,
            globalSetup: [
              "./packages/testkit/src/browser/global-setup.ts",
              "./packages/testkit/src/server/global-setup.ts",
            ],
            browser: {
              enabled: true,
              headless: true,
              screenshotFailures: false,
              provider: playwright({
                launchOptions: {
                  ...(chromium === undefined ? {} : { executablePath: chromium.executablePath }),
                  args: [...(chromium?.args ?? [])],
                  env: { ...process.env, ...chromium?.env },
                },
              }),
              instances: [{ browser: "chromium" }],
            },
          },
        },
      ],
    },
  };
});
