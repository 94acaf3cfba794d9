/**
 * What apps and people hand in is checked before anything uses it, so that a mistake is said where it was made and never
 * passed off as the server's. Each refusal is `invalid-argument`, names its argument, and changes nothing (Promise 11).
 */
import { decodeBase64Url, ID_BYTES } from "@cairn/protocol";
import { CairnError } from "../errors.ts";

/** Characters of an invitation, as the protocol bounds it. */
const MAX_INVITE = 200;
/** Bytes of UTF-8 in what the membership chain seals: names of devices and labels of links. */
const MAX_SEALED_TEXT_BYTES = 1024;
/** Characters of a workspace's name. */
const MAX_NAME = 1000;
/** UTF-16 units of a singleton's key. */
const MAX_KEY = 200;
const MAX_USES = 1_000_000;
/** A hundred years. */
const MAX_LIFETIME_MILLIS = 100 * 365 * 24 * 60 * 60 * 1000;

const refuse = (argument: string, message: string): never => {
  throw new CairnError("invalid-argument", message, { argument });
};

const demand = (holds: boolean, argument: string, message: string): void => {
  if (!holds) refuse(argument, message);
};

const fitsSealedText = (text: string): boolean => new TextEncoder().encode(text).length <= MAX_SEALED_TEXT_BYTES;

/** An invitation without the blanks that copying adds. */
export const checkedInvite = (invite: string): string => {
  const code = invite.trim();
  demand(code !== "" && code.length <= MAX_INVITE, "invite", `An invitation has 1 to ${MAX_INVITE} characters.`);
  return code;
};

/** A passphrase, where one is given. */
export const checkPassphrase = ({ passphrase }: { readonly passphrase?: string | undefined }): void =>
  demand(passphrase !== "", "passphrase", "An empty passphrase protects nothing; leave it out, or choose one.");

/** A server is an origin: proofs name it so, and a path behind it would be lost. */
const checkedServer = (server: string): string => {
  const url = URL.parse(server);
  const isOrigin = url !== null && /^https?:$/.test(url.protocol) && `${url.pathname}${url.search}${url.hash}` === "/";
  return isOrigin
    ? url.origin
    : refuse("server", "A server is an address such as https://notes.example, with nothing behind it.");
};

/** Milliseconds for one import, which nothing keeps to where no thread can be ended. */
export const checkImportBudget = (budget: number | undefined, hasThread: boolean): void => {
  demand(budget === undefined || hasThread, "importBudgetMillis", "A budget for imports needs an `importThread`.");
  demand(
    budget === undefined || (Number.isFinite(budget) && budget > 0),
    "importBudgetMillis",
    "A budget for imports is a number of milliseconds above 0.",
  );
};

interface OpenArguments {
  readonly server?: string | undefined;
  readonly invite?: string | undefined;
  readonly deviceName?: string | undefined;
}

/** The options of `openCairn` that people fill in, as they may be used. */
export const checkedOptions = ({ server, invite, deviceName }: OpenArguments): OpenArguments => {
  demand(
    deviceName === undefined || fitsSealedText(deviceName),
    "deviceName",
    `A device's name has at most ${MAX_SEALED_TEXT_BYTES} bytes of UTF-8.`,
  );
  return {
    server: server === undefined ? undefined : checkedServer(server),
    invite: invite === undefined ? undefined : checkedInvite(invite),
    deviceName,
  };
};

/** An option that the platform needs. */
export const requireOption = <A>(value: A | undefined, argument: string, what: string): A =>
  value ?? refuse(argument, `openCairn needs \`${argument}\`: ${what}`);

export const checkWorkspaceName = (name: string): void =>
  demand(name.length <= MAX_NAME, "name", `A workspace's name has at most ${MAX_NAME} characters.`);

const isId = (id: unknown): boolean => typeof id === "string" && decodeBase64Url(id)?.length === ID_BYTES;

export const checkDocumentId = (id: string): void =>
  demand(isId(id), "id", "The id of a document is 22 characters of base64url.");

export const checkSingletonKey = (key: string): void =>
  demand(key.length <= MAX_KEY && key.isWellFormed(), "key", `A key is well-formed text of at most ${MAX_KEY} units.`);

export const checkLinkId = (link: string): void =>
  demand(isId(link), "link", "The id of a link is 22 characters of base64url.");

export const checkLinkOptions = (options: {
  readonly role: string;
  readonly label?: string | undefined;
  readonly maxUses?: number | undefined;
  readonly expiresInMillis?: number | undefined;
}): void => {
  const { role, label = "", maxUses = 0, expiresInMillis = 1 } = options;
  demand(role === "writer" || role === "reader", "role", "A link lets in a `writer` or a `reader`.");
  demand(fitsSealedText(label), "label", `A link's label has at most ${MAX_SEALED_TEXT_BYTES} bytes of UTF-8.`);
  demand(
    Number.isInteger(maxUses) && maxUses >= 0 && maxUses <= MAX_USES,
    "maxUses",
    `A link lets in 1 to ${MAX_USES} devices, or with 0 any number.`,
  );
  demand(
    expiresInMillis > 0 && expiresInMillis <= MAX_LIFETIME_MILLIS,
    "expiresInMillis",
    "A link works for a time that is longer than nothing and shorter than a hundred years.",
  );
};

/** A minimum above the app's own version would lock out whoever sets it. */
export const checkMinimumVersion = (version: number, own: number): void =>
  demand(
    Number.isSafeInteger(version) && version >= 1 && version <= own,
    "version",
    `A minimum version is a whole number from 1 to this app's own, which is ${own}.`,
  );

export const checkSize = (size: number): void =>
  demand(Number.isSafeInteger(size) && size >= 0, "size", "A file's size is a whole number of bytes.");

/** Milliseconds to wait, where they are given. */
export const checkTimeout = (timeout: number | undefined): void =>
  demand(timeout === undefined || timeout >= 0, "timeout", "A timeout is a number of milliseconds, 0 or more.");
