/** Access links: made, listed and revoked by an owner's device, online, against the chain's current head (rule 20). */
import {
  createLink as createLinkRecord,
  currentRole,
  encodeAccessLink,
  isLive,
  keyChangeRecord,
  type MembershipState,
  openText,
  proposeMembership,
  type SealedTextUse,
  sealLinkName,
} from "@cairn/crypto";
import {
  encodeBase64Url,
  type DeviceId,
  type Entry,
  entryHash,
  EntryKind,
  type LinkId,
  type MembershipRecord,
  NO_DOCUMENT,
} from "@cairn/protocol";
import { freezing } from "@cairn/sync";
import { Clock, Duration, Effect } from "effect";
import type { DeviceInfo, LinkInfo } from "../api.ts";
import { CairnError } from "../errors.ts";
import type { Fence, Fenced, LocalStoreShape, StoreFailure } from "../store/LocalStore.ts";
import type { ServerCalls, TransportFailure } from "../transport/Transport.ts";
import { attempt } from "./failures.ts";
import { isOfRegistration } from "./Invitation.ts";
import type { SessionKeeper } from "./Session.ts";
import type { WorkspaceContext } from "./WorkspaceContext.ts";
import type { WorkspaceRuntime } from "./WorkspaceRuntime.ts";

export interface LinkOptions {
  readonly role: "writer" | "reader";
  readonly label: string;
  /** What the workspace is called: who opens the link is told before joining. */
  readonly name: string;
  readonly maxUses: number;
  readonly expiresInMillis: number | undefined;
}

/** Puts a membership entry with these records into the outbox, behind the chain's head as this device knows it. */
const propose = Effect.fnUntraced(
  function* (
    store: LocalStoreShape,
    context: WorkspaceContext,
    fence: Fence,
    records: ReadonlyArray<MembershipRecord>,
  ): Effect.fn.Return<Entry, StoreFailure | Fenced | CairnError> {
    const position = yield* store.position(context.workspace);
    if (position === undefined) return yield* Effect.fail(new CairnError("workspace-not-here"));
    const entry = yield* attempt(() =>
      proposeMembership(context.membership, records, {
        device: context.device,
        counter: position.nextCounter,
        signing: context.keys.signing,
      }),
    );
    const now = yield* Clock.currentTimeMillis;
    yield* store.freeze(context.workspace, fence, [
      {
        device: context.device,
        counter: entry.header.counter,
        document: NO_DOCUMENT,
        kind: EntryKind.membership,
        entry: entry.bytes,
        hash: entryHash(entry.bytes),
        refs: [],
        frozen: freezing(0),
        frozenAt: now,
        updates: [],
      },
    ]);
    return entry;
  },
  (effect, _store, context) => context.authoring.withPermits(1)(effect),
);

/** What an owner's work on membership needs. */
export interface OwnerWork {
  readonly store: LocalStoreShape;
  readonly runtime: WorkspaceRuntime;
  readonly calls: ServerCalls;
  readonly sessions: SessionKeeper;
}

/** How often a proposal that came behind another one is made again. */
const MAX_PROPOSALS = 5;
const SETTLE_TIMEOUT = Duration.seconds(20);
const LOOK_AGAIN = Duration.millis(10);

/** Waits until the log has the entry of this counter, and says whether it is still the one that was proposed. */
const settled = Effect.fnUntraced(function* ({ store, runtime }: OwnerWork, counter: number) {
  const { workspace, device } = runtime.context;
  for (;;) {
    const [record] = yield* store.logOf(workspace, device, counter, 1);
    if (record?.counter !== counter || record.kind !== EntryKind.membership) return false;
    if (record.seq !== undefined) return true;
    yield* Effect.sleep(LOOK_AGAIN);
  }
});

/** Only an owner's device may change who is in. */
const requireOwner = ({ context }: WorkspaceRuntime): Effect.Effect<void, CairnError> =>
  currentRole(context.membership, context.device) === "owner"
    ? Effect.void
    : Effect.fail(new CairnError("owner-required"));

/**
 * Waits until whoever leads talks with the server, because what is frozen before that cannot be taken back. Fails at once
 * with the problem that stands in the way.
 */
const conversing = Effect.fnUntraced(function* ({ runtime, calls }: OwnerWork) {
  const before = runtime.status.state();
  if (before.status === "offline" || (before.problem !== undefined && isOfRegistration(before.problem.code))) {
    // That was the last attempt; whether it still holds is asked now.
    yield* calls.describe;
    runtime.driver.retryNow();
  }
  for (;;) {
    const fence = runtime.fence();
    const { status, problem } = runtime.status.state();
    if (fence === undefined || status === "local-only") return yield* Effect.fail(new CairnError("offline"));
    if (problem !== undefined && problem.action !== "retry" && !isOfRegistration(problem.code)) {
      return yield* Effect.fail(new CairnError(problem.code, problem.message));
    }
    if (status === "paused") return yield* Effect.fail(new CairnError("sync-paused"));
    if (status === "syncing" || status === "up-to-date") return fence;
    yield* Effect.sleep(LOOK_AGAIN);
  }
});

/** Proposes records until the chain has them (rule 20). Fails with `offline` where the server cannot be asked now. */
const proposeAndSettle = Effect.fnUntraced(function* (
  work: OwnerWork,
  records: Effect.Effect<ReadonlyArray<MembershipRecord>, CairnError>,
): Effect.fn.Return<void, StoreFailure | Fenced | CairnError | TransportFailure> {
  const { store, runtime } = work;
  for (let proposal = 0; proposal < MAX_PROPOSALS; proposal += 1) {
    const fence = yield* conversing(work).pipe(
      Effect.timeoutOrElse({ duration: SETTLE_TIMEOUT, orElse: () => Effect.fail(new CairnError("unavailable")) }),
    );
    const entry = yield* propose(store, runtime.context, fence, yield* records);
    runtime.driver.wake();
    const taken = yield* settled(work, entry.header.counter).pipe(
      Effect.timeoutOrElse({ duration: SETTLE_TIMEOUT, orElse: () => Effect.fail(new CairnError("offline")) }),
    );
    if (taken) return;
  }
  return yield* Effect.fail(new CairnError("unavailable"));
});

/** A new link: in the chain first, then honoured by the server. */
export const createLink = Effect.fnUntraced(function* (work: OwnerWork, options: LinkOptions) {
  const { context } = work.runtime;
  yield* requireOwner(work.runtime);
  // What the server says to this device is said now, before anything is made.
  yield* work.sessions.current;
  const description = yield* work.sessions.description;
  const made = yield* attempt(() =>
    createLinkRecord({
      state: context.membership,
      keyring: context.keyring,
      server: description.publicUrl ?? work.calls.origin,
      role: options.role,
      maxUses: options.maxUses,
      label: options.label,
      random: context.random,
    }),
  );
  yield* proposeAndSettle(work, Effect.succeed([made.record]));
  const sealedName = yield* attempt(() => sealLinkName(made.accessLink, options.name, context.random));
  const { token } = yield* work.sessions.current;
  const now = yield* Clock.currentTimeMillis;
  yield* work.calls.createLink(context.workspace, token, {
    link: made.keys.link,
    signingKey: made.keys.signing.publicKey,
    role: options.role,
    maxUses: options.maxUses,
    expiresAt: options.expiresInMillis === undefined ? null : now + options.expiresInMillis,
    sealedName: encodeBase64Url(sealedName),
  });
  return { url: encodeAccessLink(made.accessLink), link: made.keys.link };
});

/**
 * Revokes a link: the server stops honouring it at once; the chain says so, and a new key follows, because whoever opened
 * it may have kept the old one (rule 22).
 */
export const revokeLink = Effect.fnUntraced(function* (work: OwnerWork, link: LinkId) {
  const { context } = work.runtime;
  yield* requireOwner(work.runtime);
  const { token } = yield* work.sessions.current;
  yield* work.calls.revokeLink(context.workspace, token, link);
  if (!hasLink(context.membership, link)) return;
  yield* proposeAndSettle(
    work,
    attempt(async () => {
      const { record } = await keyChangeRecord(context.membership, context.keyring, context.random, new Set([link]));
      return [{ type: "revoke-link", link }, record];
    }),
  );
});

const openedText = (context: WorkspaceContext, sealed: Uint8Array, use: SealedTextUse) =>
  Effect.promise(async () => {
    try {
      return await openText(context.keyring, use, sealed);
    } catch {
      // A text under a key that this device does not have shows as empty: nothing depends on it.
      return "";
    }
  });

/** The chain's links, with what the server says of their uses and expiry where it can be asked. */
export const listLinks = Effect.fnUntraced(function* (
  context: WorkspaceContext,
  calls: ServerCalls,
  sessions: SessionKeeper,
): Effect.fn.Return<ReadonlyArray<LinkInfo>, TransportFailure | StoreFailure> {
  const { token } = yield* sessions.current;
  const states = new Map((yield* calls.listLinks(context.workspace, token)).map((state) => [state.link, state]));
  return yield* Effect.forEach([...context.membership.links.values()], (link) =>
    Effect.gen(function* () {
      const label = yield* openedText(context, link.sealedLabel, { use: "link-label", id: link.link });
      const state = states.get(link.link);
      return {
        link: link.link,
        label,
        role: link.role,
        uses: state?.uses ?? link.uses,
        maxUses: link.maxUses,
        expiresAt: state?.expiresAt ?? undefined,
        status: link.revoked ? "revoked" : (state?.status ?? (isLive(link) ? "live" : "used-up")),
      } satisfies LinkInfo;
    }),
  );
});

/** When the server last heard of each device, by its grants: only an owner's device is told. */
export const listLastSeen = Effect.fnUntraced(function* (
  context: WorkspaceContext,
  calls: ServerCalls,
  sessions: SessionKeeper,
): Effect.fn.Return<
  ReadonlyArray<{ readonly device: DeviceId; readonly at: number }>,
  TransportFailure | StoreFailure | CairnError
> {
  if (currentRole(context.membership, context.device) !== "owner") {
    return yield* Effect.fail(new CairnError("owner-required"));
  }
  const { token } = yield* sessions.current;
  const newest = new Map<DeviceId, number>();
  for (const { device, lastSeenAt } of yield* calls.listGrants(context.workspace, token)) {
    if (lastSeenAt !== null) newest.set(device, Math.max(lastSeenAt, newest.get(device) ?? 0));
  }
  return [...newest].map(([device, at]) => ({ device, at }));
});

/** The workspace's devices, by the chain. */
export const listDevices = (context: WorkspaceContext): Effect.Effect<ReadonlyArray<DeviceInfo>> =>
  Effect.forEach([...context.membership.devices.values()], (member) =>
    Effect.map(
      openedText(context, member.sealedName, { use: "device-name", id: member.device }),
      (name): DeviceInfo => ({
        device: member.device,
        name,
        role: member.grants.at(-1)?.role ?? "reader",
        self: member.device === context.device,
        active: !member.revoked,
      }),
    ),
  );

/** Whether the chain knows the link and it is not revoked. */
const hasLink = (state: MembershipState, link: LinkId): boolean => {
  const known = state.links.get(link);
  return known !== undefined && !known.revoked;
};
