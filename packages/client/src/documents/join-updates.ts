/**
 * Several Loro updates as one, by their bytes.
 *
 * A commit of one character is an update of some ninety bytes, and nearly all of the time that it takes to store and to
 * import goes into it being one: 260,000 of them import in ten seconds one by one, and in two when they are joined. An
 * update in Loro's stable encoding (https://loro.dev/docs/advanced/encoding) is a header and a row of changes:
 *
 * ```
 * update = "loro" zero(12) checksum(4, little-endian) mode(2) { length(varint) change }
 * ```
 *
 * where the checksum is XXH32 over everything behind it. So the changes of several updates behind one header are an
 * update again, with the same operations. What is not of this form is left as it is.
 */

const MAGIC = [0x6c, 0x6f, 0x72, 0x6f];
const CHECKSUM_AT = 16;
const MODE_AT = 20;
const HEADER_BYTES = 22;
/** Updates; the other mode is a snapshot. */
const MODE_UPDATES = 4;
const CHECKSUM_SEED = 0x4f_52_4f_4c;

/** A joined update is no longer than this, unless one update alone is. */
const MAX_JOINED_BYTES = 512 * 1024;

/** Whether an update is intact and of the form above. */
const isJoinable = (update: Uint8Array): boolean => {
  if (update.length <= HEADER_BYTES || MAGIC.some((byte, index) => update[index] !== byte)) return false;
  const view = new DataView(update.buffer, update.byteOffset, update.byteLength);
  return (
    view.getUint16(MODE_AT) === MODE_UPDATES &&
    view.getUint32(CHECKSUM_AT, true) === xxh32(update.subarray(MODE_AT), CHECKSUM_SEED)
  );
};

const join = (updates: ReadonlyArray<Uint8Array>): Uint8Array => {
  const [first] = updates;
  if (first === undefined || updates.length === 1) return first ?? new Uint8Array(0);
  const bytes = updates.reduce((sum, update) => sum + update.length - HEADER_BYTES, HEADER_BYTES);
  const joined = new Uint8Array(bytes);
  joined.set(first);
  let position = first.length;
  for (const update of updates.slice(1)) {
    joined.set(update.subarray(HEADER_BYTES), position);
    position += update.length - HEADER_BYTES;
  }
  new DataView(joined.buffer).setUint32(CHECKSUM_AT, xxh32(joined.subarray(MODE_AT), CHECKSUM_SEED), true);
  return joined;
};

/**
 * The same operations in as few updates as can be, in the same order. Damaged bytes and snapshots stay what they are, for
 * Loro to refuse.
 */
export const joinUpdates = (updates: ReadonlyArray<Uint8Array>): ReadonlyArray<Uint8Array> => {
  if (updates.length < 2) return updates;
  const result: Array<Uint8Array> = [];
  let run: Array<Uint8Array> = [];
  let bytes = 0;
  const endRun = (): void => {
    if (run.length > 0) result.push(join(run));
    run = [];
    bytes = 0;
  };
  for (const update of updates) {
    const joinable = isJoinable(update);
    if (!joinable || bytes + update.length > MAX_JOINED_BYTES) endRun();
    if (joinable) {
      run.push(update);
      bytes += update.length;
    } else result.push(update);
  }
  endRun();
  return result;
};

/** Whether an update holds several changes, which Loro would write shorter as one. */
export const holdsSeveralChanges = (update: Uint8Array): boolean => {
  let length = 0;
  for (let index = HEADER_BYTES, shift = 0; index < update.length && shift < 35; index += 1, shift += 7) {
    const byte = update[index] ?? 0;
    length += (byte & 0x7f) * 2 ** shift;
    if (byte < 0x80) return index + 1 + length < update.length;
  }
  return false;
};

const PRIME_1 = 0x9e3779b1;
const PRIME_2 = 0x85ebca77;
const PRIME_3 = 0xc2b2ae3d;
const PRIME_4 = 0x27d4eb2f;
const PRIME_5 = 0x165667b1;

const rotate = (value: number, by: number): number => (value << by) | (value >>> (32 - by));
const round = (lane: number, input: number): number =>
  Math.imul(rotate((lane + Math.imul(input, PRIME_2)) | 0, 13), PRIME_1);

/** XXH32 by Yann Collet: https://github.com/Cyan4973/xxHash/blob/dev/doc/xxhash_spec.md, section "XXH32 algorithm". */
export const xxh32 = (bytes: Uint8Array, seed: number): number => {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const { length } = bytes;
  let at = 0;
  let hash = (seed + PRIME_5) | 0;
  if (length >= 16) {
    let one = (seed + PRIME_1 + PRIME_2) | 0;
    let two = (seed + PRIME_2) | 0;
    let three = seed | 0;
    let four = (seed - PRIME_1) | 0;
    for (; at <= length - 16; at += 16) {
      one = round(one, view.getUint32(at, true));
      two = round(two, view.getUint32(at + 4, true));
      three = round(three, view.getUint32(at + 8, true));
      four = round(four, view.getUint32(at + 12, true));
    }
    hash = (rotate(one, 1) + rotate(two, 7) + rotate(three, 12) + rotate(four, 18)) | 0;
  }
  hash = (hash + length) | 0;
  for (; at <= length - 4; at += 4) {
    hash = Math.imul(rotate((hash + Math.imul(view.getUint32(at, true), PRIME_3)) | 0, 17), PRIME_4);
  }
  for (; at < length; at += 1) {
    hash = Math.imul(rotate((hash + Math.imul(view.getUint8(at), PRIME_5)) | 0, 11), PRIME_1);
  }
  hash = Math.imul(hash ^ (hash >>> 15), PRIME_2);
  hash = Math.imul(hash ^ (hash >>> 13), PRIME_3);
  return (hash ^ (hash >>> 16)) >>> 0;
};
