/** Published test vectors, by their source. Run in Node and in Chromium: both platforms have to agree with them. */
import { expect, it } from "vitest";
import { hex } from "@scure/base";
import { concatBytes, idToBytes, publicKeyFromBytes } from "@cairn/protocol";
import {
  agreementKeysFromSeed,
  isSignedBy,
  isSoundAgreementKey,
  isSoundSigningKey,
  openFromKey,
  personSeedFromWords,
  recoveryWords,
  sealToKey,
  sign,
  signingKeysFromSeed,
} from "@cairn/crypto";
import { decrypt, encrypt } from "../src/authenticated-encryption.ts";
import { deriveBytes } from "../src/key-derivation.ts";

const ED25519_RFC_8032 = [
  {
    seed: "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
    publicKey: "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
    message: "",
    signature:
      "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b",
  },
  {
    seed: "4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb",
    publicKey: "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c",
    message: "72",
    signature:
      "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00",
  },
  {
    seed: "c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7",
    publicKey: "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025",
    message: "af82",
    signature:
      "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a",
  },
];

const X25519_RFC_7748 = {
  alicePublic: "8520f0098930a754748b7ddcb43ef75a0dbf3a0d26381af4eba4a98eaa9b4e6a",
  bobPrivate: "5dab087e624a8a4b79e17f8b83800ee66f3bb1292618b6fd1c2f8b27ff88e0eb",
  bobPublic: "de9edb7d7b7dc1b4d35b61c2ece435373f8343c85b78674dadfc7e146f882b4f",
  shared: "4a5d9d5ba4ce2de1728e3bf480350f25e07e21c947d19e3376f09b3c1e161742",
};

const HKDF_RFC_5869 = [
  {
    ikm: "0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b",
    salt: "000102030405060708090a0b0c",
    info: "f0f1f2f3f4f5f6f7f8f9",
    okm: "3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007208d5b887185865",
  },
  {
    ikm: "0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b",
    salt: "",
    info: "",
    okm: "8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d9d201395faa4b61a96c8",
  },
];

/** From the test vectors published with RFC 9180: mode base, kem 0x0020, kdf 0x0001, aead 0x0002. */
const HPKE_RFC_9180 = {
  info: "4f6465206f6e2061204772656369616e2055726e",
  ikmE: "2cd7c601cefb3d42a62b04b7a9041494c06c7843818e0ce28a8f704ae7ab20f9",
  pkRm: "430f4b9859665145a6b1ba274024487bd66f03a2dd577d7753c68d7d7d00c00c",
  skRm: "497b4502664cfea5d5af0b39934dac72242a74f8480451e1aee7d6a53320333d",
  enc: "6c93e09869df3402d7bf231bf540fadd35cd56be14f97178f0954db94b7fc256",
  key: "f50b0609186798729ed0564b36ef2ef8044f1f9d05636874d1f46c819c7a669f",
  baseNonce: "151d9929e2449747889bc923",
  plaintext: "4265617574792069732074727574682c20747275746820626561757479",
  additionalData: "436f756e742d30",
  ciphertext: "e5d84cd531cfb583096e7cfa9641bd3079cf3a91cda813c52deb5f512be9931980a41de125a925cdad859d5b7a",
};

/** Test cases 13, 14 and 16 of the GCM submission to NIST. */
const AES_256_GCM_NIST = [
  {
    key: "00".repeat(32),
    nonce: "00".repeat(12),
    plaintext: "",
    additionalData: "",
    sealed: "530f8afbc74536b9a963b4f1c4cb738b",
  },
  {
    key: "00".repeat(32),
    nonce: "00".repeat(12),
    plaintext: "00".repeat(16),
    additionalData: "",
    sealed: "cea7403d4d606b6e074ec5d3baf39d18d0d1c8a799996bf0265b98b5d48ab919",
  },
  {
    key: "feffe9928665731c6d6a8f9467308308feffe9928665731c6d6a8f9467308308",
    nonce: "cafebabefacedbaddecaf888",
    plaintext:
      "d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a721c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657ba637b39",
    additionalData: "feedfacedeadbeeffeedfacedeadbeefabaddad2",
    sealed:
      "522dc1f099567d07f47f37a32a84427d643a8cdcbfe5c0c97598a2bd2555d1aa8cb08e48590dbb3da7b08b1056828838c5f61e6393ba7a0abcc9f66276fc6ece0f4e1768cddf8853bb2d551b",
  },
];

/** The 256-bit English vectors of BIP-39's reference implementation. */
const BIP_39 = [
  {
    entropy: "00".repeat(32),
    words: `${"abandon ".repeat(23)}art`,
  },
  {
    entropy: "7f".repeat(32),
    words:
      "legal winner thank year wave sausage worth useful legal winner thank year wave sausage worth useful legal winner thank year wave sausage worth title",
  },
  {
    entropy: "3edc83b60740d77af3afa2fcb82c2f1bc541ee4e2518ddef4996d32453f54a3c",
    words:
      "disagree tomato unique attend aspect runway solid violin witness scrap armed daring favorite warm decade perfect target kid grant play early wide cigar night",
  },
];

/** Ed25519's group order, little-endian. */
const GROUP_ORDER = hex.decode("edd3f55c1a631258d69cf7a2def9de1400000000000000000000000000000010");

const addGroupOrder = (scalar: Uint8Array): Uint8Array => {
  let carry = 0;
  return scalar.map((byte, index) => {
    const sum = byte + (GROUP_ORDER[index] ?? 0) + carry;
    carry = sum >> 8;
    return sum & 0xff;
  });
};

export const knownAnswers = (): void => {
  it.each(ED25519_RFC_8032)("Ed25519 signs as in RFC 8032 ($publicKey)", async (vector) => {
    const keys = await signingKeysFromSeed(hex.decode(vector.seed));
    const message = hex.decode(vector.message);
    expect(hex.encode(idToBytes(keys.publicKey))).toBe(vector.publicKey);
    expect(hex.encode(await sign(keys, message))).toBe(vector.signature);
    expect(await isSignedBy(keys.publicKey, hex.decode(vector.signature), message)).toBe(true);
    expect(
      await isSignedBy(keys.publicKey, hex.decode(vector.signature), concatBytes(message, message, Uint8Array.of(1))),
    ).toBe(false);
  });

  it("Ed25519 refuses a signature with the group order added to its scalar (RFC 8032, 5.1.7)", async () => {
    const keys = await signingKeysFromSeed(new Uint8Array(32).fill(7));
    const message = Uint8Array.of(1, 2, 3);
    const signature = await sign(keys, message);
    const malleable = concatBytes(signature.subarray(0, 32), addGroupOrder(signature.subarray(32)));
    expect(await isSignedBy(keys.publicKey, signature, message)).toBe(true);
    expect(await isSignedBy(keys.publicKey, malleable, message)).toBe(false);
  });

  it("keys of low order, and what is no point, are not sound", () => {
    const identity = hex.decode(`01${"00".repeat(31)}`);
    const orderTwo = hex.decode(`ec${"ff".repeat(30)}7f`);
    const notCanonical = hex.decode(`ee${"ff".repeat(30)}7f`);
    for (const bytes of [identity, orderTwo, notCanonical])
      expect(isSoundSigningKey(publicKeyFromBytes(bytes))).toBe(false);
    for (const vector of ED25519_RFC_8032)
      expect(isSoundSigningKey(publicKeyFromBytes(hex.decode(vector.publicKey)))).toBe(true);
    for (const bytes of [new Uint8Array(32), identity])
      expect(isSoundAgreementKey(publicKeyFromBytes(bytes))).toBe(false);
    expect(isSoundAgreementKey(publicKeyFromBytes(hex.decode(X25519_RFC_7748.alicePublic)))).toBe(true);
  });

  it("X25519 agrees as in RFC 7748, 6.1", async () => {
    const bob = await agreementKeysFromSeed(hex.decode(X25519_RFC_7748.bobPrivate));
    expect(hex.encode(idToBytes(bob.publicKey))).toBe(X25519_RFC_7748.bobPublic);
    const alice = await crypto.subtle.importKey(
      "raw",
      hex.decode(X25519_RFC_7748.alicePublic).slice(),
      { name: "X25519" },
      false,
      [],
    );
    const shared = await crypto.subtle.deriveBits({ name: "X25519", public: alice }, bob.privateKey, 256);
    expect(hex.encode(new Uint8Array(shared))).toBe(X25519_RFC_7748.shared);
  });

  it.each(HKDF_RFC_5869)("HKDF derives as in RFC 5869 (salt $salt)", async (vector) => {
    const secret = await crypto.subtle.importKey("raw", hex.decode(vector.ikm).slice(), "HKDF", false, ["deriveBits"]);
    const okm = await deriveBytes(secret, hex.decode(vector.salt), [hex.decode(vector.info)], 42);
    expect(hex.encode(okm)).toBe(vector.okm);
  });

  it("HPKE seals as in RFC 9180's vectors", async () => {
    const vector = HPKE_RFC_9180;
    const key = await crypto.subtle.importKey("raw", hex.decode(vector.key).slice(), "AES-GCM", false, [
      "encrypt",
      "decrypt",
    ]);
    const nonce = hex.decode(vector.baseNonce);
    const plaintext = hex.decode(vector.plaintext);
    // The published ciphertext has additional data; ours is always empty. Key and nonce of the context are the same.
    expect(hex.encode(await encrypt(key, nonce, plaintext, hex.decode(vector.additionalData)))).toBe(vector.ciphertext);
    const expected = concatBytes(hex.decode(vector.enc), await encrypt(key, nonce, plaintext, new Uint8Array(0)));
    const info = hex.decode(vector.info);
    const sealed = await sealToKey(publicKeyFromBytes(hex.decode(vector.pkRm)), plaintext, info, () =>
      hex.decode(vector.ikmE),
    );
    expect(hex.encode(sealed)).toBe(hex.encode(expected));
    const recipient = await agreementKeysFromSeed(hex.decode(vector.skRm));
    expect(hex.encode(idToBytes(recipient.publicKey))).toBe(vector.pkRm);
    expect(hex.encode(await openFromKey(recipient, expected, info))).toBe(vector.plaintext);
  });

  it.each(AES_256_GCM_NIST)("AES-256-GCM seals as in NIST's test cases ($sealed)", async (vector) => {
    const key = await crypto.subtle.importKey("raw", hex.decode(vector.key).slice(), "AES-GCM", false, [
      "encrypt",
      "decrypt",
    ]);
    const nonce = hex.decode(vector.nonce);
    const additionalData = hex.decode(vector.additionalData);
    const sealed = await encrypt(key, nonce, hex.decode(vector.plaintext), additionalData);
    expect(hex.encode(sealed)).toBe(vector.sealed);
    expect(hex.encode(await decrypt(key, nonce, sealed, additionalData))).toBe(vector.plaintext);
  });

  it.each(BIP_39)("24 words are BIP-39's ($entropy)", ({ entropy, words }) => {
    expect(recoveryWords(hex.decode(entropy)).join(" ")).toBe(words);
    expect(hex.encode(personSeedFromWords(words))).toBe(entropy);
  });
};
