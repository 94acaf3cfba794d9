/**
 * Where the fields of a document, or of a record inside it, are stored.
 *
 * At the top of a document, containers are Loro roots, which exist by name and need no creating operation. Inside a
 * record they are mergeable children of the record's map: two devices that make the same child at once get one child
 * (a plain `setContainer` would drop one side's content). Such a child is never deleted from its map, because making it
 * again would bring its old content back; its contents are cleared instead.
 */
import type {
  Container,
  LoroCounter,
  LoroDoc,
  LoroList,
  LoroMap,
  LoroMovableList,
  LoroText,
  LoroTree,
} from "loro-crdt";
import { isContainer } from "./container.ts";
import { emptyDocumentLike } from "./empty-document.ts";
import { SchemaWriteError } from "./errors.ts";
import { PLAIN_ROOT } from "./roots.ts";

export type Place =
  | { readonly at: "document"; readonly doc: LoroDoc }
  | { readonly at: "record"; readonly doc: LoroDoc; readonly map: LoroMap };

/** How one kind of container is reached. */
export interface ContainerKind<C extends Container> {
  readonly root: (doc: LoroDoc, name: string) => C;
  readonly child: (map: LoroMap, name: string) => C;
  readonly is: (container: Container) => container is C;
}

export const TEXT: ContainerKind<LoroText> = {
  root: (doc, name) => doc.getText(name),
  child: (map, name) => map.ensureMergeableText(name),
  is: (container): container is LoroText => container.kind() === "Text",
};
export const LIST: ContainerKind<LoroList> = {
  root: (doc, name) => doc.getList(name),
  child: (map, name) => map.ensureMergeableList(name),
  is: (container): container is LoroList => container.kind() === "List",
};
export const MOVABLE_LIST: ContainerKind<LoroMovableList> = {
  root: (doc, name) => doc.getMovableList(name),
  child: (map, name) => map.ensureMergeableMovableList(name),
  is: (container): container is LoroMovableList => container.kind() === "MovableList",
};
export const MAP: ContainerKind<LoroMap> = {
  root: (doc, name) => doc.getMap(name),
  child: (map, name) => map.ensureMergeableMap(name),
  is: (container): container is LoroMap => container.kind() === "Map",
};
export const COUNTER: ContainerKind<LoroCounter> = {
  root: (doc, name) => doc.getCounter(name),
  child: (map, name) => map.ensureMergeableCounter(name),
  is: (container): container is LoroCounter => container.kind() === "Counter",
};
export const TREE: ContainerKind<LoroTree> = {
  root: (doc, name) => doc.getTree(name),
  child: (map, name) => map.ensureMergeableTree(name),
  is: (container): container is LoroTree => container.kind() === "Tree",
};

/** The map that holds the plain fields of a place. */
export const plainMap = (place: Place): LoroMap => (place.at === "document" ? place.doc.getMap(PLAIN_ROOT) : place.map);

/**
 * Reads a container that nobody else has, and gives it back: as long as JavaScript holds one of a document's containers,
 * Loro keeps the whole document in memory, also when it was freed (hazard L9).
 */
export const readAndFree = <C extends Container, A>(container: C, read: (container: C) => A): A => {
  try {
    return read(container);
  } finally {
    container.free();
  }
};

/** The stored value of a plain field. */
export const plainValue = (place: Place, physical: string): unknown =>
  place.at === "record" ? place.map.get(physical) : readAndFree(plainMap(place), (map) => map.get(physical));

/** The container of a field, for reading: writes nothing. `misfit` where something else occupies its key. */
export const findContainer = <C extends Container>(
  place: Place,
  kind: ContainerKind<C>,
  physical: string,
): C | "absent" | "misfit" => {
  if (place.at === "document") return kind.root(place.doc, physical);
  const value = place.map.get(physical);
  if (value === undefined) return "absent";
  return isContainer(value) && kind.is(value) ? value : "misfit";
};

/** The container of a field, for writing: made here if nobody made it yet. Throws `schema/slot-occupied`. */
export const openContainer = <C extends Container>(
  place: Place,
  kind: ContainerKind<C>,
  physical: string,
  path: ReadonlyArray<string | number>,
): C => {
  const found = findContainer(place, kind, physical);
  if (found === "misfit") {
    // Another kind of container here is another program's; taking the key over would hide its content.
    throw new SchemaWriteError({
      code: "schema/slot-occupied",
      path,
      reason: "something else is stored where this field's container belongs",
    });
  }
  if (found !== "absent") return found;
  if (place.at === "document") return kind.root(place.doc, physical);
  return kind.child(place.map, physical);
};

/**
 * The same place in another replica of its document, or in another version of it. Where it does not exist there, a place that
 * holds nothing.
 */
export const samePlaceIn = (doc: LoroDoc, place: Place): Place => {
  if (place.at === "document") return { at: "document", doc };
  const map = doc.getContainerById(place.map.id);
  if (map !== undefined && MAP.is(map)) return { at: "record", doc, map };
  const empty = emptyDocumentLike(doc);
  return { at: "record", doc: empty, map: empty.getMap(PLAIN_ROOT) };
};
