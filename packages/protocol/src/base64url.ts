/**
 * Base64url without padding (RFC 4648, section 5), in its one canonical form.
 *
 * Every id, hash and signature goes through here, several for each entry: a table in place of a general codec takes a
 * tenth of the time.
 */

const ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
const NO_DIGIT = 0xff;

const digitByCode = new Uint8Array(128).fill(NO_DIGIT);
for (let digit = 0; digit < ALPHABET.length; digit += 1) digitByCode[ALPHABET.charCodeAt(digit)] = digit;
/** Two digits for each 12 bits. */
const pairs = Array.from({ length: 64 * 64 }, (_, bits) => ALPHABET.charAt(bits >> 6) + ALPHABET.charAt(bits & 63));

/** Bytes as base64url text. */
export const encodeBase64Url = (bytes: Uint8Array): string => {
  const { length } = bytes;
  const whole = length - (length % 3);
  let text = "";
  for (let at = 0; at < whole; at += 3) {
    const bits = ((bytes[at] ?? 0) << 16) | ((bytes[at + 1] ?? 0) << 8) | (bytes[at + 2] ?? 0);
    text += `${pairs[bits >> 12]}${pairs[bits & 0xfff]}`;
  }
  if (length - whole === 1) text += pairs[(bytes[whole] ?? 0) << 4];
  if (length - whole === 2) {
    const bits = ((bytes[whole] ?? 0) << 10) | ((bytes[whole + 1] ?? 0) << 2);
    text += `${pairs[bits >> 6]}${ALPHABET.charAt(bits & 63)}`;
  }
  return text;
};

/** The bytes of base64url text, or undefined where the text is not canonical base64url. */
export const decodeBase64Url = (text: string): Uint8Array<ArrayBuffer> | undefined => {
  const { length } = text;
  const rest = length % 4;
  if (rest === 1) return undefined;
  const bytes = new Uint8Array(Math.floor((length * 3) / 4));
  let bits = 0;
  let to = 0;
  // What is no digit raises a bit above all six.
  let seen = 0;
  for (let at = 0; at < length; at += 1) {
    const code = text.charCodeAt(at);
    const digit = code < 128 ? (digitByCode[code] ?? NO_DIGIT) : NO_DIGIT;
    seen |= digit;
    bits = (bits << 6) | digit;
    if ((at & 3) !== 3) continue;
    bytes[to] = bits >> 16;
    bytes[to + 1] = bits >> 8;
    bytes[to + 2] = bits;
    to += 3;
    bits = 0;
  }
  if (seen > 63) return undefined;
  // One text for the same bytes: the bits that are left over are zeros.
  if (rest === 2) {
    if ((bits & 0xf) !== 0) return undefined;
    bytes[to] = bits >> 4;
  } else if (rest === 3) {
    if ((bits & 0x3) !== 0) return undefined;
    bytes[to] = bits >> 10;
    bytes[to + 1] = bits >> 2;
  }
  return bytes;
};
