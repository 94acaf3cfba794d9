/**
 * A document without some of its local edits: what the server has, and the edits behind the given-up ones applied again
 * under another peer id, since operations of the old one could never be applied by anybody else (rule 13).
 */
import type { Hash } from "@cairn/protocol";
import {
  configureStyles,
  type DocumentSchema,
  forgetPast,
  hasLostSuccessors,
  jsonDifference,
  renewSuccessors,
  settleDocument,
} from "@cairn/schema";
import { type ContainerID, LoroDoc, type PeerID, type TreeID } from "loro-crdt";
import type { CopiedUpdate } from "../backup/copy-document.ts";
import { copyDocument } from "../backup/copy-document.ts";
import { documentTypeOf } from "../engine/engine-schema.ts";
import type { DocumentView } from "../store/store-changes.ts";
import { applyChanges } from "./apply-changes.ts";
import { documentView, storableView } from "./document-view.ts";
import { importUpdates } from "./import-updates.ts";
import { type Steps, stepsOf } from "./moved-changes.ts";
import { placeItems } from "./placed-items.ts";
import { changeLaterForms, formsOfUpdates, outsideForms } from "./edited-fields.ts";
import { standingOf } from "./node-standing.ts";
import type { ContainerDiff } from "./tree-changes.ts";

export interface RebaseRequest {
  /** The edits that are given up. */
  readonly parked: ReadonlyArray<Uint8Array>;
  /** Local edits behind them. */
  readonly later: ReadonlyArray<Uint8Array>;
  readonly peer: PeerID;
  /** `reapply`: the later edits go on in the document. `copy`: all of it goes on in a copy. */
  readonly mode: "reapply" | "copy";
  /** The copy's origin. */
  readonly digest: Hash;
}

export interface Rebased {
  /** As plain JSON: with all local edits, and without those that are given up; undefined where a newer app has to say. */
  readonly before: unknown;
  readonly after: unknown;
  /** The row without them. */
  readonly row: DocumentView;
  /** The later edits anew; undefined where there is nothing to say. */
  readonly update: Uint8Array | undefined;
  /** Where later edits could not be applied again, as paths. */
  readonly notReapplied: ReadonlyArray<string>;
  readonly copy: { readonly updates: ReadonlyArray<CopiedUpdate>; readonly row: DocumentView } | undefined;
  /** Later edits are in forms of a later version of the schema: only an app that knows them can apply them again. */
  readonly needsNewerApp: boolean;
}

type Version = ReturnType<LoroDoc["frontiers"]>;

/** `server` has what the server has, and nothing else; it is not changed. */
export const rebaseDocument = (
  schema: DocumentSchema,
  type: string,
  server: LoroDoc,
  request: RebaseRequest,
): Rebased => {
  const viewOf = (doc: LoroDoc): DocumentView => storableView(schema, type, documentView(schema, type, doc));
  const full = new LoroDoc();
  const rebuilt = new LoroDoc();
  try {
    rebuilt.setPeerId(request.peer);
    configureStyles(schema.documents[type], rebuilt);
    const snapshot = server.export({ mode: "snapshot" });
    rebuilt.import(snapshot);
    full.import(snapshot);
    const acknowledged = full.frontiers();
    importUpdates(full, request.parked);
    const parked = full.frontiers();
    importUpdates(full, request.later);
    const before: unknown = full.toJSON();
    if (request.mode === "copy") {
      const { updates, snapshot: state } = copyDocument(full, {
        peer: request.peer,
        digest: request.digest,
        relocate: (manifest) => manifest,
        type: documentTypeOf(schema, type),
        isBeside: true,
      });
      const row = readSnapshot(state, viewOf);
      const after: unknown = rebuilt.toJSON();
      return {
        before,
        after,
        row: viewOf(rebuilt),
        update: undefined,
        notReapplied: [],
        copy: { updates, row },
        needsNewerApp: false,
      };
    }
    if (changeLaterForms(schema.version, full, request.later)) {
      const row = viewOf(rebuilt);
      return {
        before,
        after: undefined,
        row,
        update: undefined,
        notReapplied: [],
        copy: undefined,
        needsNewerApp: true,
      };
    }
    const version = rebuilt.oplogVersion();
    const edited = full.frontiers();
    /** By given-up edits a node may be within one that others have removed meanwhile. */
    const isThere = (tree: ContainerID, node: TreeID): boolean => standingOf(rebuilt, tree, node) === "alive";
    const undo = jsonDifference(full, parked, acknowledged, isThere);
    const documentType = documentTypeOf(schema, type);
    const allSince = (since: Version): ReadonlyArray<ContainerDiff> =>
      jsonDifference(full, since, full.frontiers(), isThere);
    const forms = formsOfUpdates(documentType, full, request.later, rebuilt);
    const changes = outsideForms(forms?.stored(), allSince(parked));
    forms?.open(new Set(changes.map(([id]) => id)));
    const notReapplied = [...reapply(full, parked, rebuilt, changes, undo)];
    rebuilt.commit();
    if (documentType !== undefined && hasLostSuccessors(rebuilt)) {
      // A newer form that the later edits made in a place of their own takes in what came since: the version that it comes from
      // is one that nobody will have.
      settleDocument(documentType, full);
      notReapplied.push(...reapply(full, edited, rebuilt, outsideForms(forms?.stored(), allSince(edited)), []));
    }
    renewSuccessors(rebuilt);
    rebuilt.commit();
    notReapplied.push(...(forms?.bring() ?? []));
    const changed = rebuilt.oplogVersion().compare(version) !== 0;
    const update = changed ? rebuilt.export({ mode: "update", from: version }) : undefined;
    version.free();
    const after: unknown = rebuilt.toJSON();
    return {
      before,
      after,
      row: viewOf(rebuilt),
      update,
      notReapplied: [...new Set(notReapplied)],
      copy: undefined,
      needsNewerApp: false,
    };
  } finally {
    forgetPast(full);
    forgetPast(rebuilt);
    full.free();
    rebuilt.free();
  }
};

const readSnapshot = <A>(snapshot: Uint8Array, read: (doc: LoroDoc) => A): A => {
  const doc = new LoroDoc();
  try {
    doc.import(snapshot);
    return read(doc);
  } finally {
    doc.free();
  }
};

/** Applies changes that were made since a version, behind the given-up ones; returns the paths of those that cannot be. */
const reapply = (
  full: LoroDoc,
  since: Version,
  rebuilt: LoroDoc,
  later: ReadonlyArray<ContainerDiff>,
  undo: ReadonlyArray<ContainerDiff>,
): ReadonlyArray<string> => {
  const undone = new Map(undo);
  const before = later.some(([, { type }]) => type === "list") ? full.forkAt(since) : undefined;
  try {
    return applyChanges(full, rebuilt, later, (id, diff) => {
      const base = stepsOf(undone.get(id)) ?? undoOfAll(rebuilt, id);
      return placeItems(diff, base, before?.getContainerById(id), rebuilt.getContainerById(id), (item) => item);
    });
  } finally {
    before?.free();
  }
};

/** What only the given-up edits have opened is not in the difference to the state without them: all that was in it goes. */
const undoOfAll = (rebuilt: LoroDoc, id: ContainerID): Steps | undefined => {
  const container = rebuilt.getContainerById(id);
  const isEmpty = container !== undefined && "length" in container && container.length === 0;
  return isEmpty ? [{ delete: MAX_LENGTH }] : undefined;
};

/** Of a text or a list: more than Loro has operations for. */
const MAX_LENGTH = 2 ** 31 - 1;
