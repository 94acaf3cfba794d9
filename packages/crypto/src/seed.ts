/**
 * A person's seed: 32 bytes that 24 words write down (BIP-39, English list). The words are the seed itself; no passphrase
 * and no stretching comes between, because 256 bits need none.
 *
 * The seed opens the home workspace, whose sealed documents hold the roots of the person's other workspaces: one kit for
 * all of them (rule 24).
 */
import { entropyToMnemonic, mnemonicToEntropy } from "@scure/bip39";
import { wordlist } from "@scure/bip39/wordlists/english.js";
import { RecoveryWordsInvalid } from "./errors.ts";
import { deriveBytes, importSecret, KDF_LABELS, SECRET_BYTES } from "./key-derivation.ts";
import type { RandomSource } from "./random.ts";

export const RECOVERY_WORDS = 24;

const WORDS: ReadonlySet<string> = new Set(wordlist);

/** A new person's seed. */
export const generatePersonSeed = (random: RandomSource): Uint8Array => random(SECRET_BYTES);

/** The 24 words of a seed. */
export const recoveryWords = (seed: Uint8Array): ReadonlyArray<string> => entropyToMnemonic(seed, wordlist).split(" ");

/**
 * The seed of 24 words, however they are spaced and capitalised. Throws `RecoveryWordsInvalid`, which says which word is
 * wrong where that can be known.
 */
export const personSeedFromWords = (text: string): Uint8Array => {
  const words = text
    .normalize("NFKD")
    .toLowerCase()
    .split(/\s+/u)
    .filter((word) => word !== "");
  if (words.length !== RECOVERY_WORDS) throw new RecoveryWordsInvalid({ code: "words-count" });
  const unknown = words.findIndex((word) => !WORDS.has(word));
  if (unknown >= 0) throw new RecoveryWordsInvalid({ code: "words-unknown", position: unknown + 1 });
  try {
    return mnemonicToEntropy(words.join(" "), wordlist);
  } catch {
    throw new RecoveryWordsInvalid({ code: "words-checksum" });
  }
};

/** The root secret of the person's home workspace. */
export const homeRootSecret = async (seed: Uint8Array): Promise<Uint8Array> =>
  deriveBytes(await importSecret(seed), new Uint8Array(0), [KDF_LABELS.homeRoot]);
