/** Access links on PostgreSQL. Every change happens under the workspace's row lock. */
import {
  ChallengePurpose,
  decodeBase64Url,
  encodeBase64Url,
  idToBytes,
  type LinkId,
  linkIdFromBytes,
  linkIdOfSigningKey,
  type LinkState,
  publicKeyFromBytes,
  Role,
  type WorkspaceId,
} from "@cairn/protocol";
import { PgClient } from "@effect/sql-pg";
import { Clock, Effect, Layer } from "effect";
import { toMillis, toNumber, toRole } from "../database/rows.ts";
import type { ServerIdentity } from "../database/Database.ts";
import { certifiedDevice, exceeds } from "../log/membership-rules.ts";
import { refuse, unavailableOnSqlError } from "../refusals.ts";
import type { ServerSettings } from "../ServerSettings.ts";
import { Challenges } from "../tokens/Challenges.ts";
import { insertGrant, registerDevice, selectGrants, setGrantRole } from "../tokens/grants.ts";
import { checkCertificate, lockRootKey, makeSessions, readCertificate } from "../tokens/PostgresTokens.ts";
import type { TokenKeys } from "../tokens/TokenKeys.ts";
import { Links } from "./Links.ts";

interface LinkRow {
  readonly link: Uint8Array;
  readonly signing_key: Uint8Array;
  readonly role: number;
  readonly max_uses: bigint;
  readonly honoured: boolean;
  readonly revoked: boolean;
  readonly created_at: Date;
  readonly expires_at: Date | null;
  readonly uses: bigint;
  readonly sealed_name: Uint8Array | null;
}

const statusOf = (row: LinkRow, now: number): LinkState["status"] => {
  if (row.revoked) return "revoked";
  if (row.expires_at !== null && toMillis(row.expires_at) <= now) return "expired";
  return row.max_uses > 0n && row.uses >= row.max_uses ? "used-up" : "live";
};

const toState = (row: LinkRow, now: number): LinkState => ({
  link: linkIdFromBytes(row.link),
  role: toRole(row.role),
  status: statusOf(row, now),
  uses: toNumber(row.uses),
  maxUses: toNumber(row.max_uses),
  createdAt: toMillis(row.created_at),
  expiresAt: row.expires_at === null ? null : toMillis(row.expires_at),
});

const make = Effect.gen(function* () {
  const sql = yield* PgClient.PgClient;
  const challenges = yield* Challenges;
  const makeSession = yield* makeSessions;

  const select = (workspace: WorkspaceId, link?: LinkId) => sql<LinkRow>`
    select l.link, l.signing_key, l.role, l.max_uses, l.honoured, l.revoked, l.created_at, l.expires_at, l.sealed_name,
           (select count(*) from link_uses u where u.workspace = l.workspace and u.link = l.link) as uses
      from links l
     where l.workspace = ${idToBytes(workspace)} and (${link === undefined} or l.link = ${link === undefined ? new Uint8Array() : idToBytes(link)})
     order by l.created_at, l.link`;

  const create: Links["Service"]["create"] = Effect.fn("Links.create")(function* (workspace, request) {
    const { link, signingKey, role, maxUses } = request;
    if (link !== linkIdOfSigningKey(workspace, idToBytes(signingKey))) {
      return yield* refuse("malformed", { message: "The link's id is not that of its key." });
    }
    const now = yield* Clock.currentTimeMillis;
    const expiresAt = request.expiresAt === null ? null : new Date(request.expiresAt);
    const sealedName = request.sealedName === undefined ? null : (decodeBase64Url(request.sealedName) ?? null);
    const row = yield* sql.withTransaction(
      Effect.gen(function* () {
        yield* lockRootKey(sql, workspace);
        const [known] = yield* select(workspace, link);
        if (known !== undefined) {
          const same =
            toRole(known.role) === role &&
            toNumber(known.max_uses) === maxUses &&
            (!known.honoured || known.expires_at?.getTime() === expiresAt?.getTime());
          if (!same) return yield* refuse("link-conflict");
        }
        yield* sql`
          insert into links (workspace, link, signing_key, role, max_uses, honoured, created_at, expires_at, sealed_name)
          values (${idToBytes(workspace)}, ${idToBytes(link)}, ${idToBytes(signingKey)}, ${Role[role]},
                  ${BigInt(maxUses)}, true, ${new Date(now)}, ${expiresAt}, ${sealedName})
          on conflict (workspace, link) do update set honoured = true, expires_at = excluded.expires_at,
            sealed_name = coalesce(excluded.sealed_name, links.sealed_name)`;
        return (yield* select(workspace, link))[0];
      }),
    );
    return row === undefined ? yield* Effect.die("the link was just written") : toState(row, now);
  }, unavailableOnSqlError);

  const list: Links["Service"]["list"] = Effect.fn("Links.list")(function* (workspace) {
    const now = yield* Clock.currentTimeMillis;
    return (yield* select(workspace)).filter(({ honoured }) => honoured).map((row) => toState(row, now));
  }, unavailableOnSqlError);

  const describe: Links["Service"]["describe"] = Effect.fn("Links.describe")(function* (workspace, link) {
    const now = yield* Clock.currentTimeMillis;
    const [row] = yield* select(workspace, link);
    if (row === undefined || !row.honoured) return yield* refuse("link-unknown");
    const { role, expiresAt } = toState(row, now);
    const sealedName = row.sealed_name === null ? null : encodeBase64Url(row.sealed_name);
    return { role, status: statusOf(row, now), expiresAt, sealedName };
  }, unavailableOnSqlError);

  const open: Links["Service"]["open"] = Effect.fn("Links.open")(function* (workspace, link, request) {
    const [known] = yield* select(workspace, link);
    if (known === undefined || !known.honoured) return yield* refuse("link-unknown");
    const signingKey = publicKeyFromBytes(known.signing_key);
    const signed = yield* readCertificate(request.certificate);
    const { certificate } = signed;
    const fits =
      certificate.workspace === workspace &&
      certificate.issuer.type === "link" &&
      certificate.issuer.link === link &&
      certificate.from >= 1 &&
      !exceeds(certificate.role, toRole(known.role));
    if (!fits) {
      return yield* refuse("malformed", { message: "The certificate is not one that this link may give." });
    }
    const device = certifiedDevice(certificate);
    yield* checkCertificate(signingKey, signed);
    const statement = decodeBase64Url(request.certificate) ?? new Uint8Array();
    yield* challenges.check(
      signingKey,
      { purpose: ChallengePurpose.openLink, workspace, subject: device, statement },
      request.proof,
    );
    const now = yield* Clock.currentTimeMillis;
    const grant = yield* sql.withTransaction(
      Effect.gen(function* () {
        yield* lockRootKey(sql, workspace);
        const [row] = yield* select(workspace, link);
        if (row === undefined) return yield* refuse("link-unknown");
        const grants = yield* selectGrants(sql, workspace, device);
        const active = grants.find(({ status }) => status === "active");
        const used = yield* sql`
          select 1 as used from link_uses where workspace = ${idToBytes(workspace)} and link = ${idToBytes(link)} and device = ${idToBytes(device)}`;
        // The first answer may have been lost: who is in by this link gets a session again.
        if (active !== undefined && used.length > 0) return active;
        switch (statusOf(row, now)) {
          case "revoked":
            return yield* refuse("link-revoked");
          case "expired":
            return yield* refuse("link-expired");
          case "used-up":
            return yield* refuse("link-used-up");
          case "live":
            break;
        }
        const { role, from, agreementKey } = certificate;
        const isIn = yield* registerDevice(
          sql,
          { workspace, device, signingKey: certificate.signingKey, agreementKey, role, from },
          now,
        );
        // Promise 8: who was put out does not come back through the same door.
        if (!isIn || (active === undefined && grants.length > 0)) return yield* refuse("revoked");
        yield* sql`
          insert into link_uses (workspace, link, device, used_at)
          values (${idToBytes(workspace)}, ${idToBytes(link)}, ${idToBytes(device)}, ${new Date(now)}) on conflict do nothing`;
        if (active === undefined) {
          return yield* insertGrant(sql, { workspace, device, role, label: request.label, expiresAt: null, link }, now);
        }
        return exceeds(role, active.role) ? yield* setGrantRole(sql, workspace, active, role) : active;
      }),
    );
    return makeSession(workspace, grant, now);
  }, unavailableOnSqlError);

  const revoke: Links["Service"]["revoke"] = Effect.fn("Links.revoke")(function* (workspace, link) {
    const rows = yield* sql.withTransaction(
      Effect.andThen(
        lockRootKey(sql, workspace),
        sql`update links set revoked = true where workspace = ${idToBytes(workspace)} and link = ${idToBytes(link)} returning link`,
      ),
    );
    if (rows.length === 0) return yield* refuse("link-unknown");
  }, unavailableOnSqlError);

  return Links.of({ create, list, describe, open, revoke });
});

export const layerPostgresLinks: Layer.Layer<
  Links,
  never,
  PgClient.PgClient | ServerIdentity | TokenKeys | ServerSettings | Challenges
> = Layer.effect(Links, make);
