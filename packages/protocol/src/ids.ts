/**
 * Identifiers.
 *
 * In memory and in JSON an id is text, because ids are compared, are keys of maps and stand in URLs; in binary formats
 * it is its bytes. Ids are 16 bytes (22 characters of base64url): random, or the first half of a SHA-256 over a label
 * and a public key, so that whoever wants to pass for another key has to find a second preimage of 128 bits. Hashes
 * are whole SHA-256 values (43 characters).
 */
import { sha256 } from "@noble/hashes/sha2.js";
import { Schema } from "effect";
import { decodeBase64Url, encodeBase64Url } from "./base64url.ts";
import { type ByteReader, concatBytes } from "./bytes.ts";

export const ID_BYTES = 16;
export const HASH_BYTES = 32;
export const PUBLIC_KEY_BYTES = 32;
export const SIGNATURE_BYTES = 64;

const base64UrlOfLength = (bytes: number) =>
  Schema.String.check(
    Schema.isMaxLength(Math.ceil((bytes * 4) / 3)),
    Schema.makeFilter(
      (text: string) => decodeBase64Url(text)?.length === bytes || `expected ${bytes} bytes of base64url`,
    ),
  );

/** A workspace: the hash of its first root key. */
export const WorkspaceId = base64UrlOfLength(ID_BYTES).pipe(Schema.brand("WorkspaceId"));
export type WorkspaceId = typeof WorkspaceId.Type;

/** A document: random, or derived from a workspace secret for singletons (rule 14). All zeros: no document. */
export const DocumentId = base64UrlOfLength(ID_BYTES).pipe(Schema.brand("DocumentId"));
export type DocumentId = typeof DocumentId.Type;

/** A device in one workspace: the hash of its signing key for that workspace. */
export const DeviceId = base64UrlOfLength(ID_BYTES).pipe(Schema.brand("DeviceId"));
export type DeviceId = typeof DeviceId.Type;

/** An access link: the hash of its signing key. */
export const LinkId = base64UrlOfLength(ID_BYTES).pipe(Schema.brand("LinkId"));
export type LinkId = typeof LinkId.Type;

/** A server's grant to a device, made from a registration, a link or a master's word. Random. */
export const GrantId = base64UrlOfLength(ID_BYTES).pipe(Schema.brand("GrantId"));
export type GrantId = typeof GrantId.Type;

/** A server's database, made with it and carried along by its backups. Random. */
export const ServerId = base64UrlOfLength(ID_BYTES).pipe(Schema.brand("ServerId"));
export type ServerId = typeof ServerId.Type;

/** SHA-256 of an entry, of a chain position or of a sealed attachment chunk. */
export const Hash = base64UrlOfLength(HASH_BYTES).pipe(Schema.brand("Hash"));
export type Hash = typeof Hash.Type;

/** An Ed25519 or X25519 public key. */
export const PublicKey = base64UrlOfLength(PUBLIC_KEY_BYTES).pipe(Schema.brand("PublicKey"));
export type PublicKey = typeof PublicKey.Type;

/** An Ed25519 signature (RFC 8032). */
export const Signature = base64UrlOfLength(SIGNATURE_BYTES).pipe(Schema.brand("Signature"));
export type Signature = typeof Signature.Type;

/** Base64url bytes of a bounded length, inside JSON bodies. */
export const boundedBase64Url = (maxBytes: number) =>
  Schema.String.check(
    Schema.isMaxLength(Math.ceil((maxBytes * 4) / 3)),
    Schema.makeFilter((text: string) => decodeBase64Url(text) !== undefined || "expected base64url"),
  );

/** The bytes of an id, hash, key or signature. Its type vouches for the form, so this cannot fail. */
export const idToBytes = (
  id: WorkspaceId | DocumentId | DeviceId | LinkId | GrantId | ServerId | Hash | PublicKey | Signature,
): Uint8Array => {
  const bytes = decodeBase64Url(id);
  if (bytes === undefined) throw new TypeError("not an id");
  return bytes;
};

const fromBytes =
  <Id>(make: (text: string) => Id, length: number) =>
  (bytes: Uint8Array): Id => {
    if (bytes.length !== length) throw new RangeError(`expected ${length} bytes, got ${bytes.length}`);
    return make(encodeBase64Url(bytes));
  };

// The length was checked, and what the encoder writes is canonical: the brand needs no second check on this hot path.
const unchecked = { disableChecks: true } as const;
export const workspaceIdFromBytes = fromBytes((text) => WorkspaceId.make(text, unchecked), ID_BYTES);
export const documentIdFromBytes = fromBytes((text) => DocumentId.make(text, unchecked), ID_BYTES);
export const deviceIdFromBytes = fromBytes((text) => DeviceId.make(text, unchecked), ID_BYTES);
export const linkIdFromBytes = fromBytes((text) => LinkId.make(text, unchecked), ID_BYTES);
export const grantIdFromBytes = fromBytes((text) => GrantId.make(text, unchecked), ID_BYTES);
export const serverIdFromBytes = fromBytes((text) => ServerId.make(text, unchecked), ID_BYTES);
export const hashFromBytes = fromBytes((text) => Hash.make(text, unchecked), HASH_BYTES);
export const publicKeyFromBytes = fromBytes((text) => PublicKey.make(text, unchecked), PUBLIC_KEY_BYTES);
export const signatureFromBytes = fromBytes((text) => Signature.make(text, unchecked), SIGNATURE_BYTES);

/** The document of entries that belong to no document: membership, purge of nothing, voids of either. */
export const NO_DOCUMENT: DocumentId = documentIdFromBytes(new Uint8Array(ID_BYTES));

/** A label that separates the uses of one hash or one key, ended by a zero byte. */
export const label = (name: string): Uint8Array => new TextEncoder().encode(`cairn/v1/${name}\0`);

const WORKSPACE_LABEL = label("workspace-id");
const DEVICE_LABEL = label("device-id");
const LINK_LABEL = label("link-id");

/** The id that a first root key gives its workspace (rule 24). */
export const workspaceIdOfRootKey = (rootPublicKey: Uint8Array): WorkspaceId =>
  workspaceIdFromBytes(sha256(concatBytes(WORKSPACE_LABEL, rootPublicKey)).subarray(0, ID_BYTES));

/** The id that a signing key gives its device in a workspace (rule 1). */
export const deviceIdOfSigningKey = (workspace: WorkspaceId, signingPublicKey: Uint8Array): DeviceId =>
  deviceIdFromBytes(sha256(concatBytes(DEVICE_LABEL, idToBytes(workspace), signingPublicKey)).subarray(0, ID_BYTES));

/** The id that a link's signing key gives it in a workspace. */
export const linkIdOfSigningKey = (workspace: WorkspaceId, signingPublicKey: Uint8Array): LinkId =>
  linkIdFromBytes(sha256(concatBytes(LINK_LABEL, idToBytes(workspace), signingPublicKey)).subarray(0, ID_BYTES));

/** Reads the 16 bytes of an id. */
export const readId = (reader: ByteReader): Uint8Array => reader.raw(ID_BYTES);
