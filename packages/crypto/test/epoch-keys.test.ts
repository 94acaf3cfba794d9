import { describe, expect, it } from "vitest";
import {
  agreementKeysFromSeed,
  Keyring,
  openEpochKey,
  openPreviousEpochKey,
  openText,
  SealBroken,
  sealEpochKey,
  sealPreviousEpochKey,
  sealText,
} from "@cairn/crypto";
import {
  deviceIdFromBytes,
  documentIdFromBytes,
  linkIdFromBytes,
  publicKeyFromBytes,
  workspaceIdFromBytes,
} from "@cairn/protocol";
import { BoundedCache } from "../src/bounded-cache.ts";
import { seededRandom } from "./seeded-random.ts";

const random = seededRandom("epoch-keys");
const workspace = workspaceIdFromBytes(random(16));
const elsewhere = workspaceIdFromBytes(random(16));
const first = random(32);
const second = random(32);
const keyring = new Keyring(workspace, [
  [1, first],
  [2, second],
]);
const device = deviceIdFromBytes(random(16));
const link = linkIdFromBytes(random(16));

describe("a keyring", () => {
  it("takes keys of 32 bytes, each epoch's once", () => {
    expect(() => new Keyring(workspace, [[1, new Uint8Array(31)]])).toThrow(
      expect.objectContaining({ code: "key-length" }),
    );
    const ring = new Keyring(workspace, [[1, first]]);
    ring.add(1, first.slice());
    expect(() => ring.add(1, second)).toThrow(expect.objectContaining({ code: "key-conflict" }));
    expect(ring.newest).toBe(1);
    expect(() => ring.epochKey(2)).toThrow(expect.objectContaining({ _tag: "EpochKeyMissing", epoch: 2 }));
    expect(new Keyring(workspace).newest).toBe(0);
  });

  it("keeps its own copy of a key", () => {
    const key = first.slice();
    const ring = new Keyring(workspace, [[1, key]]);
    key.fill(0);
    expect(ring.epochKey(1)).toEqual(first);
  });

  it("gives keys that cannot be exported, one for each document and device", async () => {
    const document = documentIdFromBytes(random(16));
    const key = await keyring.entryKey(1, document, device);
    expect(key.extractable).toBe(false);
    expect(await keyring.entryKey(1, document, device)).toBe(key);
    const iv = new Uint8Array(12);
    const sealedUnder = async (sealKey: CryptoKey) =>
      new Uint8Array(await crypto.subtle.encrypt({ name: "AES-GCM", iv }, sealKey, new Uint8Array(16))).toString();
    const seals = await Promise.all([
      sealedUnder(key),
      sealedUnder(await keyring.entryKey(2, document, device)),
      sealedUnder(await keyring.entryKey(1, documentIdFromBytes(random(16)), device)),
      sealedUnder(await keyring.entryKey(1, document, deviceIdFromBytes(random(16)))),
      sealedUnder(await keyring.textKey(1)),
      sealedUnder(await keyring.previousEpochKey(1)),
      sealedUnder(await keyring.chunkKey(1, random(32))),
      sealedUnder(await new Keyring(elsewhere, [[1, first]]).entryKey(1, document, device)),
    ]);
    expect(new Set(seals).size).toBe(seals.length);
  });

  it("derives ids of singleton documents from the first epoch alone (rule 14)", async () => {
    const notes = await keyring.singletonDocument("notes");
    expect(await new Keyring(workspace, [[1, first]]).singletonDocument("notes")).toBe(notes);
    expect(await keyring.singletonDocument("tags")).not.toBe(notes);
    expect(await new Keyring(elsewhere, [[1, first]]).singletonDocument("notes")).not.toBe(notes);
    await expect(new Keyring(workspace, [[2, second]]).singletonDocument("notes")).rejects.toMatchObject({
      code: "epoch-key-missing",
      epoch: 1,
    });
  });
});

describe("an epoch key sealed to a recipient", () => {
  it("opens for this workspace, epoch, recipient and key only", async () => {
    const keys = await agreementKeysFromSeed(random(32));
    const recipient = { type: "device", id: device } as const;
    const { sealed } = await sealEpochKey(keyring, 2, recipient, keys.publicKey, random);
    expect(await openEpochKey(workspace, 2, recipient, sealed, keys)).toEqual(second);
    const refused = [
      openEpochKey(elsewhere, 2, recipient, sealed, keys),
      openEpochKey(workspace, 1, recipient, sealed, keys),
      openEpochKey(workspace, 2, { type: "device", id: deviceIdFromBytes(random(16)) }, sealed, keys),
      openEpochKey(workspace, 2, { type: "link", id: link }, sealed, keys),
      openEpochKey(workspace, 2, { type: "recovery" }, sealed, keys),
      openEpochKey(workspace, 2, recipient, sealed, await agreementKeysFromSeed(random(32))),
      openEpochKey(workspace, 2, recipient, sealed.subarray(0, 40), keys),
      openEpochKey(
        workspace,
        2,
        recipient,
        sealed.map((byte, index) => (index === 70 ? byte ^ 1 : byte)),
        keys,
      ),
    ];
    for (const outcome of await Promise.allSettled(refused))
      expect(outcome).toMatchObject({ status: "rejected", reason: { _tag: "SealBroken", code: "seal-broken" } });
  });

  it("is not sealed to a key of low order", async () => {
    await expect(
      sealEpochKey(keyring, 1, { type: "recovery" }, publicKeyFromBytes(new Uint8Array(32)), random),
    ).rejects.toMatchObject({ _tag: "KeyInvalid", code: "key-unsafe" });
  });
});

describe("the previous epoch's key", () => {
  it("opens under the next one, in its place only", async () => {
    const previous = await sealPreviousEpochKey(keyring, 2, random);
    expect(await openPreviousEpochKey(new Keyring(workspace, [[2, second]]), 2, previous)).toEqual(first);
    await expect(openPreviousEpochKey(new Keyring(workspace, [[3, second]]), 3, previous)).rejects.toBeInstanceOf(
      SealBroken,
    );
    await expect(openPreviousEpochKey(new Keyring(elsewhere, [[2, second]]), 2, previous)).rejects.toBeInstanceOf(
      SealBroken,
    );
    expect(await sealPreviousEpochKey(keyring, 1, random)).toEqual(new Uint8Array(0));
  });
});

describe("a sealed text", () => {
  it("opens where it belongs, and nowhere else", async () => {
    const place = { use: "device-name", id: device } as const;
    const sealed = await sealText(keyring, place, "Ana’s phone 📱", random);
    expect(await openText(keyring, place, sealed)).toBe("Ana’s phone 📱");
    expect(Buffer.from(sealed).includes("phone")).toBe(false);
    const asLink = { use: "link-label", id: link } as const;
    await expect(openText(keyring, asLink, sealed)).rejects.toBeInstanceOf(SealBroken);
    const otherDevice = { use: "device-name", id: deviceIdFromBytes(random(16)) } as const;
    await expect(openText(keyring, otherDevice, sealed)).rejects.toBeInstanceOf(SealBroken);
    await expect(openText(keyring, place, new Uint8Array(0))).rejects.toMatchObject({ code: "seal-form" });
    await expect(openText(new Keyring(workspace, [[1, first]]), place, sealed)).rejects.toMatchObject({ epoch: 2 });
  });

  it("is at most 1,024 bytes long", async () => {
    const place = { use: "device-name", id: device } as const;
    expect((await sealText(keyring, place, "ü".repeat(512), random)).length).toBeLessThan(2048);
    await expect(sealText(keyring, place, "ü".repeat(513), random)).rejects.toMatchObject({
      code: "content-too-large",
    });
  });
});

it("a bounded cache forgets what was used least recently, and nothing else", () => {
  const cache = new BoundedCache<string, string>(2);
  const made: Array<string> = [];
  const get = (key: string) =>
    cache.getOrMake(key, () => {
      made.push(key);
      return key;
    });
  for (const key of ["a", "b", "a", "c", "a", "b"]) get(key);
  expect(made).toEqual(["a", "b", "c", "b"]);
  expect(cache.size).toBe(2);
});
