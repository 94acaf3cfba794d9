/**
 * Loro peer ids.
 *
 * A peer id is 64 bits: the first 48 of SHA-256 over a label and the device's id, then a lease number of 16 bits. One
 * lease is one live writer, so that no peer id is ever used by two writers at once (hazard L4), and leases are given
 * out again, so that the number of peers stays small (hazard L5). Receivers recompute the first part and refuse
 * operations under peer ids that are not their author's: two writers under one peer id have equal version vectors and
 * different texts, with no error (rule 13).
 */
import { type DeviceId, concatBytes, idToBytes, label } from "@cairn/protocol";
import { sha256 } from "@noble/hashes/sha2.js";
import type { PeerID } from "loro-crdt";

/** Lease numbers are 0 to 65,535. */
export const PEER_LEASES = 0x1_0000;
/** The lease under which edits are made anew: nobody holds any lease of an identity that is just being made (rule 12). */
export const FIRST_LEASE = 0;

const LEASE_BITS = 16n;
const PEER_LABEL = label("loro-peer");

/** Devices whose part of their peer ids is remembered: every received update asks for its author's. */
const KNOWN_DEVICES = 256;
const prefixes = new Map<DeviceId, bigint>();

/** The 48 bits of a device, as the upper part of its peer ids. */
const peerPrefix = (device: DeviceId): bigint => {
  const known = prefixes.get(device);
  if (known !== undefined) return known;
  const hash = sha256(concatBytes(PEER_LABEL, idToBytes(device)));
  const prefix = new DataView(hash.buffer, hash.byteOffset).getBigUint64(0) >> LEASE_BITS;
  if (prefixes.size >= KNOWN_DEVICES) prefixes.clear();
  prefixes.set(device, prefix);
  return prefix;
};

/** The peer id of a device's writer. Throws `RangeError` for a number that no lease has. */
export const peerIdOf = (device: DeviceId, lease: number): PeerID => {
  if (!Number.isInteger(lease) || lease < 0 || lease >= PEER_LEASES) throw new RangeError(`no lease number: ${lease}`);
  const peer = (peerPrefix(device) << LEASE_BITS) | BigInt(lease);
  // Loro's type says "number"; its peer ids are 64 bits, in decimal digits.
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion
  return peer.toString() as PeerID;
};

/** Whether two peer ids are of one device. */
export const isSameDevice = (one: string, other: string): boolean =>
  BigInt(one) >> LEASE_BITS === BigInt(other) >> LEASE_BITS;

/** Whether a peer id is one of this device's. */
export const peerBelongsTo = (device: DeviceId, peer: PeerID): boolean =>
  BigInt(peer) >> LEASE_BITS === peerPrefix(device);
