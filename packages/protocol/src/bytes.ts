/**
 * Reading and writing bytes with bounds.
 *
 * Integers are unsigned LEB128 varints in their shortest form, at most 2^53 - 1; a longer form of the same number is
 * refused, so that equal values always have equal bytes. Fixed-width integers are big-endian.
 */
import { Data } from "effect";

/** Bytes that are not what the format says. `offset` is where reading stopped. */
export class MalformedBytes extends Data.TaggedError("MalformedBytes")<{
  readonly reason: string;
  readonly offset: number;
}> {
  override get message(): string {
    return `${this.reason} (at byte ${this.offset})`;
  }
}

const MAX_VARINT_BYTES = 8;
const utf8Encoder = new TextEncoder();
const utf8Decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** A growing buffer. Writing throws `RangeError` on numbers that the format cannot hold: that is a defect of the caller. */
export class ByteWriter {
  #buffer: Uint8Array<ArrayBuffer>;
  #length = 0;

  constructor(sizeHint = 256) {
    this.#buffer = new Uint8Array(sizeHint);
  }

  get length(): number {
    return this.#length;
  }

  #reserve(extra: number): void {
    const needed = this.#length + extra;
    if (needed <= this.#buffer.length) return;
    const grown = new Uint8Array(Math.max(needed, this.#buffer.length * 2));
    grown.set(this.#buffer.subarray(0, this.#length));
    this.#buffer = grown;
  }

  u8(value: number): this {
    if (!Number.isInteger(value) || value < 0 || value > 0xff) throw new RangeError(`not a byte: ${value}`);
    this.#reserve(1);
    this.#buffer[this.#length++] = value;
    return this;
  }

  /** Eight bytes, big-endian. */
  u64(value: number): this {
    if (!Number.isSafeInteger(value) || value < 0) throw new RangeError(`not an unsigned integer: ${value}`);
    this.#reserve(8);
    new DataView(this.#buffer.buffer).setBigUint64(this.#length, BigInt(value));
    this.#length += 8;
    return this;
  }

  varint(value: number): this {
    if (!Number.isSafeInteger(value) || value < 0) throw new RangeError(`not an unsigned integer: ${value}`);
    let rest = value;
    while (rest >= 0x80) {
      this.u8((rest % 0x80) | 0x80);
      rest = Math.floor(rest / 0x80);
    }
    return this.u8(rest);
  }

  raw(bytes: Uint8Array): this {
    this.#reserve(bytes.length);
    this.#buffer.set(bytes, this.#length);
    this.#length += bytes.length;
    return this;
  }

  /** A varint length, then the bytes. */
  bytes(bytes: Uint8Array): this {
    return this.varint(bytes.length).raw(bytes);
  }

  /** A varint length in bytes, then UTF-8. */
  text(text: string): this {
    return this.bytes(utf8Encoder.encode(text));
  }

  finish(): Uint8Array<ArrayBuffer> {
    return this.#buffer.slice(0, this.#length);
  }
}

/** A cursor over bytes from outside. Every method throws `MalformedBytes` instead of reading past the end. */
export class ByteReader {
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  #offset = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  get offset(): number {
    return this.#offset;
  }

  get remaining(): number {
    return this.#bytes.length - this.#offset;
  }

  fail(reason: string): never {
    throw new MalformedBytes({ reason, offset: this.#offset });
  }

  u8(): number {
    const value = this.#bytes[this.#offset];
    if (value === undefined) return this.fail("ends too early");
    this.#offset += 1;
    return value;
  }

  u64(): number {
    if (this.remaining < 8) return this.fail("ends too early");
    const value = this.#view.getBigUint64(this.#offset);
    if (value > BigInt(Number.MAX_SAFE_INTEGER)) return this.fail("number too large");
    this.#offset += 8;
    return Number(value);
  }

  varint(max: number = Number.MAX_SAFE_INTEGER): number {
    let value = 0;
    let scale = 1;
    for (let index = 0; index < MAX_VARINT_BYTES; index += 1) {
      const byte = this.u8();
      value += (byte & 0x7f) * scale;
      if (byte < 0x80) {
        if (byte === 0 && index > 0) return this.fail("number not in its shortest form");
        if (value > max) return this.fail(`number above ${max}`);
        return value;
      }
      scale *= 0x80;
    }
    return this.fail("number too long");
  }

  /** Exactly `length` bytes, as a view of the input. */
  raw(length: number): Uint8Array {
    if (length > this.remaining) return this.fail("ends too early");
    const bytes = this.#bytes.subarray(this.#offset, this.#offset + length);
    this.#offset += length;
    return bytes;
  }

  /** A varint length of at most `max`, then as many bytes, as a view of the input. */
  bytes(max: number): Uint8Array {
    return this.raw(this.varint(max));
  }

  text(maxBytes: number): string {
    const bytes = this.bytes(maxBytes);
    try {
      return utf8Decoder.decode(bytes);
    } catch {
      return this.fail("not UTF-8");
    }
  }

  /** Throws unless everything was read. */
  end(): void {
    if (this.remaining !== 0) this.fail("bytes left over");
  }
}

/** Joins byte strings. */
export const concatBytes = (...parts: ReadonlyArray<Uint8Array>): Uint8Array<ArrayBuffer> => {
  const joined = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let offset = 0;
  for (const part of parts) {
    joined.set(part, offset);
    offset += part.length;
  }
  return joined;
};

/** Orders byte strings by their bytes, the shorter first where one begins the other. */
export const compareBytes = (left: Uint8Array, right: Uint8Array): number => {
  const shared = Math.min(left.length, right.length);
  for (let index = 0; index < shared; index += 1) {
    const difference = (left[index] ?? 0) - (right[index] ?? 0);
    if (difference !== 0) return difference;
  }
  return left.length - right.length;
};

/** Whether two byte strings are the same. Not constant in time: for public values. */
export const equalBytes = (left: Uint8Array, right: Uint8Array): boolean =>
  left.length === right.length && compareBytes(left, right) === 0;
