/**
 * What an update applies again, as it was: the edits behind some that a person gave up, and these (decision 28). It is kept
 * beside the update for as long as that has a row of its own. Another copy of the store may have sent some of them: then only the others are
 * applied again, and for that they are needed as they were made.
 *
 * ```
 * former  = format(1) edits edits          given up, behind them
 * edits   = count(varint) { time(8) length(varint) update count(varint) { first-form(32) } }
 * ```
 */
import { ByteReader, ByteWriter, type Hash, HASH_BYTES, hashFromBytes, idToBytes } from "@cairn/protocol";

const FORMAT = 1;
const MAX_EDITS = 1_000_000;
const MAX_UPDATE_BYTES = 64 * 1024 * 1024;

export interface FormerEdit {
  readonly update: Uint8Array;
  /** Stated by its author, milliseconds since 1970. */
  readonly time: number;
  /** The first forms of the edits that it holds: its own, or those of edits that it applied again. */
  readonly firstForms: ReadonlyArray<Hash>;
}

export interface FormerEdits {
  readonly givenUp: ReadonlyArray<FormerEdit>;
  readonly later: ReadonlyArray<FormerEdit>;
}

export const encodeFormerEdits = ({ givenUp, later }: FormerEdits): Uint8Array<ArrayBuffer> => {
  const size = [...givenUp, ...later].reduce((sum, { update }) => sum + update.length + 64, 64);
  const writer = new ByteWriter(size).u8(FORMAT);
  for (const edits of [givenUp, later]) {
    writer.varint(edits.length);
    for (const { update, time, firstForms } of edits) {
      writer.u64(time).bytes(update).varint(firstForms.length);
      for (const firstForm of firstForms) writer.raw(idToBytes(firstForm));
    }
  }
  return writer.finish();
};

/** Throws `MalformedBytes`. */
export const decodeFormerEdits = (bytes: Uint8Array): FormerEdits => {
  const reader = new ByteReader(bytes);
  if (reader.u8() !== FORMAT) reader.fail("unknown format of former edits");
  const former: FormerEdits = { givenUp: readEdits(reader), later: readEdits(reader) };
  if (reader.remaining > 0) reader.fail("more bytes than former edits have");
  return former;
};

const readEdits = (reader: ByteReader): ReadonlyArray<FormerEdit> =>
  readMany(reader, () => {
    const time = reader.u64();
    const update = reader.bytes(MAX_UPDATE_BYTES);
    return { update, time, firstForms: readMany(reader, () => hashFromBytes(reader.raw(HASH_BYTES))) };
  });

const readMany = <A>(reader: ByteReader, read: () => A): ReadonlyArray<A> => {
  const found: Array<A> = [];
  for (let count = reader.varint(MAX_EDITS); count > 0; count -= 1) found.push(read());
  return found;
};
