/**
 * What a push does to a workspace: a pure function of the locked state and the batches. It settles every entry before
 * anything is written, so that one bad push never spoils the commit that carries others (rule 9).
 */
import {
  type DeviceId,
  EntryKind,
  entryHash,
  decodeMembership,
  type Entry,
  entrySigningBytes,
  type Hash,
  MalformedBytes,
  type MembershipPayload,
  nextLogChain,
  NO_DOCUMENT,
  type PushResult,
} from "@cairn/protocol";
import type { VerifySignature } from "../signatures.ts";
import {
  type Decision,
  identityKey,
  type LastEntry,
  type LogState,
  type Member,
  type Membership,
  type NewRow,
  type PreparedEntry,
  type Push,
  type PushOutcome,
} from "./log-state.ts";
import { applyMembership, memberOf, type Refusal, selfAdmission, successorOf } from "./membership-rules.ts";

/** Hashes an entry and reads what the server may read of it. Needs no lock. */
export const prepareEntry = (entry: Entry): PreparedEntry => ({
  entry,
  hash: entryHash(entry.bytes),
  membership: entry.header.kind === EntryKind.membership ? readMembership(entry) : undefined,
});

const readMembership = (entry: Entry) => {
  try {
    return decodeMembership(entry.payload);
  } catch (error) {
    if (error instanceof MalformedBytes) return undefined;
    throw error;
  }
};

/** Decides several pushes in their order, each on what the ones before leave. */
export const decide = (state: LogState, pushes: ReadonlyArray<Push>, verify: VerifySignature): Decision => {
  const draft: Draft = {
    ...state,
    last: new Map(state.last),
    stored: new Map(state.stored),
    purged: new Set(state.purged),
    rows: [],
    closed: new Set(),
    predecessorBySuccessor: new Map(),
    verify,
  };
  const outcomes = pushes.map((push) => decidePush(draft, push));
  const { rows, closed, predecessorBySuccessor, verify: _, ...next } = draft;
  return { outcomes, rows, closed, predecessorBySuccessor, next };
};

/** The state as it grows while a commit is decided. Lives inside of one call of `decide`. */
interface Draft extends LogState {
  head: number;
  chain: Hash;
  membership: Membership;
  entriesBytes: number;
  readonly last: Map<DeviceId, LastEntry>;
  readonly stored: Map<string, { readonly seq: number; readonly hash: Hash }>;
  readonly purged: Set<LogState["purged"] extends ReadonlySet<infer Id> ? Id : never>;
  readonly rows: Array<NewRow>;
  /** The devices that this commit revokes. */
  readonly closed: Set<DeviceId>;
  readonly predecessorBySuccessor: Map<DeviceId, DeviceId>;
  readonly verify: VerifySignature;
}

const decidePush = (draft: Draft, push: Push): PushOutcome => {
  // Promise 8: an earlier push of the same commit may have revoked this device.
  if (draft.closed.has(push.device)) return { type: "refused", code: "revoked" };
  // Promise 9: a reader writes its admission and its leaving, and what takes the counter of one that was refused.
  if (push.role === "reader" && !push.entries.every((prepared) => readerMayAuthor(push, prepared))) {
    return { type: "refused", code: "read-only" };
  }
  const stopped = new Set<DeviceId>();
  const results = push.entries.map((prepared): PushResult => {
    const { device, counter } = prepared.entry.header;
    // Rule 8: what commits is the longest valid prefix of each device.
    if (stopped.has(device)) return { status: "skipped", device, counter };
    const result = decideEntry(draft, push, prepared);
    if (result.status !== "stored" && result.status !== "duplicate") stopped.add(device);
    return result;
  });
  return { type: "decided", results };
};

const readerMayAuthor = (push: Push, { entry: { header }, membership }: PreparedEntry): boolean => {
  if (header.device === push.device) return header.kind === EntryKind.membership || header.kind === EntryKind.void;
  // It brings the entry by which its successor takes its place (rule 12).
  const leaves = membership?.records.some((record) => record.type === "revoke-device" && record.device === push.device);
  return leaves === true;
};

const decideEntry = (draft: Draft, push: Push, prepared: PreparedEntry): PushResult => {
  const { header } = prepared.entry;
  const { device, counter } = header;
  const last = draft.last.get(device)?.counter ?? 0;
  if (counter >= 1 && counter <= last) return alreadyHere(draft, prepared);
  const verdict = judge(draft, push, prepared, last);
  if ("refusal" in verdict) {
    const { missing, ...refusal } = verdict.refusal;
    return {
      status: "refused",
      device,
      counter,
      ...refusal,
      ...(missing === undefined ? {} : { missing: [...missing] }),
    };
  }
  return { status: "stored", device, counter, seq: append(draft, prepared, verdict.ok) };
};

/** Rules 2 and 3: the same bytes are a success, other bytes under the same identity are not. */
const alreadyHere = (draft: Draft, { entry, hash }: PreparedEntry): PushResult => {
  const { device, counter } = entry.header;
  const stored = draft.stored.get(identityKey(device, counter));
  const last = draft.last.get(device);
  const known = stored?.hash ?? (last?.counter === counter ? last.hash : undefined);
  const seq = stored === undefined ? {} : { seq: stored.seq };
  if (known === undefined || known === hash) return { status: "duplicate", device, counter, ...seq };
  return { status: "identity-conflict", device, counter, ...seq, hash: known };
};

const append = (draft: Draft, prepared: PreparedEntry, membership: Membership): number => {
  const { entry, hash } = prepared;
  const { device, counter, kind, document } = entry.header;
  const seq = draft.head + 1;
  const chain = nextLogChain(draft.chain, seq, hash);
  draft.head = seq;
  draft.chain = chain;
  if (prepared.membership !== undefined) noteRevocations(draft, prepared.membership, membership);
  draft.membership = membership;
  draft.entriesBytes += entry.bytes.length;
  draft.last.set(device, { counter, hash });
  draft.stored.set(identityKey(device, counter), { seq, hash });
  if (kind === EntryKind.purge) draft.purged.add(document);
  draft.rows.push({ seq, chain, hash, entry });
  return seq;
};

const noteRevocations = (draft: Draft, payload: MembershipPayload, after: Membership): void => {
  for (const record of payload.records) {
    // A change to a lower role revokes and admits again in one entry.
    if (record.type !== "revoke-device" || after.members.get(record.device)?.revoked !== true) continue;
    draft.closed.add(record.device);
    const successor = successorOf(draft.membership, payload, record.device);
    if (successor !== undefined) draft.predecessorBySuccessor.set(successor, record.device);
  }
};

type Judgement = { readonly ok: Membership } | { readonly refusal: Refusal };

const no = (
  code: Refusal["code"],
  message: string,
  details: Omit<Refusal, "code" | "message"> = {},
): { readonly refusal: Refusal } => ({ refusal: { code, message, ...details } });

/** Judges an entry that is not here yet: the membership after it, or why it is refused. */
const judge = (draft: Draft, push: Push, prepared: PreparedEntry, last: number): Judgement => {
  const { entry } = prepared;
  const { header } = entry;
  if (header.counter !== last + 1) {
    return no("gap", `The next counter of this device is ${last + 1}.`, { expected: last + 1 });
  }
  const author = draft.membership.members.get(header.device) ?? introducedBy(prepared);
  if (author === undefined) return no("not-a-member", "The author is not a device of this workspace.");
  // Rule 5: relaying is for what its author signed. Orders that the server acts on are verified in any case.
  const verified =
    (header.device === push.device && header.kind !== EntryKind.membership && header.kind !== EntryKind.purge) ||
    draft.verify(author.signingKey, entrySigningBytes(entry.headerBytes, entry.payload), entry.signature);
  if (!verified) return no("signature", "The author's signature does not verify.");
  if (author.to !== undefined && header.counter > author.to) {
    return no("not-a-member", "The device's membership ended before this entry.");
  }
  const malformed = breaksItsKind(prepared);
  if (malformed !== undefined) return malformed;
  switch (header.kind) {
    case EntryKind.void:
      return { ok: draft.membership };
    case EntryKind.membership:
      return judgeMembership(draft, prepared);
    default:
      return judgeContent(draft, entry, author);
  }
};

/** A device that the server has never seen vouches for itself by the certificate in its admission (rule 20). */
const introducedBy = ({ entry, membership }: PreparedEntry): Member | undefined => {
  const certificate =
    membership === undefined ? undefined : selfAdmission(entry.header.device, membership)?.certificate;
  return certificate === undefined ? undefined : memberOf(certificate, false);
};

const breaksItsKind = ({ entry: { header, payload }, membership }: PreparedEntry): Judgement | undefined => {
  const { kind, document, covers, refs } = header;
  if (covers.length > 0 && kind !== EntryKind.snapshot) return no("invalid", "Only a snapshot covers.");
  switch (kind) {
    case EntryKind.void:
      return payload.length > 0 || refs.length > 0 ? no("invalid", "A void entry is empty.") : undefined;
    case EntryKind.membership:
      if (membership === undefined) return no("invalid", "The membership entry cannot be read.");
      return document !== NO_DOCUMENT || refs.length > 0
        ? no("invalid", "A membership entry is about no document and refers to nothing.")
        : undefined;
    case EntryKind.purge:
      return document === NO_DOCUMENT || refs.length > 0
        ? no("invalid", "A purge names a document and refers to nothing.")
        : undefined;
    case EntryKind.update:
    case EntryKind.snapshot:
      return document === NO_DOCUMENT ? no("invalid", "An update or snapshot names its document.") : undefined;
    default:
      return undefined;
  }
};

const judgeMembership = (draft: Draft, { entry, hash, membership: payload }: PreparedEntry): Judgement => {
  if (payload === undefined) return no("invalid", "The membership entry cannot be read.");
  const { last, verify } = draft;
  const verdict = applyMembership(draft.membership, { header: entry.header, payload, last, verify });
  return "refusal" in verdict ? verdict : { ok: { ...verdict.ok, head: hash } };
};

const judgeContent = (draft: Draft, { header, bytes }: Entry, author: Member): Judgement => {
  if (!author.admitted) return no("not-a-member", "The membership chain does not have the device's admission yet.");
  if (header.counter < author.from) return no("not-a-member", "The device's membership begins behind this entry.");
  if (author.role === "reader") return no("role", "A reader may not write.");
  if (header.kind === EntryKind.purge) {
    // Rule 28: exempt from the quota, so that a full workspace can free itself.
    return author.role === "owner" ? { ok: draft.membership } : no("role", "Only an owner purges a document.");
  }
  const { keyEpoch } = draft.membership;
  if (header.epoch !== keyEpoch) {
    return no("key-epoch", `New entries are sealed under epoch ${keyEpoch}.`, { expected: keyEpoch });
  }
  if (draft.purged.has(header.document)) return no("document-purged", "The document was purged.");
  // Rule 26: nobody can contain what the server never had.
  if (header.covers.some(({ device, counter }) => counter > (draft.last.get(device)?.counter ?? 0))) {
    return no("covers", "The snapshot covers entries that are not here.");
  }
  const missing = header.refs.filter((ref) => !draft.chunks.has(ref));
  if (missing.length > 0) return no("refs-missing", "Chunks that the entry refers to are not here.", { missing });
  const used = draft.entriesBytes + draft.attachmentsBytes + bytes.length;
  if (draft.quotaBytes > 0 && used > draft.quotaBytes) return no("quota-exceeded", "The workspace is full.");
  return { ok: draft.membership };
};
