import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  ByteWriter,
  certificateSigningBytes,
  decodeCertificate,
  decodeMembership,
  deviceIdFromBytes,
  encodeCertificate,
  encodeMembership,
  LIMITS,
  linkIdFromBytes,
  MalformedBytes,
  type MembershipRecord,
  NO_MEMBERSHIP,
  publicKeyFromBytes,
} from "@cairn/protocol";
import { damaged, membershipPayload, signedCertificate } from "./arbitraries.ts";
import { decodedOrRefused, isRefused } from "./refusal.ts";

describe("a membership payload", () => {
  it("comes back, records of unknown types included", () => {
    fc.assert(
      fc.property(membershipPayload, (payload) => {
        expect(decodeMembership(encodeMembership(payload))).toEqual(payload);
      }),
    );
  });

  it("has one encoding, and is refused at every truncation", () => {
    fc.assert(
      fc.property(
        membershipPayload.chain((payload) => damaged(encodeMembership(payload))),
        (bytes) => {
          const decoded = decodedOrRefused(() => decodeMembership(bytes));
          fc.pre(!(decoded instanceof MalformedBytes));
          expect(encodeMembership(decoded)).toEqual(bytes);
        },
      ),
      { numRuns: 1_000 },
    );
    fc.assert(
      fc.property(membershipPayload, (payload) => {
        const bytes = encodeMembership(payload);
        for (let length = 0; length < bytes.length; length += 1)
          expect(isRefused(() => decodeMembership(bytes.subarray(0, length)))).toBe(true);
      }),
      { numRuns: 10 },
    );
  });

  it("has bounds on both sides", () => {
    const id = new Uint8Array(16);
    const key = publicKeyFromBytes(new Uint8Array(32));
    const sealedKey = { recipient: "recovery", id, sealed: new Uint8Array(80) } as const;
    const change = { type: "key-change", epoch: 1, keys: [], previous: new Uint8Array() } as const;
    const link = {
      type: "link",
      link: linkIdFromBytes(id),
      signingKey: key,
      agreementKey: key,
      role: "writer",
      maxUses: 0,
      epoch: 1,
      sealedKey: new Uint8Array(),
      sealedLabel: new Uint8Array(),
    } as const;
    const encode = (...records: ReadonlyArray<MembershipRecord>) => encodeMembership({ prev: NO_MEMBERSHIP, records });
    const most = { ...change, keys: Array.from({ length: LIMITS.keyRecipients }, () => sealedKey) };
    expect(decodeMembership(encode(most)).records).toEqual([most]);
    const revoke = { type: "revoke-device", device: deviceIdFromBytes(id), to: 1 } as const;
    const wrong: ReadonlyArray<ReadonlyArray<MembershipRecord>> = [
      Array.from({ length: LIMITS.membershipRecords + 1 }, () => revoke),
      [{ ...change, keys: Array.from({ length: LIMITS.keyRecipients + 1 }, () => sealedKey) }],
      [{ ...change, keys: [{ ...sealedKey, sealed: new Uint8Array(257) }] }],
      [{ ...change, previous: new Uint8Array(257) }],
      [{ ...link, sealedKey: new Uint8Array(257) }],
      [{ ...link, sealedLabel: new Uint8Array(2_049) }],
      [{ type: "unknown", code: 99, body: new Uint8Array(LIMITS.membershipRecordBytes + 1) }],
      [{ type: "unknown", code: 1, body: new Uint8Array() }],
      [{ type: "unknown", code: 8, body: Uint8Array.of(1) }],
      [{ type: "minimum-version", version: -1 }],
    ];
    for (const records of wrong) expect(() => encode(...records)).toThrow(RangeError);
    const begin = () => new ByteWriter().u8(1).raw(new Uint8Array(32));
    const refused = [
      begin().varint(LIMITS.membershipRecords + 1),
      begin()
        .varint(1)
        .u8(99)
        .varint(LIMITS.membershipRecordBytes + 1),
      begin()
        .varint(1)
        .u8(3)
        .bytes(
          new ByteWriter()
            .varint(1)
            .varint(LIMITS.keyRecipients + 1)
            .finish(),
        ),
      begin().varint(1).u8(3).bytes(new ByteWriter().varint(1).varint(1).u8(3).raw(id).varint(0).varint(0).finish()),
      begin().varint(1).u8(6).bytes(new Uint8Array(17)),
      new ByteWriter().u8(2).raw(new Uint8Array(32)).varint(0),
    ];
    for (const writer of refused) expect(isRefused(() => decodeMembership(writer.finish()))).toBe(true);
  });
});

describe("a minimum version", () => {
  const encoded = (...body: ReadonlyArray<number>) =>
    new ByteWriter().u8(1).raw(new Uint8Array(32)).varint(1).u8(8).bytes(Uint8Array.from(body)).finish();

  it("is a varint", () => {
    const records = [{ type: "minimum-version", version: 300 }] as const;
    expect(encodeMembership({ prev: NO_MEMBERSHIP, records })).toEqual(encoded(0xac, 0x02));
    expect(decodeMembership(encoded(0xac, 0x02)).records).toEqual(records);
  });

  it("of another form is a record that is not known, as it is to older readers, and no malformed payload", () => {
    const bodies = [[], [0x80], [0x80, 0x00], [1, 0], [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01]];
    for (const body of bodies) {
      const { records } = decodeMembership(encoded(...body));
      expect(records).toEqual([{ type: "unknown", code: 8, body: Uint8Array.from(body) }]);
      expect(encodeMembership({ prev: NO_MEMBERSHIP, records })).toEqual(encoded(...body));
    }
  });
});

describe("a certificate", () => {
  it("comes back, and has one encoding", () => {
    fc.assert(
      fc.property(signedCertificate, (signed) => {
        const bytes = encodeCertificate(signed);
        expect(decodeCertificate(bytes)).toEqual(signed);
        expect(bytes.length).toBeLessThanOrEqual(256);
        for (let length = 0; length < bytes.length; length += 1)
          expect(isRefused(() => decodeCertificate(bytes.subarray(0, length)))).toBe(true);
      }),
    );
    fc.assert(
      fc.property(
        signedCertificate.chain((signed) => damaged(encodeCertificate(signed))),
        (bytes) => {
          const decoded = decodedOrRefused(() => decodeCertificate(bytes));
          fc.pre(!(decoded instanceof MalformedBytes));
          expect(encodeCertificate(decoded)).toEqual(bytes);
        },
      ),
      { numRuns: 500 },
    );
  });

  it("is signed with all of its fields, under a label", () => {
    fc.assert(
      fc.property(signedCertificate, (signed) => {
        const encoded = encodeCertificate(signed);
        const signing = certificateSigningBytes(signed.certificate);
        const labelLength = "cairn/v1/certificate\0".length;
        expect(new TextDecoder().decode(signing.subarray(0, labelLength))).toBe("cairn/v1/certificate\0");
        expect(signing.subarray(labelLength)).toEqual(encoded.subarray(0, -64));
      }),
    );
  });
});
