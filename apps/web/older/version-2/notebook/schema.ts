import { version2 } from "../../../src/notebook/schema/version-2.ts";

export const schema = version2;
