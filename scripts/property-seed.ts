import * as fc from "fast-check";
import { inject } from "vitest";

declare module "vitest" {
  interface ProvidedContext {
    /** Where all property tests begin; undefined draws another place in every run. */
    propertySeed: number | undefined;
  }
}

// One commit, one outcome. Whoever looks for more says CAIRN_PROPERTY_SEED.
const seed = inject("propertySeed");
if (seed !== undefined) fc.configureGlobal({ ...fc.readConfigureGlobal(), seed });
