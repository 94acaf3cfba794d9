/**
 * Makes the golden vectors of `packages/protocol/test/vectors`: every format, with all inputs given, so that another
 * implementation can check each step. Bytes are lower-case hex, ids are what they are in JSON.
 *
 * `npm run vectors -w @cairn/crypto` writes them; tests hold them to what the code makes.
 */
import { hex } from "@scure/base";
import {
  assembleEntry,
  type Certificate,
  certificateSigningBytes,
  type Challenge,
  challengeBytes,
  ChallengePurpose,
  decodeMembership,
  deviceIdFromBytes,
  deviceIdOfSigningKey,
  documentIdFromBytes,
  emptyLogChain,
  encodeBatch,
  encodeCertificate,
  encodeFrame,
  encodeHeader,
  encodePage,
  type Entry,
  entryHash,
  type EntryHeader,
  EntryKind,
  entrySigningBytes,
  type Hash,
  hashFromBytes,
  idToBytes,
  linkIdFromBytes,
  linkIdOfSigningKey,
  type LiveFrame,
  type MembershipRecord,
  nextLogChain,
  NO_DOCUMENT,
  PROTOCOL_VERSION,
  rotateRootSigningBytes,
  serverIdFromBytes,
  signatureFromBytes,
  sortCovers,
  sortHashes,
  workspaceIdFromBytes,
  workspaceIdOfRootKey,
  wireError,
} from "@cairn/protocol";
import {
  agreementKeysFromSeed,
  certifiedDevice,
  deviceIdOf,
  deviceKeysFromSecret,
  encodeAccessLink,
  encodeKeyFile,
  epochKeyInfo,
  homeRootSecret,
  Keyring,
  KDF_LABELS,
  keyChangeRecord,
  linkKeysFromSecret,
  makeSealing,
  personSeedFromWords,
  recoveryWords,
  rootKeysFromSecret,
  rotateRootRecord,
  sealChunk,
  sealEntry,
  sealLinkName,
  sealPreviousEpochKey,
  sealText,
  sealToKey,
  sign,
  signCertificate,
  signEntry,
  signingKeysFromSeed,
  workspaceIdOf,
} from "@cairn/crypto";
import { seededRandom } from "./seeded-random.ts";
import { encrypt } from "../src/authenticated-encryption.ts";
import { deriveBytes, importSecret } from "../src/key-derivation.ts";
import { TestWorkspace } from "./test-workspace.ts";

const toHex = (bytes: Uint8Array): string => hex.encode(bytes);
const bytesOf = (text: string): Uint8Array => new TextEncoder().encode(text);
const fill = (value: number, length: number): Uint8Array => new Uint8Array(length).fill(value);

/** Values as JSON shows them: bytes as hex, undefined as null. */
export const toJson = (value: unknown): unknown => {
  if (value instanceof Uint8Array) return toHex(value);
  if (value === undefined) return null;
  if (Array.isArray(value)) return value.map(toJson);
  if (typeof value === "object" && value !== null)
    return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, toJson(inner)]));
  return value;
};

const workspace = workspaceIdFromBytes(fill(0x10, 16));
const document = documentIdFromBytes(fill(0x20, 16));
const otherDevice = deviceIdFromBytes(fill(0x30, 16));
const server = serverIdFromBytes(fill(0x40, 16));
const deviceSecret = { signingSeed: fill(0x51, 32), agreementSeed: fill(0x52, 32) };
const epochKey = fill(0x61, 32);
const nextEpochKey = fill(0x62, 32);
const keyring = () =>
  new Keyring(workspace, [
    [1, epochKey],
    [2, nextEpochKey],
  ]);

const baseHeader = async (): Promise<EntryHeader> => ({
  version: PROTOCOL_VERSION,
  kind: EntryKind.update,
  workspace,
  document,
  device: deviceIdOf(workspace, await deviceKeysFromSecret(deviceSecret)),
  counter: 2,
  epoch: 1,
  covers: [],
  refs: [],
  extensions: [],
});

const describeEntry = (name: string, entry: Entry) => ({
  name,
  header: entry.header,
  headerBytes: entry.headerBytes,
  signingBytes: toHex(entrySigningBytes(entry.headerBytes, entry.payload)).slice(0, 120),
  payload: entry.payload,
  signature: entry.signature,
  bytes: entry.bytes,
  hash: entryHash(entry.bytes),
});

const entries = async () => {
  const device = await deviceKeysFromSecret(deviceSecret);
  const header = await baseHeader();
  const refs = sortHashes([hashFromBytes(fill(0x71, 32)), hashFromBytes(fill(0x70, 32))]);
  const covers = sortCovers(
    new Map([
      [otherDevice, 300],
      [header.device, 1],
    ]),
  );
  const cases: ReadonlyArray<readonly [string, Partial<EntryHeader>, Uint8Array]> = [
    ["void", { kind: EntryKind.void, document: NO_DOCUMENT, epoch: 0 }, fill(0, 0)],
    ["update with refs", { refs, counter: 128 }, fill(1, 30)],
    ["snapshot with covers", { kind: EntryKind.snapshot, covers, counter: 2 ** 40 }, fill(2, 200)],
    ["purge", { kind: EntryKind.purge, epoch: 0 }, fill(0, 0)],
    ["unknown kind", { kind: 200 }, fill(3, 5)],
    [
      "unknown extensions",
      {
        extensions: [
          { type: 1, critical: false, bytes: fill(9, 3) },
          { type: 300, critical: true, bytes: fill(0, 0) },
        ],
      },
      fill(4, 5),
    ],
    ["highest numbers", { counter: Number.MAX_SAFE_INTEGER, epoch: 0xffff_ffff }, fill(5, 1)],
  ];
  const valid = await Promise.all(
    cases.map(async ([name, change, payload]) =>
      describeEntry(name, await signEntry({ ...header, ...change }, payload, device.signing)),
    ),
  );
  const { headerBytes, bytes } = await signEntry(header, fill(6, 4), device.signing);
  const edit = (at: number, ...values: ReadonlyArray<number>): Uint8Array => {
    const edited = bytes.slice();
    edited.set(values, at);
    return edited;
  };
  const insert = (at: number, ...values: ReadonlyArray<number>): Uint8Array =>
    new Uint8Array([...bytes.subarray(0, at), ...values, ...bytes.subarray(at)]);
  const counterAt = 2 + 16 * 3;
  const malformed = [
    { name: "empty", bytes: fill(0, 0) },
    { name: "unsupported version", bytes: edit(0, 0) },
    { name: "counter 0", bytes: edit(counterAt, 0) },
    { name: "counter not in its shortest form", bytes: insert(counterAt + 1, 0).with(counterAt, 0x82) },
    {
      name: "counter above 2^53 - 1",
      bytes: insert(counterAt, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff).with(counterAt + 7, 0x10),
    },
    { name: "epoch above 2^32 - 1", bytes: insert(counterAt + 1, 0x80, 0x80, 0x80, 0x80).with(counterAt + 5, 0x10) },
    { name: "more covers than allowed", bytes: edit(counterAt + 2, 0xff) },
    { name: "payload longer than the entry", bytes: edit(headerBytes.length, 0x7f) },
    { name: "last byte missing", bytes: bytes.slice(0, -1) },
    { name: "a byte too many", bytes: insert(bytes.length, 0) },
  ];
  return {
    about: "Entries and their parts; `malformed` must be refused. signingBytes: the first 60 bytes.",
    valid,
    malformed,
  };
};

const batchesAndPages = async () => {
  const device = await deviceKeysFromSecret(deviceSecret);
  const header = await baseHeader();
  const one = await signEntry(header, fill(7, 3), device.signing);
  const two = await signEntry({ ...header, counter: 3 }, fill(8, 3), device.signing);
  const chain = hashFromBytes(fill(0x77, 32));
  const page = {
    after: 4,
    until: 9,
    head: 200,
    chain,
    items: [
      { type: "entry", seq: 5, entry: one.bytes },
      { type: "own", seq: 6, device: header.device, counter: 3, hash: entryHash(two.bytes) },
      { type: "skipped", seq: 7, until: 9, chain },
    ],
  } as const;
  const empty = { after: 3, until: 3, head: 3, chain, items: [] };
  const gap = encodePage({ ...page, until: 10 });
  return {
    about: "Batches that are pushed and pages that are pulled; `malformed` must be refused.",
    batches: [
      { name: "empty", entries: [], bytes: encodeBatch([]) },
      { name: "two entries", entries: [one.bytes, two.bytes], bytes: encodeBatch([one.bytes, two.bytes]) },
    ],
    pages: [
      { name: "nothing new", page: empty, bytes: encodePage(empty) },
      { name: "one of each item", page, bytes: encodePage(page) },
    ],
    malformed: [
      { name: "batch: other magic", as: "batch", bytes: encodePage(empty) },
      { name: "batch: cut off", as: "batch", bytes: encodeBatch([one.bytes]).slice(0, -1) },
      { name: "batch: unsupported version", as: "batch", bytes: encodeBatch([]).with(2, 9) },
      { name: "page: leaves a gap", as: "page", bytes: gap },
      {
        name: "page: unknown item",
        as: "page",
        bytes: encodePage(page).map((byte, index) => (index === 40 ? 9 : byte)),
      },
      { name: "page: head before until", as: "page", bytes: encodePage({ ...empty, head: 2 }) },
    ],
  };
};

const logChain = () => {
  let chain: Hash = emptyLogChain(workspace);
  const steps = [1, 2, 300].map((seq) => {
    const entry = hashFromBytes(fill(seq % 256, 32));
    const before = chain;
    chain = nextLogChain(chain, seq, entry);
    return { before, seq, entryHash: entry, after: chain };
  });
  return { about: "The running hash of a log.", workspace, empty: emptyLogChain(workspace), steps };
};

const identities = async () => {
  const seed = fill(0x7f, 32);
  const words = recoveryWords(seed).join(" ");
  const homeSecret = await homeRootSecret(personSeedFromWords(words));
  const home = await rootKeysFromSecret(homeSecret);
  const device = await deviceKeysFromSecret(deviceSecret);
  const linkSecret = fill(0x53, 32);
  const link = await linkKeysFromSecret(workspace, linkSecret);
  return {
    about: "From secrets to keys, and from keys to ids.",
    labels: Object.fromEntries(
      Object.entries(KDF_LABELS).map(([name, bytes]) => [name, new TextDecoder().decode(bytes)]),
    ),
    person: {
      seed,
      words,
      homeRootSecret: homeSecret,
      rootKey: home.signing.publicKey,
      recoveryKey: home.recovery.publicKey,
      homeWorkspace: workspaceIdOf(home),
    },
    device: {
      ...deviceSecret,
      workspace,
      signingKey: device.signing.publicKey,
      agreementKey: device.agreement.publicKey,
      device: deviceIdOf(workspace, device),
      keyFile: await encodeKeyFile(deviceSecret),
    },
    link: {
      secret: linkSecret,
      workspace,
      signingKey: link.signing.publicKey,
      agreementKey: link.agreement.publicKey,
      link: link.link,
      name: "Notes for a 🏔️ trip",
      sealedName: await sealLinkName(
        { workspace, link: link.link, secret: linkSecret },
        "Notes for a 🏔️ trip",
        seededRandom("link-name"),
      ),
    },
    ids: {
      publicKey: fill(0x44, 32),
      workspace,
      workspaceId: workspaceIdOfRootKey(fill(0x44, 32)),
      deviceId: deviceIdOfSigningKey(workspace, fill(0x44, 32)),
      linkId: linkIdOfSigningKey(workspace, fill(0x44, 32)),
    },
    accessLinks: (["owner", "writer", "reader"] as const).map((role) => {
      const parts = { server: "https://notes.example", workspace, link: link.link, role, secret: linkSecret };
      return { ...parts, url: encodeAccessLink(parts) };
    }),
  };
};

const sealing = async () => {
  const ring = keyring();
  const secret = await importSecret(epochKey);
  const salt = idToBytes(workspace);
  const header = await baseHeader();
  const device = await deviceKeysFromSecret(deviceSecret);
  const derived = async (...info: ReadonlyArray<Uint8Array>) => deriveBytes(secret, salt, info);
  const chunkContent = bytesOf("an attachment's chunk");
  const { reference, sealed } = await sealChunk(ring, 1, chunkContent);
  const nonce = fill(0x0c, 12);
  const content = bytesOf("Two faces, filled with rubble.");
  const entry = await sealEntry({ header, content, sealing: makeSealing(ring, () => nonce), author: device.signing });
  // A stored block (RFC 1951, 3.2.4): what any compressor could have written, and the same on every platform.
  const stored = new Uint8Array([1, content.length, 0, content.length ^ 0xff, 0xff, ...content]);
  const key = await ring.entryKey(1, document, header.device);
  const compressedPayload = new Uint8Array([
    ...nonce,
    ...(await encrypt(key, nonce, new Uint8Array([1, ...stored]), encodeHeader(header))),
  ]);
  const compressed = assembleEntry(
    header,
    compressedPayload,
    await sign(device.signing, entrySigningBytes(encodeHeader(header), compressedPayload)),
  );
  const recipientSeed = fill(0x54, 32);
  const recipient = await agreementKeysFromSeed(recipientSeed);
  const ephemeral = fill(0x55, 32);
  const info = epochKeyInfo(workspace, 1, { type: "device", id: header.device });
  return {
    about:
      "Sealing with all keys and nonces given. entryKey, textKey, chunkSecret and previousEpochKey are derived from an epoch key.",
    workspace,
    epochKeys: { 1: epochKey, 2: nextEpochKey },
    derivedFromEpoch1: {
      entryKey: await derived(KDF_LABELS.entryKey, idToBytes(document), idToBytes(header.device)),
      textKey: await derived(KDF_LABELS.textKey),
      previousEpochKey: await derived(KDF_LABELS.previousEpoch),
      chunkSecret: await derived(KDF_LABELS.chunkSecret),
      singletonDocument: { name: "notes", document: await ring.singletonDocument("notes") },
    },
    author: { signingSeed: deviceSecret.signingSeed, signingKey: device.signing.publicKey },
    entries: [
      { name: "not compressed", nonce, content, header, payload: entry.payload, bytes: entry.bytes },
      { name: "compressed", nonce, content, header, payload: compressed.payload, bytes: compressed.bytes },
    ],
    chunk: { content: chunkContent, reference, sealed },
    sealedEpochKey: {
      recipientPrivateKey: recipientSeed,
      recipientKey: recipient.publicKey,
      ephemeralKeyMaterial: ephemeral,
      recipient: { type: "device", id: header.device },
      epoch: 1,
      info,
      sealed: await sealToKey(recipient.publicKey, epochKey, info, () => ephemeral),
    },
    previousEpochKey: { epoch: 2, nonce, sealed: await sealPreviousEpochKey(ring, 2, () => nonce) },
    texts: [
      {
        use: "device-name",
        id: header.device,
        text: "Ana’s phone",
        nonce,
        epoch: 2,
        sealed: await sealText(ring, { use: "device-name", id: header.device }, "Ana’s phone", () => nonce),
      },
      {
        use: "link-label",
        id: linkIdFromBytes(fill(0x31, 16)),
        text: "for a friend",
        nonce,
        epoch: 2,
        sealed: await sealText(
          ring,
          { use: "link-label", id: linkIdFromBytes(fill(0x31, 16)) },
          "for a friend",
          () => nonce,
        ),
      },
    ],
  };
};

const membership = async () => {
  const root = await rootKeysFromSecret(fill(0x56, 32));
  const founded = workspaceIdOf(root);
  const device = await deviceKeysFromSecret(deviceSecret);
  const issuers: ReadonlyArray<Certificate["issuer"]> = [
    { type: "root" },
    { type: "device", device: otherDevice },
    { type: "link", link: linkIdFromBytes(fill(0x31, 16)) },
  ];
  const issuerSeed = fill(0x57, 32);
  const issuer = await signingKeysFromSeed(issuerSeed);
  const certificates = await Promise.all(
    issuers.map(async (by, index) => {
      const certificate: Certificate = {
        workspace: founded,
        signingKey: device.signing.publicKey,
        agreementKey: device.agreement.publicKey,
        role: index === 0 ? "owner" : index === 1 ? "reader" : "writer",
        from: index + 1,
        to: index === 1 ? 500 : undefined,
        issuer: by,
      };
      const signed = await signCertificate(certificate, issuer);
      return {
        certificate,
        device: certifiedDevice(certificate),
        signingBytes: certificateSigningBytes(certificate),
        signature: signed.signature,
        bytes: encodeCertificate(signed),
      };
    }),
  );
  const ws = await TestWorkspace.found("golden/membership");
  const writer = await ws.join("writer");
  const reader = await ws.join("reader");
  const change = await keyChangeRecord(ws.state, ws.keyring, ws.random, new Set([writer.id]));
  await ws.say(ws.owner, { type: "revoke-device", device: writer.id, to: 1 }, change.record);
  const nextRoot = await rootKeysFromSecret(fill(0x58, 32));
  const unknown: MembershipRecord = { type: "unknown", code: 250, body: Uint8Array.of(1, 2, 3) };
  await ws.say(ws.owner, await rotateRootRecord(ws.workspace, ws.root, nextRoot), unknown);
  await ws.say(ws.owner, { type: "minimum-version", version: 300 });
  // Neither a lower one nor a body that is no version changes the minimum.
  const noVersion: MembershipRecord = { type: "unknown", code: 8, body: Uint8Array.of(3, 0) };
  await ws.say(ws.owner, { type: "minimum-version", version: 2 }, noVersion);
  await ws.say(reader, { type: "revoke-device", device: ws.owner.id, to: 1 });
  await ws.say(reader, { type: "revoke-device", device: reader.id, to: 3 });
  return {
    about: "Certificates, and one chain from its genesis on. The entry with `effect: false` is a link without effect.",
    issuer: { signingSeed: issuerSeed, signingKey: issuer.publicKey },
    certificates,
    rotateRoot: {
      workspace: founded,
      rootKey: nextRoot.signing.publicKey,
      recoveryKey: nextRoot.recovery.publicKey,
      signingBytes: rotateRootSigningBytes(founded, nextRoot.signing.publicKey, nextRoot.recovery.publicKey),
    },
    chain: {
      workspace: ws.workspace,
      entries: ws.entries.map((entry, index) => ({
        bytes: entry.bytes,
        hash: entryHash(entry.bytes),
        payload: decodeMembership(entry.payload),
        effect: index !== ws.entries.length - 2,
      })),
      result: {
        head: ws.state.head,
        rootKey: ws.state.rootKey,
        recoveryKey: ws.state.recoveryKey,
        epoch: 2,
        minimumVersion: ws.state.minimumVersion,
        devices: [...ws.state.devices.values()].map(({ device: id, grants, revoked }) => ({
          device: id,
          grants,
          revoked,
        })),
        links: [...ws.state.links.values()].map(({ link, role, uses, maxUses, revoked }) => ({
          link,
          role,
          uses,
          maxUses,
          revoked,
        })),
      },
    },
  };
};

const challenges = async () => {
  const device = await deviceKeysFromSecret(deviceSecret);
  const cases = await Promise.all(
    Object.entries(ChallengePurpose).map(async ([name, purpose]) => {
      const challenge: Challenge = {
        purpose,
        server,
        origin: "https://notes.example:8443",
        workspace,
        subject: deviceIdOf(workspace, device),
        statement: name === "register" || name === "openLink" ? fill(0x66, 40) : fill(0, 0),
        nonce: fill(0x67, 24),
      };
      const bytes = challengeBytes(challenge);
      return { name, challenge, bytes, signature: await sign(device.signing, bytes) };
    }),
  );
  return {
    about: "What keys sign to prove themselves.",
    signer: { signingSeed: deviceSecret.signingSeed, signingKey: device.signing.publicKey },
    cases,
  };
};

const frames = async () => {
  const device = deviceIdOf(workspace, await deviceKeysFromSecret(deviceSecret));
  const proof = { origin: "https://notes.example", nonce: "AAEC", signature: signatureFromBytes(fill(0x69, 64)) };
  const chain = hashFromBytes(fill(0x68, 32));
  const cases: ReadonlyArray<LiveFrame> = [
    { type: "challenge", server, nonce: "AAEC", protocol: { current: 1, oldest: 1 } },
    { type: "hello", protocol: 1, token: "a.b.c", device, proof, cursor: 7, chain },
    {
      type: "welcome",
      server,
      serverEpoch: 0,
      head: 9,
      chain,
      role: "writer",
      scope: "read-write",
      keyEpoch: 1,
      last: 3,
      lastHash: null,
      diverged: false,
      sessionExpiresAt: 1_700_000_000_000,
    },
    { type: "push", push: 300, batch: encodeBatch([]) },
    {
      type: "pushed",
      push: 300,
      response: {
        results: [
          { status: "stored", device, counter: 1, seq: 8 },
          { status: "duplicate", device, counter: 2, seq: 9 },
          {
            status: "refused",
            device,
            counter: 3,
            code: "key-epoch",
            message: "New entries are sealed under epoch 2.",
            expected: 2,
          },
          { status: "skipped", device, counter: 4 },
        ],
        head: 9,
        chain,
      },
    },
    { type: "push-failed", push: 301, error: wireError("read-only") },
    { type: "page", page: encodePage({ after: 3, until: 3, head: 3, chain, items: [] }) },
    { type: "received", cursor: 9 },
    { type: "renew", token: "d.e.f" },
    { type: "renewed", sessionExpiresAt: 1_700_000_900_000 },
    { type: "closing", error: wireError("revoked") },
    { type: "ping" },
    { type: "pong" },
  ];
  return {
    about: "Frames of the live connection. The JSON inside may have its keys in any order.",
    frames: cases.map((frame) => ({ frame, bytes: encodeFrame(frame) })),
  };
};

/** Every vector file by its name, as JSON values. */
export const goldenVectors = async (): Promise<Readonly<Record<string, unknown>>> => {
  const files = {
    "batches-and-pages.json": await batchesAndPages(),
    "challenges.json": await challenges(),
    "entries.json": await entries(),
    "frames.json": await frames(),
    "identities.json": await identities(),
    "log-chain.json": logChain(),
    "membership.json": await membership(),
    "sealing.json": await sealing(),
  };
  return Object.fromEntries(Object.entries(files).map(([name, file]) => [name, toJson(file)]));
};

/** A vector file's text. */
export const vectorText = (file: unknown): string => `${JSON.stringify(file, undefined, 2)}\n`;
