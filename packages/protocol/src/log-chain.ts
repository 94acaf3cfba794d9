/**
 * The running hash over a workspace's log (rule 11): it shows that two replicas mean the same log, and so that a server
 * came back from an older backup.
 */
import { sha256 } from "@noble/hashes/sha2.js";
import { ByteWriter, concatBytes } from "./bytes.ts";
import { type Hash, HASH_BYTES, hashFromBytes, idToBytes, label, type WorkspaceId } from "./ids.ts";

const CHAIN_LABEL = label("log-chain");

/** The chain of the empty log. */
export const emptyLogChain = (workspace: WorkspaceId): Hash =>
  hashFromBytes(sha256(concatBytes(CHAIN_LABEL, idToBytes(workspace))));

/** `chain(n) = H(label, chain(n - 1), n, hash of entry n)`. */
export const nextLogChain = (previous: Hash, seq: number, entryHash: Hash): Hash =>
  hashFromBytes(
    sha256(
      new ByteWriter(CHAIN_LABEL.length + HASH_BYTES * 2 + 8)
        .raw(CHAIN_LABEL)
        .raw(idToBytes(previous))
        .u64(seq)
        .raw(idToBytes(entryHash))
        .finish(),
    ),
  );
