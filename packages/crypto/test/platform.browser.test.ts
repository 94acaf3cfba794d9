import { describe, expect, it } from "vitest";
import {
  type DeviceKeys,
  generateDeviceKeys,
  isSignedBy,
  openFromKey,
  sealToKey,
  sign,
  systemRandom,
} from "@cairn/crypto";
import { knownAnswers } from "./known-answers.ts";

describe("known answers, in a browser", () => {
  knownAnswers();
});

const settled = <Result>(request: IDBRequest<Result>): Promise<Result> =>
  new Promise((resolve, reject) => {
    request.addEventListener("success", () => resolve(request.result));
    request.addEventListener("error", () => reject(request.error ?? new Error("request failed")));
  });

const isDeviceKeys = (value: unknown): value is DeviceKeys =>
  typeof value === "object" && value !== null && "signing" in value && "agreement" in value;

it("device keys go through IndexedDB and cannot be exported", async () => {
  const keys = await generateDeviceKeys(systemRandom);
  const opening = indexedDB.open(`device-keys-${crypto.randomUUID()}`);
  opening.addEventListener("upgradeneeded", () => opening.result.createObjectStore("keys"));
  const database = await settled(opening);
  await settled(database.transaction("keys", "readwrite").objectStore("keys").put(keys, "device"));
  const stored = await settled<unknown>(database.transaction("keys").objectStore("keys").get("device"));
  database.close();

  if (!isDeviceKeys(stored)) throw new Error("the store gave something else back");
  const message = Uint8Array.of(1, 2, 3);
  expect(await isSignedBy(keys.signing.publicKey, await sign(stored.signing, message), message)).toBe(true);
  const sealed = await sealToKey(keys.agreement.publicKey, message, Uint8Array.of(9), systemRandom);
  expect(await openFromKey(stored.agreement, sealed, Uint8Array.of(9))).toEqual(message);
  for (const key of [stored.signing.privateKey, stored.agreement.privateKey]) {
    await expect(crypto.subtle.exportKey("pkcs8", key)).rejects.toMatchObject({ name: "InvalidAccessError" });
    await expect(crypto.subtle.exportKey("jwk", key)).rejects.toMatchObject({ name: "InvalidAccessError" });
  }
});
