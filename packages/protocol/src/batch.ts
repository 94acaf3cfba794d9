/**
 * Many entries on the wire (`application/vnd.cairn.entries`): the batch that a device pushes, and the page that it
 * pulls. HTTP bodies and live frames carry the same bytes (rule 8).
 *
 * ```
 * batch = "CB" version(1) count(varint) { entry-length(varint) entry }
 * page  = "CP" version(1) after(varint) until(varint) head(varint) chain(32) count(varint) { item }
 * item  = 0 seq(varint) entry-length(varint) entry         an entry
 *       | 1 seq(varint) device(16) counter(varint) hash(32) the reader's own entry, which it has
 *       | 2 seq(varint) until(varint) chain(32)             positions that no longer count, and the chain behind them
 * ```
 */
import { ByteReader, ByteWriter, MalformedBytes } from "./bytes.ts";
import { decodeEntry, type Entry } from "./entry.ts";
import { type DeviceId, deviceIdFromBytes, type Hash, HASH_BYTES, hashFromBytes, ID_BYTES, idToBytes } from "./ids.ts";
import { LIMITS } from "./limits.ts";
import { OLDEST_PROTOCOL_VERSION, PROTOCOL_VERSION } from "./version.ts";

/** The media type of batches and pages. */
export const ENTRIES_MEDIA_TYPE = "application/vnd.cairn.entries";

const BATCH_MAGIC = [0x43, 0x42] as const;
const PAGE_MAGIC = [0x43, 0x50] as const;

const readMagic = (reader: ByteReader, magic: readonly [number, number], what: string): void => {
  if (reader.u8() !== magic[0] || reader.u8() !== magic[1]) reader.fail(`not a ${what}`);
  const version = reader.u8();
  if (version < OLDEST_PROTOCOL_VERSION || version > PROTOCOL_VERSION)
    reader.fail(`unsupported ${what} version ${version}`);
};

/** A batch of encoded entries, in the order in which the author wants them stored. Throws `RangeError` above a limit. */
export const encodeBatch = (entries: ReadonlyArray<Uint8Array>): Uint8Array<ArrayBuffer> => {
  if (entries.length > LIMITS.batchEntries) throw new RangeError("too many entries in a batch");
  const size = entries.reduce((sum, entry) => sum + entry.length + 4, 16);
  const writer = new ByteWriter(size).u8(BATCH_MAGIC[0]).u8(BATCH_MAGIC[1]).u8(PROTOCOL_VERSION).varint(entries.length);
  for (const entry of entries) writer.bytes(entry);
  if (writer.length > LIMITS.batchBytes) throw new RangeError("batch too large");
  return writer.finish();
};

/** The entries of a batch. Throws `MalformedBytes` unless all of it is well-formed (rule 8). */
export const decodeBatch = (bytes: Uint8Array): ReadonlyArray<Entry> => {
  if (bytes.length > LIMITS.batchBytes) throw new MalformedBytes({ reason: "batch too large", offset: 0 });
  const reader = new ByteReader(bytes);
  readMagic(reader, BATCH_MAGIC, "batch");
  const count = reader.varint(LIMITS.batchEntries);
  const entries: Array<Entry> = [];
  for (let index = 0; index < count; index += 1) entries.push(decodeEntry(reader.bytes(LIMITS.entryBytes)));
  reader.end();
  return entries;
};

/** One step of a page. `seq` ascends without gaps over the items of a page, `skipped` ranges included. */
export type PageItem =
  | { readonly type: "entry"; readonly seq: number; readonly entry: Uint8Array }
  | {
      readonly type: "own";
      readonly seq: number;
      readonly device: DeviceId;
      readonly counter: number;
      readonly hash: Hash;
    }
  | {
      readonly type: "skipped";
      readonly seq: number;
      readonly until: number;
      readonly chain: Hash;
    };

/** What a reader that stood at `after` gets: everything that still counts up to `until`, and where the log ends. */
export interface Page {
  readonly after: number;
  /** The cursor after this page. */
  readonly until: number;
  /** The workspace's last sequence when the page was read; more pages follow while `until < head`. */
  readonly head: number;
  /** The running hash at `until` (rule 11). */
  readonly chain: Hash;
  readonly items: ReadonlyArray<PageItem>;
}

/** Encodes a page. The caller vouches for the order of the items. */
export const encodePage = (page: Page): Uint8Array<ArrayBuffer> => {
  const writer = new ByteWriter(1024).u8(PAGE_MAGIC[0]).u8(PAGE_MAGIC[1]).u8(PROTOCOL_VERSION);
  writer.varint(page.after).varint(page.until).varint(page.head).raw(idToBytes(page.chain)).varint(page.items.length);
  for (const item of page.items) {
    switch (item.type) {
      case "entry":
        writer.u8(0).varint(item.seq).bytes(item.entry);
        break;
      case "own":
        writer.u8(1).varint(item.seq).raw(idToBytes(item.device)).varint(item.counter).raw(idToBytes(item.hash));
        break;
      case "skipped":
        writer.u8(2).varint(item.seq).varint(item.until).raw(idToBytes(item.chain));
        break;
    }
  }
  return writer.finish();
};

const readItem = (reader: ByteReader): PageItem => {
  const type = reader.u8();
  const seq = reader.varint();
  switch (type) {
    case 0:
      return { type: "entry", seq, entry: reader.bytes(LIMITS.entryBytes) };
    case 1:
      return {
        type: "own",
        seq,
        device: deviceIdFromBytes(reader.raw(ID_BYTES)),
        counter: reader.varint(),
        hash: hashFromBytes(reader.raw(HASH_BYTES)),
      };
    case 2:
      return {
        type: "skipped",
        seq,
        until: reader.varint(),
        chain: hashFromBytes(reader.raw(HASH_BYTES)),
      };
    default:
      return reader.fail(`unknown page item ${type}`);
  }
};

/**
 * Decodes a page. Throws `MalformedBytes`, also where the items leave a gap between `after` and `until` (Promise 3).
 * The entries inside are not decoded.
 */
export const decodePage = (bytes: Uint8Array): Page => {
  if (bytes.length > LIMITS.frameBytes) throw new MalformedBytes({ reason: "page too large", offset: 0 });
  const reader = new ByteReader(bytes);
  readMagic(reader, PAGE_MAGIC, "page");
  const after = reader.varint();
  const until = reader.varint();
  const head = reader.varint();
  if (until < after || head < until) reader.fail("page bounds out of order");
  const chain = hashFromBytes(reader.raw(HASH_BYTES));
  const count = reader.varint(LIMITS.pageItems);
  const items: Array<PageItem> = [];
  let position = after;
  for (let index = 0; index < count; index += 1) {
    const item = readItem(reader);
    if (item.seq !== position + 1) reader.fail("page leaves a gap");
    position = item.type === "skipped" ? item.until : item.seq;
    if (position < item.seq) reader.fail("page bounds out of order");
    items.push(item);
  }
  if (position !== until) reader.fail("page leaves a gap");
  reader.end();
  return { after, until, head, chain, items };
};
