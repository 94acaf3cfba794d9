/** Random values of every format, for properties. */
import fc from "fast-check";
import {
  type Certificate,
  deviceIdFromBytes,
  documentIdFromBytes,
  type EntryHeader,
  hashFromBytes,
  ID_BYTES,
  HASH_BYTES,
  linkIdFromBytes,
  type MembershipPayload,
  type MembershipRecord,
  type Page,
  type PageItem,
  PROTOCOL_VERSION,
  PUBLIC_KEY_BYTES,
  publicKeyFromBytes,
  RECORD_CODES,
  SIGNATURE_BYTES,
  sortCovers,
  sortHashes,
  workspaceIdFromBytes,
} from "@cairn/protocol";

const bytes = (length: number) => fc.uint8Array({ minLength: length, maxLength: length });
const upTo = (maxLength: number) => fc.uint8Array({ maxLength });
export const workspaceId = bytes(ID_BYTES).map(workspaceIdFromBytes);
export const documentId = bytes(ID_BYTES).map(documentIdFromBytes);
export const deviceId = bytes(ID_BYTES).map(deviceIdFromBytes);
export const linkId = bytes(ID_BYTES).map(linkIdFromBytes);
export const hash = bytes(HASH_BYTES).map(hashFromBytes);
export const publicKey = bytes(PUBLIC_KEY_BYTES).map(publicKeyFromBytes);
export const signature = bytes(SIGNATURE_BYTES);
/** Small numbers, and those around the steps of a varint. */
export const count = fc.oneof(
  fc.nat(),
  fc.constantFrom(0, 1, 127, 128, 16_383, 16_384, 2 ** 32, 2 ** 49, Number.MAX_SAFE_INTEGER),
);
const counter = count.filter((value) => value > 0);

export const entryHeader: fc.Arbitrary<EntryHeader> = fc.record({
  version: fc.constant(PROTOCOL_VERSION),
  kind: fc.nat(255),
  workspace: workspaceId,
  document: documentId,
  device: deviceId,
  counter,
  epoch: fc.nat(0xffff_ffff),
  covers: fc
    .uniqueArray(fc.tuple(deviceId, counter), { maxLength: 5, selector: ([device]) => device })
    .map((covers) => sortCovers(new Map(covers))),
  refs: fc.array(hash, { maxLength: 5 }).map(sortHashes),
  extensions: fc
    .uniqueArray(fc.record({ type: count, critical: fc.boolean(), bytes: upTo(40) }), {
      maxLength: 4,
      selector: ({ type }) => type,
    })
    .map((extensions) => extensions.toSorted((left, right) => left.type - right.type)),
});

const certificate: fc.Arbitrary<Certificate> = fc.record({
  workspace: workspaceId,
  signingKey: publicKey,
  agreementKey: publicKey,
  role: fc.constantFrom("owner", "writer", "reader"),
  from: count,
  to: fc.option(counter, { nil: undefined }),
  issuer: fc.oneof(
    fc.constant({ type: "root" } as const),
    deviceId.map((device) => ({ type: "device", device }) as const),
    linkId.map((link) => ({ type: "link", link }) as const),
  ),
});

export const signedCertificate = fc.record({ certificate, signature });

const known: ReadonlySet<number> = new Set(Object.values(RECORD_CODES));

export const membershipRecord: fc.Arbitrary<MembershipRecord> = fc.oneof(
  fc.record({ type: fc.constant("root"), rootKey: publicKey, recoveryKey: publicKey }),
  fc.record({ type: fc.constant("admit"), certificate: signedCertificate, sealedName: upTo(60) }),
  fc.record({
    type: fc.constant("key-change"),
    epoch: count,
    keys: fc.array(
      fc.record({ recipient: fc.constantFrom("device", "link", "recovery"), id: bytes(ID_BYTES), sealed: upTo(80) }),
      { maxLength: 4 },
    ),
    previous: upTo(60),
  }),
  fc.record({
    type: fc.constant("link"),
    link: linkId,
    signingKey: publicKey,
    agreementKey: publicKey,
    role: fc.constantFrom("owner", "writer", "reader"),
    maxUses: count,
    epoch: count,
    sealedKey: upTo(80),
    sealedLabel: upTo(60),
  }),
  fc.record({ type: fc.constant("revoke-device"), device: deviceId, to: count }),
  fc.record({ type: fc.constant("revoke-link"), link: linkId }),
  fc.record({ type: fc.constant("rotate-root"), rootKey: publicKey, recoveryKey: publicKey, signature }),
  fc.record({ type: fc.constant("minimum-version"), version: count }),
  fc.record({
    type: fc.constant("unknown"),
    code: fc.nat(255).filter((code) => !known.has(code)),
    body: upTo(60),
  }),
);

export const membershipPayload: fc.Arbitrary<MembershipPayload> = fc.record({
  prev: hash,
  records: fc.array(membershipRecord, { maxLength: 5 }),
});

/** A page without gaps, of items that need not be entries. */
export const page: fc.Arbitrary<Page> = fc
  .record({
    after: fc.nat(1_000_000),
    chain: hash,
    behind: fc.nat(1_000),
    steps: fc.array(
      fc.oneof(
        fc.record({ type: fc.constant("entry"), entry: upTo(80) }),
        fc.record({ type: fc.constant("own"), device: deviceId, counter: count, hash }),
        fc.record({ type: fc.constant("skipped"), length: fc.nat(500), chain: hash }),
      ),
      { maxLength: 6 },
    ),
  })
  .map(({ after, chain, behind, steps }) => {
    let position = after;
    const items = steps.map((step): PageItem => {
      const seq = position + 1;
      if (step.type !== "skipped") {
        position = seq;
        return { ...step, seq };
      }
      position = seq + step.length;
      return { type: "skipped", seq, until: position, chain: step.chain };
    });
    return { after, until: position, head: position + behind, chain, items };
  });

/** A byte string with some of its bits flipped, cut short or prolonged. */
export const damaged = (original: Uint8Array): fc.Arbitrary<Uint8Array> =>
  fc.oneof(
    fc
      .array(fc.tuple(fc.nat(Math.max(0, original.length - 1)), fc.integer({ min: 1, max: 255 })), {
        minLength: 1,
        maxLength: 3,
      })
      .map((edits) => {
        const copy = original.slice();
        for (const [index, mask] of edits) copy[index] = (copy[index] ?? 0) ^ mask;
        return copy;
      }),
    fc.nat(original.length).map((length) => original.slice(0, length)),
    upTo(4).map((tail) => new Uint8Array([...original, ...tail])),
  );
