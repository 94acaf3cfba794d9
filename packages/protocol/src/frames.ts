/**
 * The live connection: one WebSocket per workspace and device, binary frames both ways.
 *
 * ```
 * frame = type(1) body
 * ```
 *
 * `push` and `page` carry the bytes of `batch.ts`; every other body is JSON in UTF-8. The connection begins with the
 * server's `challenge` and the client's `hello`, which carries the token (never in the URL) and a signature by the
 * device's key. After `welcome` the server sends pages from the client's cursor on, and new entries as they are
 * committed. It sends at most `window` bytes of pages that the client has not confirmed by `received`: a client that
 * does not read costs bounded memory. Either side sends `ping` when it has heard nothing for a while, and the other
 * answers `pong`; a side that hears nothing for two such intervals closes.
 */
import { Schema } from "effect";
import { ByteReader, ByteWriter, concatBytes, MalformedBytes } from "./bytes.ts";
import { WireError } from "./errors.ts";
import { DeviceId, Hash, ServerId } from "./ids.ts";
import { LIMITS } from "./limits.ts";
import { PushResponse } from "./push-result.ts";
import { Nonce, Proof, RoleSchema, Scope } from "./shapes.ts";

const Count = Schema.Int.check(Schema.isGreaterThanOrEqualTo(0));

/** Silence, in milliseconds, after which a side sends `ping`. */
export const HEARTBEAT_MILLIS = 10_000;
/** Bytes of pages that a server sends ahead of the client's `received`. */
export const LIVE_WINDOW_BYTES = 4 * 1024 * 1024;

const control = {
  challenge: Schema.Struct({
    server: ServerId,
    nonce: Nonce,
    protocol: Schema.Struct({ current: Count, oldest: Count }),
  }),
  hello: Schema.Struct({
    protocol: Count,
    token: Schema.String.check(Schema.isMaxLength(4096)),
    device: DeviceId,
    /** By the device's key; purpose `live`, subject the device, empty statement. */
    proof: Proof,
    /** Where the client stands, and the running hash there (rule 11). */
    cursor: Count,
    chain: Hash,
  }),
  welcome: Schema.Struct({
    server: ServerId,
    serverEpoch: Count,
    head: Count,
    chain: Hash,
    role: RoleSchema,
    scope: Scope,
    keyEpoch: Count,
    /** The server's own last of this device: the identity marker outside of its store (rule 12). */
    last: Count,
    lastHash: Schema.NullOr(Hash),
    /** The client's cursor and chain are not of this log; no pages follow (rule 11). */
    diverged: Schema.Boolean,
    sessionExpiresAt: Schema.Finite,
  }),
  pushed: Schema.Struct({ push: Count, response: PushResponse }),
  /** A whole batch was refused: nothing of it was stored. */
  "push-failed": Schema.Struct({ push: Count, error: WireError }),
  received: Schema.Struct({ cursor: Count }),
  /** A fresh token for this connection, before the old one expires. */
  renew: Schema.Struct({ token: Schema.String.check(Schema.isMaxLength(4096)) }),
  renewed: Schema.Struct({ sessionExpiresAt: Schema.Finite }),
  /** The connection ends; the reason and what to do. */
  closing: Schema.Struct({ error: WireError }),
  ping: Schema.Struct({}),
  pong: Schema.Struct({}),
} as const;

type Control = {
  readonly [Type in keyof typeof control]: { readonly type: Type } & (typeof control)[Type]["Type"];
};

/** A frame, decoded. Batches and pages inside are still bytes. */
export type LiveFrame =
  | Control[keyof Control]
  | { readonly type: "push"; readonly push: number; readonly batch: Uint8Array }
  | { readonly type: "page"; readonly page: Uint8Array };

export type ControlFrameType = keyof typeof control;
export type LiveFrameType = LiveFrame["type"];

/** The first byte of a frame. */
export const FRAME_TYPES = {
  challenge: 0x01,
  hello: 0x02,
  welcome: 0x03,
  push: 0x10,
  pushed: 0x11,
  "push-failed": 0x12,
  page: 0x20,
  received: 0x21,
  renew: 0x30,
  renewed: 0x31,
  closing: 0x3f,
  ping: 0x40,
  pong: 0x41,
} as const satisfies Record<LiveFrameType, number>;

/** The schemas of the control frames, for the wire hash and the specification. */
export const CONTROL_FRAMES = control;

const typeByCode: ReadonlyMap<number, string> = new Map(
  Object.entries(FRAME_TYPES).map(([type, code]): [number, string] => [code, type]),
);
const jsonFrame = Schema.fromJsonString(
  Schema.Union([
    control.challenge.pipe(Schema.fieldsAssign({ type: Schema.tag("challenge") })),
    control.hello.pipe(Schema.fieldsAssign({ type: Schema.tag("hello") })),
    control.welcome.pipe(Schema.fieldsAssign({ type: Schema.tag("welcome") })),
    control.pushed.pipe(Schema.fieldsAssign({ type: Schema.tag("pushed") })),
    control["push-failed"].pipe(Schema.fieldsAssign({ type: Schema.tag("push-failed") })),
    control.received.pipe(Schema.fieldsAssign({ type: Schema.tag("received") })),
    control.renew.pipe(Schema.fieldsAssign({ type: Schema.tag("renew") })),
    control.renewed.pipe(Schema.fieldsAssign({ type: Schema.tag("renewed") })),
    control.closing.pipe(Schema.fieldsAssign({ type: Schema.tag("closing") })),
    control.ping.pipe(Schema.fieldsAssign({ type: Schema.tag("ping") })),
    control.pong.pipe(Schema.fieldsAssign({ type: Schema.tag("pong") })),
  ]),
);
const encodeControl = Schema.encodeSync(jsonFrame);
const decodeControl = Schema.decodeUnknownResult(jsonFrame);
const utf8Encoder = new TextEncoder();

/** A frame's bytes. */
export const encodeFrame = (frame: LiveFrame): Uint8Array<ArrayBuffer> => {
  if (frame.type === "push")
    return new ByteWriter(frame.batch.length + 10).u8(FRAME_TYPES.push).varint(frame.push).raw(frame.batch).finish();
  if (frame.type === "page") return concatBytes(Uint8Array.of(FRAME_TYPES.page), frame.page);
  return concatBytes(Uint8Array.of(FRAME_TYPES[frame.type]), utf8Encoder.encode(encodeControl(frame)));
};

/** Decodes a frame. Throws `MalformedBytes`, also for an unknown type: both sides speak the version of the handshake. */
export const decodeFrame = (bytes: Uint8Array): LiveFrame => {
  if (bytes.length > LIMITS.frameBytes) throw new MalformedBytes({ reason: "frame too large", offset: 0 });
  const reader = new ByteReader(bytes);
  const type = typeByCode.get(reader.u8());
  if (type === undefined) return reader.fail("unknown frame type");
  if (type === "push") return { type, push: reader.varint(), batch: reader.raw(reader.remaining) };
  if (type === "page") return { type, page: reader.raw(reader.remaining) };
  if (bytes.length > LIMITS.controlBytes) return reader.fail("control frame too large");
  const decoded = decodeControl(decodeUtf8(reader.raw(reader.remaining), reader));
  if (decoded._tag === "Failure" || decoded.success.type !== type) return reader.fail(`not a ${type} frame`);
  return decoded.success;
};

const utf8Decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
const decodeUtf8 = (bytes: Uint8Array, reader: ByteReader): string => {
  try {
    return utf8Decoder.decode(bytes);
  } catch {
    return reader.fail("not UTF-8");
  }
};
