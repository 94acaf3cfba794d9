/**
 * Finds secrets in bytes, whatever form they leaked in: every 8-byte window of every secret, as it is, as UTF-16 in both
 * byte orders, as base64 and base64url at all three alignments, and as hex in both cases (Promise 6).
 *
 * A window's form may be longer than 8 bytes; its first 8 bytes are the key of a hash table that is
 * asked at every position, and a hit counts when the whole form is there.
 */

const WINDOW = 8;

export interface Secret {
  readonly name: string;
  readonly bytes: Uint8Array;
  /** Bytes that must not occur together; 8 by default, and longer for words that occur by themselves everywhere. */
  readonly window?: number;
}

export const secretText = (name: string, text: string, window = WINDOW): Secret => ({
  name,
  bytes: new TextEncoder().encode(text),
  window,
});

export const ENCODINGS = [
  "raw",
  "UTF-16LE",
  "UTF-16BE",
  "base64/0",
  "base64/1",
  "base64/2",
  "base64url/0",
  "base64url/1",
  "base64url/2",
  "hex",
  "HEX",
] as const;
export type Encoding = (typeof ENCODINGS)[number];

export interface Finding {
  readonly secret: string;
  readonly encoding: Encoding;
  readonly place: string;
  readonly offset: number;
}

const utf16 = (bytes: Uint8Array, bigEndian: boolean): Uint8Array => {
  const text = new TextDecoder().decode(bytes);
  const encoded = Buffer.from(text, "utf16le");
  return bigEndian ? encoded.swap16() : encoded;
};

/** The characters of base64 that the bytes alone decide when they begin `alignment` bytes after a multiple of three. */
const base64 = (bytes: Uint8Array, alignment: number, encoding: "base64" | "base64url"): Uint8Array => {
  const text = Buffer.concat([new Uint8Array(alignment), bytes])
    .toString(encoding)
    .replaceAll("=", "");
  const first = Math.ceil((alignment * 8) / 6);
  const last = Math.floor(((alignment + bytes.length) * 8) / 6);
  return Buffer.from(text.slice(first, last), "latin1");
};

/** A secret in an encoding. Bytes that are no text have no UTF-16 form. */
export const encode = ({ bytes }: Secret, encoding: Encoding): Uint8Array | undefined => {
  if (encoding === "raw") return bytes;
  if (encoding === "hex") return Buffer.from(Buffer.from(bytes).toString("hex"), "latin1");
  if (encoding === "HEX") return Buffer.from(Buffer.from(bytes).toString("hex").toUpperCase(), "latin1");
  if (encoding === "UTF-16LE" || encoding === "UTF-16BE") {
    return isText(bytes) ? utf16(bytes, encoding === "UTF-16BE") : undefined;
  }
  const [variant, alignment] = encoding.split("/");
  return base64(bytes, Number(alignment), variant === "base64" ? "base64" : "base64url");
};

const isText = (bytes: Uint8Array): boolean => {
  try {
    new TextDecoder("utf-8", { fatal: true }).decode(bytes);
    return true;
  } catch {
    return false;
  }
};

/** The length of a window's form, and the distance from one window's form to the next one's. */
export const windowOf = (
  { window = WINDOW }: Secret,
  encoding: Encoding,
): { readonly length: number; readonly step: number } => {
  if (encoding === "raw") return { length: window, step: 1 };
  if (encoding.startsWith("base64")) return { length: Math.floor((window * 8 - 4) / 6), step: 1 };
  return { length: window * 2, step: 2 };
};

interface Form {
  readonly secret: number;
  readonly encoding: Encoding;
  readonly bytes: Uint8Array;
  readonly length: number;
  readonly step: number;
}

/** The windows of all secrets, ready to be looked for in any number of places. */
export class ByteSearch {
  readonly #secrets: ReadonlyArray<Secret>;
  readonly #forms: ReadonlyArray<Form>;
  /** Open addressing: the entry's form + 1 (0 is free), and where in the form its window begins. */
  readonly #formAt: Uint32Array;
  readonly #offsetAt: Uint32Array;
  readonly #mask: number;
  readonly #seen = new Uint8Array(1 << 21);

  constructor(secrets: ReadonlyArray<Secret>) {
    for (const { bytes, name, window = WINDOW } of secrets) {
      if (bytes.length < window || window < WINDOW) throw new RangeError(`${name} is too short`);
    }
    this.#secrets = secrets;
    this.#forms = secrets.flatMap((secret, index) =>
      ENCODINGS.flatMap((encoding) => {
        const bytes = encode(secret, encoding);
        return bytes === undefined ? [] : [{ secret: index, encoding, bytes, ...windowOf(secret, encoding) }];
      }),
    );
    const windows = this.#forms.reduce((sum, { bytes }) => sum + bytes.length, 0);
    const size = 2 ** Math.ceil(Math.log2(Math.max(windows * 2, 16)));
    this.#mask = size - 1;
    this.#formAt = new Uint32Array(size);
    this.#offsetAt = new Uint32Array(size);
    for (const [index, form] of this.#forms.entries()) this.#add(index, form);
  }

  #add(index: number, { bytes, length, step }: Form): void {
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    for (let offset = 0; offset + length <= bytes.length; offset += step) {
      const low = view.getUint32(offset, true);
      const high = view.getUint32(offset + 4, true);
      const hash = hashOf(low, high);
      this.#seen[(hash >>> 3) & 0x1fffff] = (this.#seen[(hash >>> 3) & 0x1fffff] ?? 0) | (1 << (hash & 7));
      let slot = (hash >>> 5) & this.#mask;
      while (this.#formAt[slot] !== 0) slot = (slot + 1) & this.#mask;
      this.#formAt[slot] = index + 1;
      this.#offsetAt[slot] = offset;
    }
  }

  /** What of the secrets is in these bytes: the first finding of each secret in each encoding. */
  findings(place: string, haystack: Uint8Array): ReadonlyArray<Finding> {
    const found = new Map<number, Finding>();
    if (haystack.length < WINDOW) return [];
    const seen = this.#seen;
    // The last 8 bytes, before each step: `low` the four older ones, `high` the newer.
    let low = 0;
    let high = 0;
    for (let end = 0; end < haystack.length; end += 1) {
      low = (low >>> 8) | ((high & 0xff) << 24);
      high = (high >>> 8) | ((haystack[end] ?? 0) << 24);
      if (end < WINDOW - 1) continue;
      const hash = hashOf(low, high);
      if (((seen[(hash >>> 3) & 0x1fffff] ?? 0) & (1 << (hash & 7))) === 0) continue;
      this.#verify(hash, end + 1 - WINDOW, place, haystack, found);
    }
    return [...found.values()];
  }

  #verify(hash: number, at: number, place: string, haystack: Uint8Array, found: Map<number, Finding>): void {
    for (let slot = (hash >>> 5) & this.#mask; ; slot = (slot + 1) & this.#mask) {
      const index = (this.#formAt[slot] ?? 0) - 1;
      if (index < 0) return;
      const form = this.#forms[index];
      if (form === undefined || found.has(index)) continue;
      if (!sameBytes(form.bytes, this.#offsetAt[slot] ?? 0, haystack, at, form.length)) continue;
      const secret = this.#secrets[form.secret]?.name ?? "";
      found.set(index, { secret, encoding: form.encoding, place, offset: at });
    }
  }
}

const hashOf = (low: number, high: number): number => {
  const mixed = Math.imul(low ^ Math.imul(high, 0x85ebca6b), 0x9e3779b1);
  return (mixed ^ (mixed >>> 15)) >>> 0;
};

const sameBytes = (left: Uint8Array, from: number, right: Uint8Array, at: number, length: number): boolean => {
  if (at + length > right.length) return false;
  for (let index = 0; index < length; index += 1) if (left[from + index] !== right[at + index]) return false;
  return true;
};
