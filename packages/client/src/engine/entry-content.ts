/**
 * What is inside the sealed payload of an `update` or `snapshot` entry: what only the devices read.
 *
 * ```
 * content = format(1) type-length(varint) type time(8) count(varint) { update-length(varint) update }
 * ```
 *
 * `type` is the document's declared type, `time` the author's clock in milliseconds since 1970, stated for display only
 * (hazard 21). Each update is a Loro update (a snapshot entry: one Loro snapshot) with operations of the author's own
 * peers only (rule 13).
 */
import { ByteReader, ByteWriter } from "@cairn/protocol";

const FORMAT = 1;
/** Bytes of a document type's name. */
const MAX_TYPE = 256;
/** Updates in one entry. */
const MAX_UPDATES = 100_000;
const MAX_UPDATE_BYTES = 64 * 1024 * 1024;

export interface EntryContent {
  readonly type: string;
  readonly time: number;
  readonly updates: ReadonlyArray<Uint8Array>;
}

export const encodeContent = (content: EntryContent): Uint8Array<ArrayBuffer> => {
  const size = content.updates.reduce((sum, update) => sum + update.length + 4, 64);
  const writer = new ByteWriter(size).u8(FORMAT).text(content.type).u64(content.time).varint(content.updates.length);
  for (const update of content.updates) writer.bytes(update);
  return writer.finish();
};

/** Throws `MalformedBytes`. */
export const decodeContent = (bytes: Uint8Array): EntryContent => {
  const reader = new ByteReader(bytes);
  if (reader.u8() !== FORMAT) reader.fail("unknown content format");
  const type = reader.text(MAX_TYPE);
  const time = reader.u64();
  const count = reader.varint(MAX_UPDATES);
  const updates: Array<Uint8Array> = [];
  for (let index = 0; index < count; index += 1) updates.push(reader.bytes(MAX_UPDATE_BYTES));
  reader.end();
  return { type, time, updates };
};
