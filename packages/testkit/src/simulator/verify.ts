/**
 * After a run: the promises, checked against the ledger and the bytes themselves. Nothing is asked of the engine but the
 * state that it shows to people.
 */
import type { SyncState } from "@cairn/client";
import { joinUpdates } from "@cairn/client/effect";
import { type DocumentId, entryHash, nextLogChain, emptyLogChain, type WorkspaceId } from "@cairn/protocol";
import { canonicalJson, isDeleted, projectionFingerprint } from "@cairn/schema";
import { LoroDoc } from "loro-crdt";
import type { StoredDocument, StoredWorkspace } from "../memory/memory-storage.ts";
import type { StoredLog } from "../memory-server/index.ts";
import { type NoteVersions, disagreements, noteTypes, readNote, readVersions } from "./note-schema.ts";
import { type OutlineNode, nodesOf, outlineProblems } from "./outline.ts";
import type { Run } from "./Run.ts";
import type { SimulatedDevice } from "./SimulatedDevice.ts";

/** Promises 1 and 2 at the server: the log is what its own hashes say, and holds what was acknowledged, once. */
const verifyLog = (run: Run, log: StoredLog): ReadonlyArray<string> => {
  const broken: Array<string> = [];
  const seqs = new Map<string, number>();
  const counters = new Map<string, number>();
  let chain = emptyLogChain(log.workspace);
  for (const [index, entry] of log.entries.entries()) {
    const key = `${entry.device}/${entry.counter}`;
    if (entry.seq !== index + 1) broken.push(`promise 3: sequence ${index + 1} of the log is ${entry.seq}`);
    if (seqs.has(key)) broken.push(`promise 2: ${key} is in the log twice, at ${seqs.get(key)} and ${entry.seq}`);
    seqs.set(key, entry.seq);
    const before = counters.get(entry.device) ?? 0;
    if (entry.counter !== before + 1) broken.push(`promise 2: ${entry.device} goes from ${before} to ${entry.counter}`);
    counters.set(entry.device, entry.counter);
    if (entryHash(entry.bytes) !== entry.hash) broken.push(`promise 1: the bytes of ${key} are not those of its hash`);
    chain = nextLogChain(chain, entry.seq, entry.hash);
    if (chain !== entry.chain) broken.push(`promise 3: the running hash breaks at ${entry.seq}`);
  }
  if (log.head !== log.entries.length) broken.push(`promise 3: head ${log.head} of ${log.entries.length} entries`);
  for (const [key, acknowledged] of run.ledger.acknowledged) {
    const seq = seqs.get(key);
    const stored = seq === undefined ? undefined : log.entries[seq - 1];
    if (stored === undefined) broken.push(`promise 1: ${key} was acknowledged and is not in the log`);
    else if (stored.hash !== acknowledged.hash) broken.push(`promise 1: ${key} was acknowledged with other bytes`);
    else if (acknowledged.seq !== undefined && acknowledged.seq !== stored.seq) {
      broken.push(`promise 2: ${key} is at ${stored.seq} and was acknowledged at ${acknowledged.seq}`);
    }
  }
  return broken;
};

/** Promise 3: whoever has cursor N has every entry up to N, with the bytes of the log. */
const verifyCursor = (device: SimulatedDevice, stored: StoredWorkspace, log: StoredLog): ReadonlyArray<string> => {
  const broken: Array<string> = [];
  const { cursor } = stored.position;
  if (cursor > log.head) return [`promise 3: device ${device.index} has cursor ${cursor} of a log of ${log.head}`];
  for (const entry of log.entries.slice(0, cursor)) {
    const mine = stored.log.get(entry.device)?.get(entry.counter);
    if (mine === undefined || mine.hash !== entry.hash) {
      const what = mine === undefined ? "lacks" : "has other bytes of";
      broken.push(`promise 3: device ${device.index} has cursor ${cursor} and ${what} sequence ${entry.seq}`);
    }
  }
  return broken;
};

export interface Content {
  readonly digest: string;
  readonly edits: ReadonlyArray<string>;
  readonly characters: number;
  readonly tally: number;
  readonly nodes: ReadonlyArray<OutlineNode>;
  readonly pending: boolean;
  /** As each version of the app reads it, where a run has several. */
  readonly versions: NoteVersions | undefined;
}

/** A document as its stored updates make it. */
export const contentOf = (document: StoredDocument, isMixed = false): Content => {
  const loro = new LoroDoc();
  try {
    if (document.snapshot !== undefined) loro.import(document.snapshot.snapshot);
    for (const update of joinUpdates([...document.updates.values()].map((record) => record.update)))
      loro.import(update);
    const versions = isMixed ? readVersions(loro) : undefined;
    const note = versions?.first ?? readNote(loro);
    const operations = [...loro.oplogVersion().toJSON()].map(String).toSorted();
    // Promise 5 in every version: what one reads is the same everywhere.
    const digest = canonicalJson({ ...(versions ?? note), deleted: isDeleted(loro), operations });
    return {
      digest,
      edits: note.edits,
      characters: note.body.length,
      tally: note.tally,
      nodes: nodesOf(note.outline),
      pending: loro.exportPendingUpdates() !== undefined,
      versions,
    };
  } finally {
    loro.free();
  }
};

/**
 * Promise 10 in one document: the older views are what the newer one is in their form, and what apps of any version wrote is in
 * the newest.
 */
const verifyVersions = (run: Run, where: string, { edits, versions }: Content): ReadonlyArray<string> => {
  if (versions === undefined) return [];
  const broken = disagreements(versions).map((problem) => `promise 10: in ${where}, ${problem}`);
  const { lines, marks } = versions.third;
  const present = new Set(edits);
  for (const id of present) {
    const edit = run.ledger.edits.get(id);
    if (edit?.line === true && !Object.hasOwn(lines, id)) broken.push(`promise 10: ${where} has lost the line ${id}`);
    if (edit?.mark !== undefined && !edit.unplaced && !Object.hasOwn(marks, edit.mark)) {
      broken.push(`promise 10: ${where} has lost the mark ${edit.mark}`);
    }
  }
  for (const id of Object.keys(lines)) {
    if (run.ledger.edits.get(id)?.line !== true || !present.has(id)) {
      broken.push(`promise 10: ${where} has the line ${id}, which nobody wrote`);
    }
  }
  for (const [key, { by }] of Object.entries(marks)) {
    if (run.ledger.edits.get(by)?.mark !== key || !present.has(by)) {
      broken.push(`promise 10: ${where} has the mark ${key} by ${by}, who did not set it`);
    }
  }
  return broken;
};

/** Promises 2, 4 and 5 in one document of one device. */
const verifyContent = (
  run: Run,
  device: SimulatedDevice,
  id: StoredDocument["record"]["document"],
  content: Content,
) => {
  const broken: Array<string> = [];
  const where = `document ${id.slice(0, 6)} of device ${device.index}`;
  const present = new Set(content.edits);
  const twice = content.edits.filter((edit, at) => content.edits.indexOf(edit) !== at);
  if (twice.length > 0) broken.push(`promise 2: ${where} has twice: ${[...new Set(twice)].join(", ")}`);
  if (content.pending) broken.push(`promise 5: ${where} waits for an update that nobody has`);
  let characters = 0;
  let tally = 0;
  for (const edit of present) {
    const known = run.ledger.edits.get(edit);
    if (known === undefined) broken.push(`promise 5: ${where} has the edit ${edit}, which nobody made`);
    characters += known?.characters ?? 0;
    tally += known?.amount ?? 0;
  }
  if (tally !== content.tally) broken.push(`promise 2: ${where} counts ${content.tally} where its edits add ${tally}`);
  for (const problem of outlineProblems(run.ledger.edits, present, content.nodes))
    broken.push(`${problem}, in ${where}`);
  if (characters !== content.characters) {
    broken.push(`promise 2: ${where} has ${content.characters} characters where its edits add ${characters}`);
  }
  return [...broken, ...verifyVersions(run, where, content)];
};

/** How a device stands: what its store says, and what it shows to people. */
export interface Standing {
  readonly stored: StoredWorkspace | undefined;
  /** Nothing waits but what is parked, and everything is here. */
  readonly drained: boolean;
  /** The documents whose edits wait for a person. */
  readonly parked: ReadonlySet<DocumentId>;
  /** Nothing is received that lists do not show. */
  readonly projected: boolean;
  /** What it says is wrong. */
  readonly reason: string | undefined;
  readonly status: string;
}

/** Asks every device. Takes some virtual time. */
export const standings = async (run: Run, workspace: WorkspaceId): Promise<ReadonlyArray<Standing>> => {
  const head = run.cluster.database.logs.get(workspace)?.head ?? 0;
  const shown = new Map<SimulatedDevice, Pick<SyncState, "status" | "problem">>();
  let open = 0;
  for (const device of run.devices) {
    if (!device.storage.workspaces.has(workspace)) continue;
    for (const { engine } of device.openTabs()) {
      if (engine === undefined) continue;
      open += 1;
      const answered = (): void => {
        open -= 1;
      };
      // What one tab shows is visible; only the one that leads knows at once.
      const keep = (state: Pick<SyncState, "status" | "problem">): void => {
        if (shown.get(device)?.problem === undefined) shown.set(device, state);
      };
      engine.syncState(workspace).then(keep).then(answered, answered);
    }
  }
  await run.world.runUntil(run.world.now + 1_000, () => open === 0);
  return run.devices.map((device) => {
    const stored = device.storage.workspaces.get(workspace);
    const state = shown.get(device);
    const parked = new Set(
      [...(stored?.streams.values() ?? [])].flatMap(({ state: at, document }) =>
        at === "DEAD_LETTER" ? [document] : [],
      ),
    );
    const documents = [...(stored?.documents.values() ?? [])];
    return {
      stored,
      drained:
        stored !== undefined &&
        documents.every(({ record, pending }) => pending.length === 0 || parked.has(record.document)) &&
        stored.outgoing.size === 0 &&
        stored.position.cursor === head,
      parked,
      projected: documents.every(({ unprojected }) => unprojected === undefined),
      reason: state?.problem?.code ?? (parked.size > 0 ? PARKED : undefined),
      status: state?.status ?? "silent",
    };
  });
};

/** Reasons that time alone does not take away. */
const LASTING: ReadonlySet<string> = new Set(["profile-cloned", "revoked", "read-only"]);
/** The reason of whoever has dead letters, and no other trouble: all else goes on. */
const PARKED = "parked";

const isGoing = (reason: string | undefined): boolean => reason === undefined || reason === PARKED;

/** Whether nothing is going to change any more. */
export const isAtRest = (all: ReadonlyArray<Standing>): boolean =>
  all.every(({ drained, projected, reason }) => (isGoing(reason) ? drained && projected : LASTING.has(reason ?? "")));

/** Hazard 15: what dead letters hold up besides themselves. */
export const heldUp = (run: Run, all: ReadonlyArray<Standing>): ReadonlyArray<string> =>
  all.flatMap(({ parked, drained, reason }, index) =>
    parked.size > 0 && !drained && isGoing(reason)
      ? [`promise 14: a dead letter of device ${run.devices[index]?.index} holds up other documents`]
      : [],
  );

const EMPTY = "(nothing)";

/** Everything that is not as it was promised. */
export const verify = async (run: Run): Promise<ReadonlyArray<string>> => {
  const { workspace } = run;
  const log = workspace === undefined ? undefined : run.cluster.database.logs.get(workspace);
  if (workspace === undefined || log === undefined) return ["there is no workspace"];
  const broken = [...verifyLog(run, log)];
  const isMixed = run.plan.circumstances.versions !== undefined;
  const contents = new Map<string, string>();
  const quiet = new Set<number>();
  for (const [index, standing] of (await standings(run, workspace)).entries()) {
    const device = run.devices[index];
    if (device === undefined) continue;
    const { stored } = standing;
    if (stored === undefined) {
      if (!run.revoked.has(device.index)) broken.push(`promise 14: device ${device.index} did not get in`);
      continue;
    }
    broken.push(...verifyCursor(device, stored, log));
    const { drained, parked, projected, reason, status } = standing;
    if (reason !== undefined) run.world.count(`ends with: ${reason}`);
    // Promise 14: what does not move says why.
    if (!drained && isGoing(reason)) {
      const waiting = [...stored.documents.values()].reduce((sum, { pending }) => sum + pending.length, 0);
      const stands = `${waiting} edits and ${stored.outgoing.size} entries wait, cursor ${stored.position.cursor} of ${log.head}`;
      broken.push(`promise 14: device ${device.index} is ${status} without a reason: ${stands}`);
    }
    if (reason === PARKED) {
      broken.push(`promise 14: device ${device.index} has dead letters that nobody can do anything about`);
    } else if (reason !== undefined && !LASTING.has(reason)) {
      broken.push(`promise 14: device ${device.index} says ${reason}, which calm minutes should have ended`);
    }
    // A store whose identity is another's too is set aside until its device has a new one (rule 12).
    if (!drained || parked.size > 0 || reason === "profile-cloned") continue;
    quiet.add(device.index);
    if (!projected) broken.push(`promise 14: device ${device.index} does not show what it has received`);
    const fingerprint = projectionFingerprint(noteTypes[device.version]);
    if ([...stored.documents.values()].some(({ record }) => record.projection !== fingerprint)) {
      broken.push(`promise 10: device ${device.index} has rows of another version of its app`);
    }
    for (const note of run.documents) {
      const document = stored.documents.get(note);
      const content = document === undefined ? undefined : contentOf(document, isMixed);
      if (content !== undefined) broken.push(...verifyContent(run, device, note, content));
      // One whose every edit was given up is nothing anywhere else.
      const isNothing = document?.snapshot === undefined && document?.updates.size === 0;
      const digest = isNothing ? EMPTY : (content?.digest ?? EMPTY);
      const others = contents.get(note);
      if (others === undefined) contents.set(note, digest);
      else if (others !== digest) {
        broken.push(
          `promise 5: device ${device.index} has another document ${note.slice(0, 6)}:\n  ${others}\n  ${digest}`,
        );
      }
      // Promise 4: every edit that was durable on a device that is in step has arrived.
      const present = new Set(content?.edits);
      const where = `document ${note.slice(0, 6)} of device ${device.index}`;
      for (const edit of run.ledger.edits.values()) {
        if (edit.document !== note) continue;
        if (edit.state === "given-up" && present.has(edit.id)) {
          broken.push(`promise 4: the edit ${edit.id}, which was given up, is in ${where}`);
        }
        if (edit.state === "durable" && !present.has(edit.id) && quiet.has(edit.device)) {
          broken.push(`promise 4: the edit ${edit.id} is not in ${where}`);
        }
      }
      const fork = run.ledger.forks.get(note);
      if (fork === undefined || fork.uncertain || !quiet.has(fork.device)) continue;
      for (const edit of fork.edits) {
        if (!present.has(edit)) broken.push(`promise 4: the edit ${edit} was taken into ${where} and is not there`);
      }
    }
  }
  for (const edit of run.ledger.edits.values()) {
    if (edit.saved && edit.state === "asked") broken.push(`promise 4: ${edit.id} was called saved and is not durable`);
  }
  return broken;
};
