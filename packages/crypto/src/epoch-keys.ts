/**
 * Workspace keys, one per epoch, and what is derived from them. Content is never sealed under an epoch key itself but
 * under a subkey of one document and one author device, so that random nonces stay far below their bound (2^32 seals
 * under one key) in a workspace of any size.
 */
import {
  concatBytes,
  type DeviceId,
  type DocumentId,
  documentIdFromBytes,
  equalBytes,
  ID_BYTES,
  idToBytes,
  type WorkspaceId,
} from "@cairn/protocol";
import { BoundedCache } from "./bounded-cache.ts";
import { EpochKeyMissing, KeyInvalid } from "./errors.ts";
import { deriveBytes, deriveSealKey, importSecret, KDF_LABELS, SECRET_BYTES } from "./key-derivation.ts";
import type { RandomSource } from "./random.ts";

/** The epoch of a workspace's first key; singleton documents derive their ids from it. */
export const FIRST_EPOCH = 1;

/** Subkeys that a keyring holds ready. Deriving one costs less than sealing with it. */
const CACHED_KEYS = 512;

/** A new epoch's key: 32 random bytes. */
export const generateEpochKey = (random: RandomSource): Uint8Array => random(SECRET_BYTES);

/**
 * The epoch keys that a device has of one workspace, and the subkeys made from them. Keys are added as the membership
 * chain brings them and are never removed: old epochs stay readable to members (rule 21).
 */
export class Keyring {
  readonly workspace: WorkspaceId;
  readonly #salt: Uint8Array;
  readonly #epochKeys = new Map<number, Uint8Array>();
  readonly #secrets = new Map<number, Promise<CryptoKey>>();
  readonly #derived = new BoundedCache<string, Promise<CryptoKey>>(CACHED_KEYS);

  constructor(workspace: WorkspaceId, epochKeys: Iterable<readonly [number, Uint8Array]> = []) {
    this.workspace = workspace;
    this.#salt = idToBytes(workspace);
    for (const [epoch, key] of epochKeys) this.add(epoch, key);
  }

  /** Adds an epoch's key. Throws `KeyInvalid` for a wrong length, and where the epoch has another key already. */
  add(epoch: number, key: Uint8Array): void {
    if (key.length !== SECRET_BYTES)
      throw new KeyInvalid({ code: "key-length", reason: `an epoch key has ${SECRET_BYTES} bytes` });
    const known = this.#epochKeys.get(epoch);
    if (known === undefined) this.#epochKeys.set(epoch, key.slice());
    else if (!equalBytes(known, key))
      throw new KeyInvalid({ code: "key-conflict", reason: `epoch ${epoch} has another key already` });
  }

  has(epoch: number): boolean {
    return this.#epochKeys.has(epoch);
  }

  /** The highest epoch with a key; 0 where there is none. */
  get newest(): number {
    return Math.max(0, ...this.#epochKeys.keys());
  }

  /** Every epoch and its key, for the device's own store. */
  get epochKeys(): ReadonlyMap<number, Uint8Array> {
    return this.#epochKeys;
  }

  /** The raw key, to be sealed to somebody. Throws `EpochKeyMissing`. */
  epochKey(epoch: number): Uint8Array {
    const key = this.#epochKeys.get(epoch);
    if (key === undefined) throw new EpochKeyMissing({ code: "epoch-key-missing", epoch });
    return key;
  }

  #secret(epoch: number): Promise<CryptoKey> {
    const known = this.#secrets.get(epoch);
    if (known !== undefined) return known;
    const secret = importSecret(this.epochKey(epoch));
    this.#secrets.set(epoch, secret);
    return secret;
  }

  /** The AES key of one device's entries on one document. Rejects with `EpochKeyMissing`. */
  async entryKey(epoch: number, document: DocumentId, device: DeviceId): Promise<CryptoKey> {
    const secret = await this.#secret(epoch);
    return this.#derived.getOrMake(`${epoch}/${document}/${device}`, () =>
      deriveSealKey(secret, this.#salt, [KDF_LABELS.entryKey, idToBytes(document), idToBytes(device)]),
    );
  }

  /** The AES key of names and labels. Rejects with `EpochKeyMissing`. */
  async textKey(epoch: number): Promise<CryptoKey> {
    const secret = await this.#secret(epoch);
    return this.#derived.getOrMake(`${epoch}/text`, () => deriveSealKey(secret, this.#salt, [KDF_LABELS.textKey]));
  }

  /** The AES key under which epoch `epoch` seals the key of the epoch before. Rejects with `EpochKeyMissing`. */
  async previousEpochKey(epoch: number): Promise<CryptoKey> {
    return deriveSealKey(await this.#secret(epoch), this.#salt, [KDF_LABELS.previousEpoch]);
  }

  /** The AES key of the attachment chunk whose plain bytes have this SHA-256 (rule 25). Rejects with `EpochKeyMissing`. */
  async chunkKey(epoch: number, plainHash: Uint8Array): Promise<CryptoKey> {
    const secret = await this.#secret(epoch);
    const chunkSecret = await this.#derived.getOrMake(`${epoch}/chunks`, async () =>
      importSecret(await deriveBytes(secret, this.#salt, [KDF_LABELS.chunkSecret])),
    );
    return deriveSealKey(chunkSecret, this.#salt, [KDF_LABELS.chunkKey, plainHash]);
  }

  /**
   * The id of a document of which a workspace has exactly one, such as its list of notes: every member derives the same
   * id, and to others it looks random (rule 14). Rejects with `EpochKeyMissing` before the first epoch's key is here.
   */
  async singletonDocument(name: string): Promise<DocumentId> {
    const secret = await this.#secret(FIRST_EPOCH);
    const id = await deriveBytes(
      secret,
      this.#salt,
      [concatBytes(KDF_LABELS.singletonDocument, new TextEncoder().encode(name))],
      ID_BYTES,
    );
    return documentIdFromBytes(id);
  }
}

/** The id of any other document: random. */
export const generateDocumentId = (random: RandomSource): DocumentId => documentIdFromBytes(random(ID_BYTES));
