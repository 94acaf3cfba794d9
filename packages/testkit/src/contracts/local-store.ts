/**
 * What every local store does. An adapter's test calls `localStoreContract` with a way to make empty storage; each test
 * gets its own, and may open it several times, one after the other.
 */
import { describe } from "vitest";
import { registerDocumentContract } from "./local-store-documents.ts";
import { registerOutboxContract } from "./local-store-outbox.ts";
import { registerPropertyContract } from "./local-store-properties.ts";
import { registerQueryContract } from "./local-store-queries.ts";
import { registerReceivingContract } from "./local-store-receiving.ts";
import { registerStorageContract } from "./local-store-storage.ts";
import { registerStreamContract } from "./local-store-streams.ts";
import { registerSuccessionContract } from "./local-store-succession.ts";
import { contractSuite, type LocalStoreContractOptions } from "./local-store-suite.ts";

export type { LocalStoreContractOptions, LocalStoreSubject } from "./local-store-suite.ts";

/** Registers the suite. */
export const localStoreContract = (name: string, options: LocalStoreContractOptions): void => {
  const suite = contractSuite(options);
  describe(`${name} keeps the contract of LocalStore`, () => {
    registerStorageContract(suite);
    registerOutboxContract(suite);
    registerStreamContract(suite);
    registerReceivingContract(suite);
    registerSuccessionContract(suite);
    registerDocumentContract(suite);
    registerQueryContract(suite);
    registerPropertyContract(suite);
  });
};
