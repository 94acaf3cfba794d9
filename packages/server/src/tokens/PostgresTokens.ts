/** Grants and sessions on PostgreSQL. */
import {
  type Certificate,
  ChallengePurpose,
  certificateSigningBytes,
  decodeBase64Url,
  decodeCertificate,
  type DeviceId,
  deviceIdOfSigningKey,
  emptyLogChain,
  encodeBase64Url,
  type Grant,
  type GrantId,
  grantIdFromBytes,
  idToBytes,
  MalformedBytes,
  NO_MEMBERSHIP,
  type PublicKey,
  publicKeyFromBytes,
  type RegisterRequest,
  type Session,
  type SignedCertificate,
  type WorkspaceId,
  workspaceIdOfRootKey,
} from "@cairn/protocol";
import { PgClient } from "@effect/sql-pg";
import { Clock, Effect, Layer, Redacted } from "effect";
import { createHash, timingSafeEqual } from "node:crypto";
import { ServerIdentity } from "../database/Database.ts";
import { toMillis, toRole } from "../database/rows.ts";
import { FanOut } from "../fan-out/FanOut.ts";
import { raiseRevocationMark } from "../log/write-decision.ts";
import { refuse, unavailableOnSqlError } from "../refusals.ts";
import { ServerSettings } from "../ServerSettings.ts";
import { RandomBytes } from "../random-bytes.ts";
import { SignatureVerifier } from "../signatures.ts";
import { Challenges } from "./Challenges.ts";
import {
  type GrantRow,
  insertGrant,
  kindOf,
  registerDevice,
  scopeOf,
  selectGrants,
  setGrantRole,
  toGrant,
} from "./grants.ts";
import { readSession, signSession } from "./session-tokens.ts";
import { TokenKeys } from "./TokenKeys.ts";
import { Tokens } from "./Tokens.ts";

/** Decodes a certificate out of a JSON body. */
export const readCertificate = Effect.fnUntraced(function* (text: string) {
  try {
    return decodeCertificate(decodeBase64Url(text) ?? new Uint8Array());
  } catch (error) {
    if (!(error instanceof MalformedBytes)) throw error;
    return yield* refuse("malformed", { message: `The certificate cannot be read: ${error.message}` });
  }
});

/** Refuses a certificate whose issuer did not sign it. */
export const checkCertificate = Effect.fnUntraced(function* (key: PublicKey, signed: SignedCertificate) {
  const verifySignature = yield* SignatureVerifier;
  if (!verifySignature(key, certificateSigningBytes(signed.certificate), signed.signature)) {
    return yield* refuse("proof-invalid", { message: "The certificate's signature does not verify." });
  }
});

/** Makes sessions of grants. */
export type MakeSession = (workspace: WorkspaceId, grant: Grant, now: number) => Session;

/** A session lasts no longer than its grant. */
export const makeSessions: Effect.Effect<MakeSession, never, ServerIdentity | TokenKeys | ServerSettings> = Effect.gen(
  function* () {
    const { server } = yield* ServerIdentity;
    const keys = yield* TokenKeys;
    const settings = yield* ServerSettings;
    const randomBytes = yield* RandomBytes;
    return (workspace, { grant, device, role, expiresAt }, now) => {
      const end = Math.min(now + settings.sessionMillis, expiresAt ?? Number.POSITIVE_INFINITY);
      const rights = {
        grant,
        kind: kindOf(role),
        scope: scopeOf(role),
        role,
        expiresAt: Math.floor(end / 1000) * 1000,
      };
      const token = signSession(keys, server, { ...rights, workspace, device }, now, encodeBase64Url(randomBytes(9)));
      return { token, ...rights };
    };
  },
);

const make = Effect.gen(function* () {
  const sql = yield* PgClient.PgClient;
  const { server } = yield* ServerIdentity;
  const keys = yield* TokenKeys;
  const settings = yield* ServerSettings;
  const challenges = yield* Challenges;
  const fanOut = yield* FanOut;
  const makeSession = yield* makeSessions;

  const checkRegistrationOpen = Effect.fnUntraced(function* (invite: string | undefined) {
    if (settings.registration === "closed") return yield* refuse("registration-closed");
    if (settings.registration === "invite" && !isInvited(settings.invites, invite)) {
      return yield* refuse("invite-invalid");
    }
  });

  const register = Effect.fn("Tokens.register")(function* (
    workspace: WorkspaceId,
    request: typeof RegisterRequest.Type,
  ) {
    const signed = yield* readCertificate(request.certificate);
    const { certificate } = signed;
    const device = yield* rootCertified(workspace, certificate);
    yield* checkCertificate(request.rootKey, signed);
    const statement = decodeBase64Url(request.certificate) ?? new Uint8Array();
    yield* challenges.check(
      request.rootKey,
      { purpose: ChallengePurpose.register, workspace, subject: device, statement },
      request.proof,
    );
    const now = yield* Clock.currentTimeMillis;
    const grant = yield* sql.withTransaction(
      Effect.gen(function* () {
        const known = yield* lockRootKey(sql, workspace);
        if (known === undefined) {
          if (workspaceIdOfRootKey(idToBytes(request.rootKey)) !== workspace)
            return yield* refuse("workspace-conflict");
          yield* checkRegistrationOpen(request.invite);
          yield* insertWorkspace(sql, workspace, request.rootKey, now);
          yield* lockRootKey(sql, workspace);
        } else if (known !== request.rootKey) {
          return yield* refuse("workspace-conflict");
        }
        const { signingKey, agreementKey, role, from } = certificate;
        const isIn = yield* registerDevice(sql, { workspace, device, signingKey, agreementKey, role, from }, now);
        if (!isIn) return yield* refuse("revoked");
        const [active] = (yield* selectGrants(sql, workspace, device)).filter(({ status }) => status === "active");
        if (active === undefined) {
          const { label } = request;
          return yield* insertGrant(sql, { workspace, device, role, label, expiresAt: null, link: undefined }, now);
        }
        return active.role === "owner" ? active : yield* setGrantRole(sql, workspace, active, "owner");
      }),
    );
    return makeSession(workspace, grant, now);
  }, unavailableOnSqlError);

  const renew: Tokens["Service"]["renew"] = Effect.fn("Tokens.renew")(function* (workspace, { device, proof }) {
    const [row] = yield* sql<{ readonly signing_key: Uint8Array | null }>`
      select d.signing_key from workspaces w
        left join devices d on d.workspace = w.workspace and d.device = ${idToBytes(device)}
       where w.workspace = ${idToBytes(workspace)}`;
    if (row === undefined) return yield* refuse("workspace-unknown");
    if (row.signing_key === null) return yield* refuse("grant-unknown");
    yield* challenges.check(
      publicKeyFromBytes(row.signing_key),
      { purpose: ChallengePurpose.session, workspace, subject: device, statement: new Uint8Array() },
      proof,
    );
    const now = yield* Clock.currentTimeMillis;
    const [known] = yield* selectGrants(sql, workspace, device);
    const grant = known ?? (yield* grantByChain(sql, workspace, device, now));
    if (grant === undefined) return yield* refuse("grant-unknown");
    if (grant.status === "revoked") return yield* refuse("revoked");
    if (grant.expiresAt !== null && grant.expiresAt <= now) return yield* refuse("grant-expired");
    yield* sql`update grants set last_seen_at = ${new Date(now)} where workspace = ${idToBytes(workspace)} and "grant" = ${idToBytes(grant.grant)}`;
    return makeSession(workspace, grant, now);
  }, unavailableOnSqlError);

  const authorize: Tokens["Service"]["authorize"] = Effect.fnUntraced(function* (token, workspace) {
    const text = Redacted.value(token);
    if (text === "") return yield* refuse("token-missing");
    const now = yield* Clock.currentTimeMillis;
    const session = readSession(keys, server, text, now);
    if ("invalid" in session) return yield* refuse(session.invalid);
    const { claims } = session;
    // Hazard 9: what is acted on is the token's workspace; a path that names another one is refused.
    if (claims.workspace !== workspace) return yield* refuse("wrong-workspace");
    const [row] = yield* sql<{ readonly role: number; readonly revoked: boolean; readonly expires_at: Date | null }>`
      select role, revoked, expires_at from grants
       where workspace = ${idToBytes(claims.workspace)} and "grant" = ${idToBytes(claims.grant)} and device = ${idToBytes(claims.device)}`;
    // Promise 13: a server from an older backup has never issued this grant. Whoever has it asks for a new session, and gets
    // one when the membership chain is back.
    if (row === undefined) return yield* refuse("token-invalid");
    if (row.revoked) return yield* refuse("revoked");
    if (row.expires_at !== null && toMillis(row.expires_at) <= now) return yield* refuse("grant-expired");
    // The chain may have changed the role since the token was signed.
    const role = toRole(row.role);
    return { ...claims, role, kind: kindOf(role), scope: scopeOf(role) };
  }, unavailableOnSqlError);

  const issue: Tokens["Service"]["issue"] = Effect.fn("Tokens.issue")(function* (workspace, request) {
    const device = deviceIdOfSigningKey(workspace, idToBytes(request.signingKey));
    const now = yield* Clock.currentTimeMillis;
    const { signingKey, label, expiresAt } = request;
    const role = request.scope === "read" ? "reader" : "writer";
    return yield* sql.withTransaction(
      Effect.gen(function* () {
        yield* lockRootKey(sql, workspace);
        const agreementKey = undefined;
        const isIn = yield* registerDevice(sql, { workspace, device, signingKey, agreementKey, role, from: 1 }, now);
        if (!isIn) return yield* refuse("revoked", { message: "The device was revoked in the membership chain." });
        const [active] = (yield* selectGrants(sql, workspace, device)).filter(({ status }) => status === "active");
        return active ?? (yield* insertGrant(sql, { workspace, device, role, label, expiresAt, link: undefined }, now));
      }),
    );
  }, unavailableOnSqlError);

  const list: Tokens["Service"]["list"] = Effect.fn("Tokens.list")(function* (workspace) {
    const rows = yield* sql<GrantRow>`
      select "grant", device, role, label, revoked, created_at, expires_at, last_seen_at, link from grants
       where workspace = ${idToBytes(workspace)} order by created_at, "grant"`;
    return rows.map(toGrant);
  }, unavailableOnSqlError);

  const revoke: Tokens["Service"]["revoke"] = Effect.fn("Tokens.revoke")(function* (workspace, grant) {
    const known = yield* sql.withTransaction(
      Effect.gen(function* () {
        // Under the lock that pushes take, so that none of them straddles the revocation.
        yield* lockRootKey(sql, workspace);
        const rows = yield* sql`
          update grants set revoked = true where workspace = ${idToBytes(workspace)} and "grant" = ${idToBytes(grant)} returning revoked`;
        if (rows.length === 0) return false;
        yield* raiseRevocationMark(sql);
        return true;
      }),
    );
    if (!known) return yield* refuse("grant-unknown");
    yield* fanOut.publishRevoked(workspace, new Set([grant]));
  }, unavailableOnSqlError);

  const withdrawn: Tokens["Service"]["withdrawn"] = Effect.fnUntraced(function* (workspace, grants) {
    const now = yield* Clock.currentTimeMillis;
    const rows = yield* sql<{ readonly grant: Uint8Array }>`
      select "grant" from grants
       where workspace = ${idToBytes(workspace)} and "grant" = any(${[...grants].map(idToBytes)}::bytea[])
         and not revoked and (expires_at is null or expires_at > ${new Date(now)})`;
    const active = new Set(rows.map((row) => grantIdFromBytes(row.grant)));
    return new Set([...grants].filter((grant): grant is GrantId => !active.has(grant)));
  }, unavailableOnSqlError);

  const revocationMark = sql<{ readonly mark: bigint }>`select revocation_mark as mark from server`.pipe(
    Effect.map(([row]) => row?.mark ?? 0n),
    unavailableOnSqlError,
  );

  return Tokens.of({ register, renew, authorize, issue, list, revoke, withdrawn, revocationMark });
});

export const layerPostgresTokens: Layer.Layer<
  Tokens,
  never,
  PgClient.PgClient | ServerIdentity | TokenKeys | ServerSettings | Challenges | FanOut
> = Layer.effect(Tokens, make);

/**
 * A grant for a member that has none: this database came back from a backup older than the member, and the chain with its
 * admission was supplied since (rule 11). Undefined where the chain does not have the device, or revoked it.
 */
const grantByChain = Effect.fnUntraced(function* (
  sql: PgClient.PgClient,
  workspace: WorkspaceId,
  device: DeviceId,
  now: number,
) {
  return yield* sql.withTransaction(
    Effect.gen(function* () {
      yield* lockRootKey(sql, workspace);
      const [concurrent] = yield* selectGrants(sql, workspace, device);
      if (concurrent !== undefined) return concurrent;
      const [member] = yield* sql<{ readonly role: number }>`
        select role from devices
         where workspace = ${idToBytes(workspace)} and device = ${idToBytes(device)} and admitted and to_counter is null`;
      if (member === undefined) return undefined;
      const role = toRole(member.role);
      return yield* insertGrant(sql, { workspace, device, role, label: "", expiresAt: null, link: undefined }, now);
    }),
  );
});

/** The device that the root key certifies as its workspace's owner. */
const rootCertified = Effect.fnUntraced(function* (workspace: WorkspaceId, certificate: Certificate) {
  const device: DeviceId = deviceIdOfSigningKey(workspace, idToBytes(certificate.signingKey));
  const fits =
    certificate.workspace === workspace &&
    certificate.issuer.type === "root" &&
    certificate.role === "owner" &&
    certificate.from >= 1;
  return fits
    ? device
    : yield* refuse("malformed", { message: "Registering needs a certificate of the root for an owner's device." });
});

const isInvited = (invites: ReadonlyArray<Redacted.Redacted>, invite: string | undefined): boolean => {
  if (invite === undefined) return false;
  const digest = (text: string) => createHash("sha256").update(text).digest();
  const given = digest(invite);
  return invites.map((code) => timingSafeEqual(digest(Redacted.value(code)), given)).includes(true);
};

/** Locks a workspace and gives its current root key; undefined where there is no such workspace. */
export const lockRootKey = (sql: PgClient.PgClient, workspace: WorkspaceId) =>
  Effect.map(
    sql<{ readonly root_key: Uint8Array }>`
      select root_key from workspaces where workspace = ${idToBytes(workspace)} for update`,
    ([row]) => (row === undefined ? undefined : publicKeyFromBytes(row.root_key)),
  );

const insertWorkspace = (sql: PgClient.PgClient, workspace: WorkspaceId, rootKey: PublicKey, now: number) => sql`
  insert into workspaces (workspace, root_key, chain, membership_head, created_at)
  values (${idToBytes(workspace)}, ${idToBytes(rootKey)}, ${idToBytes(emptyLogChain(workspace))},
          ${idToBytes(NO_MEMBERSHIP)}, ${new Date(now)})
  on conflict do nothing`;
