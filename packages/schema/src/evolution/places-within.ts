/** The places of a document that have fields: itself, its records, the nodes of its trees. */
import { isContainer } from "../container.ts";
import type { Fields } from "../field-kinds.ts";
import { MAP, type Place, TREE, findContainer } from "../place.ts";
import { type Slot, slotsOf } from "../slots.ts";
import { readableNodes } from "../tree.ts";

export interface PlaceWithin {
  /** Names of fields, and keys of records or ids of nodes, for people. */
  readonly path: ReadonlyArray<string>;
  /** The same place has it in every replica. Nodes go by their operations: two of them may read under one key. */
  readonly name: string;
  readonly place: Place;
  readonly slots: ReadonlyArray<Slot>;
}

/** A place and all those in its fields that are stored as they are declared, the outer ones first. */
export function* placesWithin(
  fields: Fields,
  place: Place,
  path: ReadonlyArray<string> = [],
  outer = "",
): Generator<PlaceWithin, void, undefined> {
  const slots = slotsOf(fields);
  yield { path, name: outer, place, slots };
  for (const { name, origin, physical, field } of slots) {
    if (origin !== undefined || (field.kind !== "records" && field.kind !== "tree")) continue;
    for (const [key, map] of field.kind === "records" ? recordsIn(place, physical) : nodesIn(place, physical)) {
      const own = JSON.stringify([name, field.kind === "tree" ? map.id : key]);
      yield* placesWithin(field.fields, { at: "record", doc: place.doc, map }, [...path, name, key], outer + own);
    }
  }
}

const recordsIn = (place: Place, physical: string) => {
  const records = findContainer(place, MAP, physical);
  if (typeof records === "string") return [];
  return records
    .entries()
    .flatMap(([key, value]) => (isContainer(value) && MAP.is(value) ? [[key, value] as const] : []));
};

const nodesIn = (place: Place, physical: string) => {
  const tree = findContainer(place, TREE, physical);
  return typeof tree === "string" ? [] : readableNodes(tree);
};
