import { describe, expect, it } from "vitest";
import {
  decodeKeyFile,
  deviceIdOf,
  deviceKeysFromSecret,
  encodeKeyFile,
  generateDeviceKeys,
  generateDeviceSecret,
  generatePersonSeed,
  homeRootSecret,
  isChallengeProvenBy,
  isSignedBy,
  personSeedFromWords,
  proveChallenge,
  recoveryWords,
  rootKeysFromSecret,
  sign,
  systemRandom,
  workspaceIdOf,
} from "@cairn/crypto";
import {
  type Challenge,
  ChallengePurpose,
  decodeBase64Url,
  idToBytes,
  serverIdFromBytes,
  workspaceIdFromBytes,
  workspaceIdOfRootKey,
} from "@cairn/protocol";
import { seededRandom } from "./seeded-random.ts";

const random = seededRandom("keys-and-words");

describe("recovery words", () => {
  const seed = generatePersonSeed(random);
  const words = recoveryWords(seed);

  it("are 24 and give the seed back, however they were typed", () => {
    expect(words).toHaveLength(24);
    expect(personSeedFromWords(words.join(" "))).toEqual(seed);
    expect(personSeedFromWords(`  ${words.join("\n").toUpperCase()} `)).toEqual(seed);
  });

  it("say which word is wrong", () => {
    expect(() => personSeedFromWords(words.slice(1).join(" "))).toThrow(
      expect.objectContaining({ code: "words-count" }),
    );
    expect(() => personSeedFromWords("")).toThrow(expect.objectContaining({ code: "words-count" }));
    expect(() => personSeedFromWords(words.with(4, "abandom").join(" "))).toThrow(
      expect.objectContaining({ code: "words-unknown", position: 5 }),
    );
    const exchanged = words[0] === "zoo" ? words.with(0, "abandon") : words.with(0, "zoo");
    expect(() => personSeedFromWords(exchanged.join(" "))).toThrow(expect.objectContaining({ code: "words-checksum" }));
  });

  it("open the same home workspace every time", async () => {
    const root = await rootKeysFromSecret(await homeRootSecret(seed));
    const again = await rootKeysFromSecret(await homeRootSecret(personSeedFromWords(words.join(" "))));
    expect(workspaceIdOf(again)).toBe(workspaceIdOf(root));
    expect(again.recovery.publicKey).toBe(root.recovery.publicKey);
    expect(workspaceIdOf(root)).toBe(workspaceIdOfRootKey(idToBytes(root.signing.publicKey)));
    const stranger = await rootKeysFromSecret(await homeRootSecret(generatePersonSeed(random)));
    expect(workspaceIdOf(stranger)).not.toBe(workspaceIdOf(root));
  });
});

describe("device keys", () => {
  it("cannot be exported", async () => {
    const keys = await generateDeviceKeys(random);
    await expect(crypto.subtle.exportKey("pkcs8", keys.signing.privateKey)).rejects.toMatchObject({
      name: "InvalidAccessError",
    });
    await expect(crypto.subtle.exportKey("jwk", keys.agreement.privateKey)).rejects.toMatchObject({
      name: "InvalidAccessError",
    });
    const cloned = structuredClone(keys);
    const bytes = Uint8Array.of(1);
    expect(await isSignedBy(keys.signing.publicKey, await sign(cloned.signing, bytes), bytes)).toBe(true);
  });

  it("come back from a key file", async () => {
    const secret = generateDeviceSecret(random);
    const text = await encodeKeyFile(secret);
    expect(await decodeKeyFile(text)).toEqual(secret);
    const workspace = workspaceIdFromBytes(random(16));
    const keys = await deviceKeysFromSecret(await decodeKeyFile(text));
    expect(deviceIdOf(workspace, keys)).toBe(deviceIdOf(workspace, await deviceKeysFromSecret(secret)));
    expect(deviceIdOf(workspaceIdFromBytes(random(16)), keys)).not.toBe(deviceIdOf(workspace, keys));
  });

  it("say what is wrong with a key file", async () => {
    const text = await encodeKeyFile(generateDeviceSecret(random));
    const otherText = await encodeKeyFile(generateDeviceSecret(random));
    const x = /"x": "([^"]+)"/u;
    const mixed = text.replace(x, `"x": "${x.exec(otherText)?.[1]}"`);
    const cases: ReadonlyArray<readonly [string, string]> = [
      ["", "key-file"],
      ["{}", "key-file"],
      ["null", "key-file"],
      [text.slice(0, 100), "key-file"],
      [text.replace('"version": 1', '"version": 2'), "key-file-version"],
      [text.replace("X25519", "X448"), "key-file"],
      [text.replace(/"d": "./u, '"d": "!'), "key-file"],
      [text.replace(/"d": "..../u, '"d": "'), "key-file"],
      [mixed, "key-file"],
    ];
    for (const [damaged, code] of cases)
      await expect(decodeKeyFile(damaged)).rejects.toMatchObject({ _tag: "KeyInvalid", code });
  });
});

describe("a challenge's proof", () => {
  it("holds for exactly that challenge", async () => {
    const { signing } = await generateDeviceKeys(random);
    const workspace = workspaceIdFromBytes(random(16));
    const challenge: Challenge = {
      purpose: ChallengePurpose.session,
      server: serverIdFromBytes(random(16)),
      origin: "https://notes.example",
      workspace,
      subject: deviceIdOf(workspace, await generateDeviceKeys(random)),
      statement: new Uint8Array(0),
      nonce: random(32),
    };
    const proof = await proveChallenge(challenge, signing);
    const signature = decodeBase64Url(proof.signature) ?? new Uint8Array();
    expect(proof.origin).toBe(challenge.origin);
    expect(decodeBase64Url(proof.nonce)).toEqual(challenge.nonce);
    expect(await isChallengeProvenBy(challenge, signature, signing.publicKey)).toBe(true);
    const others: ReadonlyArray<Partial<Challenge>> = [
      { purpose: ChallengePurpose.live },
      { server: serverIdFromBytes(random(16)) },
      { origin: "https://notes.example.evil" },
      { workspace: workspaceIdFromBytes(random(16)) },
      { subject: deviceIdOf(workspace, await generateDeviceKeys(random)) },
      { statement: Uint8Array.of(0) },
      { nonce: random(32) },
    ];
    for (const other of others)
      expect(await isChallengeProvenBy({ ...challenge, ...other }, signature, signing.publicKey)).toBe(false);
  });
});

it("the system's random source fills any length", () => {
  expect(systemRandom(0)).toHaveLength(0);
  const bytes = systemRandom(200_000);
  expect(bytes).toHaveLength(200_000);
  for (let offset = 0; offset < bytes.length; offset += 50_000)
    expect(bytes.subarray(offset, offset + 32).some((byte) => byte !== 0)).toBe(true);
});
