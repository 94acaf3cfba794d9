/** The deliberate defects. */
import type { Defect } from "./Defect.ts";

export const defects: ReadonlyArray<Defect> = [];
