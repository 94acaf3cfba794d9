/**
 * What can go wrong with keys and seals. Each error has a stable `code`; none carries a key, a word or content.
 */
import { Data } from "effect";
import type { Hash } from "@cairn/protocol";

/** The words that a person typed are not a recovery phrase. */
export class RecoveryWordsInvalid extends Data.TaggedError("RecoveryWordsInvalid")<{
  /** `words-count`: not 24. `words-unknown`: `position` (from 1) is not in the list. `words-checksum`: a word is wrong. */
  readonly code: "words-count" | "words-unknown" | "words-checksum";
  readonly position?: number;
}> {
  override get message(): string {
    switch (this.code) {
      case "words-count":
        return "A recovery phrase has 24 words.";
      case "words-unknown":
        return `Word ${this.position ?? "?"} is not in the word list. Check its spelling.`;
      case "words-checksum":
        return "The words are known, but they do not belong together. Check their order and each word.";
    }
  }
}

/** The text is not an access link that this version can open. */
export class AccessLinkInvalid extends Data.TaggedError("AccessLinkInvalid")<{
  /**
   * `link-not-one`: no link at all. `link-incomplete`: its end is missing. `link-damaged`: characters changed.
   * `link-version`: made by a newer version.
   */
  readonly code: "link-not-one" | "link-incomplete" | "link-damaged" | "link-version";
}> {
  override get message(): string {
    switch (this.code) {
      case "link-not-one":
        return "This is not an access link. Copy the whole link, including what follows the #.";
      case "link-incomplete":
        return "The link is cut off. Copy the whole link, up to its last character.";
      case "link-damaged":
        return "The link was changed on its way. Copy it again, or ask for a new one.";
      case "link-version":
        return "The link was made by a newer version of the app. Update this one.";
    }
  }
}

/** Key material that cannot be used: a key file that does not parse, a seed or key of the wrong length or form. */
export class KeyInvalid extends Data.TaggedError("KeyInvalid")<{
  /**
   * `key-file`: not a device key file. `key-file-version`: of a newer version. `key-length`: wrong length.
   * `key-conflict`: an epoch has another key already. `key-unsafe`: a public key of low order.
   */
  readonly code: "key-file" | "key-file-version" | "key-length" | "key-conflict" | "key-unsafe";
  readonly reason: string;
}> {
  override get message(): string {
    return this.reason;
  }
}

/** A signature does not verify: the bytes are not what the author signed, or somebody else signed them. */
export class SignatureInvalid extends Data.TaggedError("SignatureInvalid")<{
  readonly code: "signature-invalid";
}> {
  override get message(): string {
    return "The signature does not verify. The bytes are not what their author signed.";
  }
}

/** The keyring has no key for an epoch: fetch the membership chain, which brings it. */
export class EpochKeyMissing extends Data.TaggedError("EpochKeyMissing")<{
  readonly code: "epoch-key-missing";
  readonly epoch: number;
}> {
  override get message(): string {
    return `There is no key for epoch ${this.epoch}. Fetch the membership chain.`;
  }
}

/** Sealed bytes that do not open. */
export class SealBroken extends Data.TaggedError("SealBroken")<{
  /**
   * `seal-broken`: other key, other context, or changed bytes. `seal-form`: opened, but what is inside has no known
   * form. `content-too-large`: opened, but larger than `CONTENT_BYTES_MAX` when decompressed.
   */
  readonly code: "seal-broken" | "seal-form" | "content-too-large";
  readonly reason: string;
}> {
  override get message(): string {
    return this.reason;
  }
}

/** Content that is too large to seal. */
export class ContentTooLarge extends Data.TaggedError("ContentTooLarge")<{
  readonly code: "content-too-large";
  readonly size: number;
  readonly limit: number;
}> {
  override get message(): string {
    return `${this.size} bytes are more than the ${this.limit} that one seal may hold. Split the content.`;
  }
}

/** Entries that cannot be read as a membership chain. */
export class MembershipChainBroken extends Data.TaggedError("MembershipChainBroken")<{
  /**
   * `chain-not-linked`: `prev` is not the head: entries are missing, out of order, or the chain was forked.
   * `chain-genesis`: the first entry does not found this workspace. `chain-unsupported`: an entry says that old readers
   * must not go on; update the app. `chain-not-membership`: not a membership entry of this workspace.
   */
  readonly code: "chain-not-linked" | "chain-genesis" | "chain-unsupported" | "chain-not-membership";
  readonly entry: Hash;
  readonly reason: string;
}> {
  override get message(): string {
    return this.reason;
  }
}

/** Runs `action` and turns whatever the platform throws into a typed error. */
export const failAs = async <Value>(
  action: () => Promise<Value>,
  failure: (cause: unknown) => Error,
): Promise<Value> => {
  try {
    return await action();
  } catch (cause) {
    throw failure(cause);
  }
};
