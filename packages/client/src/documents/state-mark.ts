/** What a document came to, in a few bytes (rule 18). */
import { canonicalJson, stateDigestInput } from "@cairn/schema";
import { sha256 } from "@noble/hashes/sha2.js";
import type { LoroDoc } from "loro-crdt";
import { MARK_BYTES, type StateMark } from "../engine/entry-content.ts";

/** Costs time in proportion to the content. */
export const stateMarkOf = (doc: LoroDoc): StateMark => {
  const version = doc.version();
  const counters = Object.fromEntries([...version.toJSON()].filter(([, counter]) => counter > 0));
  version.free();
  return {
    version: sha256(new TextEncoder().encode(canonicalJson(counters))).slice(0, MARK_BYTES),
    state: sha256(stateDigestInput(doc)).slice(0, MARK_BYTES),
  };
};
