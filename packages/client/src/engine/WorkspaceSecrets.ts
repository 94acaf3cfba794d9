/**
 * The secrets of a workspace on this device: the device's keys, the epoch keys, and the root where the workspace was made
 * here. They live in the local store under names of their own.
 */
import {
  decodeKeyFile,
  deviceIdOf,
  type DeviceKeys,
  deviceKeysFromSecret,
  encodeKeyFile,
  generateDeviceKeys,
  generateDeviceSecret,
  Keyring,
  type RandomSource,
} from "@cairn/crypto";
import { type DeviceId, PublicKey, type WorkspaceId } from "@cairn/protocol";
import { Effect, Schema } from "effect";
import type { CairnError } from "../errors.ts";
import type { LocalStoreShape, StoreFailure } from "../store/LocalStore.ts";
import { attempt } from "./failures.ts";
import { lateEntriesName } from "./LateEntries.ts";

/** `platform`: non-extractable keys, kept by structured clone (browsers). `file`: JSON in a 0600 file (Node, rule 29). */
export type DeviceKeyForm = "platform" | "file";

const deviceName = (workspace: WorkspaceId): string => `device/${workspace}`;
/** Where a successor's keys wait until the identity has changed (rule 12). */
const successorName = (workspace: WorkspaceId): string => `device-successor/${workspace}`;
const epochsName = (workspace: WorkspaceId): string => `epochs/${workspace}`;
const rootName = (workspace: WorkspaceId): string => `root/${workspace}`;
const inviteName = (origin: string): string => `invite/${origin}`;
const SEED_NAME = "person-seed";

const StoredKeys = Schema.Struct({
  signing: Schema.Struct({ publicKey: PublicKey, privateKey: Schema.instanceOf(CryptoKey) }),
  agreement: Schema.Struct({ publicKey: PublicKey, privateKey: Schema.instanceOf(CryptoKey) }),
});
const isStoredKeys = Schema.is(StoredKeys);
const StoredEpochs = Schema.Array(Schema.Tuple([Schema.Int, Schema.Uint8Array]));
const isStoredEpochs = Schema.is(StoredEpochs);
const KEY_BYTES = 32;

/** Makes device keys and stores them before anything uses them. Returns those that are there where there are some. */
export const ensureDeviceKeys = Effect.fnUntraced(function* (
  store: LocalStoreShape,
  workspace: WorkspaceId,
  form: DeviceKeyForm,
  random: RandomSource,
): Effect.fn.Return<DeviceKeys, StoreFailure | CairnError> {
  const known = yield* deviceKeys(store, workspace);
  return known ?? (yield* makeKeys(store, deviceName(workspace), form, random));
});

const makeKeys = Effect.fnUntraced(function* (
  store: LocalStoreShape,
  name: string,
  form: DeviceKeyForm,
  random: RandomSource,
): Effect.fn.Return<DeviceKeys, StoreFailure> {
  if (form === "file") {
    const secret = generateDeviceSecret(random);
    const text = yield* Effect.promise(() => encodeKeyFile(secret));
    yield* store.putSecret(name, text);
    return yield* Effect.promise(() => deviceKeysFromSecret(secret));
  }
  const keys = yield* Effect.promise(() => generateDeviceKeys(random));
  yield* store.putSecret(name, keys);
  return keys;
});

/**
 * The device's keys in a workspace, or undefined where it has none. Fails with `keys-missing` where what was kept is
 * damaged: nothing new is ever made in its place (hazard 19).
 */
export const deviceKeys = Effect.fnUntraced(function* (
  store: LocalStoreShape,
  workspace: WorkspaceId,
): Effect.fn.Return<DeviceKeys | undefined, StoreFailure | CairnError> {
  return yield* keysOf(yield* store.secret(deviceName(workspace)));
});

const keysOf = (stored: unknown): Effect.Effect<DeviceKeys | undefined, CairnError> =>
  typeof stored === "string"
    ? attempt(async () => deviceKeysFromSecret(await decodeKeyFile(stored)))
    : Effect.succeed(isStoredKeys(stored) ? stored : undefined);

/** The keys of one identity: the device's own, or those of a successor that were not moved to their place yet. */
export const deviceKeysOf = Effect.fnUntraced(function* (
  store: LocalStoreShape,
  workspace: WorkspaceId,
  device: DeviceId,
): Effect.fn.Return<DeviceKeys | undefined, StoreFailure> {
  // In this order they are found while they move from the one place to the other.
  for (const name of [successorName(workspace), deviceName(workspace)]) {
    // Damaged ones are nobody's: whoever needs them says that they are missing.
    const keys = yield* Effect.orElseSucceed(keysOf(yield* store.secret(name)), () => undefined);
    if (keys !== undefined && deviceIdOf(workspace, keys) === device) return keys;
  }
  return undefined;
});

/** The successor's keys, made and stored before anything uses them. */
export const ensureSuccessorKeys = Effect.fnUntraced(function* (
  store: LocalStoreShape,
  workspace: WorkspaceId,
  form: DeviceKeyForm,
  random: RandomSource,
): Effect.fn.Return<DeviceKeys, StoreFailure> {
  const stored = yield* store.secret(successorName(workspace));
  const known = yield* Effect.orElseSucceed(keysOf(stored), () => undefined);
  return known ?? (yield* renewSuccessorKeys(store, workspace, form, random));
});

/** Other keys in the place of a successor's that somebody uses already. */
export const renewSuccessorKeys = (
  store: LocalStoreShape,
  workspace: WorkspaceId,
  form: DeviceKeyForm,
  random: RandomSource,
): Effect.Effect<DeviceKeys, StoreFailure> => makeKeys(store, successorName(workspace), form, random);

/** Where the successor is the device by now, its keys take the place of the old ones, which are forgotten. */
export const promoteSuccessorKeys = Effect.fnUntraced(function* (
  store: LocalStoreShape,
  workspace: WorkspaceId,
  device: DeviceId,
): Effect.fn.Return<void, StoreFailure> {
  const stored = yield* store.secret(successorName(workspace));
  const keys = yield* Effect.orElseSucceed(keysOf(stored), () => undefined);
  if (keys === undefined || deviceIdOf(workspace, keys) !== device) return;
  yield* store.putSecret(deviceName(workspace), stored);
  yield* store.removeSecret(successorName(workspace));
});

/** The epoch keys that are here. */
export const keyring = Effect.fnUntraced(function* (
  store: LocalStoreShape,
  workspace: WorkspaceId,
): Effect.fn.Return<Keyring, StoreFailure> {
  const stored = yield* store.secret(epochsName(workspace));
  return new Keyring(workspace, isStoredEpochs(stored) ? stored.filter(([, key]) => key.length === KEY_BYTES) : []);
});

/** Adds the keys that are stored: another engine of the profile may have had some from an identity that is gone. */
export const addStoredKeys = Effect.fnUntraced(function* (
  store: LocalStoreShape,
  keys: Keyring,
): Effect.fn.Return<void, StoreFailure> {
  const stored = yield* keyring(store, keys.workspace);
  for (const [epoch, key] of stored.epochKeys) keys.add(epoch, key);
});

/** Stores the keyring's keys, and those that are stored: of two engines that do so at the same moment one may still miss the other's. */
export const saveKeyring = Effect.fnUntraced(function* (
  store: LocalStoreShape,
  keys: Keyring,
): Effect.fn.Return<void, StoreFailure> {
  yield* addStoredKeys(store, keys);
  yield* store.putSecret(epochsName(keys.workspace), [...keys.epochKeys]);
});

/** The root secret of a workspace that was made here. */
export const rootSecret = (
  store: LocalStoreShape,
  workspace: WorkspaceId,
): Effect.Effect<Uint8Array | undefined, StoreFailure> =>
  Effect.map(store.secret(rootName(workspace)), (value) => (value instanceof Uint8Array ? value : undefined));

export const saveRootSecret = (
  store: LocalStoreShape,
  workspace: WorkspaceId,
  secret: Uint8Array,
): Effect.Effect<void, StoreFailure> => store.putSecret(rootName(workspace), secret);

/** The person's seed, where this profile has one. */
export const personSeed = (store: LocalStoreShape): Effect.Effect<Uint8Array | undefined, StoreFailure> =>
  Effect.map(store.secret(SEED_NAME), (value) => (value instanceof Uint8Array ? value : undefined));

export const savePersonSeed = (store: LocalStoreShape, seed: Uint8Array): Effect.Effect<void, StoreFailure> =>
  store.putSecret(SEED_NAME, seed);

/** The invitation that was given for a server. */
export const invite = (store: LocalStoreShape, origin: string): Effect.Effect<string | undefined, StoreFailure> =>
  Effect.map(store.secret(inviteName(origin)), (value) => (typeof value === "string" ? value : undefined));

export const saveInvite = (store: LocalStoreShape, origin: string, code: string): Effect.Effect<void, StoreFailure> =>
  store.putSecret(inviteName(origin), code);

export const removeInvite = (store: LocalStoreShape, origin: string): Effect.Effect<void, StoreFailure> =>
  store.removeSecret(inviteName(origin));

/** Forgets who the person is, whose workspaces are removed already. */
export const removePerson = Effect.fnUntraced(function* (
  store: LocalStoreShape,
  server: string | undefined,
): Effect.fn.Return<void, StoreFailure> {
  if (server !== undefined) yield* removeInvite(store, server);
  yield* store.removeSecret(SEED_NAME);
});

/** Forgets every secret of a workspace, and what is kept beside them. */
export const removeSecrets = (store: LocalStoreShape, workspace: WorkspaceId): Effect.Effect<void, StoreFailure> =>
  Effect.forEach(
    [deviceName, successorName, epochsName, rootName, lateEntriesName],
    (name) => store.removeSecret(name(workspace)),
    {
      discard: true,
    },
  );
