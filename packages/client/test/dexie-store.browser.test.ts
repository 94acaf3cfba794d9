import { localStoreContract } from "@cairn/testkit/contracts";
import { Dexie } from "dexie";
import * as DexieStore from "../src/store/DexieStore.ts";

// In debug mode Dexie prints every failure, and some here are wanted.
Dexie.debug = false;

localStoreContract("DexieStore", {
  sequences: 10,
  make: () => {
    const name = `contract-${crypto.randomUUID()}`;
    return Promise.resolve({
      layer: DexieStore.layer({ name }),
      dispose: () => Dexie.delete(name),
    });
  },
});
