/** What stands around a backup's records: the prefix, and the protection by a passphrase where there is one. */
import { CairnError } from "../errors.ts";
import { Protection } from "./format.ts";
import { type KeyOf, openWithPassphrase, sealWithPassphrase } from "./passphrase.ts";
import { readPrefix } from "./read-backup.ts";
import { ByteSource, malformed } from "./records.ts";
import { gathered, piecesOf } from "./streams.ts";
import { backupPrefix } from "./write-backup.ts";

const PIECE_BYTES = 64 * 1024;

/** The file's bytes. */
export const sealBackup = async (
  records: AsyncGenerator<Uint8Array>,
  keyOf: KeyOf | undefined,
): Promise<AsyncGenerator<Uint8Array>> => {
  const prefix = backupPrefix(keyOf === undefined ? Protection.none : Protection.passphrase);
  const body = keyOf === undefined ? records : await sealWithPassphrase(records, keyOf, prefix);
  return gathered(concatenated(prefix, body), PIECE_BYTES);
};

const concatenated = async function* (first: Uint8Array, rest: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  yield first;
  yield* rest;
};

const heard = async function* (
  pieces: AsyncIterable<Uint8Array>,
  onRead: (bytes: number) => void,
): AsyncGenerator<Uint8Array> {
  const iterator = pieces[Symbol.asyncIterator]();
  try {
    for (;;) {
      const next = await iterator.next().catch((error: unknown) => {
        // It was changed or taken away while it was read.
        throw malformed("the file cannot be read", error);
      });
      if (next.done === true) return;
      onRead(next.value.length);
      yield next.value;
    }
  } finally {
    await iterator.return?.();
  }
};

/**
 * The records of a file; `onRead` hears of its bytes. Rejects with `backup-malformed`, with `backup-protected` where a
 * passphrase is missing, and with `backup-wrong-key` where it is another one.
 */
export const openBackup = async (
  file: Blob,
  keyOf: KeyOf | undefined,
  onRead: (bytes: number) => void = () => undefined,
): Promise<ByteSource> => {
  const source = new ByteSource(heard(piecesOf(file.stream()), onRead));
  try {
    const protection = await readPrefix(source);
    if (protection === Protection.none) return source;
    if (protection !== Protection.passphrase) throw malformed("it is protected in an unknown way");
    if (keyOf === undefined) throw new CairnError("backup-protected");
    return new ByteSource(await openWithPassphrase(source, keyOf, backupPrefix(protection)));
  } catch (error) {
    await source.close();
    throw error;
  }
};
