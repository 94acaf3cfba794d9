import { expect, test } from "vitest";

test("browser tests run in a secure context with WebCrypto, IndexedDB and Web Locks", async () => {
  expect(globalThis.isSecureContext).toBe(true);
  const keys = await crypto.subtle.generateKey({ name: "Ed25519" }, false, ["sign", "verify"]);
  expect("privateKey" in keys).toBe(true);
  expect(await navigator.locks.request("probe", (lock) => lock?.mode)).toBe("exclusive");
  expect(indexedDB.cmp("a", "b")).toBe(-1);
});
