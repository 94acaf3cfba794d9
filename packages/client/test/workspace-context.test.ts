/** What several engines of one profile know of a workspace, which they keep in one store. */
import { it } from "@effect/vitest";
import {
  admitRecord,
  certifyDevice,
  deviceIdOf,
  generateDeviceKeys,
  generateRootSecret,
  keyChangeRecord,
  Keyring,
  proposeMembership,
  systemRandom,
} from "@cairn/crypto";
import { EntryKind, hashFromBytes, NO_DOCUMENT } from "@cairn/protocol";
import { freezing } from "@cairn/sync";
import { makeMemoryStore, MemoryStorage } from "@cairn/testkit/memory";
import { Deferred, Effect, Fiber } from "effect";
import { describe, expect } from "vitest";
import { found } from "../src/engine/Joining.ts";
import { StoreFailure } from "../src/store/LocalStore.ts";
import { extendContext, loadContext, reloadContext, reloadIdentity } from "../src/engine/WorkspaceContext.ts";
import * as Secrets from "../src/engine/WorkspaceSecrets.ts";
import { workspace } from "./fixtures/devices.ts";
import { addWorkspace } from "./fixtures/stored-workspace.ts";

const key = (fill: number): Uint8Array => new Uint8Array(32).fill(fill);
const nothing = hashFromBytes(new Uint8Array(32));

const epochsIn = (keyring: Keyring): ReadonlyArray<number> => [...keyring.epochKeys.keys()];

/** A profile with one workspace, whose first epoch's key it has. */
const makeProfile = Effect.gen(function* () {
  const store = makeMemoryStore(new MemoryStorage());
  const keys = yield* Secrets.ensureDeviceKeys(store, workspace, "platform", systemRandom);
  const record = yield* addWorkspace(store, workspace, deviceIdOf(workspace, keys));
  yield* Secrets.saveKeyring(store, new Keyring(workspace, [[1, key(1)]]));
  return { store, record };
});

describe("the keys of a profile with several engines", () => {
  it.effect(
    "promise 1: an identity that another engine has taken comes with the epochs that only the old one opens",
    () =>
      Effect.gen(function* () {
        const { store, record } = yield* makeProfile;
        const context = yield* loadContext(store, record, systemRandom);
        if (context === undefined) return expect.unreachable("the keys are there");

        // The other engine reads on in the log, where the old identity is given two epochs, and takes a new one.
        yield* Secrets.saveKeyring(
          store,
          new Keyring(workspace, [
            [1, key(1)],
            [2, key(2)],
            [3, key(3)],
          ]),
        );
        const to = deviceIdOf(
          workspace,
          yield* Secrets.ensureSuccessorKeys(store, workspace, "platform", systemRandom),
        );
        yield* store.succeed({
          workspace,
          fence: yield* store.claimLeadership,
          from: record.device,
          ahead: 0,
          to,
          admission: {
            device: to,
            counter: 1,
            document: NO_DOCUMENT,
            // No link of a chain, which is none of what this is about.
            kind: EntryKind.void,
            entry: key(9),
            hash: nothing,
            refs: [],
            frozen: freezing(0),
            frozenAt: 0,
            updates: [],
          },
          documents: [],
        });
        yield* Secrets.promoteSuccessorKeys(store, workspace, to);

        expect(yield* reloadIdentity(store, context)).toBe(true);
        expect(context.device).toBe(to);
        expect(epochsIn(context.keyring)).toEqual([1, 2, 3]);
      }),
  );

  it.effect("what one engine has of them is stored beside what another has stored", () =>
    Effect.gen(function* () {
      const { store } = yield* makeProfile;
      yield* Secrets.saveKeyring(
        store,
        new Keyring(workspace, [
          [1, key(1)],
          [3, key(3)],
        ]),
      );
      yield* Secrets.saveKeyring(
        store,
        new Keyring(workspace, [
          [1, key(1)],
          [2, key(2)],
        ]),
      );
      const stored = yield* Secrets.keyring(store, workspace);
      expect(new Set(epochsIn(stored))).toEqual(new Set([1, 2, 3]));
    }),
  );
});

describe("a key that the chain brings", () => {
  it.effect("promise 1: is stored, also where that failed the first time", () =>
    Effect.gen(function* () {
      const plain = makeMemoryStore(new MemoryStorage());
      const joining = { store: plain, random: systemRandom, deviceName: "laptop", deviceKeyForm: "platform" as const };
      const record = yield* found(joining, generateRootSecret(systemRandom), undefined);
      let isFull = true;
      const store: typeof plain = {
        ...plain,
        putSecret: (...put) =>
          isFull
            ? Effect.fail(new StoreFailure({ reason: "full", operation: "putSecret", cause: "simulated" }))
            : plain.putSecret(...put),
      };
      const context = yield* loadContext(store, record, systemRandom);
      if (context === undefined) return expect.unreachable("the keys are there");
      const { membership, keyring, keys, device } = context;
      const change = yield* Effect.promise(async () => {
        const { record: newKey } = await keyChangeRecord(membership, keyring, systemRandom, new Set());
        return proposeMembership(membership, [newKey], { device, counter: 2, signing: keys.signing });
      });
      expect(yield* Effect.flip(extendContext(store, context, change))).toMatchObject({ _tag: "StoreFailure" });

      isFull = false;
      yield* extendContext(store, context, change);
      const stored = yield* Secrets.keyring(store, record.workspace);
      expect(epochsIn(stored)).toEqual([1, 2]);
    }),
  );
});

describe("the chain that an engine knows", () => {
  it.effect("promise 3: keeps an admission that comes while the log is read for what another engine has received", () =>
    Effect.gen(function* () {
      const plain = makeMemoryStore(new MemoryStorage());
      const joining = { store: plain, random: systemRandom, deviceName: "laptop", deviceKeyForm: "platform" as const };
      const record = yield* found(joining, generateRootSecret(systemRandom), undefined);
      const isRead = yield* Deferred.make<void>();
      const mayAnswer = yield* Deferred.make<void>();
      let isHeld = false;
      const store: typeof plain = {
        ...plain,
        logOfKind: (...asked) =>
          Effect.tap(plain.logOfKind(...asked), () =>
            isHeld ? Effect.andThen(Deferred.succeed(isRead, undefined), Deferred.await(mayAnswer)) : Effect.void,
          ),
      };
      const context = yield* loadContext(store, record, systemRandom);
      if (context === undefined) return expect.unreachable("the keys are there");
      const phone = yield* Effect.promise(() => generateDeviceKeys(systemRandom));
      const device = deviceIdOf(record.workspace, phone);
      const admission = yield* Effect.promise(async () => {
        const certificate = await certifyDevice({
          workspace: record.workspace,
          device: phone,
          role: "writer",
          from: 1,
          issuer: { type: "device", device: record.device },
          issuerKeys: context.keys.signing,
        });
        const admit = await admitRecord(context.keyring, certificate, "phone", systemRandom);
        return proposeMembership(context.membership, [admit], { device, counter: 1, signing: phone.signing });
      });

      isHeld = true;
      const reloading = yield* Effect.forkChild(reloadContext(store, context));
      yield* Deferred.await(isRead);
      yield* extendContext(store, context, admission);
      expect(context.membership.devices.has(device)).toBe(true);
      yield* Deferred.succeed(mayAnswer, undefined);
      yield* Fiber.join(reloading);
      expect(context.membership.devices.has(device)).toBe(true);
    }),
  );
});
