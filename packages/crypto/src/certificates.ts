/** Certificates: the statement of a root, an owner's device or a link's key that a device is a member (rules 19, 22). */
import {
  type Certificate,
  certificateSigningBytes,
  type DeviceId,
  deviceIdOfSigningKey,
  idToBytes,
  type PublicKey,
  type RoleName,
  Role,
  type SignedCertificate,
  type WorkspaceId,
} from "@cairn/protocol";
import { isSoundAgreementKey } from "./agreement-keys.ts";
import type { DeviceKeys } from "./device-keys.ts";
import { isSignedBy, isSoundSigningKey, sign, type SigningKeys } from "./signing-keys.ts";

/** Signs a certificate with its issuer's key. */
export const signCertificate = async (certificate: Certificate, issuer: SigningKeys): Promise<SignedCertificate> => ({
  certificate,
  signature: await sign(issuer, certificateSigningBytes(certificate)),
});

/** A certificate for a device, signed by its issuer's key. `from` is the first counter that counts: 1 for a new device. */
export const certifyDevice = (input: {
  readonly workspace: WorkspaceId;
  readonly device: Pick<DeviceKeys, "signing" | "agreement"> | DevicePublicKeys;
  readonly role: RoleName;
  readonly from: number;
  readonly to?: number;
  readonly issuer: Certificate["issuer"];
  readonly issuerKeys: SigningKeys;
}): Promise<SignedCertificate> =>
  signCertificate(
    {
      workspace: input.workspace,
      signingKey: input.device.signing.publicKey,
      agreementKey: input.device.agreement.publicKey,
      role: input.role,
      from: input.from,
      to: input.to,
      issuer: input.issuer,
    },
    input.issuerKeys,
  );

/** The public halves of a device's keys: what an issuer needs to know of another device. */
export interface DevicePublicKeys {
  readonly signing: { readonly publicKey: PublicKey };
  readonly agreement: { readonly publicKey: PublicKey };
}

/** Whether the certificate is signed by this key. */
export const isCertificateSignedBy = (
  { certificate, signature }: SignedCertificate,
  issuer: PublicKey,
): Promise<boolean> => isSignedBy(issuer, signature, certificateSigningBytes(certificate));

/** The device that a certificate is about. */
export const certifiedDevice = (certificate: Certificate): DeviceId =>
  deviceIdOfSigningKey(certificate.workspace, idToBytes(certificate.signingKey));

/** Whether `role` may do nothing that `other` may not. */
export const isAtMost = (role: RoleName, other: RoleName): boolean => Role[role] >= Role[other];

/** Whether a certificate is about this workspace, with usable keys and a possible interval. No signature is checked. */
export const isWellFormedCertificate = (certificate: Certificate, workspace: WorkspaceId): boolean =>
  certificate.workspace === workspace &&
  certificate.from >= 1 &&
  (certificate.to === undefined || certificate.to >= certificate.from) &&
  isSoundSigningKey(certificate.signingKey) &&
  isSoundAgreementKey(certificate.agreementKey);
