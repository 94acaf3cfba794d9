/**
 * A workspace's root: one 32-byte secret that yields an Ed25519 pair, whose hash is the workspace's id and which signs
 * the first certificates, and an X25519 pair for recovery, to which every epoch key is sealed.
 *
 * Roots are random; the home workspace's comes from the person's seed, and the home workspace's documents hold the others
 * (rule 24).
 */
import { idToBytes, type WorkspaceId, workspaceIdOfRootKey } from "@cairn/protocol";
import { type AgreementKeys, agreementKeysFromSeed } from "./agreement-keys.ts";
import { deriveBytes, importSecret, KDF_LABELS, SECRET_BYTES } from "./key-derivation.ts";
import type { RandomSource } from "./random.ts";
import { type SigningKeys, signingKeysFromSeed } from "./signing-keys.ts";

/** Both pairs of a root. */
export interface RootKeys {
  readonly signing: SigningKeys;
  readonly recovery: AgreementKeys;
}

/** A new root secret of 32 bytes. */
export const generateRootSecret = (random: RandomSource): Uint8Array => random(SECRET_BYTES);

const NO_SALT = new Uint8Array(0);

/** The pairs of a root secret. Throws `KeyInvalid` unless it has 32 bytes. */
export const rootKeysFromSecret = async (rootSecret: Uint8Array): Promise<RootKeys> => {
  const secret = await importSecret(rootSecret);
  return {
    signing: await signingKeysFromSeed(await deriveBytes(secret, NO_SALT, [KDF_LABELS.rootSigning])),
    recovery: await agreementKeysFromSeed(await deriveBytes(secret, NO_SALT, [KDF_LABELS.rootRecovery])),
  };
};

/** The id of the workspace that these keys found. */
export const workspaceIdOf = (root: RootKeys): WorkspaceId => workspaceIdOfRootKey(idToBytes(root.signing.publicKey));
