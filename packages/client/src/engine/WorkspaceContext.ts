/**
 * A workspace at work: its record, its keys, and what its membership chain says. One per workspace and engine, shared by
 * everything that seals, opens, sends or receives for it.
 */
import {
  currentRole,
  type DeviceKeys,
  emptyMembership,
  extendMembership,
  type Keyring,
  makeSealing,
  MembershipChainBroken,
  type MembershipState,
  type RandomSource,
  type Sealing,
  unlockEpochs,
} from "@cairn/crypto";
import {
  decodeEntry,
  type DeviceId,
  type Entry,
  EntryKind,
  type Hash,
  NO_MEMBERSHIP,
  type RoleName,
  type WorkspaceId,
} from "@cairn/protocol";
import { Effect, Semaphore } from "effect";
import type { LocalStoreShape, StoreFailure } from "../store/LocalStore.ts";
import type { LogRecord, WorkspaceRecord } from "../store/records.ts";
import * as Secrets from "./WorkspaceSecrets.ts";

/** How a payload is sealed. Tests that prove the search for plaintext put another one in its place. */
export type MakeSealing = (keyring: Keyring, random: RandomSource) => Sealing;

export interface WorkspaceContext {
  readonly workspace: WorkspaceId;
  /** Changes once in a long time: by a succession (rule 12). */
  device: DeviceId;
  record: WorkspaceRecord;
  keys: DeviceKeys;
  readonly keyring: Keyring;
  /** How many of the keyring's keys are known to be stored: those that could not be are stored with the next ones, or when asked. */
  keptKeys: number;
  readonly sealing: Sealing;
  readonly random: RandomSource;
  membership: MembershipState;
  /** Where the chain was when something received was stored last: what it has brought since is told with the next page. */
  toldHead: MembershipState["head"];
  /** What of the log the membership was folded from last: folding it again goes on from there. */
  folding: Folding | undefined;
  /** Held from reading the next counter until an entry is frozen under it: entries of one device are made one after another. */
  readonly authoring: Semaphore.Semaphore;
}

/** Acknowledged entries of the chain, and the state that they come to. */
interface Folding {
  readonly entries: ReadonlyArray<Hash>;
  readonly state: MembershipState;
}

/** The role that the chain gives this device; until it names the device, the one with which it came in. */
export const roleOf = ({ membership, device, record }: WorkspaceContext): RoleName | undefined =>
  membership.devices.has(device) ? currentRole(membership, device) : record.role;

/** Extends the membership by an entry of the chain, unlocks what it brings, and keeps the keys. */
export const extendContext = Effect.fnUntraced(function* (
  store: LocalStoreShape,
  context: WorkspaceContext,
  entry: Entry,
): Effect.fn.Return<void, StoreFailure> {
  for (;;) {
    const { membership } = context;
    const next = yield* Effect.promise(() => extendOrSkip(membership, entry));
    // Somebody else has extended it meanwhile.
    if (context.membership !== membership) continue;
    if (next !== undefined) context.membership = next;
    // Whoever has extended it by this very entry may not have unlocked its keys yet.
    return yield* unlock(store, context);
  }
});

/** Adds every epoch key that the chain gives this device, and keeps them. */
const unlock = Effect.fnUntraced(function* (
  store: LocalStoreShape,
  context: WorkspaceContext,
): Effect.fn.Return<void, StoreFailure> {
  yield* unlockWith(store, context, context.membership);
});

/** The same by another state of the chain. */
export const unlockWith = Effect.fnUntraced(function* (
  store: LocalStoreShape,
  context: Pick<WorkspaceContext, "keyring" | "keptKeys" | "device" | "keys">,
  membership: MembershipState,
): Effect.fn.Return<void, StoreFailure> {
  const { keyring, device, keys } = context;
  yield* Effect.promise(() => unlockEpochs(membership, keyring, { type: "device", id: device, keys: keys.agreement }));
  const { size } = keyring.epochKeys;
  if (size === context.keptKeys) return;
  yield* Secrets.saveKeyring(store, keyring);
  context.keptKeys = size;
});

/** The chain with one more entry, or undefined where that is no link of it. */
export const extendOrSkip = async (state: MembershipState, entry: Entry): Promise<MembershipState | undefined> => {
  try {
    return (await extendMembership(state, entry)).state;
  } catch (error) {
    // An entry that is no link of the chain changes nothing; it stays in the log for whoever understands it.
    if (error instanceof MembershipChainBroken) return undefined;
    throw error;
  }
};

/**
 * Folds the chain of the log: acknowledged entries in their order, or the own one that founds it. What does not
 * link is passed over until its predecessor is here.
 */
export const foldLog = (workspace: WorkspaceId, log: ReadonlyArray<LogRecord>): Effect.Effect<MembershipState> =>
  foldOn(emptyMembership(workspace), log);

const foldOn = Effect.fnUntraced(function* (
  from: MembershipState,
  log: ReadonlyArray<LogRecord>,
): Effect.fn.Return<MembershipState> {
  let state = from;
  for (const record of log) {
    // A proposal of this device is no link before the log has it: behind it, those of others that came first would not
    // link, and what their authors write would not count. Only what founds the chain has nobody before it.
    if (record.seq === undefined && state.head !== NO_MEMBERSHIP) continue;
    const next = yield* Effect.promise(() => extendOrSkip(state, decodeEntry(record.entry)));
    state = next ?? state;
  }
  return state;
});

/** As `foldLog`, from where it stood last: entries whose signatures were verified already are not verified again. */
const foldFrom = Effect.fnUntraced(function* (
  { workspace, folding }: Pick<WorkspaceContext, "workspace" | "folding">,
  log: ReadonlyArray<LogRecord>,
): Effect.fn.Return<Pick<WorkspaceContext, "membership" | "folding">> {
  const acknowledged = log.filter(({ seq }) => seq !== undefined);
  const known =
    folding?.entries.every((hash, index) => acknowledged[index]?.hash === hash) === true ? folding : undefined;
  const rest = acknowledged.slice(known?.entries.length ?? 0);
  const state = yield* foldOn(known?.state ?? emptyMembership(workspace), rest);
  if (state.head !== NO_MEMBERSHIP) {
    return { membership: state, folding: { entries: acknowledged.map(({ hash }) => hash), state } };
  }
  return { membership: yield* foldOn(state, log.slice(acknowledged.length)), folding: undefined };
});

/** What the store says of a workspace now. */
export const recordOf = (
  store: LocalStoreShape,
  workspace: WorkspaceId,
): Effect.Effect<WorkspaceRecord | undefined, StoreFailure> =>
  Effect.map(store.workspaces, (records) => records.find((record) => record.workspace === workspace));

/** Loads a workspace for work. Dies where its keys are gone: then the store is broken, and that must be seen. */
export const loadContext = Effect.fnUntraced(function* (
  store: LocalStoreShape,
  record: WorkspaceRecord,
  random: RandomSource,
  sealing: MakeSealing = makeSealing,
): Effect.fn.Return<WorkspaceContext | undefined, StoreFailure> {
  const [keys, keyring, log] = yield* Effect.all(
    [
      Secrets.deviceKeysOf(store, record.workspace, record.device),
      Secrets.keyring(store, record.workspace),
      store.logOfKind(record.workspace, EntryKind.membership),
    ],
    { concurrency: "unbounded" },
  );
  if (keys === undefined) return undefined;
  const folded = yield* foldFrom({ workspace: record.workspace, folding: undefined }, log);
  const context: WorkspaceContext = {
    workspace: record.workspace,
    device: record.device,
    record,
    keys,
    keyring,
    keptKeys: keyring.epochKeys.size,
    sealing: sealing(keyring, random),
    random,
    ...folded,
    toldHead: folded.membership.head,
    authoring: yield* Semaphore.make(1),
  };
  yield* unlock(store, context);
  return context;
});

/** Takes over what another engine of the profile has received: the chain, and the keys that it brings. */
export const reloadContext = Effect.fnUntraced(function* (
  store: LocalStoreShape,
  context: WorkspaceContext,
): Effect.fn.Return<void, StoreFailure> {
  const record = yield* recordOf(store, context.workspace);
  if (record !== undefined) context.record = { ...record, server: context.record.server };
  const log = yield* store.logOfKind(context.workspace, EntryKind.membership);
  const { membership, folding } = yield* foldFrom(context, log);
  context.folding = folding;
  // This engine extends the chain before it stores what it has received: it is ahead of the log, and stays so.
  const { head } = context.membership;
  if (head !== NO_MEMBERSHIP && !log.some(({ hash }) => hash === head)) return;
  context.membership = membership;
  yield* unlock(store, context);
});

/** Takes over an identity that this or another engine of the profile has taken. True where there was a new one. */
export const reloadIdentity = Effect.fnUntraced(function* (
  store: LocalStoreShape,
  context: WorkspaceContext,
): Effect.fn.Return<boolean, StoreFailure> {
  const record = yield* recordOf(store, context.workspace);
  if (record === undefined || record.device === context.device) return false;
  const keys = yield* Secrets.deviceKeysOf(store, record.workspace, record.device);
  if (keys === undefined) return false;
  // Some epochs were sealed to the old identity alone, whose keys are gone.
  yield* Secrets.addStoredKeys(store, context.keyring);
  context.record = record;
  context.device = record.device;
  context.keys = keys;
  const log = yield* store.logOfKind(context.workspace, EntryKind.membership);
  const { membership, folding } = yield* foldFrom(context, log);
  context.membership = membership;
  context.folding = folding;
  return true;
});
