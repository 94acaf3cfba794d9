/**
 * What is inside the sealed payload of an `update` or `snapshot` entry: what only the devices read.
 *
 * ```
 * content = format(1) type-length(varint) type time(8) count(varint) { update-length(varint) update }
 *           { tag(varint) length(varint) bytes }
 * tag 1     state mark: version-hash(16) state-hash(16)
 * tag 2     edits made anew: { first-form(32) end(varint) }
 * tag 3     edits applied again: { first-form(32) }
 * ```
 *
 * `type` is the document's declared type, `time` the author's clock in milliseconds since 1970, stated for display only
 * (hazard 21). Each update is a Loro update (a snapshot entry: one Loro snapshot) with operations of the author's own
 * peers only (rule 13).
 *
 * What follows the updates may be there or not, in ascending order of tags; readers pass over tags that they do not know. A
 * state mark says what the author's document came to (rule 18, hazard L4): whoever comes to the same version and another
 * state has silently diverged from the author.
 *
 * Edits that a device made anew under an identity of its own (rule 12) are named by what they were: whoever has the same
 * edits waiting, from the same copy of a store, does not make them anew once more. So are edits that were applied again behind
 * some that were given up: they are there, and nothing says that the document looks as it did where they were made.
 */
import { sha256 } from "@noble/hashes/sha2.js";
import { ByteReader, ByteWriter, type Hash, HASH_BYTES, hashFromBytes, idToBytes } from "@cairn/protocol";

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
  readonly mark?: StateMark | undefined;
  readonly madeAnew?: ReadonlyArray<MadeAnew> | undefined;
  /** First forms of edits that are in this entry, without others that were before them. */
  readonly appliedAgain?: ReadonlyArray<Hash> | undefined;
}

/** An edit that is in this entry, and was made under another identity (rule 12). */
export interface MadeAnew {
  /** SHA-256 over the update that the edit was when it was made. */
  readonly firstForm: Hash;
  /** It is in the operations of the author's first lease with counters below this one. */
  readonly end: number;
}

/**
 * By what an edit is known that may be made anew: when it was made, and the update that it was then. By its bytes alone it could
 * be another one: an update has no content of what it builds on, so that who typed another first letter on another copy has the
 * same bytes for every letter behind it.
 */
export const firstFormOf = ({ time, update }: { readonly time: number; readonly update: Uint8Array }): Hash =>
  hashFromBytes(sha256(new ByteWriter(update.length + 8).u64(time).raw(update).finish()));

/** What a document came to, in a few bytes. */
export interface StateMark {
  /** The first 16 bytes of a hash of its version. */
  readonly version: Uint8Array;
  /** The first 16 bytes of its state hash (rule 18), which covers content and version. */
  readonly state: Uint8Array;
}

export const MARK_BYTES = 16;
const MARK_TAG = 1;
const MADE_ANEW_TAG = 2;
const APPLIED_AGAIN_TAG = 3;
/** Edits made anew, and edits applied again, that one entry names: the newest ones, where it has more. */
export const MAX_NAMED_EDITS = 1_024;
/** Of one tagged part. */
const MAX_PART_BYTES = 64 * 1024;
const MAX_TAG = 0xffff_ffff;
/** Loro counts operations of a peer in 31 bits. */
const MAX_COUNTER = 0x7fff_ffff;

export const encodeContent = (content: EntryContent): Uint8Array<ArrayBuffer> => {
  const size = content.updates.reduce((sum, update) => sum + update.length + 4, 64);
  const writer = new ByteWriter(size).u8(FORMAT).text(content.type).u64(content.time).varint(content.updates.length);
  for (const update of content.updates) writer.bytes(update);
  if (content.mark !== undefined) {
    const mark = new Uint8Array(2 * MARK_BYTES);
    mark.set(content.mark.version);
    mark.set(content.mark.state, MARK_BYTES);
    writer.varint(MARK_TAG).bytes(mark);
  }
  const madeAnew = content.madeAnew?.slice(-MAX_NAMED_EDITS) ?? [];
  if (madeAnew.length > 0) {
    const part = new ByteWriter(madeAnew.length * (HASH_BYTES + 4));
    for (const { firstForm, end } of madeAnew) part.raw(idToBytes(firstForm)).varint(end);
    writer.varint(MADE_ANEW_TAG).bytes(part.finish());
  }
  const appliedAgain = content.appliedAgain?.slice(-MAX_NAMED_EDITS) ?? [];
  if (appliedAgain.length > 0) {
    const part = new ByteWriter(appliedAgain.length * HASH_BYTES);
    for (const firstForm of appliedAgain) part.raw(idToBytes(firstForm));
    writer.varint(APPLIED_AGAIN_TAG).bytes(part.finish());
  }
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
  let mark: StateMark | undefined;
  let madeAnew: ReadonlyArray<MadeAnew> | undefined;
  let appliedAgain: ReadonlyArray<Hash> | undefined;
  let before = 0;
  while (reader.remaining > 0) {
    const tag = reader.varint(MAX_TAG);
    if (tag <= before) reader.fail("parts out of order");
    before = tag;
    const part = reader.bytes(MAX_PART_BYTES);
    if (tag === MADE_ANEW_TAG) madeAnew = readNamedEdits(part, readMadeAnew);
    if (tag === APPLIED_AGAIN_TAG) appliedAgain = readNamedEdits(part, readFirstForm);
    if (tag !== MARK_TAG) continue;
    if (part.length !== 2 * MARK_BYTES) reader.fail("a state mark of another length");
    mark = { version: part.slice(0, MARK_BYTES), state: part.slice(MARK_BYTES) };
  }
  return {
    type,
    time,
    updates,
    ...(mark && { mark }),
    ...(madeAnew && { madeAnew }),
    ...(appliedAgain && { appliedAgain }),
  };
};

const readFirstForm = (reader: ByteReader): Hash => hashFromBytes(reader.raw(HASH_BYTES));

const readMadeAnew = (reader: ByteReader): MadeAnew => ({
  firstForm: readFirstForm(reader),
  end: reader.varint(MAX_COUNTER),
});

const readNamedEdits = <A>(part: Uint8Array, read: (reader: ByteReader) => A): ReadonlyArray<A> => {
  const reader = new ByteReader(part);
  const found: Array<A> = [];
  while (reader.remaining > 0) {
    if (found.length === MAX_NAMED_EDITS) reader.fail("an entry names too many edits");
    found.push(read(reader));
  }
  return found;
};
