/**
 * Identity succession (rule 12): this profile is a copy, or a copy of it is at work, and the server has entries of this
 * device that this store has not made.
 *
 * Whose entries the server took first keeps the identity, undisturbed. This device takes another one: it reads what the
 * server has, makes new keys, has the old key admit them, and makes its unacknowledged edits anew under the successor's
 * peers (`reauthor.ts`). Everything is safe to repeat after a crash at any point: the keys are stored before anything uses
 * them, the admission is idempotent, and what changes in the store changes in one transaction.
 */
import {
  admitRecord,
  certifyDevice,
  currentRole,
  deviceIdOf,
  type DeviceKeys,
  type MembershipState,
  proposeMembership,
} from "@cairn/crypto";
import {
  decodeEntry,
  type DeviceId,
  type DocumentId,
  encodeBatch,
  type Entry,
  entryHash,
  EntryKind,
  type Hash,
  NO_DOCUMENT,
} from "@cairn/protocol";
import { freezing, receivePage } from "@cairn/sync";
import { Clock, Effect, Result } from "effect";
import type { ImporterError, ImporterShape } from "../documents/Importer.ts";
import { joinUpdates } from "../documents/join-updates.ts";
import { FIRST_LEASE, peerIdOf } from "../documents/peer-ids.ts";
import { updateRanges } from "../documents/update-ranges-later.ts";
import { Fenced, type StoreFailure } from "../store/LocalStore.ts";
import type { NewOutgoing, NewReceivedUpdate, RemadeDocument } from "../store/store-changes.ts";
import type { OwnEdit, Reauthored } from "../documents/own-edits.ts";
import type { UpdateRecord } from "../store/records.ts";
import { type TransportFailure, Unreachable } from "../transport/Transport.ts";
import type { Conversation } from "./Conversation.ts";
import type { EntryContent } from "./entry-content.ts";
import { decodeFormerEdits } from "./former-edits.ts";
import { Halted } from "./Halted.ts";
import { openContent } from "./entry-opening.ts";
import { logOfDocuments } from "./StateCheck.ts";
import { firstFormOfEdit, firstFormsIn, NamedEdits, unacknowledgedEdits } from "./UnacknowledgedEdits.ts";
import { extendOrSkip, foldLog, unlockWith } from "./WorkspaceContext.ts";
import * as Secrets from "./WorkspaceSecrets.ts";

export type SuccessionFailure = TransportFailure | StoreFailure | Fenced | ImporterError | Halted;

export interface SuccessionWork extends Pick<Conversation, "store" | "context" | "fence" | "calls" | "sessions"> {
  readonly importer: ImporterShape;
  readonly deviceName: string;
  readonly deviceKeyForm: Secrets.DeviceKeyForm;
}

/** A server that answers `membership-head` this often in a row is not making progress. */
const MAX_PROPOSALS = 8;
/** How often edits that are made meanwhile are taken in before the turn is given up. */
const MAX_RACES = 8;
/** An entry, and where the server has it. */
interface Logged {
  readonly seq: number;
  readonly entry: Entry;
}

/** What the server has behind this device's cursor, as far as it matters here. Nothing of it is stored. */
interface Rest {
  readonly membership: MembershipState;
  readonly position: Parameters<typeof receivePage>[0];
  /** This device's entries that this store does not know as acknowledged. */
  readonly elsewhere: ReadonlyArray<Logged>;
  /** Entries of others in the documents where edits wait: another copy may have made the same edits anew. */
  readonly others: ReadonlyArray<Logged>;
  /** The successor has written more than its admission. */
  readonly isTaken: boolean;
  /** The successor's admission, once the log has it. */
  readonly admission: Entry | undefined;
}

/** Takes a new identity, in the engine that leads. Returns the documents that were made anew. */
export const succeed = Effect.fnUntraced(
  function* (work: SuccessionWork): Effect.fn.Return<ReadonlyArray<DocumentId>, SuccessionFailure> {
    const { store, context, fence } = work;
    const { workspace, device: from } = context;
    // A crash may have come in between at the last succession; this device's own keys would be taken for its successor's.
    yield* Secrets.promoteSuccessorKeys(store, workspace, from);
    const prepared = yield* Secrets.ensureSuccessorKeys(store, workspace, work.deviceKeyForm, context.random);
    let to = deviceIdOf(workspace, prepared);
    let rest = yield* admitSuccessor(work, prepared, to);
    if (rest.isTaken) {
      // This store was copied while it was taking a new identity, and the other copy has become that successor.
      const keys = yield* Secrets.renewSuccessorKeys(store, workspace, work.deviceKeyForm, context.random);
      to = deviceIdOf(workspace, keys);
      rest = yield* admitSuccessor(work, keys, to);
    }
    const now = yield* Clock.currentTimeMillis;
    const admission: NewOutgoing = {
      device: to,
      counter: 1,
      document: NO_DOCUMENT,
      kind: EntryKind.membership,
      entry: rest.admission.bytes,
      hash: entryHash(rest.admission.bytes),
      refs: [],
      frozen: freezing(0),
      frozenAt: now,
      updates: [],
    };
    const change = Effect.gen(function* () {
      const remade = yield* remakeDocuments(work, to, rest);
      yield* store.succeed({
        workspace,
        fence,
        from,
        to,
        ahead: rest.position.cursor,
        admission,
        documents: remade,
      });
      return remade;
    });
    // Fenced, too, where a tab has stored an edit since the documents were read.
    const documents = yield* Effect.retry(change, { times: MAX_RACES, while: (failure) => failure._tag === "Fenced" });
    yield* Secrets.promoteSuccessorKeys(store, workspace, to);
    yield* Effect.logWarning("this profile is a copy: it goes on under an identity of its own").pipe(
      Effect.annotateLogs({ workspace, from, to }),
    );
    return documents.map(({ document }) => document);
  },
  // Nothing is frozen under the old identity meanwhile.
  (effect, { context }) => context.authoring.withPermits(1)(effect),
);

/** Reads on in the log from where `rest` ends. */
const pullRest = Effect.fnUntraced(function* (
  { store, context, calls, sessions }: SuccessionWork,
  to: DeviceId,
  rest: Rest,
): Effect.fn.Return<Rest, TransportFailure | StoreFailure> {
  let { membership, position, admission, isTaken } = rest;
  const elsewhere = [...rest.elsewhere];
  const others = [...rest.others];
  const { documents: waiting } = yield* unacknowledgedEdits(store, context.workspace);
  for (let more = true; more;) {
    const { token } = yield* sessions.current;
    const page = yield* calls.pull(context.workspace, token, { after: position.cursor, own: "full" });
    const outcome = receivePage(position, page);
    if (outcome.type === "known") break;
    // What else a page can be is what ordinary receiving deals with, when the connection is tried again.
    if (outcome.type !== "advanced") return yield* new Unreachable({ cause: `the log is ${outcome.type}` });
    for (const { seq, entry, hash } of outcome.entries) {
      const { device, counter, kind } = entry.header;
      if (device === to && counter > 1) isTaken = true;
      if (kind === EntryKind.membership) {
        const state = membership;
        membership = (yield* Effect.promise(() => extendOrSkip(state, entry))) ?? state;
        if (device === to && counter === 1) admission = entry;
      } else if (device === context.device) {
        const [known] = yield* store.logOf(context.workspace, device, counter, 1);
        const isAcknowledged = known?.counter === counter && known.hash === hash && known.seq !== undefined;
        if (!isAcknowledged) elsewhere.push({ seq, entry });
      } else if (kind === EntryKind.update && waiting.has(entry.header.document)) others.push({ seq, entry });
    }
    ({ position, more } = outcome);
  }
  return { membership, position, elsewhere, others, admission, isTaken };
});

/**
 * The old key admits the successor: the successor writes the entry, its counter 1, and the old identity's session brings
 * it. The old identity is not revoked: whether the other copy is at work, nobody can know.
 */
const admitSuccessor = Effect.fnUntraced(function* (
  work: SuccessionWork,
  keys: DeviceKeys,
  to: DeviceId,
): Effect.fn.Return<Rest & { readonly admission: Entry }, SuccessionFailure> {
  const { store, context, calls, sessions } = work;
  const { workspace, device: from, keyring } = context;
  const position = yield* store.position(workspace);
  if (position === undefined) return yield* new Halted({ code: "workspace-not-here" });
  const chain = yield* store.logOfKind(workspace, EntryKind.membership);
  let rest: Rest = {
    membership: yield* foldLog(
      workspace,
      chain.filter(({ seq }) => seq !== undefined),
    ),
    position,
    elsewhere: [],
    others: [],
    isTaken: false,
    admission: undefined,
  };
  for (let proposal = 0; proposal < MAX_PROPOSALS; proposal += 1) {
    rest = yield* pullRest(work, to, rest);
    const { membership, admission } = rest;
    // What was sealed to the old identity alone: its keys go with it, and the log's entries are opened by the successor.
    yield* unlockWith(store, context, membership);
    if (membership.devices.has(to) && admission !== undefined) return { ...rest, admission };
    const role = currentRole(membership, from);
    if (role === undefined) return yield* new Halted({ code: "revoked" });
    const proposed = yield* Effect.promise(async () => {
      const certificate = await certifyDevice({
        workspace,
        device: keys,
        role,
        from: 1,
        issuer: { type: "device", device: from },
        issuerKeys: context.keys.signing,
      });
      const record = await admitRecord(keyring, certificate, work.deviceName, context.random);
      return proposeMembership(membership, [record], { device: to, counter: 1, signing: keys.signing });
    });
    const { token } = yield* sessions.current;
    const { results } = yield* calls.push(workspace, token, encodeBatch([proposed.bytes]));
    const [result] = results;
    if (result?.status === "refused" && result.code !== "membership-head") {
      return yield* new Halted({ code: "server-refused" });
    }
  }
  return yield* new Halted({ code: "unavailable" });
});

/** Documents with something unacknowledged: what they are without it, and what becomes of it. */
const remakeDocuments = Effect.fnUntraced(function* (
  work: SuccessionWork,
  to: DeviceId,
  { elsewhere, others, membership }: Pick<Rest, "elsewhere" | "others" | "membership">,
): Effect.fn.Return<ReadonlyArray<RemadeDocument>, SuccessionFailure> {
  const { store, context } = work;
  const { workspace } = context;
  const unacknowledged = yield* unacknowledgedEdits(store, workspace);
  const { documents: named } = unacknowledged;
  if (named.size === 0) return [];
  const acknowledged = yield* acknowledgedOf(work, named);
  const openAll = Effect.fnUntraced(function* (
    entries: ReadonlyArray<Logged>,
  ): Effect.fn.Return<ReadonlyArray<Opened>> {
    const opened: Array<Opened> = [];
    for (const { seq, entry } of entries) {
      if (!named.has(entry.header.document)) continue;
      // A copy may be older than the chain's record of this very device.
      const result = yield* Effect.promise(() => openContent({ ...context, membership }, entry));
      if (result.type === "content") opened.push({ seq, entry, content: result.content });
    }
    return opened;
  });
  const there = yield* openAll(elsewhere);
  const beside = [...there, ...(yield* openAll(others))];
  const { ahead = 0 } = (yield* store.position(workspace)) ?? {};
  const streams = new Map((yield* store.streams(workspace)).map((stream) => [stream.document, stream]));
  const { operationsOf } = yield* Effect.promise(async () => updateRanges());
  const remade: Array<RemadeDocument> = [];
  for (const document of named) {
    const found = yield* unacknowledged.of(document);
    if (found === undefined) continue;
    const { opened, edits: own } = found;
    // Another tab, which leads as well, has finished this very succession.
    if (own.some(({ update }) => Result.isSuccess(operationsOf(to, update)))) {
      return yield* new Fenced({ operation: "succeed" });
    }
    const log = beside.filter(({ entry }) => entry.header.document === document);
    const names = new NamedEdits(log.map(({ content }) => content));
    const again = new Set(own.filter((edit) => names.isAppliedAgain(edit)).map(({ id }) => id));
    // A dead letter's edits stay apart from the later ones, and edits that refer to chunks from each other.
    const ends = new Set(own.filter(({ refs }) => refs.length > 0).map(({ id }) => id));
    const through = own.findLast(({ id }) => id <= (streams.get(document)?.through ?? 0) && !again.has(id))?.id;
    if (through !== undefined) ends.add(through);
    // Edits that were made anew before may build on what was taken then.
    const settled = [...(acknowledged.get(document) ?? []), ...receivedIn(log.filter(({ seq }) => seq <= ahead))];
    const taken = there.flatMap(({ entry: { header }, content: { updates, time } }) =>
      header.document === document ? updates.map((update) => ({ update, time, counter: header.counter })) : [],
    );
    const edited = own.map((edit) => ({
      id: edit.id,
      update: edit.update,
      time: edit.time,
      firstForm: firstFormOfEdit(edit),
      appliedAgain: edit.appliedAgain,
      former: formerOf(edit, names),
    }));
    const mayBeThere = own.filter(({ id, formerEdits }) => again.has(id) || formerEdits !== undefined);
    const formsAgain = new Set(mayBeThere.flatMap(firstFormsIn));
    const holders = log.filter(({ content }) => new NamedEdits([content]).hasSome(formsAgain));
    const forms = new Set(own.flatMap(firstFormsIn));
    const copied = log.filter(({ content }) => content.madeAnew !== undefined);
    const edits = yield* work.importer.reauthor(document, {
      acknowledged: settled.map(({ update }) => update),
      elsewhere: taken.map(({ update, time }) => ({ update, time })),
      own: edited,
      madeAnew: copied.map(({ entry: { header }, content: { updates, madeAnew } }) => ({
        updates,
        peer: peerIdOf(header.device, FIRST_LEASE),
        edits: madeAnew ?? [],
      })),
      appliedAgain:
        mayBeThere.length === 0 ? undefined : { ids: again, updates: updatesIn(log), holders: updatesIn(holders) },
      ends,
      type: opened.record.type,
      peer: peerIdOf(to, FIRST_LEASE),
    });
    // What the server has as it is stays here until its entry comes. Else it would be gone for so long (Promise 4), and so
    // would all that builds on it: a writer that does not see its own operations uses their counters again (hazard L4).
    const known = own.flatMap(({ type, update, time }, index) => {
      const counter = taken[edits[index]?.elsewhere ?? -1]?.counter;
      return counter === undefined ? [] : [{ document, type, update, time, device: context.device, counter }];
    });
    // What applies them again may build on all that the log has.
    const copiesOfThese =
      mayBeThere.length > 0
        ? log
        : copied.filter(({ content: { madeAnew } }) => madeAnew?.some(({ firstForm }) => forms.has(firstForm)));
    remade.push({
      document,
      acknowledged: [...settled, ...known, ...receivedIn(copiesOfThese)],
      unacknowledged: withNames(own, edits, names),
    });
  }
  return remade;
});

/** What an edit applies again, as it was, with what the log names of it. */
const formerOf = ({ formerEdits }: UpdateRecord, names: NamedEdits): OwnEdit["former"] => {
  const former = formerEdits && Result.getOrUndefined(Result.try(() => decodeFormerEdits(formerEdits)));
  // A later version of the app may have written them in another way: then it is an edit like any other.
  if (former === undefined) return undefined;
  const { givenUp, later } = former;
  return { givenUp, later: later.map((edit) => ({ ...edit, isNamed: names.hasAll(edit.firstForms) })) };
};

interface Opened extends Logged {
  readonly content: EntryContent;
}

const updatesIn = (opened: ReadonlyArray<Opened>): ReadonlyArray<Uint8Array> =>
  opened.flatMap(({ content }) => content.updates);

const receivedIn = (opened: ReadonlyArray<Opened>): ReadonlyArray<NewReceivedUpdate> =>
  opened.flatMap(({ entry: { header }, content: { type, updates, time } }) => {
    const { document, device, counter } = header;
    return updates.map((update) => ({ document, type, update, time, device, counter }));
  });

/** What is joined to a later edit brings its references there, and the names of what it applies again. */
const withNames = (
  own: ReadonlyArray<UpdateRecord>,
  edits: Reauthored,
  known: NamedEdits,
): RemadeDocument["unacknowledged"] => {
  const before = new Map(own.map((edit) => [edit.id, edit]));
  let joined: { readonly refs: ReadonlyArray<Hash>; readonly names: ReadonlyArray<Hash> } = { refs: [], names: [] };
  return edits.map(({ id, update, firstForm, appliedAgain }) => {
    const edit = before.get(id);
    const refs = [...new Set([...joined.refs, ...(edit?.refs ?? [])])];
    // Under a name that the log has they would be taken for the same ones again.
    const names = [...joined.names, ...(appliedAgain ?? edit?.appliedAgain ?? [])].filter((each) => !known.has(each));
    joined = update === undefined ? { refs, names } : { refs: [], names: [] };
    if (update === undefined) return { id, update, refs: [] };
    return { id, update, refs, firstForm, appliedAgain: names.length === 0 ? undefined : names };
  });
};

/** What the log has of some documents and a server has acknowledged, in the order of the log. */
const acknowledgedOf = Effect.fnUntraced(function* (
  { store, context }: SuccessionWork,
  documents: ReadonlySet<DocumentId>,
): Effect.fn.Return<ReadonlyMap<DocumentId, ReadonlyArray<NewReceivedUpdate>>, StoreFailure> {
  const byDocument = new Map<DocumentId, Array<NewReceivedUpdate>>();
  for (const record of yield* logOfDocuments(store, context.workspace, documents)) {
    const opened = yield* Effect.promise(() => openContent(context, decodeEntry(record.entry)));
    if (opened.type === "unapplied") continue;
    const { type, time, updates } = opened.content;
    const { document, device, counter } = record;
    const known = byDocument.get(document) ?? [];
    byDocument.set(document, known);
    known.push(...joinUpdates(updates).map((update) => ({ document, type, time, update, device, counter })));
  }
  return byDocument;
});
