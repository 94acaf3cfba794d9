/** What a successor keeps of itself. */
import type { LoroDoc } from "loro-crdt";
import { isPlainObject } from "../json.ts";

/** A version of a document, as Loro's `frontiers()` gives it. */
export type Version = ReturnType<LoroDoc["frontiers"]>;

/** What its author knew when making it. */
export const COVERS = "$covers";
/** The version at which it was made and not edited yet. */
export const CREATED = "$created";

/** A stored version; undefined where it is none. */
export const versionOf = (value: unknown): Version | undefined => {
  if (!Array.isArray(value) || value.length > 1_000) return undefined;
  const ids = value.flatMap((id: unknown): Version => {
    if (!isPlainObject(id) || typeof id["peer"] !== "string" || !/^\d{1,20}$/.test(id["peer"])) return [];
    const { peer, counter } = id;
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- Loro's name for a text of digits
    return typeof counter === "number" && Number.isSafeInteger(counter) ? [{ peer: peer as `${number}`, counter }] : [];
  });
  return ids.length === value.length ? ids : undefined;
};

/** Whether a key is one under which a step keeps its own state: no physical name can begin so. */
export const isStateKey = (key: string): boolean => /^\$v\d/.test(key);

/** The version of the schema whose step keeps a newer form of a field under a key; undefined for any other key. */
export const formVersionOf = (key: string): number | undefined => {
  const [, version] = /^\$v(\d+)\./.exec(key) ?? [];
  return version === undefined ? undefined : Number(version);
};
