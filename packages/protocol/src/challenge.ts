/**
 * What a key signs to prove that it is there now (rule 23). The server gives a nonce; the signed bytes name the purpose,
 * the server and the origin that the client believes to talk to, so that a proof made for one is worth nothing at
 * another.
 *
 * ```
 * bytes = label purpose(1) server(16) origin-length(varint) origin workspace(16) subject(16) digest(32) nonce-length(varint) nonce
 * ```
 */
import { sha256 } from "@noble/hashes/sha2.js";
import { ByteWriter } from "./bytes.ts";
import { type DeviceId, idToBytes, label, type LinkId, type ServerId, type WorkspaceId } from "./ids.ts";

/** What the proof is for. */
export const ChallengePurpose = {
  /** The root key makes a workspace known to a server, or recovers it, and names the device that becomes its master. */
  register: 1,
  /** A device's key asks for a session. */
  session: 2,
  /** A device's key opens a live connection. */
  live: 3,
  /** A link's key lets a device in. */
  openLink: 4,
} as const;
export type ChallengePurpose = (typeof ChallengePurpose)[keyof typeof ChallengePurpose];

/** The statement that gets signed. */
export interface Challenge {
  readonly purpose: ChallengePurpose;
  readonly server: ServerId;
  /** The origin of the URL that the client talks to, as browsers write it: `https://notes.example:8443`. */
  readonly origin: string;
  readonly workspace: WorkspaceId;
  /** Who is proven: the device, also where the root's or a link's key signs for it. */
  readonly subject: DeviceId | LinkId;
  /** Bytes that the proof is about, such as the device's certificate. Empty where there are none. */
  readonly statement: Uint8Array;
  /** As the server gave it. */
  readonly nonce: Uint8Array;
}

const CHALLENGE_LABEL = label("challenge");

/** The bytes that the key signs. */
export const challengeBytes = (challenge: Challenge): Uint8Array<ArrayBuffer> =>
  new ByteWriter()
    .raw(CHALLENGE_LABEL)
    .u8(challenge.purpose)
    .raw(idToBytes(challenge.server))
    .text(challenge.origin)
    .raw(idToBytes(challenge.workspace))
    .raw(idToBytes(challenge.subject))
    .raw(sha256(challenge.statement))
    .bytes(challenge.nonce)
    .finish();
