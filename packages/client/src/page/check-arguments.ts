/**
 * What apps and people hand in is checked before anything uses it, so that a mistake is said where it was made and never
 * passed off as the server's. Each refusal is `invalid-argument`, names its argument, and changes nothing (Promise 11).
 */
import { CairnError } from "../errors.ts";

/** Characters of an invitation, as the protocol bounds it. */
const MAX_INVITE = 200;

const refuse = (argument: string, message: string): never => {
  throw new CairnError("invalid-argument", message, { argument });
};

/** An invitation without the blanks that copying adds. */
export const checkedInvite = (invite: string): string => {
  const code = invite.trim();
  if (code === "" || code.length > MAX_INVITE) {
    refuse("invite", `An invitation has 1 to ${MAX_INVITE} characters.`);
  }
  return code;
};

/** A passphrase, where one is given: an empty one protects nothing. */
export const checkPassphrase = ({ passphrase }: { readonly passphrase?: string | undefined }): void => {
  if (passphrase === "") refuse("passphrase", "An empty passphrase protects nothing; leave it out, or choose one.");
};

/** Options of `openCairn`, as they may be used. */
export const checkOpenOptions = (options: {
  readonly invite?: string | undefined;
}): { readonly invite: string | undefined } => ({
  invite: options.invite === undefined ? undefined : checkedInvite(options.invite),
});
