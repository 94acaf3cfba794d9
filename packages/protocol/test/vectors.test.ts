/** The codec against the golden vectors: what any implementation has to do with them. */
import { readFile } from "node:fs/promises";
import { hex } from "@scure/base";
import { Schema } from "effect";
import { describe, expect, it } from "vitest";
import {
  assembleEntry,
  certificateSigningBytes,
  challengeBytes,
  decodeBatch,
  decodeCertificate,
  decodeEntry,
  decodeFrame,
  decodeMembership,
  decodePage,
  DeviceId,
  deviceIdOfSigningKey,
  emptyLogChain,
  encodeBatch,
  encodeCertificate,
  encodeFrame,
  encodeMembership,
  encodePage,
  entryHash,
  entrySigningBytes,
  Hash,
  idToBytes,
  linkIdOfSigningKey,
  nextLogChain,
  NO_MEMBERSHIP,
  PublicKey,
  rotateRootSigningBytes,
  ServerId,
  WorkspaceId,
  workspaceIdOfRootKey,
} from "@cairn/protocol";
import { isRefused } from "./refusal.ts";

const Hex = Schema.String;
const list = <Item extends Schema.Top>(item: Item) => Schema.Array(item);
const load = async <Shape>(name: string, shape: Schema.Decoder<Shape>): Promise<Shape> =>
  Schema.decodeUnknownSync(shape)(JSON.parse(await readFile(new URL(`vectors/${name}.json`, import.meta.url), "utf8")));

/** A value as the vector files show it. */
const toJson = (value: unknown): unknown => {
  if (value instanceof Uint8Array) return hex.encode(value);
  if (value === undefined) return null;
  if (Array.isArray(value)) return value.map(toJson);
  if (typeof value === "object" && value !== null)
    return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, toJson(inner)]));
  return value;
};

describe("golden vectors", () => {
  it("entries", async () => {
    const file = await load(
      "entries",
      Schema.Struct({
        valid: list(
          Schema.Struct({
            header: Schema.Unknown,
            headerBytes: Hex,
            signingBytes: Hex,
            payload: Hex,
            signature: Hex,
            bytes: Hex,
            hash: Hash,
          }),
        ),
        malformed: list(Schema.Struct({ name: Schema.String, bytes: Hex })),
      }),
    );
    expect(file.valid.length).toBeGreaterThan(5);
    for (const vector of file.valid) {
      const entry = decodeEntry(hex.decode(vector.bytes));
      expect(toJson(entry.header)).toEqual(vector.header);
      expect(hex.encode(entry.headerBytes)).toBe(vector.headerBytes);
      expect(hex.encode(entry.payload)).toBe(vector.payload);
      expect(hex.encode(entry.signature)).toBe(vector.signature);
      expect(hex.encode(entrySigningBytes(entry.headerBytes, entry.payload)).startsWith(vector.signingBytes)).toBe(
        true,
      );
      expect(entryHash(entry.bytes)).toBe(vector.hash);
      expect(hex.encode(assembleEntry(entry.header, entry.payload, entry.signature).bytes)).toBe(vector.bytes);
    }
    const accepted = file.malformed.filter(({ bytes }) => !isRefused(() => decodeEntry(hex.decode(bytes))));
    expect(accepted).toEqual([]);
  });

  it("batches and pages", async () => {
    const file = await load(
      "batches-and-pages",
      Schema.Struct({
        batches: list(Schema.Struct({ entries: list(Hex), bytes: Hex })),
        pages: list(Schema.Struct({ page: Schema.Unknown, bytes: Hex })),
        malformed: list(Schema.Struct({ name: Schema.String, as: Schema.Literals(["batch", "page"]), bytes: Hex })),
      }),
    );
    for (const { entries, bytes } of file.batches) {
      expect(decodeBatch(hex.decode(bytes)).map((entry) => hex.encode(entry.bytes))).toEqual(entries);
      expect(hex.encode(encodeBatch(entries.map((entry) => hex.decode(entry))))).toBe(bytes);
    }
    for (const { page, bytes } of file.pages) {
      expect(toJson(decodePage(hex.decode(bytes)))).toEqual(page);
      expect(hex.encode(encodePage(decodePage(hex.decode(bytes))))).toBe(bytes);
    }
    const decoders = { batch: decodeBatch, page: decodePage };
    const accepted = file.malformed.filter(({ as, bytes }) => !isRefused(() => decoders[as](hex.decode(bytes))));
    expect(accepted).toEqual([]);
  });

  it("the log's running hash", async () => {
    const step = Schema.Struct({ before: Hash, seq: Schema.Int, entryHash: Hash, after: Hash });
    const file = await load("log-chain", Schema.Struct({ workspace: WorkspaceId, empty: Hash, steps: list(step) }));
    expect(emptyLogChain(file.workspace)).toBe(file.empty);
    expect(file.steps[0]?.before).toBe(file.empty);
    for (const { before, seq, entryHash: hash, after } of file.steps)
      expect(nextLogChain(before, seq, hash)).toBe(after);
  });

  it("ids from keys", async () => {
    const { ids } = await load(
      "identities",
      Schema.Struct({
        ids: Schema.Struct({
          publicKey: Hex,
          workspace: WorkspaceId,
          workspaceId: Schema.String,
          deviceId: Schema.String,
          linkId: Schema.String,
        }),
      }),
    );
    const key = hex.decode(ids.publicKey);
    expect(workspaceIdOfRootKey(key)).toBe(ids.workspaceId);
    expect(deviceIdOfSigningKey(ids.workspace, key)).toBe(ids.deviceId);
    expect(linkIdOfSigningKey(ids.workspace, key)).toBe(ids.linkId);
  });

  it("certificates and the membership chain", async () => {
    const file = await load(
      "membership",
      Schema.Struct({
        certificates: list(
          Schema.Struct({
            certificate: Schema.Unknown,
            device: DeviceId,
            signingBytes: Hex,
            signature: Hex,
            bytes: Hex,
          }),
        ),
        rotateRoot: Schema.Struct({
          workspace: WorkspaceId,
          rootKey: PublicKey,
          recoveryKey: PublicKey,
          signingBytes: Hex,
        }),
        chain: Schema.Struct({
          workspace: WorkspaceId,
          entries: list(Schema.Struct({ bytes: Hex, hash: Hash, payload: Schema.Unknown, effect: Schema.Boolean })),
        }),
      }),
    );
    for (const vector of file.certificates) {
      const signed = decodeCertificate(hex.decode(vector.bytes));
      expect(toJson(signed.certificate)).toEqual(vector.certificate);
      expect(hex.encode(signed.signature)).toBe(vector.signature);
      expect(hex.encode(certificateSigningBytes(signed.certificate))).toBe(vector.signingBytes);
      expect(hex.encode(encodeCertificate(signed))).toBe(vector.bytes);
      expect(deviceIdOfSigningKey(signed.certificate.workspace, idToBytes(signed.certificate.signingKey))).toBe(
        vector.device,
      );
    }
    const { workspace, rootKey, recoveryKey, signingBytes } = file.rotateRoot;
    expect(hex.encode(rotateRootSigningBytes(workspace, rootKey, recoveryKey))).toBe(signingBytes);
    let head = NO_MEMBERSHIP;
    for (const { bytes, hash, payload } of file.chain.entries) {
      const entry = decodeEntry(hex.decode(bytes));
      const decoded = decodeMembership(entry.payload);
      expect(toJson(decoded)).toEqual(payload);
      expect(encodeMembership(decoded)).toEqual(entry.payload);
      expect(decoded.prev).toBe(head);
      expect(entryHash(entry.bytes)).toBe(hash);
      head = hash;
    }
  });

  it("challenges", async () => {
    const file = await load(
      "challenges",
      Schema.Struct({
        cases: list(
          Schema.Struct({
            challenge: Schema.Struct({
              purpose: Schema.Literals([1, 2, 3, 4]),
              server: ServerId,
              origin: Schema.String,
              workspace: WorkspaceId,
              subject: DeviceId,
              statement: Hex,
              nonce: Hex,
            }),
            bytes: Hex,
          }),
        ),
      }),
    );
    expect(file.cases).toHaveLength(4);
    for (const { challenge, bytes } of file.cases) {
      const { statement, nonce } = challenge;
      const made = challengeBytes({ ...challenge, statement: hex.decode(statement), nonce: hex.decode(nonce) });
      expect(hex.encode(made)).toBe(bytes);
    }
  });

  it("live frames", async () => {
    const file = await load(
      "frames",
      Schema.Struct({ frames: list(Schema.Struct({ frame: Schema.Unknown, bytes: Hex })) }),
    );
    for (const { frame, bytes } of file.frames) {
      const decoded = decodeFrame(hex.decode(bytes));
      expect(toJson(decoded)).toEqual(frame);
      expect(decodeFrame(encodeFrame(decoded))).toEqual(decoded);
    }
  });
});
