/**
 * What a workspace is called, for those who hold a link to it and have not joined: sealed under a key of the link's
 * secret, so that the server that keeps it cannot read it.
 *
 * ```
 * sealed name = version(1) nonce(12) ciphertext(128) tag(16)      AES-256-GCM under the link-name key
 * plaintext   = UTF-8, filled up with zero bytes to 128
 * additional data = label(link-name) workspace(16) link(16)
 * ```
 *
 * One length for every name, so that the server does not learn how long it is.
 */
import { ByteWriter, concatBytes, idToBytes, label, type WorkspaceId } from "@cairn/protocol";
import type { AccessLink } from "./access-link.ts";
import { NONCE_BYTES, openWithNonce, sealWithNonce, TAG_BYTES } from "./authenticated-encryption.ts";
import { SealBroken } from "./errors.ts";
import { deriveSealKey, importSecret, KDF_LABELS } from "./key-derivation.ts";
import type { RandomSource } from "./random.ts";

const VERSION = 1;
const NAME_BYTES = 128;
/** Bytes of every sealed name. */
export const SEALED_LINK_NAME_BYTES = 1 + NONCE_BYTES + NAME_BYTES + TAG_BYTES;

type NamedLink = Pick<AccessLink, "workspace" | "link" | "secret">;

const keyOf = async (workspace: WorkspaceId, secret: Uint8Array): Promise<CryptoKey> =>
  deriveSealKey(await importSecret(secret), idToBytes(workspace), [KDF_LABELS.linkName]);

const placeOf = ({ workspace, link }: NamedLink): Uint8Array =>
  new ByteWriter(64).raw(label("link-name")).raw(idToBytes(workspace)).raw(idToBytes(link)).finish();

/** As much of a name as fits, cut between characters. Zero bytes end it, so it has none. */
const fitting = (name: string): Uint8Array => {
  const plain = new Uint8Array(NAME_BYTES);
  new TextEncoder().encodeInto(name.replaceAll("\0", ""), plain);
  return plain;
};

/** Seals a workspace's name for a link. What does not fit into 128 bytes of UTF-8 is cut. */
export const sealLinkName = async (link: NamedLink, name: string, random: RandomSource): Promise<Uint8Array> =>
  concatBytes(
    Uint8Array.of(VERSION),
    await sealWithNonce(await keyOf(link.workspace, link.secret), fitting(name), placeOf(link), random),
  );

/** Opens a sealed name. Rejects with `SealBroken` unless it was sealed by the link's secret for this link. */
export const openLinkName = async (link: NamedLink, sealed: Uint8Array): Promise<string> => {
  if (sealed.length !== SEALED_LINK_NAME_BYTES || sealed[0] !== VERSION)
    throw new SealBroken({ code: "seal-form", reason: "not a link's sealed name" });
  const plain = await openWithNonce(await keyOf(link.workspace, link.secret), sealed.subarray(1), placeOf(link));
  const end = plain.indexOf(0);
  return new TextDecoder("utf-8", { ignoreBOM: true }).decode(end === -1 ? plain : plain.subarray(0, end));
};
