import { localStoreContract } from "@cairn/testkit/contracts";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as SqliteStore from "../src/store/SqliteStore.ts";

localStoreContract("SqliteStore", {
  sequences: 60,
  make: async () => {
    const directory = await mkdtemp(join(tmpdir(), "cairn-store-"));
    return {
      layer: SqliteStore.layer({ directory: join(directory, "profile") }),
      dispose: () => rm(directory, { recursive: true }),
    };
  },
});
