/** Access links in memory. */
import {
  ChallengePurpose,
  decodeBase64Url,
  type Grant,
  ID_BYTES,
  idToBytes,
  linkIdOfSigningKey,
  type LinkState,
} from "@cairn/protocol";
import { Challenges, Links, type ServerIdentity, type ServerSettings, type TokenKeys } from "@cairn/server";
import {
  certifiedDevice,
  checkCertificate,
  exceeds,
  makeSessions,
  RandomBytes,
  readCertificate,
  refuse,
} from "@cairn/server/adapters";
import { Clock, Effect, Layer } from "effect";
import { DatabaseConnection, type StoredLink } from "./MemoryDatabase.ts";
import { grantsOf, insertGrant, registerDevice, setGrantRole } from "./MemoryTokens.ts";

const statusOf = (row: StoredLink, now: number): LinkState["status"] => {
  if (row.revoked) return "revoked";
  if (row.expiresAt !== null && row.expiresAt <= now) return "expired";
  return row.maxUses > 0 && row.usedBy.size >= row.maxUses ? "used-up" : "live";
};

const toState = (row: StoredLink, now: number): LinkState => ({
  link: row.link,
  role: row.role,
  status: statusOf(row, now),
  uses: row.usedBy.size,
  maxUses: row.maxUses,
  createdAt: row.createdAt,
  expiresAt: row.expiresAt,
});

const make = Effect.gen(function* () {
  const connection = yield* DatabaseConnection;
  const challenges = yield* Challenges;
  const randomBytes = yield* RandomBytes;
  const makeSession = yield* makeSessions;

  const create: Links["Service"]["create"] = Effect.fnUntraced(function* (workspace, request) {
    const { link, signingKey, role, maxUses, expiresAt, sealedName } = request;
    if (link !== linkIdOfSigningKey(workspace, idToBytes(signingKey))) return yield* refuse("malformed");
    const now = yield* Clock.currentTimeMillis;
    return yield* connection.transaction(
      workspace,
      Effect.fnUntraced(function* (log) {
        if (log === undefined) return yield* Effect.die(new Error("a session names a workspace that is here"));
        const known = log.links.get(link);
        if (known !== undefined) {
          const same =
            known.role === role && known.maxUses === maxUses && (!known.honoured || known.expiresAt === expiresAt);
          if (!same) return yield* refuse("link-conflict");
        }
        const row: StoredLink =
          known === undefined
            ? {
                link,
                signingKey,
                role,
                maxUses,
                honoured: true,
                revoked: false,
                chained: false,
                chainUses: 0,
                createdAt: now,
                expiresAt,
                sealedName,
                usedBy: new Set(),
              }
            : { ...known, honoured: true, expiresAt, sealedName: sealedName ?? known.sealedName };
        return { value: toState(row, now), write: () => void log.links.set(link, row) };
      }),
    );
  });

  const open: Links["Service"]["open"] = Effect.fnUntraced(function* (workspace, link, request) {
    const known = connection.log(workspace)?.links.get(link);
    if (known === undefined || !known.honoured) return yield* refuse("link-unknown");
    const signed = yield* readCertificate(request.certificate);
    const { certificate } = signed;
    const { issuer, role, from, agreementKey, signingKey } = certificate;
    const fits =
      certificate.workspace === workspace &&
      issuer.type === "link" &&
      issuer.link === link &&
      from >= 1 &&
      !exceeds(role, known.role);
    if (!fits) return yield* refuse("malformed");
    const device = certifiedDevice(certificate);
    yield* checkCertificate(known.signingKey, signed);
    const statement = decodeBase64Url(request.certificate) ?? new Uint8Array();
    const subject = { purpose: ChallengePurpose.openLink, workspace, subject: device, statement };
    yield* challenges.check(known.signingKey, subject, request.proof);
    const now = yield* Clock.currentTimeMillis;
    let grant: Grant | undefined;
    yield* connection.transaction(
      workspace,
      Effect.fnUntraced(function* (log) {
        const row = log?.links.get(link);
        if (log === undefined || row === undefined) return yield* refuse("link-unknown");
        const grants = grantsOf(log, device);
        const active = grants.find(({ status }) => status === "active");
        // The first answer may have been lost: who is in by this link gets a session again.
        if (active !== undefined && row.usedBy.has(device)) {
          grant = active;
          return { value: undefined, write: () => undefined };
        }
        const status = statusOf(row, now);
        if (status === "revoked") return yield* refuse("link-revoked");
        if (status === "expired") return yield* refuse("link-expired");
        if (status === "used-up") return yield* refuse("link-used-up");
        const isOut = log.devices.get(device)?.revoked === true;
        // Promise 8: who was put out does not come back through the same door.
        if (isOut || (active === undefined && grants.length > 0)) return yield* refuse("revoked");
        return {
          value: undefined,
          write: () => {
            registerDevice(log, { device, signingKey, agreementKey, role, from });
            log.links.set(link, { ...row, usedBy: new Set([...row.usedBy, device]) });
            const { label } = request;
            grant =
              active === undefined
                ? insertGrant(log, randomBytes(ID_BYTES), { device, role, label, expiresAt: null, link }, now)
                : exceeds(role, active.role)
                  ? setGrantRole(log, active, role)
                  : active;
          },
        };
      }),
    );
    if (grant === undefined) return yield* Effect.die(new Error("an opened link gives a grant"));
    return makeSession(workspace, grant, now);
  });

  return Links.of({
    create,
    open,
    list: Effect.fnUntraced(function* (workspace) {
      const now = yield* Clock.currentTimeMillis;
      return [...(connection.log(workspace)?.links.values() ?? [])]
        .filter(({ honoured }) => honoured)
        .map((row) => toState(row, now));
    }),
    describe: Effect.fnUntraced(function* (workspace, link) {
      const row = connection.log(workspace)?.links.get(link);
      if (row === undefined || !row.honoured) return yield* refuse("link-unknown");
      const now = yield* Clock.currentTimeMillis;
      return {
        role: row.role,
        status: statusOf(row, now),
        expiresAt: row.expiresAt,
        sealedName: row.sealedName ?? null,
      };
    }),
    revoke: (workspace, link) =>
      connection.transaction(workspace, (log) => {
        const row = log?.links.get(link);
        if (log === undefined || row === undefined) return refuse("link-unknown");
        return Effect.succeed({
          value: undefined,
          write: () => void log.links.set(link, { ...row, revoked: true }),
        });
      }),
  });
});

export const layerMemoryLinks: Layer.Layer<
  Links,
  never,
  DatabaseConnection | ServerIdentity | TokenKeys | ServerSettings | Challenges
> = Layer.effect(Links, make);
