/** Records of a backup: framing, the running checksum, and a reader that never holds more than one record. */
import { ByteWriter, equalBytes } from "@cairn/protocol";
import { sha256 } from "@noble/hashes/sha2.js";
import { Schema } from "effect";
import { CairnError } from "../errors.ts";
import { BACKUP_LIMITS, CHECKSUM_BYTES, RecordType } from "./format.ts";

/** This is not a whole backup, and why. */
export const malformed = (reason: string, cause?: unknown): CairnError =>
  new CairnError("backup-malformed", `This is not a whole Cairn backup: ${reason}.`, { cause });

const utf8Encoder = new TextEncoder();
const utf8Decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

export const encodeJson = (value: unknown): Uint8Array => utf8Encoder.encode(JSON.stringify(value));

/** The JSON of a record as its type says. Members that are not known are passed over. Throws `backup-malformed`. */
export const decodeJson = <S extends Schema.Codec<unknown, unknown>>(schema: S, body: Uint8Array): S["Type"] => {
  try {
    return Schema.decodeUnknownSync(schema)(JSON.parse(utf8Decoder.decode(body)));
  } catch (error) {
    throw malformed("a record is not what it should be", error);
  }
};

/** Frames records and keeps the checksum. */
export class RecordWriter {
  readonly #checksum = sha256.create();

  #frame(type: number, length: number): Uint8Array {
    return new ByteWriter(8).u8(type).varint(length).finish();
  }

  record(type: number, body: Uint8Array): ReadonlyArray<Uint8Array> {
    if (body.length > BACKUP_LIMITS.record) throw new RangeError(`a record of ${body.length} bytes`);
    const frame = this.#frame(type, body.length);
    this.#checksum.update(frame).update(body);
    return [frame, body];
  }

  /** Cut into as many records as it takes. */
  *pieces(type: number, bytes: Uint8Array): Generator<Uint8Array> {
    for (let offset = 0; offset < bytes.length; offset += BACKUP_LIMITS.piece) {
      yield* this.record(type, bytes.subarray(offset, offset + BACKUP_LIMITS.piece));
    }
  }

  /** The last record, which ends with the checksum over everything before it. */
  end(body: Uint8Array): ReadonlyArray<Uint8Array> {
    const frame = this.#frame(RecordType.end, body.length + CHECKSUM_BYTES);
    return [frame, body, this.#checksum.update(frame).update(body).digest()];
  }
}

/** Takes bytes off a stream in the lengths that are asked for. */
export class ByteSource {
  readonly #pieces: AsyncIterator<Uint8Array>;
  #piece: Uint8Array = new Uint8Array(0);

  constructor(pieces: AsyncIterable<Uint8Array>) {
    this.#pieces = pieces[Symbol.asyncIterator]();
  }

  /** Exactly so many bytes, or as many as are left. */
  async upTo(length: number): Promise<Uint8Array> {
    const taken = new Uint8Array(length);
    let filled = 0;
    while (filled < length) {
      if (this.#piece.length === 0) {
        const next = await this.#pieces.next();
        if (next.done === true) return taken.subarray(0, filled);
        this.#piece = next.value;
      }
      const part = this.#piece.subarray(0, length - filled);
      taken.set(part, filled);
      filled += part.length;
      this.#piece = this.#piece.subarray(part.length);
    }
    return taken;
  }

  /** Throws `backup-malformed` where the stream ends before. */
  async exactly(length: number): Promise<Uint8Array> {
    const bytes = await this.upTo(length);
    if (bytes.length < length) throw malformed("it ends too early");
    return bytes;
  }

  async isAtEnd(): Promise<boolean> {
    while (this.#piece.length === 0) {
      const next = await this.#pieces.next();
      if (next.done === true) return true;
      this.#piece = next.value;
    }
    return false;
  }

  /** Lets go of the stream. */
  async close(): Promise<void> {
    await this.#pieces.return?.();
  }
}

export interface BackupRecord {
  readonly type: number;
  readonly body: Uint8Array;
}

/** Reads records until END, whose checksum it verifies. Throws `backup-malformed`. */
export const readRecords = async function* (source: ByteSource): AsyncGenerator<BackupRecord> {
  const checksum = sha256.create();
  for (;;) {
    const head = await readHead(source);
    const body = await source.exactly(head.length);
    checksum.update(head.bytes);
    if (head.type !== RecordType.end) {
      checksum.update(body);
      yield { type: head.type, body };
      continue;
    }
    if (body.length < CHECKSUM_BYTES) throw malformed("its end is damaged");
    const counts = body.subarray(0, body.length - CHECKSUM_BYTES);
    const expected = checksum.update(counts).digest();
    if (!equalBytes(expected, body.subarray(counts.length))) throw malformed("its bytes have changed");
    if (!(await source.isAtEnd())) throw malformed("it goes on after its end");
    yield { type: head.type, body: counts };
    return;
  }
};

const MAX_LENGTH_BYTES = 3;

const readHead = async (source: ByteSource) => {
  const [type = 0] = await source.exactly(1);
  const bytes = [type];
  let length = 0;
  for (let index = 0; ; index += 1) {
    const [byte = 0] = await source.exactly(1);
    bytes.push(byte);
    length += (byte & 0x7f) * 0x80 ** index;
    if (byte < 0x80) break;
    if (index + 1 === MAX_LENGTH_BYTES) throw malformed("a record is too long");
  }
  if (length > BACKUP_LIMITS.record) throw malformed("a record is too long");
  return { type, length, bytes: Uint8Array.from(bytes) };
};
