/**
 * The entry: one immutable, sealed, identified record of the log, and its binary form.
 *
 * ```
 * entry     = header payload-length(varint) payload signature(64)
 * header    = version(1) kind(1) workspace(16) document(16) device(16) counter(varint) epoch(varint)
 *             covers-count(varint) { device(16) counter(varint) }
 *             refs-count(varint)   { hash(32) }
 *             extensions-count(varint) { type(varint) flags(1) length(varint) bytes }
 * ```
 *
 * Covers are sorted by device, refs by hash, extensions by type, each without repetition; varints are in their shortest
 * form. So an entry has exactly one encoding, and its hash names it. The header is the additional data of the seal, and
 * the signature covers header and payload: no field can be swapped.
 */
import { sha256 } from "@noble/hashes/sha2.js";
import { ByteReader, ByteWriter, compareBytes, concatBytes, MalformedBytes } from "./bytes.ts";
import {
  type DeviceId,
  deviceIdFromBytes,
  type DocumentId,
  documentIdFromBytes,
  type Hash,
  HASH_BYTES,
  hashFromBytes,
  ID_BYTES,
  idToBytes,
  label,
  SIGNATURE_BYTES,
  type WorkspaceId,
  workspaceIdFromBytes,
} from "./ids.ts";
import { LIMITS } from "./limits.ts";
import { OLDEST_PROTOCOL_VERSION, PROTOCOL_VERSION } from "./version.ts";

/**
 * What an entry is. A reader stores and passes on kinds that it does not know.
 *
 * - `update`: sealed operations of its author on one document.
 * - `snapshot`: sealed state of one document that stands for the entries named in `covers`.
 * - `void`: takes the counter of an entry that was refused for good (rule 4). Empty payload.
 * - `purge`: an administrator's order to delete a document's bytes (rule 27).
 * - `membership`: a link of the membership chain; its payload is readable (see `membership.ts`).
 */
export const EntryKind = { update: 1, snapshot: 2, void: 3, purge: 4, membership: 5 } as const;

/** A field that this version of the format does not know. */
export interface EntryExtension {
  readonly type: number;
  /** A reader that does not know a critical extension stores and passes on the entry, and does not act on it (rule 7). */
  readonly critical: boolean;
  readonly bytes: Uint8Array;
}

/** The readable part of an entry. */
export interface EntryHeader {
  readonly version: number;
  /** One of `EntryKind`, or a kind of a later version. */
  readonly kind: number;
  readonly workspace: WorkspaceId;
  /** `NO_DOCUMENT` where the entry is about none. */
  readonly document: DocumentId;
  /** The author. */
  readonly device: DeviceId;
  /** Contiguous per author, from 1 (rule 2). */
  readonly counter: number;
  /** Which workspace key sealed the payload; 0 where nothing is sealed. */
  readonly epoch: number;
  /** Snapshots only: per device, the highest counter that it contains for its document. Sorted by device bytes. */
  readonly covers: ReadonlyArray<{ readonly device: DeviceId; readonly counter: number }>;
  /** Hashes of the sealed attachment chunks that this entry refers to (rule 25). Sorted by bytes. */
  readonly refs: ReadonlyArray<Hash>;
  /** Sorted by type. */
  readonly extensions: ReadonlyArray<EntryExtension>;
}

/** An entry, decoded, together with the bytes it was decoded from. */
export interface Entry {
  readonly header: EntryHeader;
  /** Exactly the header's bytes: the additional data of the seal. */
  readonly headerBytes: Uint8Array;
  readonly payload: Uint8Array;
  readonly signature: Uint8Array;
  /** The whole encoded entry. */
  readonly bytes: Uint8Array;
}

const CRITICAL = 1;
const SIGNATURE_LABEL = label("entry-signature");
const MAX_EPOCH = 0xffff_ffff;

const assertSorted = (keys: ReadonlyArray<Uint8Array>, what: string): void => {
  for (let index = 1; index < keys.length; index += 1) {
    const [before, after] = [keys[index - 1], keys[index]];
    if (before !== undefined && after !== undefined && compareBytes(before, after) >= 0) {
      throw new RangeError(`${what} not sorted`);
    }
  }
};

const assertAtMost = (value: number, max: number, what: string): void => {
  if (value > max) throw new RangeError(`${what}: ${value} is more than ${max}`);
};

/**
 * The header's bytes. Throws `RangeError` for a header that no reader would accept (lists not sorted, numbers out of
 * bounds): sort with `sortHashes` and `sortCovers` first.
 */
export const encodeHeader = (header: EntryHeader): Uint8Array<ArrayBuffer> => {
  if (header.version < OLDEST_PROTOCOL_VERSION || header.version > PROTOCOL_VERSION)
    throw new RangeError(`unsupported entry version ${header.version}`);
  if (header.counter < 1 || header.covers.some(({ counter }) => counter < 1))
    throw new RangeError("counters begin at 1");
  assertAtMost(header.epoch, MAX_EPOCH, "epoch");
  assertAtMost(header.covers.length, LIMITS.covers, "covers");
  assertAtMost(header.refs.length, LIMITS.refs, "refs");
  assertAtMost(header.extensions.length, LIMITS.extensions, "extensions");
  const writer = new ByteWriter();
  writer.u8(header.version).u8(header.kind);
  writer.raw(idToBytes(header.workspace)).raw(idToBytes(header.document)).raw(idToBytes(header.device));
  writer.varint(header.counter).varint(header.epoch);
  const covers = header.covers.map(({ device, counter }) => ({
    device: idToBytes(device),
    counter,
  }));
  assertSorted(
    covers.map(({ device }) => device),
    "covers",
  );
  writer.varint(covers.length);
  for (const { device, counter } of covers) writer.raw(device).varint(counter);
  const refs = header.refs.map(idToBytes);
  assertSorted(refs, "refs");
  writer.varint(refs.length);
  for (const ref of refs) writer.raw(ref);
  writer.varint(header.extensions.length);
  let lastType = -1;
  for (const extension of header.extensions) {
    if (extension.type <= lastType) throw new RangeError("extensions not sorted");
    lastType = extension.type;
    assertAtMost(extension.bytes.length, LIMITS.extensionBytes, "extension bytes");
    writer
      .varint(extension.type)
      .u8(extension.critical ? CRITICAL : 0)
      .bytes(extension.bytes);
  }
  if (writer.length > LIMITS.headerBytes) throw new RangeError("header too large");
  return writer.finish();
};

const readCovers = (reader: ByteReader): EntryHeader["covers"] => {
  const count = reader.varint(LIMITS.covers);
  const covers: Array<{ device: DeviceId; counter: number }> = [];
  let last: Uint8Array | undefined;
  for (let index = 0; index < count; index += 1) {
    const device = reader.raw(ID_BYTES);
    if (last !== undefined && compareBytes(last, device) >= 0) reader.fail("covers not sorted");
    last = device;
    const counter = reader.varint();
    if (counter === 0) reader.fail("counters begin at 1");
    covers.push({ device: deviceIdFromBytes(device), counter });
  }
  return covers;
};

const readRefs = (reader: ByteReader): ReadonlyArray<Hash> => {
  const count = reader.varint(LIMITS.refs);
  const refs: Array<Hash> = [];
  let last: Uint8Array | undefined;
  for (let index = 0; index < count; index += 1) {
    const ref = reader.raw(HASH_BYTES);
    if (last !== undefined && compareBytes(last, ref) >= 0) reader.fail("refs not sorted");
    last = ref;
    refs.push(hashFromBytes(ref));
  }
  return refs;
};

const readExtensions = (reader: ByteReader): ReadonlyArray<EntryExtension> => {
  const count = reader.varint(LIMITS.extensions);
  const extensions: Array<EntryExtension> = [];
  let lastType = -1;
  for (let index = 0; index < count; index += 1) {
    const type = reader.varint();
    if (type <= lastType) reader.fail("extensions not sorted");
    lastType = type;
    const flags = reader.u8();
    if (flags > CRITICAL) reader.fail("unknown extension flags");
    extensions.push({
      type,
      critical: flags === CRITICAL,
      bytes: reader.bytes(LIMITS.extensionBytes),
    });
  }
  return extensions;
};

const readHeader = (reader: ByteReader): EntryHeader => {
  const version = reader.u8();
  if (version < OLDEST_PROTOCOL_VERSION || version > PROTOCOL_VERSION)
    reader.fail(`unsupported entry version ${version}`);
  const kind = reader.u8();
  const workspace = workspaceIdFromBytes(reader.raw(ID_BYTES));
  const document = documentIdFromBytes(reader.raw(ID_BYTES));
  const device = deviceIdFromBytes(reader.raw(ID_BYTES));
  const counter = reader.varint();
  if (counter === 0) reader.fail("counters begin at 1");
  const epoch = reader.varint(MAX_EPOCH);
  const covers = readCovers(reader);
  const refs = readRefs(reader);
  const extensions = readExtensions(reader);
  return { version, kind, workspace, document, device, counter, epoch, covers, refs, extensions };
};

/** The bytes that the author signs. */
export const entrySigningBytes = (headerBytes: Uint8Array, payload: Uint8Array): Uint8Array<ArrayBuffer> =>
  concatBytes(SIGNATURE_LABEL, headerBytes, payload);

/** Puts an entry together from its signed parts. Throws `RangeError` where it is larger than an entry may be. */
export const assembleEntry = (header: EntryHeader, payload: Uint8Array, signature: Uint8Array): Entry => {
  if (signature.length !== SIGNATURE_BYTES) throw new RangeError("signature of the wrong length");
  const headerBytes = encodeHeader(header);
  const bytes = new ByteWriter(headerBytes.length + payload.length + SIGNATURE_BYTES + 8)
    .raw(headerBytes)
    .bytes(payload)
    .raw(signature)
    .finish();
  if (bytes.length > LIMITS.entryBytes) throw new RangeError("entry too large");
  return { header, headerBytes, payload, signature, bytes };
};

/** Decodes one entry that fills `bytes`. Throws `MalformedBytes`. */
export const decodeEntry = (bytes: Uint8Array): Entry => {
  if (bytes.length > LIMITS.entryBytes) throw new MalformedBytes({ reason: "entry too large", offset: 0 });
  const reader = new ByteReader(bytes);
  const header = readHeader(reader);
  if (reader.offset > LIMITS.headerBytes) reader.fail("header too large");
  const headerBytes = bytes.subarray(0, reader.offset);
  const payload = reader.bytes(LIMITS.entryBytes);
  const signature = reader.raw(SIGNATURE_BYTES);
  reader.end();
  return { header, headerBytes, payload, signature, bytes };
};

/** The entry's hash: SHA-256 over all of its bytes. */
export const entryHash = (entryBytes: Uint8Array): Hash => hashFromBytes(sha256(entryBytes));

/** Whether the entry has an extension that a reader of this version must not ignore (rule 7). */
export const hasCriticalExtension = (header: EntryHeader): boolean =>
  header.extensions.some((extension) => extension.critical);

/** Hashes in the order that a header wants, without repetition. */
export const sortHashes = (hashes: Iterable<Hash>): ReadonlyArray<Hash> =>
  [...new Set(hashes)].toSorted((left, right) => compareBytes(idToBytes(left), idToBytes(right)));

/** Covers in the order that a header wants. */
export const sortCovers = (covers: ReadonlyMap<DeviceId, number>): EntryHeader["covers"] =>
  [...covers]
    .map(([device, counter]) => ({ device, counter }))
    .toSorted((left, right) => compareBytes(idToBytes(left.device), idToBytes(right.device)));
