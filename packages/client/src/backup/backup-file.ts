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

/** The records of a file. Rejects with `backup-malformed`, or `backup-wrong-key` where a passphrase is missing or wrong. */
export const openBackup = async (file: Blob, keyOf: KeyOf | undefined): Promise<ByteSource> => {
  const source = new ByteSource(piecesOf(file.stream()));
  try {
    const protection = await readPrefix(source);
    if (protection === Protection.none) return source;
    if (protection !== Protection.passphrase) throw malformed("it is protected in an unknown way");
    if (keyOf === undefined) throw new CairnError("backup-wrong-key", "This backup needs its passphrase.");
    return new ByteSource(await openWithPassphrase(source, keyOf, backupPrefix(protection)));
  } catch (error) {
    await source.close();
    throw error;
  }
};
