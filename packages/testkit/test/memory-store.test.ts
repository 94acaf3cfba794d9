import { localStoreContract } from "@cairn/testkit/contracts";
import { layerMemoryStore, makeMemoryStore, MemoryStorage } from "@cairn/testkit/memory";
import { Effect } from "effect";
import { expect, test } from "vitest";

localStoreContract("MemoryStore", {
  sequences: 200,
  make: () => Promise.resolve({ layer: layerMemoryStore(new MemoryStorage()), dispose: () => Promise.resolve() }),
});

test("a copy of the storage is a disk image: neither sees what the other does later", async () => {
  const storage = new MemoryStorage();
  const store = makeMemoryStore(storage);
  await Effect.runPromise(store.putSecret("a", 1));
  const image = storage.copy();
  await Effect.runPromise(Effect.all([store.putSecret("a", 2), store.claimLeadership]));
  expect([image.secrets.get("a"), image.epoch]).toEqual([1, 0]);
  expect(await Effect.runPromise(makeMemoryStore(image).secret("a"))).toBe(1);
  expect([storage.secrets.get("a"), storage.epoch]).toEqual([2, 1]);
});
