import { MalformedBytes } from "@cairn/protocol";

/** What `decode` gives, or the typed refusal. Everything else that it throws is a crash, and is thrown on. */
export const decodedOrRefused = <Value>(decode: () => Value): Value | MalformedBytes => {
  try {
    return decode();
  } catch (error) {
    if (error instanceof MalformedBytes) return error;
    throw error;
  }
};

export const isRefused = (decode: () => unknown): boolean => decodedOrRefused(decode) instanceof MalformedBytes;
