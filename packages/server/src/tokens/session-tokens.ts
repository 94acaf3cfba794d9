/** Sessions as JSON Web Tokens (RFC 7519): written and read here and nowhere else. */
import {
  DeviceId,
  GrantId,
  RoleSchema,
  Scope,
  type ServerId,
  type SessionClaims,
  TokenKind,
  WorkspaceId,
} from "@cairn/protocol";
import { Schema } from "effect";
import jwt from "jsonwebtoken";
import type { TokenKeysShape } from "./TokenKeys.ts";

const ALGORITHM = "HS256";

/** The payload. `cnf` binds the token to the device's key (RFC 7800), whose hash the device's id is. */
const Payload = Schema.Struct({
  aud: Schema.String,
  sub: DeviceId,
  cnf: Schema.Struct({ kid: DeviceId }),
  jti: Schema.String,
  exp: Schema.Int,
  iat: Schema.Int,
  grant: GrantId,
  workspace: WorkspaceId,
  kind: TokenKind,
  scope: Scope,
  role: RoleSchema,
});
const decodePayload = Schema.decodeUnknownResult(Payload);

/** Signs a session. `claims.expiresAt` is rounded down to a second. */
export const signSession = (
  keys: TokenKeysShape,
  server: ServerId,
  claims: SessionClaims,
  now: number,
  id: string,
): string => {
  const payload: typeof Payload.Type = {
    aud: server,
    sub: claims.device,
    cnf: { kid: claims.device },
    jti: id,
    exp: Math.floor(claims.expiresAt / 1000),
    iat: Math.floor(now / 1000),
    grant: claims.grant,
    workspace: claims.workspace,
    kind: claims.kind,
    scope: claims.scope,
    role: claims.role,
  };
  return jwt.sign(payload, keys.current.key, { algorithm: ALGORITHM, keyid: keys.current.kid });
};

export type ReadSession = { readonly claims: SessionClaims } | { readonly invalid: "token-invalid" | "token-expired" };

const INVALID: ReadSession = { invalid: "token-invalid" };

/** Verifies signature, algorithm, audience and expiry. Says nothing about revocation. */
export const readSession = (keys: TokenKeysShape, server: ServerId, token: string, now: number): ReadSession => {
  const kid = keyIdOf(token);
  const key = kid === undefined ? undefined : keys.find(kid);
  if (key === undefined) return INVALID;
  try {
    const payload = decodePayload(
      jwt.verify(token, key, {
        algorithms: [ALGORITHM],
        audience: server,
        clockTimestamp: Math.floor(now / 1000),
      }),
    );
    if (payload._tag === "Failure" || payload.success.cnf.kid !== payload.success.sub) return INVALID;
    const { sub, exp, grant, workspace, kind, scope, role } = payload.success;
    return { claims: { device: sub, grant, workspace, kind, scope, role, expiresAt: exp * 1000 } };
  } catch (error) {
    return error instanceof jwt.TokenExpiredError ? { invalid: "token-expired" } : INVALID;
  }
};

/** Read before verifying, to choose the key only. */
const keyIdOf = (token: string): string | undefined => {
  try {
    return jwt.decode(token, { complete: true })?.header.kid;
  } catch {
    return undefined;
  }
};
