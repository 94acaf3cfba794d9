import { describe, expect, it } from "vitest";
import { CHUNK_CONTENT_BYTES, CHUNK_OVERHEAD, Keyring, openChunk, SealBroken, sealChunk } from "@cairn/crypto";
import { hashFromBytes, LIMITS, workspaceIdFromBytes } from "@cairn/protocol";
import { seededRandom } from "./seeded-random.ts";

const random = seededRandom("chunks");
const workspace = workspaceIdFromBytes(random(16));
const keys: ReadonlyArray<readonly [number, Uint8Array]> = [
  [1, random(32)],
  [2, random(32)],
];
const keyring = new Keyring(workspace, keys);
const content = random(5_000);

describe("a sealed chunk (rule 25)", () => {
  it("is the same wherever it is sealed under one epoch, and another under the next", async () => {
    const here = await sealChunk(keyring, 1, content);
    const there = await sealChunk(new Keyring(workspace, keys), 1, content.slice());
    expect(there).toEqual(here);
    const later = await sealChunk(keyring, 2, content);
    expect(later.reference.sealedHash).not.toBe(here.reference.sealedHash);
    const foreign = await sealChunk(new Keyring(workspaceIdFromBytes(random(16)), keys), 1, content);
    expect(foreign.reference.sealedHash).not.toBe(here.reference.sealedHash);
    expect(here.sealed.length).toBe(content.length + CHUNK_OVERHEAD);
    expect(Buffer.from(here.sealed).includes(Buffer.from(content.subarray(0, 16)))).toBe(false);
  });

  it("opens to its content, empty and full ones too", async () => {
    for (const bytes of [content, new Uint8Array(0), new Uint8Array(CHUNK_CONTENT_BYTES)]) {
      const { reference, sealed } = await sealChunk(keyring, 1, bytes);
      expect(sealed.length).toBeLessThanOrEqual(LIMITS.chunkBytes);
      expect(await openChunk(keyring, reference, sealed)).toEqual(bytes);
    }
    await expect(sealChunk(keyring, 1, new Uint8Array(CHUNK_CONTENT_BYTES + 1))).rejects.toMatchObject({
      code: "content-too-large",
    });
  });

  it("is refused when a bit is flipped, when cut off, and in another's place", async () => {
    const { reference, sealed } = await sealChunk(keyring, 1, content);
    const wrong = [
      sealed.map((byte, index) => (index === 1 ? byte ^ 1 : byte)),
      sealed.map((byte, index) => (index === sealed.length - 1 ? byte ^ 0x80 : byte)),
      sealed.map((byte, index) => (index === 0 ? byte ^ 2 : byte)),
      sealed.subarray(0, sealed.length - 1),
      sealed.subarray(0, 1),
      new Uint8Array(0),
    ];
    for (const bytes of wrong) await expect(openChunk(keyring, reference, bytes)).rejects.toBeInstanceOf(SealBroken);
    await expect(openChunk(keyring, { ...reference, epoch: 2 }, sealed)).rejects.toBeInstanceOf(SealBroken);
    await expect(openChunk(keyring, { ...reference, size: 4_999 }, sealed)).rejects.toBeInstanceOf(SealBroken);
    await expect(
      openChunk(keyring, { ...reference, plainHash: hashFromBytes(random(32)) }, sealed),
    ).rejects.toBeInstanceOf(SealBroken);
    await expect(openChunk(keyring, { ...reference, epoch: 3 }, sealed)).rejects.toMatchObject({ epoch: 3 });
  });
});
