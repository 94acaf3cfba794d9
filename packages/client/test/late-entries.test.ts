/** Entries that come before the key that opens them, received over a real membership chain. */
import { it } from "@effect/vitest";
import * as crypto from "@cairn/crypto";
import {
  decodeEntry,
  emptyLogChain,
  type Entry,
  entryHash,
  EntryKind,
  nextLogChain,
  NO_DOCUMENT,
  type Page,
  PROTOCOL_VERSION,
} from "@cairn/protocol";
import { freezing } from "@cairn/sync";
import { makeMemoryStore, MemoryStorage } from "@cairn/testkit/memory";
import { Effect } from "effect";
import { LoroDoc } from "loro-crdt";
import { describe, expect } from "vitest";
import { peerIdOf } from "../src/documents/peer-ids.ts";
import { encodeContent } from "../src/engine/entry-content.ts";
import { applyLateEntries, lateEntriesName } from "../src/engine/LateEntries.ts";
import { receive } from "../src/engine/Receiving.ts";
import { loadContext } from "../src/engine/WorkspaceContext.ts";
import { StoreFailure } from "../src/store/LocalStore.ts";
import * as Secrets from "../src/engine/WorkspaceSecrets.ts";
import { documentId } from "./fixtures/devices.ts";
import { addWorkspace } from "./fixtures/stored-workspace.ts";

const { systemRandom: random } = crypto;
const NOTE = documentId(1);
const storageFull = new StoreFailure({ operation: "receive", reason: "full", cause: undefined });

/** A workspace of one owner, and what its log comes to. */
const foundLog = Effect.promise(async () => {
  const root = await crypto.rootKeysFromSecret(crypto.generateRootSecret(random));
  const keys = await crypto.generateDeviceKeys(random);
  const founded = await crypto.foundWorkspace({ root, deviceKeys: keys, deviceName: "laptop", random });
  const { workspace, device, keyring } = founded;
  const owner = (counter: number) => ({ device, counter, signing: keys.signing });
  let { state } = await crypto.verifyMembership(workspace, [founded.genesis]);
  const log: Array<Entry> = [founded.genesis];
  const propose = async (records: Parameters<typeof crypto.proposeMembership>[1], author = owner(log.length + 1)) => {
    const entry = await crypto.proposeMembership(state, records, author);
    ({ state } = await crypto.extendMembership(state, entry));
    log.push(decodeEntry(entry.bytes));
  };
  return {
    workspace,
    log,
    /** A second device comes in. A new key that was made for the chain before it leaves it out. */
    admitBesideKeyChange: async (joiner: crypto.DeviceKeys) => {
      const before = state;
      const certificate = await crypto.certifyByRoot(root, workspace, joiner, 1);
      const joined = crypto.deviceIdOf(workspace, joiner);
      await propose([await crypto.admitRecord(keyring, certificate, "phone", random)], {
        device: joined,
        counter: 1,
        signing: joiner.signing,
      });
      const { record, epoch, key } = await crypto.keyChangeRecord(before, keyring, random);
      keyring.add(epoch, key);
      await propose([record], owner(2));
      return joined;
    },
    changeKey: async () => {
      const { record, epoch, key } = await crypto.keyChangeRecord(state, keyring, random);
      keyring.add(epoch, key);
      await propose([record], owner(4));
    },
    /** The owner writes in the note, under the newest key. */
    write: async (text: string) => {
      const doc = new LoroDoc();
      doc.setPeerId(peerIdOf(device, 0));
      doc.getText("body").insert(0, text);
      doc.commit();
      const entry = await crypto.sealEntry({
        header: {
          version: PROTOCOL_VERSION,
          kind: EntryKind.update,
          workspace,
          document: NOTE,
          device,
          counter: 3,
          epoch: keyring.newest,
          covers: [],
          refs: [],
          extensions: [],
        },
        content: encodeContent({ type: "note", time: 1, updates: [doc.export({ mode: "update" })] }),
        sealing: crypto.makeSealing(keyring, random),
        author: keys.signing,
      });
      log.push(entry);
    },
    /** What a server answers to whoever has read so far. */
    pageAfter: (after: number): Page => {
      const hashes = log.map(({ bytes }) => entryHash(bytes));
      const chain = hashes.reduce((last, hash, index) => nextLogChain(last, index + 1, hash), emptyLogChain(workspace));
      const items = log.slice(after).map(({ bytes }, index) => ({
        type: "entry" as const,
        seq: after + index + 1,
        entry: bytes,
      }));
      return { after, until: log.length, head: log.length, chain, items };
    },
  };
});

/** A device's own admission waits for its acknowledgement, as after joining. */
const membershipOutgoing = ({ header: { device, counter }, bytes }: Entry) => ({
  device,
  counter,
  document: NO_DOCUMENT,
  kind: EntryKind.membership,
  entry: bytes,
  hash: entryHash(bytes),
  refs: [],
  frozen: freezing(0),
  frozenAt: 0,
  updates: [],
});

describe("an entry whose key comes behind it", () => {
  it.effect("promise 1: is kept, and applied when the key is here, also by another leader", () =>
    Effect.gen(function* () {
      const server = yield* foundLog;
      const { workspace } = server;
      const store = makeMemoryStore(new MemoryStorage());
      const joiner = yield* Secrets.ensureDeviceKeys(store, workspace, "platform", random);
      const device = yield* Effect.promise(() => server.admitBesideKeyChange(joiner));
      yield* Effect.promise(() => server.write("sealed before I could read"));
      const admission = server.log.slice(1, 2).map(membershipOutgoing);
      const record = yield* addWorkspace(store, workspace, device, admission);
      const begin = { cursor: 0, chain: emptyLogChain(workspace) };
      const context = yield* loadContext(store, record, random);
      if (context === undefined) return expect.unreachable("the keys are there");
      const fence = yield* store.claimLeadership;

      const first = yield* receive(store, context, fence, begin, server.pageAfter(0));
      expect(first.unapplied.map(({ reason }) => reason)).toEqual(["EpochKeyMissing"]);
      expect(yield* store.openDocument(workspace, NOTE)).toBeUndefined();
      expect([...(yield* applyLateEntries(store, context, fence))]).toEqual([]);
      const [late] = server.log.slice(-1).map(({ header }) => ({ device: header.device, counter: header.counter }));
      expect(yield* store.secret(lateEntriesName(workspace))).toEqual([late]);

      // The next key brings those before it.
      yield* Effect.promise(() => server.changeKey());
      // A page that could not be stored brings as much when it comes again.
      const full = { ...store, receive: () => Effect.fail(storageFull) };
      const page = server.pageAfter(first.position.cursor);
      expect(yield* Effect.flip(receive(full, context, fence, first.position, page))).toBe(storageFull);
      const second = yield* receive(store, context, fence, first.position, server.pageAfter(first.position.cursor));
      expect(second.membershipChanged).toBe(true);
      const next = yield* store.claimLeadership;
      expect([...(yield* applyLateEntries(store, context, next))]).toEqual([NOTE]);
      const opened = yield* store.openDocument(workspace, NOTE);
      const doc = new LoroDoc();
      for (const { update } of opened?.updates ?? []) doc.import(update);
      expect(doc.getText("body").toString()).toBe("sealed before I could read");
      expect((yield* store.position(workspace))?.cursor).toBe(second.position.cursor);

      expect(yield* store.secret(lateEntriesName(workspace))).toBeUndefined();
      expect([...(yield* applyLateEntries(store, context, next))]).toEqual([]);
    }),
  );
});
