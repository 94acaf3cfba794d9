/** How the application of one operation of a patch ends early. */
import type { PatchOperation, PatchProblemCode } from "./patch.ts";

export class Refused extends Error {
  readonly code: PatchProblemCode;
  constructor(code: PatchProblemCode, reason: string) {
    super(reason);
    this.code = code;
  }
}

export const refuse = (code: PatchProblemCode, reason: string): never => {
  throw new Refused(code, reason);
};

export const notAllowed = ({ op }: PatchOperation, what: string): never =>
  refuse("patch/operation-not-allowed", `"${op}" does not go with ${what}`);

export const whole = (value: unknown, what: string): number =>
  typeof value === "number" && Number.isSafeInteger(value) && value >= 0
    ? value
    : refuse("patch/malformed", `"${what}" is a whole number`);
