import { localStoreContract } from "@cairn/testkit/contracts";
import { Dexie } from "dexie";
import * as DexieStore from "../src/store/DexieStore.ts";

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
