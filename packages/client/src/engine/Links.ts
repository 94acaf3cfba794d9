/** Access links: made, listed and revoked by an owner's device. */
import {
  createLink as createLinkRecord,
  currentRole,
  encodeAccessLink,
  isLive,
  keyChangeRecord,
  type MembershipState,
  openText,
  type SealedTextUse,
  sealLinkName,
} from "@cairn/crypto";
import { encodeBase64Url, type DeviceId, type LinkId } from "@cairn/protocol";
import { Clock, Effect } from "effect";
import type { DeviceInfo, LinkInfo } from "../workspace-api.ts";
import { CairnError } from "../errors.ts";
import type { StoreFailure } from "../store/LocalStore.ts";
import type { ServerCalls, TransportFailure } from "../transport/Transport.ts";
import { attempt } from "./failures.ts";
import { type OwnerWork, proposeAndSettle, requireOwner } from "./Proposals.ts";
import type { SessionKeeper } from "./Session.ts";
import type { WorkspaceContext } from "./WorkspaceContext.ts";

export interface LinkOptions {
  readonly role: "writer" | "reader";
  readonly label: string;
  /** What the workspace is called: who opens the link is told before joining. */
  readonly name: string;
  readonly maxUses: number;
  readonly expiresInMillis: number | undefined;
}

/** A new link: in the chain first, then honoured by the server. */
export const createLink = Effect.fnUntraced(function* (work: OwnerWork, options: LinkOptions) {
  const { context } = work.runtime;
  yield* requireOwner(work.runtime);
  // What the server says to this device is said now, before anything is made.
  yield* work.sessions.current;
  const description = yield* work.sessions.description;
  const { made } = yield* proposeAndSettle(work, (state) =>
    attempt(async () => {
      const link = await createLinkRecord({
        state,
        keyring: context.keyring,
        server: description.publicUrl ?? work.calls.origin,
        role: options.role,
        maxUses: options.maxUses,
        label: options.label,
        random: context.random,
      });
      return { made: link, records: [link.record] };
    }),
  );
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
  yield* proposeAndSettle(work, (membership) =>
    attempt(async () => {
      if (!hasLink(membership, link)) return { records: [] };
      const { record } = await keyChangeRecord(membership, context.keyring, context.random, new Set([link]));
      return { records: [{ type: "revoke-link", link }, record] };
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
