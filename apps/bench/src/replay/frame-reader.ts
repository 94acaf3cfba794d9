/** Reads WebSocket messages (RFC 6455, section 5.2) off a copy of a byte stream. Without extensions: none is agreed on. */

const OPCODE_CONTINUATION = 0x0;
const OPCODE_BINARY = 0x2;

export class FrameReader {
  #buffered: Buffer = Buffer.alloc(0);
  #parts: Array<Buffer> = [];

  /** The binary messages that end within these bytes. */
  read(chunk: Buffer): ReadonlyArray<Buffer> {
    this.#buffered = this.#buffered.length === 0 ? chunk : Buffer.concat([this.#buffered, chunk]);
    const messages: Array<Buffer> = [];
    for (;;) {
      const frame = parseFrame(this.#buffered);
      if (frame === undefined) return messages;
      this.#buffered = this.#buffered.subarray(frame.size);
      if (frame.opcode !== OPCODE_BINARY && frame.opcode !== OPCODE_CONTINUATION) continue;
      this.#parts.push(frame.payload);
      if (!frame.final) continue;
      messages.push(this.#parts.length === 1 ? frame.payload : Buffer.concat(this.#parts));
      this.#parts = [];
    }
  }
}

interface Frame {
  readonly opcode: number;
  readonly final: boolean;
  readonly payload: Buffer;
  /** Bytes of the whole frame. */
  readonly size: number;
}

const parseFrame = (bytes: Buffer): Frame | undefined => {
  if (bytes.length < 2) return undefined;
  const first = bytes.readUInt8(0);
  const second = bytes.readUInt8(1);
  const short = second & 0x7f;
  const lengthBytes = short === 127 ? 8 : short === 126 ? 2 : 0;
  const masked = (second & 0x80) !== 0;
  const start = 2 + lengthBytes + (masked ? 4 : 0);
  if (bytes.length < start) return undefined;
  const length =
    lengthBytes === 8 ? Number(bytes.readBigUInt64BE(2)) : lengthBytes === 2 ? bytes.readUInt16BE(2) : short;
  if (bytes.length < start + length) return undefined;
  const raw = bytes.subarray(start, start + length);
  const payload = masked ? unmask(raw, bytes.subarray(start - 4, start)) : raw;
  return { opcode: first & 0x0f, final: (first & 0x80) !== 0, payload, size: start + length };
};

const unmask = (bytes: Buffer, mask: Buffer): Buffer => {
  const plain = Buffer.from(bytes);
  for (let index = 0; index < plain.length; index += 1) plain[index] = (plain[index] ?? 0) ^ (mask[index % 4] ?? 0);
  return plain;
};
