/**
 * Backups that only a passphrase opens.
 *
 * ```
 * body    = log2N(1) r(1) p(1) salt(16) { segment }
 * segment = AES-256-GCM(64 KiB of the records; the last one: what is left, at least a byte) tag(16)
 * key     = scrypt(passphrase in NFKC, salt, N, r, p, 32)
 * nonce   = number of the segment (11 bytes, big-endian) last(1)
 * ```
 *
 * The segments are the STREAM construction (Hoang, Reyhanitabar, Rogaway, Vizár 2015): their number and whether one is the
 * last are in the nonce, so that none can be dropped, swapped or added, and a truncated file never passes for a whole one.
 * The first segment's additional data is the prefix of the file and the parameters. The salt is random for each file, and
 * so the key is, and no nonce is ever used twice.
 */
import { systemRandom } from "@cairn/crypto";
import { concatBytes, equalBytes } from "@cairn/protocol";
import { scryptAsync } from "@noble/hashes/scrypt.js";
import { CairnError } from "../errors.ts";
import { type ByteSource, malformed } from "./records.ts";
import { gathered } from "./streams.ts";

const SEGMENT_BYTES = 64 * 1024;
const TAG_BYTES = 16;
const SALT_BYTES = 16;
const PARAMETER_BYTES = 3 + SALT_BYTES;

/** 128 MiB and about a second: what an attacker has to spend on each guess. */
const COST = { log2N: 17, r: 8, p: 1 } as const;
/** What a reader is willing to spend: 512 MiB (promise 11). */
const MAX_COST = { log2N: 19, r: 8, p: 4 } as const;

/** The key that a passphrase gives under a file's parameters. */
export type KeyOf = (parameters: Uint8Array) => Promise<CryptoKey>;

/** The keys of a passphrase. A key costs a second, and a file is read twice: the last one is kept. */
export const keysOf = (passphrase: string): KeyOf => {
  let last: { readonly parameters: Uint8Array; readonly key: Promise<CryptoKey> } | undefined;
  return (parameters) => {
    if (last === undefined || !equalBytes(last.parameters, parameters)) {
      last = { parameters, key: deriveKey(passphrase, parameters) };
    }
    return last.key;
  };
};

const deriveKey = async (passphrase: string, parameters: Uint8Array): Promise<CryptoKey> => {
  const [log2N = 0, r = 0, p = 0] = parameters;
  const secret = await scryptAsync(new TextEncoder().encode(passphrase.normalize("NFKC")), parameters.subarray(3), {
    N: 2 ** log2N,
    r,
    p,
    dkLen: 32,
    maxmem: 1024 * 1024 * 1024,
  });
  return globalThis.crypto.subtle.importKey("raw", Uint8Array.from(secret), "AES-GCM", false, ["encrypt", "decrypt"]);
};

const nonceOf = (index: number, last: boolean): Uint8Array<ArrayBuffer> => {
  const nonce = new Uint8Array(12);
  const view = new DataView(nonce.buffer);
  view.setBigUint64(3, BigInt(index));
  nonce[11] = last ? 1 : 0;
  return nonce;
};

const algorithm = (index: number, last: boolean, context: Uint8Array): AesGcmParams => ({
  name: "AES-GCM",
  iv: nonceOf(index, last),
  additionalData: index === 0 ? Uint8Array.from(context) : new Uint8Array(0),
});

/** Seals records. `prefix` is what stands before them in the file. */
export const sealWithPassphrase = async (
  records: AsyncIterable<Uint8Array>,
  keyOf: KeyOf,
  prefix: Uint8Array,
): Promise<AsyncGenerator<Uint8Array>> => {
  const parameters = concatBytes(Uint8Array.of(COST.log2N, COST.r, COST.p), systemRandom(SALT_BYTES));
  const key = await keyOf(parameters);
  return segments(records, key, prefix, parameters);
};

const segments = async function* (
  records: AsyncIterable<Uint8Array>,
  key: CryptoKey,
  prefix: Uint8Array,
  parameters: Uint8Array,
): AsyncGenerator<Uint8Array> {
  const context = concatBytes(prefix, parameters);
  const seal = async (plain: Uint8Array<ArrayBuffer>, index: number, last: boolean): Promise<Uint8Array> =>
    new Uint8Array(await globalThis.crypto.subtle.encrypt(algorithm(index, last, context), key, plain));
  yield parameters;
  let index = 0;
  // One is held back: only the next one shows that it is not the last.
  let held: Uint8Array<ArrayBuffer> = new Uint8Array(0);
  for await (const piece of gathered(records, SEGMENT_BYTES)) {
    held = concatBytes(held, piece);
    let offset = 0;
    while (held.length - offset > SEGMENT_BYTES) {
      yield await seal(held.slice(offset, offset + SEGMENT_BYTES), index, false);
      index += 1;
      offset += SEGMENT_BYTES;
    }
    held = held.slice(offset);
  }
  yield await seal(held, index, true);
};

/** The records under a passphrase, each segment verified before any of it is given on. */
export const openWithPassphrase = async (
  source: ByteSource,
  keyOf: KeyOf,
  prefix: Uint8Array,
): Promise<AsyncGenerator<Uint8Array>> => {
  const parameters = await source.exactly(PARAMETER_BYTES);
  const [log2N = 0, r = 0, p = 0] = parameters;
  const within = (value: number, most: number): boolean => value >= 1 && value <= most;
  if (!within(log2N, MAX_COST.log2N) || !within(r, MAX_COST.r) || !within(p, MAX_COST.p)) {
    throw malformed("its protection is damaged");
  }
  return openedSegments(source, await keyOf(parameters), concatBytes(prefix, parameters));
};

const openedSegments = async function* (
  source: ByteSource,
  key: CryptoKey,
  context: Uint8Array,
): AsyncGenerator<Uint8Array> {
  const open = async (sealed: Uint8Array, index: number, last: boolean): Promise<Uint8Array> => {
    try {
      const how = algorithm(index, last, context);
      return new Uint8Array(await globalThis.crypto.subtle.decrypt(how, key, Uint8Array.from(sealed)));
    } catch (error) {
      // With the wrong key not even the first segment opens.
      throw index === 0 ? new CairnError("backup-wrong-key", undefined, { cause: error }) : malformed("it has changed");
    }
  };
  try {
    for (let index = 0; ; index += 1) {
      const sealed = await source.upTo(SEGMENT_BYTES + TAG_BYTES);
      const last = await source.isAtEnd();
      yield await open(sealed, index, last);
      if (last) return;
    }
  } finally {
    await source.close();
  }
};
