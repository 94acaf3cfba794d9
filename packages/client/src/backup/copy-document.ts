/**
 * A document written anew under another peer id: a deep copy of its containers. Nobody may send operations of others
 * (rule 13), so what comes out of a backup goes in as edits of the device that restores it; the history before stays in
 * the backup.
 *
 * Children of maps that were mergeable are mergeable again, so that two devices that write to them later still write to
 * the same ones (rule 16). Styles keep their ranges; whether a style grows with text typed at its end is what its type says,
 * or where that is not known, that it does. Nodes of trees keep the ids that they are read under, as their keys. A copy has
 * no history to carry edits of older apps over from: that is written down before.
 */
import { type Hash, LIMITS } from "@cairn/protocol";
import {
  configureStyles,
  type DocumentType,
  NODE_KEY,
  nodePlaces,
  renewSuccessors,
  settleDocument,
  STATE_ROOT,
} from "@cairn/schema";
import {
  type Container,
  isContainer,
  LoroCounter,
  LoroDoc,
  type LoroList,
  LoroList as List,
  LoroMap,
  LoroMovableList,
  LoroText,
  LoroTree,
  type LoroTreeNode,
  type PeerID,
  type TreeID,
  type VersionVector,
} from "loro-crdt";
import { isManifest, type Manifest } from "./attachments-in.ts";
import { RESTORED_KEY, restoredFrom } from "./document-digest.ts";

/** Plain bytes of one update: an entry holds it, so that none is refused for its size, and most copies are one update. */
const UPDATE_BYTES = 3 * 1024 * 1024;
/** UTF-16 units of a text that are inserted at once. */
const TEXT_UNITS = 128 * 1024;
/** States that a document remembers to be made from. */
const MAX_RESTORED = 16;

/** One update of the copy, with the sealed chunks that it begins to refer to. */
export interface CopiedUpdate {
  readonly update: Uint8Array;
  readonly refs: ReadonlyArray<Hash>;
}

export interface CopyOptions {
  readonly peer: PeerID;
  /** The state of the backup that the copy is made from: kept in the copy, so that it is not restored again. */
  readonly digest: Hash;
  /** Where an attachment's chunks are now. */
  readonly relocate: (manifest: Manifest) => Manifest;
  /** Its declared type, where it is known: how its marks grow, and what versions of the app carry over. */
  readonly type?: DocumentType | undefined;
}

export interface DocumentCopy {
  /** In order; each fits an entry. */
  readonly updates: ReadonlyArray<CopiedUpdate>;
  /** All of them as one snapshot. */
  readonly snapshot: Uint8Array;
}

/** Makes a copy of a document, in which what reading carries over is written down before. */
export const copyDocument = (source: LoroDoc, options: CopyOptions): DocumentCopy => {
  const target = new LoroDoc();
  try {
    target.setPeerId(options.peer);
    configureStyles(options.type, target);
    if (options.type !== undefined) settleDocument(options.type, source);
    const copy = new Copy(target, options.relocate);
    for (const [name, id] of Object.entries(source.getShallowValue())) {
      const root = source.getContainerById(id);
      if (root !== undefined) copy.fill(root, rootOf(target, name, root));
    }
    renewSuccessors(target);
    const restored = [...restoredFrom(source).filter((digest) => digest !== options.digest), options.digest];
    target.getMap(STATE_ROOT).set(RESTORED_KEY, restored.slice(-MAX_RESTORED));
    return { updates: copy.finish(), snapshot: target.export({ mode: "snapshot" }) };
  } finally {
    target.free();
  }
};

const rootOf = (doc: LoroDoc, name: string, like: Container): Container => {
  switch (like.kind()) {
    case "Text":
      return doc.getText(name);
    case "Map":
      return doc.getMap(name);
    case "List":
      return doc.getList(name);
    case "MovableList":
      return doc.getMovableList(name);
    case "Counter":
      return doc.getCounter(name);
    case "Tree":
      return doc.getTree(name);
  }
};

/** A container that is in no document yet. */
const detached = (like: Container): Container => {
  switch (like.kind()) {
    case "Text":
      return new LoroText();
    case "Map":
      return new LoroMap();
    case "List":
      return new List();
    case "MovableList":
      return new LoroMovableList();
    case "Counter":
      return new LoroCounter();
    case "Tree":
      return new LoroTree();
  }
};

const mergeableChild = (map: LoroMap, key: string, like: Container): Container => {
  switch (like.kind()) {
    case "Text":
      return map.ensureMergeableText(key);
    case "Map":
      return map.ensureMergeableMap(key);
    case "List":
      return map.ensureMergeableList(key);
    case "MovableList":
      return map.ensureMergeableMovableList(key);
    case "Counter":
      return map.ensureMergeableCounter(key);
    case "Tree":
      return map.ensureMergeableTree(key);
  }
};

/** Mergeable children are named like roots; other children by the operation that made them. */
const isMergeable = (child: Container): boolean => child.id.startsWith("cid:root-");

class Copy {
  readonly #doc: LoroDoc;
  readonly #relocate: CopyOptions["relocate"];
  readonly #updates: Array<CopiedUpdate> = [];
  #from: VersionVector;
  #refs = new Set<Hash>();
  #bytes = 0;

  constructor(doc: LoroDoc, relocate: CopyOptions["relocate"]) {
    this.#doc = doc;
    this.#from = doc.oplogVersion();
    this.#relocate = relocate;
  }

  finish(): ReadonlyArray<CopiedUpdate> {
    this.#cut();
    this.#from.free();
    return this.#updates;
  }

  #cut(): void {
    // Asking for the version commits what is under way: it is the previous one that an update begins after.
    this.#doc.commit();
    this.#updates.push({ update: this.#doc.export({ mode: "update", from: this.#from }), refs: [...this.#refs] });
    this.#from.free();
    this.#from = this.#doc.oplogVersion();
    this.#refs = new Set();
    this.#bytes = 0;
  }

  /** Room for so much more in this update, or a new one. */
  #spend(bytes: number, refs: ReadonlyArray<Hash> = []): void {
    const more = refs.filter((ref) => !this.#refs.has(ref)).length;
    if (this.#bytes > 0 && (this.#bytes + bytes > UPDATE_BYTES || this.#refs.size + more > LIMITS.refs)) this.#cut();
    this.#bytes += bytes;
    for (const ref of refs) this.#refs.add(ref);
  }

  fill(source: Container, target: Container): void {
    if (source instanceof LoroText && target instanceof LoroText) this.#text(source, target);
    else if (source instanceof LoroMap && target instanceof LoroMap) this.#map(source, target);
    else if (source instanceof List && target instanceof List) this.#list(source, target);
    else if (source instanceof LoroMovableList && target instanceof LoroMovableList) this.#list(source, target);
    else if (source instanceof LoroCounter && target instanceof LoroCounter) this.#counter(source, target);
    else if (source instanceof LoroTree && target instanceof LoroTree) this.#tree(source, target);
  }

  #text(source: LoroText, target: LoroText): void {
    const text = source.toString();
    for (let start = 0; start < text.length;) {
      let end = Math.min(text.length, start + TEXT_UNITS);
      // Half of a surrogate pair is no text.
      if (end < text.length && (text.codePointAt(end - 1) ?? 0) > 0xffff) end -= 1;
      this.#spend((end - start) * 2);
      target.insert(start, text.slice(start, end));
      start = end;
    }
    let position = 0;
    for (const { insert, attributes } of source.toDelta()) {
      const end = position + (typeof insert === "string" ? insert.length : 0);
      for (const [key, value] of Object.entries(attributes ?? {})) {
        if (value === null || value === undefined) continue;
        this.#spend(64 + sizeOf(value));
        target.mark({ start: position, end }, key, value);
      }
      position = end;
    }
  }

  #map(source: LoroMap, target: LoroMap): void {
    for (const [key, value] of source.entries()) {
      if (isContainer(value)) {
        this.#spend(64 + key.length);
        this.fill(
          value,
          isMergeable(value) ? mergeableChild(target, key, value) : target.setContainer(key, detached(value)),
        );
      } else {
        const relocated = isManifest(value) ? this.#relocate(value) : undefined;
        const refs = relocated?.chunks.map(({ sealedHash }) => sealedHash) ?? [];
        this.#spend(64 + key.length + sizeOf(value), refs);
        target.set(key, relocated ?? value);
      }
    }
  }

  #list(source: LoroList | LoroMovableList, target: LoroList | LoroMovableList): void {
    for (const [index, value] of source.toArray().entries()) {
      if (isContainer(value)) {
        this.#spend(64);
        this.fill(value, target.insertContainer(index, detached(value)));
      } else {
        this.#spend(16 + sizeOf(value));
        target.insert(index, value);
      }
    }
  }

  #counter(source: LoroCounter, target: LoroCounter): void {
    this.#spend(16);
    if (source.value !== 0) target.increment(source.value);
  }

  #tree(source: LoroTree, target: LoroTree): void {
    const ids = new Map(nodePlaces(source).map(({ treeId, id }) => [treeId, id]));
    // Not by recursion: how deep a tree is was decided by whoever wrote it.
    const waiting: Array<{ readonly node: LoroTreeNode; readonly parent: TreeID | undefined }> = source
      .roots()
      .map((node) => ({ node, parent: undefined }));
    for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
      const { node, parent } = next;
      this.#spend(64);
      const made = target.createNode(parent);
      this.#map(node.data, made.data);
      made.data.set(NODE_KEY, ids.get(node.id) ?? node.id);
      waiting.push(...(node.children() ?? []).map((child) => ({ node: child, parent: made.id })));
    }
  }
}

/** About how many bytes a plain value takes. */
const sizeOf = (value: unknown): number =>
  value instanceof Uint8Array ? value.length : (JSON.stringify(value)?.length ?? 0) * 2;
