/** Base64url without padding (RFC 4648, section 5), in its one canonical form. */
import { base64urlnopad } from "@scure/base";

/** Bytes as base64url text. */
export const encodeBase64Url = (bytes: Uint8Array): string => base64urlnopad.encode(bytes);

/** The bytes of base64url text, or undefined where the text is not canonical base64url. */
export const decodeBase64Url = (text: string): Uint8Array | undefined => {
  try {
    return base64urlnopad.decode(text);
  } catch {
    return undefined;
  }
};
