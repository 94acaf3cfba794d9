/**
 * What a person's decision about refused edits does to a document, read from the bytes before and after the transaction that
 * does it. The ledger is told, and what is not as it has to be breaks a promise.
 */
import { joinUpdates, type LocalStoreShape } from "@cairn/client/effect";
import type { DocumentId } from "@cairn/protocol";
import { decodeImportBlobMeta, LoroDoc, type PeerID } from "loro-crdt";
import type { StoredDocument } from "../memory/memory-storage.ts";
import type { MemoryStorage } from "../memory/index.ts";
import type { Ledger, LedgerEdit } from "./Ledger.ts";
import { LATEST, readNote, readVersions } from "./note-schema.ts";
import { lostMoves, nodesOf, OUTLINE, type OutlineNode } from "./outline.ts";
import type { World } from "./World.ts";

type Rebuilding = Parameters<LocalStoreShape["rebuildDocument"]>[0];

const EDITS = "cid:root-edits:List";

const load = (document: StoredDocument): LoroDoc => {
  const loro = new LoroDoc();
  if (document.snapshot !== undefined) loro.import(document.snapshot.snapshot);
  for (const update of joinUpdates([...document.updates.values()].map((record) => record.update))) loro.import(update);
  return loro;
};

const editsOf = (document: StoredDocument | undefined): ReadonlyArray<string> => {
  if (document === undefined) return [];
  return withContent(document, (loro) => readNote(loro).edits);
};

const outlineOf = (loro: LoroDoc): ReadonlyArray<OutlineNode> => nodesOf(readNote(loro).outline);

const withContent = <A>(document: StoredDocument, read: (loro: LoroDoc) => A): A => {
  const loro = load(document);
  try {
    return read(loro);
  } finally {
    loro.free();
  }
};

/** The ids of the edits that some of a document's updates bring, by the operations that put them there. */
const editsIn = (document: StoredDocument, updates: ReadonlyArray<Uint8Array>): ReadonlyArray<string> => {
  const ranges = updates.flatMap((update) => {
    const { partialStartVersionVector: start, partialEndVersionVector: end } = decodeImportBlobMeta(update, false);
    const starts = start.toJSON();
    return [...end.toJSON()].map(([peer, until]) => ({ peer, from: starts.get(peer) ?? 0, until }));
  });
  const isIn = (peer: PeerID, counter: number): boolean =>
    ranges.some((range) => range.peer === peer && range.from <= counter && counter < range.until);
  const loro = load(document);
  try {
    return loro.exportJsonUpdates(undefined, undefined, false).changes.flatMap(({ id, ops }) => {
      const peer = id.slice(id.indexOf("@") + 1);
      return ops.flatMap(({ container, content, counter }) =>
        container === EDITS && content.type === "insert" && "value" in content && Array.isArray(content.value)
          ? // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- Loro's own form of a peer
            content.value.filter((_, offset) => isIn(peer as PeerID, counter + offset)).map(String)
          : [],
      );
    });
  } finally {
    loro.free();
  }
};

/** A later edit that set a mark in the newer form, within a mark that only given-up edits had made, has no place any more. */
const noteUnplacedMarks = (
  ledger: Ledger,
  device: number,
  after: StoredDocument | undefined,
  parked: ReadonlyArray<string>,
  later: ReadonlyArray<string>,
): void => {
  const marksOf = (ids: ReadonlyArray<string>) => ids.map((id) => ledger.edits.get(id)?.mark);
  if (after === undefined || !marksOf(later).some((mark) => mark !== undefined && marksOf(parked).includes(mark)))
    return;
  const { edits, marks } = withContent(after, (loro) => readVersions(loro).third);
  const givenUp = new Set(marksOf(parked));
  for (const id of later) {
    const edit = ledger.edits.get(id);
    // Apps before the newest version set a mark whether or not it was there.
    if (
      edit?.mark === undefined ||
      edit.version !== LATEST ||
      !edits.includes(id) ||
      !givenUp.has(edit.mark) ||
      Object.hasOwn(marks, edit.mark)
    )
      continue;
    noteUnplaced(ledger, device, edit, `marks.${edit.mark}`);
  }
};

const noteUnplaced = (ledger: Ledger, device: number, edit: LedgerEdit, path: string): void => {
  edit.unplaced = true;
  const key = `${device}/${edit.document}`;
  ledger.unplaced.set(key, (ledger.unplaced.get(key) ?? new Set()).add(path));
};

/** A later edit that moved a node below one that only given-up edits had made leaves it where it was. */
const noteUnplacedMoves = (
  ledger: Ledger,
  device: number,
  document: DocumentId,
  before: ReadonlyArray<OutlineNode>,
  after: StoredDocument | undefined,
  waiting: ReadonlyArray<string>,
  later: ReadonlyArray<string>,
): void => {
  const edits = waiting.flatMap((id) => ledger.edits.get(id) ?? []);
  const moved = edits.filter(({ id, outline }) => outline?.kind === "moved" && later.includes(id));
  if (moved.length === 0 || after === undefined) return;
  ledger.movedBehind.add(`${device}/${document}`);
  for (const edit of lostMoves(edits, new Set(later), before, withContent(after, outlineOf))) {
    noteUnplaced(ledger, device, edit, OUTLINE);
  }
};

/** Reads the document before it is made anew; what is returned is told when it has been. */
export const watchRebuilding = (
  world: World,
  ledger: Ledger,
  storage: MemoryStorage,
  device: number,
  { workspace, document, pending, edits }: Rebuilding,
): (() => void) => {
  const stored = storage.workspaces.get(workspace);
  const before = stored?.documents.get(document);
  if (stored === undefined || before === undefined) return () => undefined;
  const { through } = stored.streams.get(document) ?? { through: 0 };
  const updatesOf = (ids: ReadonlyArray<number>): ReadonlyArray<Uint8Array> =>
    ids.flatMap((id) => before.updates.get(id)?.update ?? []);
  const parked = editsIn(before, updatesOf(pending.filter((id) => id <= through)));
  const later = editsIn(before, updatesOf(pending.filter((id) => id > through)));
  const shown = editsOf(before);
  const nodes = withContent(before, outlineOf);
  const fork = edits.find((edit) => edit.document !== document)?.document;
  return () => {
    const broken = (what: string, ids: ReadonlyArray<string>): void => {
      const where = `document ${document.slice(0, 6)} of device ${device}`;
      if (ids.length > 0) ledger.violations.push(`promise 4: ${where} ${what} ${ids.join(", ")}`);
    };
    const after = new Set(editsOf(stored.documents.get(document)));
    const gone = new Set(fork === undefined ? parked : [...parked, ...later]);
    broken(
      "was made anew and still has",
      [...gone].filter((id) => after.has(id)),
    );
    broken(
      "was made anew and lacks",
      shown.filter((id) => !gone.has(id) && !after.has(id)),
    );
    ledger.giveUp(document, gone);
    if (fork === undefined) {
      const made = stored.documents.get(document);
      noteUnplacedMarks(ledger, device, made, parked, later);
      noteUnplacedMoves(ledger, device, document, nodes, made, [...parked, ...later], later);
      return world.count("dead letter discarded");
    }
    world.count("dead letter forked");
    const copied = new Set(editsOf(stored.documents.get(fork)));
    broken(
      "was taken into another one without",
      shown.filter((id) => !copied.has(id)),
    );
    ledger.forks.set(fork, { device, edits: copied, uncertain: false });
  };
};
