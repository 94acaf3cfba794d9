/**
 * Access links: `https://host/join#text`, where the text after the `#`, which no browser sends to a server, is base64url
 * of
 *
 * ```
 * version(1) workspace(16) link(16) role(1) secret(32) check(4)
 * ```
 *
 * The secret yields a signing pair, whose hash is the link's id, and an agreement pair, to which epoch keys are sealed.
 * No data key travels in a link, so that it can be revoked, counted and limited to reading (rule 22). The role says what
 * the joining device may ask for; that it gets no more is the chain's matter. `check` is the beginning of a labelled
 * SHA-256: it tells a damaged link from a revoked one.
 */
import { sha256 } from "@noble/hashes/sha2.js";
import {
  ByteReader,
  ByteWriter,
  concatBytes,
  decodeBase64Url,
  encodeBase64Url,
  equalBytes,
  ID_BYTES,
  idToBytes,
  label,
  type LinkId,
  linkIdFromBytes,
  linkIdOfSigningKey,
  Role,
  type RoleName,
  type WorkspaceId,
  workspaceIdFromBytes,
} from "@cairn/protocol";
import { type AgreementKeys, agreementKeysFromSeed } from "./agreement-keys.ts";
import { AccessLinkInvalid } from "./errors.ts";
import { deriveBytes, importSecret, KDF_LABELS, SECRET_BYTES } from "./key-derivation.ts";
import type { RandomSource } from "./random.ts";
import { type SigningKeys, signingKeysFromSeed } from "./signing-keys.ts";

/** What a link says. */
export interface AccessLink {
  /** Where the server is: the link's address up to `/join`, without a slash at the end. */
  readonly server: string;
  readonly workspace: WorkspaceId;
  readonly link: LinkId;
  /** What the link makes of those who join through it. */
  readonly role: RoleName;
  readonly secret: Uint8Array;
}

/** The pairs that a link's secret yields. */
export interface LinkKeys {
  readonly link: LinkId;
  readonly signing: SigningKeys;
  readonly agreement: AgreementKeys;
}

const VERSION = 1;
const CHECK_BYTES = 4;
const CHECK_LABEL = label("access-link-check");
const LINK_BYTES = 1 + ID_BYTES * 2 + 1 + SECRET_BYTES + CHECK_BYTES;
const LINK_PATH = "/join";

/** A new link's secret of 32 bytes. */
export const generateLinkSecret = (random: RandomSource): Uint8Array => random(SECRET_BYTES);

/** The pairs and the id of a link's secret. Throws `KeyInvalid` unless it has 32 bytes. */
export const linkKeysFromSecret = async (workspace: WorkspaceId, linkSecret: Uint8Array): Promise<LinkKeys> => {
  const secret = await importSecret(linkSecret);
  const salt = idToBytes(workspace);
  const signing = await signingKeysFromSeed(await deriveBytes(secret, salt, [KDF_LABELS.linkSigning]));
  const agreement = await agreementKeysFromSeed(await deriveBytes(secret, salt, [KDF_LABELS.linkAgreement]));
  return { link: linkIdOfSigningKey(workspace, idToBytes(signing.publicKey)), signing, agreement };
};

const checkOf = (body: Uint8Array): Uint8Array => sha256(concatBytes(CHECK_LABEL, body)).subarray(0, CHECK_BYTES);

/** The link's URL. Throws `AccessLinkInvalid` where `server` is no http(s) address. */
export const encodeAccessLink = (link: AccessLink): string => {
  const body = new ByteWriter(LINK_BYTES)
    .u8(VERSION)
    .raw(idToBytes(link.workspace))
    .raw(idToBytes(link.link))
    .u8(Role[link.role])
    .raw(link.secret)
    .finish();
  const url = parseUrl(`${link.server.replace(/\/+$/u, "")}${LINK_PATH}`);
  return `${url.origin}${url.pathname}#${encodeBase64Url(concatBytes(body, checkOf(body)))}`;
};

const invalid = (code: AccessLinkInvalid["code"]): AccessLinkInvalid => new AccessLinkInvalid({ code });

const parseUrl = (text: string): URL => {
  const url = URL.parse(text);
  if (url === null || (url.protocol !== "https:" && url.protocol !== "http:")) throw invalid("link-not-one");
  return url;
};

/** Reads a link, with white space around it or not. Throws `AccessLinkInvalid`, whose code says what is wrong. */
export const parseAccessLink = (text: string): AccessLink => {
  const url = parseUrl(text.trim());
  if (!url.pathname.endsWith(LINK_PATH) || url.hash.length <= 1) throw invalid("link-not-one");
  const fragment = url.hash.slice(1);
  if (!/^[A-Za-z0-9_-]+$/u.test(fragment)) throw invalid("link-damaged");
  // The version comes first: a newer one may have another length.
  const version = decodeBase64Url(fragment.slice(0, 4))?.[0];
  if (version !== undefined && version > VERSION) throw invalid("link-version");
  if (fragment.length < Math.ceil((LINK_BYTES * 4) / 3)) throw invalid("link-incomplete");
  const bytes = decodeBase64Url(fragment);
  if (bytes?.length !== LINK_BYTES || version !== VERSION) throw invalid("link-damaged");
  const reader = new ByteReader(bytes.subarray(1));
  const workspace = workspaceIdFromBytes(reader.raw(ID_BYTES));
  const link = linkIdFromBytes(reader.raw(ID_BYTES));
  const role = roleOf(reader.u8());
  const secret = reader.raw(SECRET_BYTES).slice();
  const check = reader.raw(CHECK_BYTES);
  if (!equalBytes(checkOf(bytes.subarray(0, LINK_BYTES - CHECK_BYTES)), check) || role === undefined)
    throw invalid("link-damaged");
  return {
    server: `${url.origin}${url.pathname.slice(0, -LINK_PATH.length)}`,
    workspace,
    link,
    role,
    secret,
  };
};

const ROLES: ReadonlyArray<RoleName> = ["owner", "writer", "reader"];
const roleOf = (code: number): RoleName | undefined => ROLES.find((role) => Role[role] === code);
