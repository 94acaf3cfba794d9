/**
 * A device's keys in one workspace: an Ed25519 pair that signs, whose hash is the device's id, and an X25519 pair to
 * which epoch keys are sealed.
 *
 * A browser stores the `DeviceKeys` record in IndexedDB as it is: its private keys cannot be exported. Node keeps the
 * `DeviceSecret` in a file of mode 0600, in the form of `encodeKeyFile`.
 */
import {
  decodeBase64Url,
  type DeviceId,
  deviceIdOfSigningKey,
  encodeBase64Url,
  idToBytes,
  type WorkspaceId,
} from "@cairn/protocol";
import { type AgreementKeys, agreementKeysFromSeed } from "./agreement-keys.ts";
import { KeyInvalid } from "./errors.ts";
import { SECRET_BYTES } from "./key-derivation.ts";
import type { RandomSource } from "./random.ts";
import { type SigningKeys, signingKeysFromSeed } from "./signing-keys.ts";

/** Both pairs of a device, ready for use and for structured clone. */
export interface DeviceKeys {
  readonly signing: SigningKeys;
  readonly agreement: AgreementKeys;
}

/** The private halves as bytes: for key files and tests. Whoever has them is the device. */
export interface DeviceSecret {
  readonly signingSeed: Uint8Array;
  readonly agreementSeed: Uint8Array;
}

/** A new device's secret. */
export const generateDeviceSecret = (random: RandomSource): DeviceSecret => ({
  signingSeed: random(SECRET_BYTES),
  agreementSeed: random(SECRET_BYTES),
});

/** The keys of a secret. Throws `KeyInvalid` where a part does not have 32 bytes. */
export const deviceKeysFromSecret = async (secret: DeviceSecret): Promise<DeviceKeys> => ({
  signing: await signingKeysFromSeed(secret.signingSeed),
  agreement: await agreementKeysFromSeed(secret.agreementSeed),
});

/** New keys whose secret is forgotten at once: for browsers. */
export const generateDeviceKeys = async (random: RandomSource): Promise<DeviceKeys> => {
  const secret = generateDeviceSecret(random);
  const keys = await deviceKeysFromSecret(secret);
  secret.signingSeed.fill(0);
  secret.agreementSeed.fill(0);
  return keys;
};

/** The device's id in a workspace. */
export const deviceIdOf = (workspace: WorkspaceId, keys: DeviceKeys): DeviceId =>
  deviceIdOfSigningKey(workspace, idToBytes(keys.signing.publicKey));

const FORMAT = "cairn-device-keys";
const VERSION = 1;

/** A device's secret as the text of a key file: JSON with two JWKs (RFC 8037). Write it with mode 0600. */
export const encodeKeyFile = async (secret: DeviceSecret): Promise<string> => {
  const keys = await deviceKeysFromSecret(secret);
  const jwk = (curve: "Ed25519" | "X25519", publicKey: string, seed: Uint8Array) => ({
    kty: "OKP",
    crv: curve,
    x: publicKey,
    d: encodeBase64Url(seed),
  });
  return `${JSON.stringify(
    {
      format: FORMAT,
      version: VERSION,
      signing: jwk("Ed25519", keys.signing.publicKey, secret.signingSeed),
      agreement: jwk("X25519", keys.agreement.publicKey, secret.agreementSeed),
    },
    undefined,
    2,
  )}\n`;
};

const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === "object" && value !== null;

const notAKeyFile = (reason: string): KeyInvalid => new KeyInvalid({ code: "key-file", reason });

const readJwk = (value: unknown, curve: string): Uint8Array => {
  if (!isRecord(value) || value["kty"] !== "OKP" || value["crv"] !== curve || typeof value["d"] !== "string")
    throw notAKeyFile(`the key file has no ${curve} key`);
  const seed = decodeBase64Url(value["d"]);
  if (seed?.length === SECRET_BYTES) return seed;
  throw notAKeyFile(`the ${curve} key of the key file is damaged`);
};

/** Reads a key file's text. Throws `KeyInvalid`, also where a public key does not belong to its private key. */
export const decodeKeyFile = async (text: string): Promise<DeviceSecret> => {
  const parsed = ((): unknown => {
    try {
      return JSON.parse(text);
    } catch {
      return undefined;
    }
  })();
  if (!isRecord(parsed) || parsed["format"] !== FORMAT) throw notAKeyFile("not a device key file");
  if (parsed["version"] !== VERSION)
    throw new KeyInvalid({
      code: "key-file-version",
      reason: "the key file was written by a newer version; update this one",
    });
  const { signing, agreement } = parsed;
  const secret = {
    signingSeed: readJwk(signing, "Ed25519"),
    agreementSeed: readJwk(agreement, "X25519"),
  };
  const keys = await deviceKeysFromSecret(secret);
  if (!isRecord(signing) || signing["x"] !== keys.signing.publicKey)
    throw notAKeyFile("the signing key of the key file is damaged");
  if (!isRecord(agreement) || agreement["x"] !== keys.agreement.publicKey)
    throw notAKeyFile("the agreement key of the key file is damaged");
  return secret;
};
