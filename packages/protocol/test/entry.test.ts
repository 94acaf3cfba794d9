import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  assembleEntry,
  ByteWriter,
  decodeEntry,
  deviceIdFromBytes,
  documentIdFromBytes,
  encodeHeader,
  type EntryHeader,
  entryHash,
  EntryKind,
  entrySigningBytes,
  hasCriticalExtension,
  hashFromBytes,
  LIMITS,
  PROTOCOL_VERSION,
  sortHashes,
  workspaceIdFromBytes,
} from "@cairn/protocol";
import { damaged, entryHeader, signature } from "./arbitraries.ts";
import { decodedOrRefused, isRefused } from "./refusal.ts";
import { MalformedBytes } from "@cairn/protocol";

const anyEntry = fc
  .tuple(entryHeader, fc.uint8Array({ maxLength: 200 }), signature)
  .map(([header, payload, signed]) => assembleEntry(header, payload, signed));

const header: EntryHeader = {
  version: PROTOCOL_VERSION,
  kind: EntryKind.update,
  workspace: workspaceIdFromBytes(new Uint8Array(16).fill(1)),
  document: documentIdFromBytes(new Uint8Array(16).fill(2)),
  device: deviceIdFromBytes(new Uint8Array(16).fill(3)),
  counter: 1,
  epoch: 1,
  covers: [],
  refs: [],
  extensions: [],
};
const noSignature = new Uint8Array(64);
const numbered = (count: number, length: number): ReadonlyArray<Uint8Array> =>
  Array.from({ length: count }, (_, index) => {
    const bytes = new Uint8Array(length);
    new DataView(bytes.buffer).setUint32(0, index + 1);
    return bytes;
  });

describe("an entry", () => {
  it("comes back from its bytes, unknown kinds and extensions included", () => {
    fc.assert(
      fc.property(anyEntry, (entry) => {
        const decoded = decodeEntry(entry.bytes);
        expect(decoded).toEqual(entry);
        expect(assembleEntry(decoded.header, decoded.payload, decoded.signature).bytes).toEqual(entry.bytes);
      }),
    );
  });

  it("has one encoding: bytes that are accepted are those that encoding gives", () => {
    fc.assert(
      fc.property(
        anyEntry.chain((entry) => damaged(entry.bytes)),
        (bytes) => {
          const decoded = decodedOrRefused(() => decodeEntry(bytes));
          fc.pre(!(decoded instanceof MalformedBytes));
          expect(assembleEntry(decoded.header, decoded.payload, decoded.signature).bytes).toEqual(bytes);
        },
      ),
      { numRuns: 1_000 },
    );
  });

  it("is refused at every truncation, and with anything behind it", () => {
    fc.assert(
      fc.property(anyEntry, ({ bytes }) => {
        for (let length = 0; length < bytes.length; length += 1)
          expect(isRefused(() => decodeEntry(bytes.subarray(0, length)))).toBe(true);
        expect(isRefused(() => decodeEntry(new Uint8Array([...bytes, 0])))).toBe(true);
      }),
      { numRuns: 20 },
    );
  });

  it("never crashes the reader, whatever the bytes", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
        decodedOrRefused(() => decodeEntry(bytes));
      }),
      { numRuns: 500 },
    );
  });

  it("signs header and payload under a label of their own", () => {
    const bytes = entrySigningBytes(encodeHeader(header), Uint8Array.of(7));
    expect(new TextDecoder().decode(bytes.subarray(0, 25))).toBe("cairn/v1/entry-signature\0");
    expect(bytes.at(-1)).toBe(7);
  });

  it("is named by the hash of all of its bytes", () => {
    const entry = assembleEntry(header, Uint8Array.of(1), noSignature);
    const resigned = assembleEntry(header, Uint8Array.of(1), new Uint8Array(64).fill(1));
    expect(entryHash(entry.bytes)).not.toBe(entryHash(resigned.bytes));
  });

  it("says whether an old reader must stop", () => {
    const extended = (critical: boolean) =>
      hasCriticalExtension({ ...header, extensions: [{ type: 1, critical, bytes: new Uint8Array() }] });
    expect([hasCriticalExtension(header), extended(false), extended(true)]).toEqual([false, false, true]);
  });
});

describe("the bounds of an entry", () => {
  const atLimits: EntryHeader = {
    ...header,
    refs: numbered(LIMITS.refs, 32).map(hashFromBytes),
    covers: numbered(LIMITS.covers, 16).map((bytes) => ({ device: deviceIdFromBytes(bytes), counter: 1 })),
  };

  it("are reachable", () => {
    const entry = assembleEntry(atLimits, new Uint8Array(1_000), noSignature);
    expect(decodeEntry(entry.bytes)).toEqual(entry);
    const extensions = numbered(LIMITS.extensions, 4).map((_, type) => ({
      type,
      critical: false,
      bytes: new Uint8Array(LIMITS.extensionBytes),
    }));
    const extended = assembleEntry({ ...header, extensions }, new Uint8Array(), noSignature);
    expect(decodeEntry(extended.bytes).header.extensions).toHaveLength(LIMITS.extensions);
    const space = LIMITS.entryBytes - encodeHeader(header).length - 64 - 4;
    const largest = assembleEntry(header, new Uint8Array(space), noSignature);
    expect(largest.bytes.length).toBe(LIMITS.entryBytes);
    expect(decodeEntry(largest.bytes).payload.length).toBe(space);
    expect(() => assembleEntry(header, new Uint8Array(space + 1), noSignature)).toThrow(RangeError);
    expect(isRefused(() => decodeEntry(new Uint8Array(LIMITS.entryBytes + 1)))).toBe(true);
  });

  it("hold for writers", () => {
    const extension = { type: 1, critical: false, bytes: new Uint8Array() };
    const wrong: ReadonlyArray<Partial<EntryHeader>> = [
      { version: 0 },
      { version: PROTOCOL_VERSION + 1 },
      { kind: 256 },
      { counter: 0 },
      { counter: 1.5 },
      { counter: 2 ** 53 },
      { epoch: -1 },
      { epoch: 2 ** 32 },
      { refs: numbered(LIMITS.refs + 1, 32).map(hashFromBytes) },
      { refs: (atLimits.refs ?? []).slice(0, 2).toReversed() },
      { refs: [atLimits.refs[0], atLimits.refs[0]].flatMap((ref) => ref ?? []) },
      { covers: numbered(LIMITS.covers + 1, 16).map((bytes) => ({ device: deviceIdFromBytes(bytes), counter: 1 })) },
      { covers: [{ device: header.device, counter: 0 }] },
      {
        covers: [
          { device: header.device, counter: 1 },
          { device: header.device, counter: 2 },
        ],
      },
      { extensions: [{ ...extension, bytes: new Uint8Array(LIMITS.extensionBytes + 1) }] },
      { extensions: [extension, extension] },
      { extensions: numbered(LIMITS.extensions + 1, 4).map((_, type) => ({ ...extension, type })) },
      {
        ...atLimits,
        extensions: numbered(LIMITS.extensions, 4).map((_, type) => ({
          ...extension,
          type,
          bytes: new Uint8Array(4_000),
        })),
      },
    ];
    for (const change of wrong) expect(() => encodeHeader({ ...header, ...change })).toThrow(RangeError);
    expect(() => assembleEntry(header, new Uint8Array(), new Uint8Array(63))).toThrow(RangeError);
  });

  it("hold for readers, before anything is allocated", () => {
    const fixed = encodeHeader(header).subarray(0, 2 + 16 * 3 + 2);
    const lists = (write: (writer: ByteWriter) => ByteWriter): Uint8Array =>
      write(new ByteWriter().raw(fixed)).finish();
    const wrong = [
      lists((writer) => writer.varint(LIMITS.covers + 1)),
      lists((writer) => writer.varint(0).varint(LIMITS.refs + 1)),
      lists((writer) =>
        writer
          .varint(0)
          .varint(0)
          .varint(LIMITS.extensions + 1),
      ),
      lists((writer) =>
        writer
          .varint(0)
          .varint(0)
          .varint(1)
          .varint(1)
          .u8(0)
          .varint(LIMITS.extensionBytes + 1),
      ),
      lists((writer) => writer.varint(0).varint(0).varint(1).varint(1).u8(2).varint(0)),
      lists((writer) => writer.varint(0).varint(0).varint(0).varint(Number.MAX_SAFE_INTEGER)),
      lists((writer) =>
        writer.varint(1).raw(new Uint8Array(16)).varint(0).varint(0).varint(0).varint(0).raw(noSignature),
      ),
    ];
    for (const bytes of wrong) expect(isRefused(() => decodeEntry(bytes))).toBe(true);
    const long = lists((writer) => {
      writer.varint(0).varint(LIMITS.refs);
      for (const ref of numbered(LIMITS.refs, 32)) writer.raw(ref);
      writer.varint(LIMITS.extensions);
      for (let type = 0; type < LIMITS.extensions; type += 1)
        writer.varint(type).u8(0).bytes(new Uint8Array(LIMITS.extensionBytes));
      return writer.varint(0).raw(noSignature);
    });
    expect(isRefused(() => decodeEntry(long))).toBe(true);
  });
});

it("refs are sorted and named once", () => {
  const [first, second] = numbered(2, 32).map(hashFromBytes);
  if (first === undefined || second === undefined) throw new Error("two hashes");
  expect(sortHashes([second, first, second])).toEqual([first, second]);
});
