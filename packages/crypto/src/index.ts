export * from "./access-link.ts";
export {
  type AgreementKeys,
  agreementKeysFromSeed,
  isSoundAgreementKey,
  openFromKey,
  sealToKey,
} from "./agreement-keys.ts";
export * from "./attachment-chunks.ts";
export * from "./certificates.ts";
export * from "./challenge-proof.ts";
export * from "./device-keys.ts";
export * from "./entry-signature.ts";
export * from "./epoch-key-transfer.ts";
export * from "./epoch-keys.ts";
export * from "./epoch-unlock.ts";
export {
  AccessLinkInvalid,
  ContentTooLarge,
  EpochKeyMissing,
  KeyInvalid,
  MembershipChainBroken,
  RecoveryWordsInvalid,
  SealBroken,
  SignatureInvalid,
} from "./errors.ts";
export { KDF_LABELS, SECRET_BYTES } from "./key-derivation.ts";
export * from "./link-name.ts";
export * from "./membership-chain.ts";
export * from "./membership-fold.ts";
export * from "./membership-proposals.ts";
export * from "./membership-state.ts";
export * from "./random.ts";
export * from "./root-key.ts";
export * from "./sealed-payload.ts";
export * from "./sealed-text.ts";
export * from "./seed.ts";
export * from "./signing-keys.ts";
