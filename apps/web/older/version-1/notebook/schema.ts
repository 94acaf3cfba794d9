import { version1 } from "../../../src/notebook/schema/version-1.ts";

export const schema = version1;
