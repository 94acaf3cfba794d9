import fc from "fast-check";
import { beforeAll, describe, expect, it } from "vitest";
import {
  CONTENT_BYTES_MAX,
  COMPRESSION_THRESHOLD,
  type DeviceKeys,
  deviceIdOf,
  deviceKeysFromSecret,
  EpochKeyMissing,
  generateDeviceSecret,
  generateDocumentId,
  isEntrySignedBy,
  Keyring,
  makeSealing,
  openEntry,
  SEAL_OVERHEAD,
  SealBroken,
  sealEntry,
  type Sealing,
  signEntry,
  SignatureInvalid,
  systemRandom,
} from "@cairn/crypto";
import {
  assembleEntry,
  decodeEntry,
  deviceIdFromBytes,
  encodeHeader,
  type Entry,
  EntryKind,
  type EntryHeader,
  MalformedBytes,
  PROTOCOL_VERSION,
  sortCovers,
  workspaceIdFromBytes,
  hashFromBytes,
} from "@cairn/protocol";
import { encrypt } from "../src/authenticated-encryption.ts";
import { compress } from "../src/compression.ts";
import { seededRandom } from "./seeded-random.ts";

const random = seededRandom("sealed-entry");
const workspace = workspaceIdFromBytes(random(16));
const keyring = new Keyring(workspace, [
  [1, random(32)],
  [2, random(32)],
]);
const sealing = makeSealing(keyring, random);
const document = generateDocumentId(random);
const other = deviceIdFromBytes(random(16));

let author: DeviceKeys;
let header: EntryHeader;
beforeAll(async () => {
  author = await deviceKeysFromSecret(generateDeviceSecret(random));
  header = {
    version: PROTOCOL_VERSION,
    kind: EntryKind.snapshot,
    workspace,
    document,
    device: deviceIdOf(workspace, author),
    counter: 7,
    epoch: 1,
    covers: sortCovers(new Map([[other, 3]])),
    refs: [hashFromBytes(random(32))],
    extensions: [{ type: 9, critical: false, bytes: Uint8Array.of(1, 2) }],
  };
});

const seal = (content: Uint8Array, change: Partial<EntryHeader> = {}): Promise<Entry> =>
  sealEntry({ header: { ...header, ...change }, content, sealing, author: author.signing });

/** Anything but an entry or the typed refusal of one is a crash. */
const decodedOrRefusal = (bytes: Uint8Array): Entry | MalformedBytes => {
  try {
    return decodeEntry(bytes);
  } catch (error) {
    if (error instanceof MalformedBytes) return error;
    throw error;
  }
};

describe("a sealed entry", () => {
  it("opens to its content, whatever that is", async () => {
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ maxLength: 12_000 }), async (content) => {
        const entry = await seal(content);
        const received = decodeEntry(entry.bytes);
        expect(await openEntry(received, sealing, author.signing.publicKey)).toEqual(content);
      }),
      { numRuns: 40 },
    );
  });

  it("is refused when any bit of it is flipped (promise 9, hazard L7)", async () => {
    const entry = await seal(new TextEncoder().encode("a note that nobody else reads"));
    let refusedBySignature = 0;
    for (let bit = 0; bit < entry.bytes.length * 8; bit += 1) {
      const bytes = entry.bytes.slice();
      bytes[bit >> 3] = (bytes[bit >> 3] ?? 0) ^ (1 << (bit & 7));
      const changed = decodedOrRefusal(bytes);
      if (changed instanceof MalformedBytes) continue;
      await expect(openEntry(changed, sealing, author.signing.publicKey)).rejects.toBeInstanceOf(SignatureInvalid);
      refusedBySignature += 1;
    }
    expect(refusedBySignature).toBeGreaterThan(1_000);
  });

  it("has every field of its header bound by the seal, were the signature forged", async () => {
    const entry = await seal(Uint8Array.of(1, 2, 3));
    const changes: ReadonlyArray<Partial<EntryHeader>> = [
      { kind: EntryKind.update },
      { workspace: workspaceIdFromBytes(random(16)) },
      { document: generateDocumentId(random) },
      { device: other },
      { counter: 8 },
      { epoch: 2 },
      { covers: [] },
      { covers: [{ device: other, counter: 4 }] },
      { refs: [] },
      { extensions: [] },
      { extensions: [{ type: 9, critical: true, bytes: Uint8Array.of(1, 2) }] },
      { extensions: [{ type: 9, critical: false, bytes: Uint8Array.of(1, 3) }] },
    ];
    for (const change of changes) {
      const forged = await signEntry({ ...entry.header, ...change }, entry.payload, author.signing);
      expect(await isEntrySignedBy(forged, author.signing.publicKey)).toBe(true);
      await expect(openEntry(forged, sealing, author.signing.publicKey)).rejects.toBeInstanceOf(SealBroken);
    }
  });

  it("does not open under another author's name, without its key, or with another's", async () => {
    const entry = await seal(Uint8Array.of(1));
    const stranger = await deviceKeysFromSecret(generateDeviceSecret(random));
    await expect(openEntry(entry, sealing, stranger.signing.publicKey)).rejects.toBeInstanceOf(SignatureInvalid);
    const removed = makeSealing(new Keyring(workspace, [[2, keyring.epochKey(2)]]), random);
    await expect(openEntry(entry, removed, author.signing.publicKey)).rejects.toMatchObject({
      _tag: "EpochKeyMissing",
      code: "epoch-key-missing",
      epoch: 1,
    });
    const wrongKey = makeSealing(new Keyring(workspace, [[1, random(32)]]), random);
    await expect(openEntry(entry, wrongKey, author.signing.publicKey)).rejects.toBeInstanceOf(SealBroken);
    await expect(seal(Uint8Array.of(1), { epoch: 3 })).rejects.toBeInstanceOf(EpochKeyMissing);
  });

  it("never repeats its bytes: each seal has a fresh nonce", async () => {
    const content = Uint8Array.of(1, 2, 3);
    const fresh = makeSealing(keyring, systemRandom);
    const seals = await Promise.all(
      Array.from({ length: 50 }, () => fresh.seal(header, encodeHeader(header), content)),
    );
    expect(new Set(seals.map((payload) => payload.subarray(0, 12).toString())).size).toBe(50);
  });
});

describe("compression", () => {
  it("shortens large content only, and only where it gets shorter", async () => {
    const small = await seal(new Uint8Array(COMPRESSION_THRESHOLD - 1));
    expect(small.payload.length).toBe(COMPRESSION_THRESHOLD - 1 + SEAL_OVERHEAD);
    const large = await seal(new Uint8Array(COMPRESSION_THRESHOLD));
    expect(large.payload.length).toBeLessThan(100);
    const noise = random(COMPRESSION_THRESHOLD * 2);
    const incompressible = await seal(noise);
    expect(incompressible.payload.length).toBe(noise.length + SEAL_OVERHEAD);
    expect(await openEntry(incompressible, sealing, author.signing.publicKey)).toEqual(noise);
  });

  const sealPlaintext = async (plaintext: Uint8Array): Promise<Entry> => {
    const nonce = random(12);
    const key = await keyring.entryKey(header.epoch, header.document, header.device);
    const ciphertext = await encrypt(key, nonce, plaintext, encodeHeader(header));
    return signEntry(header, new Uint8Array([...nonce, ...ciphertext]), author.signing);
  };

  it("stops a decompression bomb at the limit (Promise 11)", async () => {
    const bomb = (await compress(new Uint8Array(CONTENT_BYTES_MAX + 1))) ?? new Uint8Array();
    expect(bomb.length).toBeLessThan(64 * 1024);
    const entry = await sealPlaintext(new Uint8Array([1, ...bomb]));
    await expect(openEntry(entry, sealing, author.signing.publicKey)).rejects.toMatchObject({
      _tag: "SealBroken",
      code: "content-too-large",
    });
    const atLimit = (await compress(new Uint8Array(CONTENT_BYTES_MAX))) ?? new Uint8Array();
    const allowed = await sealPlaintext(new Uint8Array([1, ...atLimit]));
    expect((await openEntry(allowed, sealing, author.signing.publicKey)).length).toBe(CONTENT_BYTES_MAX);
  });

  it("refuses forms that it does not know, and streams that are none, with a typed error", async () => {
    for (const plaintext of [Uint8Array.of(), Uint8Array.of(2, 1), Uint8Array.of(1, 0xff, 0xff, 0xff)]) {
      const entry = await sealPlaintext(plaintext);
      await expect(openEntry(entry, sealing, author.signing.publicKey)).rejects.toMatchObject({
        _tag: "SealBroken",
        code: "seal-form",
      });
    }
    for (const length of [0, 1, 27]) {
      const entry = await signEntry(header, new Uint8Array(length), author.signing);
      await expect(openEntry(entry, sealing, author.signing.publicKey)).rejects.toMatchObject({ code: "seal-broken" });
    }
  });

  it("refuses to seal what readers would refuse to open", async () => {
    await expect(seal(new Uint8Array(CONTENT_BYTES_MAX + 1))).rejects.toMatchObject({
      _tag: "ContentTooLarge",
      code: "content-too-large",
    });
  });
});

it("another sealing can take the real one's place, to show that a search for plain text would find it", async () => {
  const identity: Sealing = {
    seal: (_header, _headerBytes, content) => Promise.resolve(content),
    open: (_header, _headerBytes, payload) => Promise.resolve(payload),
  };
  const content = new TextEncoder().encode("readable");
  const entry = await sealEntry({ header, content, sealing: identity, author: author.signing });
  expect(entry.payload).toEqual(content);
  const sealed = await seal(content);
  expect(Buffer.from(sealed.bytes).includes(Buffer.from(content))).toBe(false);
  expect(assembleEntry(entry.header, entry.payload, entry.signature).bytes).toEqual(entry.bytes);
});
