/**
 * Coming into a workspace: founding one, and joining one through a link. Both are safe to repeat after a crash at any
 * point: keys are stored before anything uses them, and every step at the server is idempotent.
 */
import {
  type AccessLink,
  admitRecord,
  certifyByLink,
  deviceIdOf,
  extendMembership,
  emptyMembership,
  foundWorkspace,
  Keyring,
  type LinkKeys,
  linkKeysFromSecret,
  MembershipChainBroken,
  type MembershipState,
  proposeMembership,
  proveChallenge,
  type RandomSource,
  rootKeysFromSecret,
  unlockEpochs,
  workspaceIdOf,
} from "@cairn/crypto";
import {
  ChallengePurpose,
  type DeviceId,
  emptyLogChain,
  encodeBase64Url,
  encodeBatch,
  encodeCertificate,
  type Entry,
  entryHash,
  EntryKind,
  NO_DOCUMENT,
  type SignedCertificate,
  type WorkspaceId,
} from "@cairn/protocol";
import { type Position, receivePage } from "@cairn/sync";
import { freezing } from "@cairn/sync";
import { Clock, Effect } from "effect";
import { CairnError } from "../errors.ts";
import type { Fenced, LocalStoreShape, StoreFailure } from "../store/LocalStore.ts";
import type { NewOutgoing } from "../store/store-changes.ts";
import type { PositionRecord, WorkspaceRecord } from "../store/records.ts";
import type { ServerCalls, TransportFailure } from "../transport/Transport.ts";
import { attempt } from "./failures.ts";
import { nonceBytes } from "./Session.ts";
import * as Secrets from "./WorkspaceSecrets.ts";

export interface JoiningOptions {
  readonly store: LocalStoreShape;
  readonly random: RandomSource;
  readonly deviceName: string;
  readonly deviceKeyForm: Secrets.DeviceKeyForm;
}

/** A server that answers `membership-head` this often in a row is not making progress. */
const MAX_PROPOSALS = 8;

const firstPosition = (workspace: WorkspaceId): PositionRecord => ({
  workspace,
  cursor: 0,
  chain: emptyLogChain(workspace),
  server: undefined,
  serverEpoch: 0,
  nextCounter: 1,
  lastSyncedAt: undefined,
});

const membershipOutgoing = (entry: Entry, now: number): NewOutgoing => ({
  device: entry.header.device,
  counter: entry.header.counter,
  document: NO_DOCUMENT,
  kind: EntryKind.membership,
  entry: entry.bytes,
  hash: entryHash(entry.bytes),
  refs: [],
  frozen: freezing(0),
  frozenAt: now,
  updates: [],
});

/** Founds a workspace on this device; its first entry waits in the outbox until there is a server. */
export const found = Effect.fnUntraced(function* (
  options: JoiningOptions,
  rootSecret: Uint8Array,
  server: string | undefined,
): Effect.fn.Return<WorkspaceRecord, StoreFailure | Fenced | CairnError> {
  const { store, random } = options;
  const root = yield* attempt(() => rootKeysFromSecret(rootSecret));
  const workspace = workspaceIdOf(root);
  yield* Secrets.saveRootSecret(store, workspace, rootSecret);
  const deviceKeys = yield* Secrets.ensureDeviceKeys(store, workspace, options.deviceKeyForm, random);
  const founded = yield* attempt(() => foundWorkspace({ root, deviceKeys, deviceName: options.deviceName, random }));
  yield* Secrets.saveKeyring(store, founded.keyring);
  const now = yield* Clock.currentTimeMillis;
  const record: WorkspaceRecord = {
    workspace,
    device: founded.device,
    role: "owner",
    createdHere: true,
    server,
    joinedBy: undefined,
    addedAt: now,
  };
  yield* store.addWorkspace(record, firstPosition(workspace), [membershipOutgoing(founded.genesis, now)]);
  return record;
});

/** Pulls the log and folds the membership chain in it, from `position` on. Nothing is stored. */
const pullMembership = Effect.fnUntraced(function* (
  calls: ServerCalls,
  token: string,
  device: DeviceId,
  from: {
    readonly state: MembershipState;
    readonly position: Position;
    /** The entry that admits this device, once the log has it. */
    readonly admission: Entry | undefined;
  },
): Effect.fn.Return<typeof from, TransportFailure> {
  let { state, position, admission } = from;
  for (let more = true; more;) {
    const page = yield* calls.pull(state.workspace, token, { after: position.cursor, own: "full" });
    const outcome = receivePage(position, page);
    if (outcome.type !== "advanced") break;
    for (const { entry } of outcome.entries) {
      if (entry.header.kind !== EntryKind.membership) continue;
      if (entry.header.device === device && entry.header.counter === 1) admission = entry;
      const current = state;
      const next = yield* Effect.promise(() => extendOrKeep(current, entry));
      state = next;
    }
    ({ position, more } = outcome);
  }
  return { state, position, admission };
});

const extendOrKeep = async (state: MembershipState, entry: Entry): Promise<MembershipState> => {
  try {
    return (await extendMembership(state, entry)).state;
  } catch (error) {
    if (error instanceof MembershipChainBroken) return state;
    throw error;
  }
};

const openLink = Effect.fnUntraced(function* (
  calls: ServerCalls,
  link: AccessLink,
  linkKeys: LinkKeys,
  device: ReturnType<typeof deviceIdOf>,
  certificate: SignedCertificate,
) {
  const statement = encodeCertificate(certificate);
  const challenge = yield* calls.challenge;
  const nonce = yield* nonceBytes(challenge.nonce);
  const proof = yield* Effect.promise(() =>
    proveChallenge(
      {
        purpose: ChallengePurpose.openLink,
        server: challenge.server,
        origin: calls.origin,
        workspace: link.workspace,
        subject: device,
        statement,
        nonce,
      },
      linkKeys.signing,
    ),
  );
  return yield* calls.openLink(link.workspace, link.link, {
    certificate: encodeBase64Url(statement),
    proof,
    label: "",
  });
});

/**
 * Joins through a link: proves its secret to the server, reads the chain, takes the key that is sealed to the link, and
 * authors this device's admission (rule 20). The record is stored last; until then, everything can be repeated.
 */
export const join = Effect.fnUntraced(function* (
  options: JoiningOptions,
  calls: ServerCalls,
  link: AccessLink,
): Effect.fn.Return<WorkspaceRecord, TransportFailure | StoreFailure | Fenced | CairnError> {
  const { store, random } = options;
  const { workspace } = link;
  const linkKeys = yield* Effect.promise(() => linkKeysFromSecret(workspace, link.secret));
  if (linkKeys.link !== link.link) return yield* Effect.fail(new CairnError("link-malformed"));
  const deviceKeys = yield* Secrets.ensureDeviceKeys(store, workspace, options.deviceKeyForm, random);
  const device = deviceIdOf(workspace, deviceKeys);
  const certificate = yield* Effect.promise(() => certifyByLink(linkKeys, workspace, deviceKeys, link.role, 1));
  const { token } = yield* openLink(calls, link, linkKeys, device, certificate);

  let chain: Parameters<typeof pullMembership>[3] = {
    state: emptyMembership(workspace),
    position: { cursor: 0, chain: emptyLogChain(workspace) },
    admission: undefined,
  };
  const keyring = new Keyring(workspace);
  for (let proposal = 0; ; proposal += 1) {
    chain = yield* pullMembership(calls, token, device, chain);
    const { state } = chain;
    // Also for a device that is in already: its store may be a copy from before it had the keys.
    yield* attempt(() => unlockEpochs(state, keyring, { type: "link", id: linkKeys.link, keys: linkKeys.agreement }));
    if (keyring.newest > 0) yield* Secrets.saveKeyring(store, keyring);
    if (state.devices.has(device)) break;
    if (proposal >= MAX_PROPOSALS) return yield* Effect.fail(new CairnError("unavailable"));
    if (keyring.newest === 0) return yield* Effect.fail(new CairnError("link-unknown"));
    const admission = yield* attempt(async () =>
      proposeMembership(state, [await admitRecord(keyring, certificate, options.deviceName, random)], {
        device,
        counter: 1,
        signing: deviceKeys.signing,
      }),
    );
    const { results } = yield* calls.push(workspace, token, encodeBatch([admission.bytes]));
    const [result] = results;
    if (result?.status === "refused" && result.code !== "membership-head") {
      return yield* Effect.fail(new CairnError(result.code === "role" ? "revoked" : "internal", result.message));
    }
  }
  const now = yield* Clock.currentTimeMillis;
  const record: WorkspaceRecord = {
    workspace,
    device,
    role: link.role,
    createdHere: false,
    server: calls.origin,
    joinedBy: link.link,
    addedAt: now,
  };
  // Counter 1 is the admission. The server has it already and answers that it does, which settles it.
  const outgoing = chain.admission === undefined ? [] : [membershipOutgoing(chain.admission, now)];
  yield* store.addWorkspace(record, firstPosition(workspace), outgoing);
  return record;
});
