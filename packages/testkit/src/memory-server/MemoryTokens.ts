/** Grants and sessions in memory. */
import {
  ChallengePurpose,
  decodeBase64Url,
  type DeviceId,
  deviceIdOfSigningKey,
  type Grant,
  type GrantId,
  grantIdFromBytes,
  ID_BYTES,
  idToBytes,
  type LinkId,
  type PublicKey,
  type RoleName,
  workspaceIdOfRootKey,
} from "@cairn/protocol";
import { Challenges, FanOut, ServerIdentity, ServerSettings, TokenKeys, Tokens } from "@cairn/server";
import {
  checkCertificate,
  kindOf,
  makeSessions,
  RandomBytes,
  readCertificate,
  readSession,
  refuse,
  scopeOf,
} from "@cairn/server/adapters";
import { Clock, Effect, Layer, Redacted } from "effect";
import { DatabaseConnection, newLog, type StoredLog } from "./MemoryDatabase.ts";

export interface NewDevice {
  readonly device: DeviceId;
  readonly signingKey: PublicKey;
  readonly agreementKey: PublicKey | undefined;
  readonly role: RoleName;
  readonly from: number;
}

/** Registers a device unless it is known. False where the chain has closed its interval: it was revoked. */
export const registerDevice = (log: StoredLog, device: NewDevice): boolean => {
  const known = log.devices.get(device.device);
  log.devices.set(
    device.device,
    known === undefined
      ? { ...device, to: undefined, admitted: false, revoked: false, last: 0, lastHash: undefined }
      : {
          ...known,
          agreementKey: known.agreementKey ?? device.agreementKey,
          role: known.admitted ? known.role : device.role,
        },
  );
  return known?.revoked !== true;
};

/** The grants of a device, the active one first. */
export const grantsOf = (log: StoredLog, device: DeviceId): ReadonlyArray<Grant> =>
  [...log.grants.values()]
    .filter((grant) => grant.device === device)
    .toSorted(
      (left, right) =>
        Number(left.status === "revoked") - Number(right.status === "revoked") || right.createdAt - left.createdAt,
    );

export const insertGrant = (
  log: StoredLog,
  id: Uint8Array,
  grant: {
    readonly device: DeviceId;
    readonly role: RoleName;
    readonly label: string;
    readonly expiresAt: number | null;
    readonly link: LinkId | undefined;
  },
  now: number,
): Grant => {
  const { role } = grant;
  const made: Grant = {
    ...grant,
    grant: grantIdFromBytes(id),
    kind: kindOf(role),
    scope: scopeOf(role),
    status: "active",
    createdAt: now,
    lastSeenAt: null,
    link: grant.link ?? null,
  };
  log.grants.set(made.grant, made);
  return made;
};

/** Raises the role of a grant, as a certificate of more allows. */
export const setGrantRole = (log: StoredLog, grant: Grant, role: RoleName): Grant => {
  const changed: Grant = { ...grant, role, kind: kindOf(role), scope: scopeOf(role) };
  log.grants.set(grant.grant, changed);
  return changed;
};

const make = Effect.gen(function* () {
  const connection = yield* DatabaseConnection;
  const { server } = yield* ServerIdentity;
  const keys = yield* TokenKeys;
  const settings = yield* ServerSettings;
  const challenges = yield* Challenges;
  const fanOut = yield* FanOut;
  const randomBytes = yield* RandomBytes;
  const makeSession = yield* makeSessions;

  const register: Tokens["Service"]["register"] = Effect.fnUntraced(function* (workspace, request) {
    const signed = yield* readCertificate(request.certificate);
    const { certificate } = signed;
    const { signingKey, agreementKey, role, from } = certificate;
    const device = deviceIdOfSigningKey(workspace, idToBytes(signingKey));
    const fits = certificate.workspace === workspace && certificate.issuer.type === "root" && role === "owner";
    if (!fits || from < 1) return yield* refuse("malformed");
    yield* checkCertificate(request.rootKey, signed);
    const statement = decodeBase64Url(request.certificate) ?? new Uint8Array();
    const subject = { purpose: ChallengePurpose.register, workspace, subject: device, statement };
    yield* challenges.check(request.rootKey, subject, request.proof);
    const now = yield* Clock.currentTimeMillis;
    let grant: Grant | undefined;
    yield* connection.transaction(
      workspace,
      Effect.fnUntraced(function* (known) {
        if (known === undefined) {
          if (workspaceIdOfRootKey(idToBytes(request.rootKey)) !== workspace)
            return yield* refuse("workspace-conflict");
          if (settings.registration !== "open") return yield* refuse("registration-closed");
        } else if (known.rootKey !== request.rootKey) return yield* refuse("workspace-conflict");
        if (known?.devices.get(device)?.revoked === true) return yield* refuse("revoked");
        return {
          value: undefined,
          write: () => {
            const log = known ?? newLog(workspace, request.rootKey);
            connection.database.logs.set(workspace, log);
            registerDevice(log, { device, signingKey, agreementKey, role, from });
            const active = grantsOf(log, device).find(({ status }) => status === "active");
            const { label } = request;
            grant =
              active === undefined
                ? insertGrant(
                    log,
                    randomBytes(ID_BYTES),
                    { device, role, label, expiresAt: null, link: undefined },
                    now,
                  )
                : active.role === "owner"
                  ? active
                  : setGrantRole(log, active, "owner");
          },
        };
      }),
    );
    if (grant === undefined) return yield* Effect.die(new Error("a committed registration has a grant"));
    return makeSession(workspace, grant, now);
  });

  const renew: Tokens["Service"]["renew"] = Effect.fnUntraced(function* (workspace, { device, proof }) {
    const log = connection.log(workspace);
    if (log === undefined) return yield* refuse("workspace-unknown");
    const row = log.devices.get(device);
    if (row === undefined) return yield* refuse("grant-unknown");
    const subject = { purpose: ChallengePurpose.session, workspace, subject: device, statement: new Uint8Array() };
    yield* challenges.check(row.signingKey, subject, proof);
    const now = yield* Clock.currentTimeMillis;
    let [grant] = grantsOf(log, device);
    if (grant === undefined) {
      // The chain has the device and the grants have not: a database from before the device's grant (rule 11).
      yield* connection.transaction(workspace, (locked) =>
        Effect.succeed({
          value: undefined,
          write: () => {
            const member = locked?.devices.get(device);
            if (locked === undefined || member === undefined || !member.admitted || member.to !== undefined) return;
            const { role } = member;
            [grant] = grantsOf(locked, device);
            grant ??= insertGrant(
              locked,
              randomBytes(ID_BYTES),
              { device, role, label: "", expiresAt: null, link: undefined },
              now,
            );
          },
        }),
      );
    }
    if (grant === undefined) return yield* refuse("grant-unknown");
    if (grant.status === "revoked") return yield* refuse("revoked");
    if (grant.expiresAt !== null && grant.expiresAt <= now) return yield* refuse("grant-expired");
    log.grants.set(grant.grant, { ...grant, lastSeenAt: now });
    return makeSession(workspace, grant, now);
  });

  const authorize: Tokens["Service"]["authorize"] = Effect.fnUntraced(function* (token, workspace) {
    const text = Redacted.value(token);
    if (text === "") return yield* refuse("token-missing");
    const now = yield* Clock.currentTimeMillis;
    const session = readSession(keys, server, text, now);
    if ("invalid" in session) return yield* refuse(session.invalid);
    const { claims } = session;
    if (claims.workspace !== workspace) return yield* refuse("wrong-workspace");
    const grant = connection.log(claims.workspace)?.grants.get(claims.grant);
    if (grant === undefined || grant.device !== claims.device) return yield* refuse("token-invalid");
    if (grant.status === "revoked") return yield* refuse("revoked");
    if (grant.expiresAt !== null && grant.expiresAt <= now) return yield* refuse("grant-expired");
    const { role, kind, scope } = grant;
    return { ...claims, role, kind, scope };
  });

  const issue: Tokens["Service"]["issue"] = Effect.fnUntraced(function* (workspace, request) {
    const { signingKey, label, expiresAt } = request;
    const device = deviceIdOfSigningKey(workspace, idToBytes(signingKey));
    const role = request.scope === "read" ? "reader" : "writer";
    const now = yield* Clock.currentTimeMillis;
    let grant: Grant | undefined;
    yield* connection.transaction(
      workspace,
      Effect.fnUntraced(function* (log) {
        if (log === undefined) return yield* Effect.die(new Error("a session names a workspace that is here"));
        if (log.devices.get(device)?.revoked === true) return yield* refuse("revoked");
        return {
          value: undefined,
          write: () => {
            registerDevice(log, { device, signingKey, agreementKey: undefined, role, from: 1 });
            grant =
              grantsOf(log, device).find(({ status }) => status === "active") ??
              insertGrant(log, randomBytes(ID_BYTES), { device, role, label, expiresAt, link: undefined }, now);
          },
        };
      }),
    );
    return grant ?? (yield* Effect.die(new Error("a committed grant is there")));
  });

  const revoke: Tokens["Service"]["revoke"] = Effect.fnUntraced(function* (workspace, id) {
    yield* connection.transaction(
      workspace,
      Effect.fnUntraced(function* (log) {
        const grant = log?.grants.get(id);
        if (log === undefined || grant === undefined) return yield* refuse("grant-unknown");
        return {
          value: undefined,
          write: () => {
            log.grants.set(id, { ...grant, status: "revoked" });
            connection.database.revocationMark += 1n;
          },
        };
      }),
    );
    yield* fanOut.publishRevoked(workspace, new Set([id]));
  });

  const withdrawn: Tokens["Service"]["withdrawn"] = Effect.fnUntraced(function* (workspace, grants) {
    const now = yield* Clock.currentTimeMillis;
    const isActive = (id: GrantId): boolean => {
      const grant = connection.log(workspace)?.grants.get(id);
      return grant?.status === "active" && (grant.expiresAt === null || grant.expiresAt > now);
    };
    return new Set([...grants].filter((id) => !isActive(id)));
  });

  return Tokens.of({
    register,
    renew,
    authorize,
    issue,
    list: (workspace) => Effect.sync(() => [...(connection.log(workspace)?.grants.values() ?? [])]),
    revoke,
    withdrawn,
    revocationMark: Effect.sync(() => connection.database.revocationMark),
  });
});

export const layerMemoryTokens: Layer.Layer<
  Tokens,
  never,
  DatabaseConnection | ServerIdentity | TokenKeys | ServerSettings | Challenges | FanOut
> = Layer.effect(Tokens, make);
