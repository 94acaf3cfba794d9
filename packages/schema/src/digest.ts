/** A short name for a text, to tell whether it is still the same. Not against an adversary: nothing trusts it. */

/** Two numbers of 32 bits that differ between different texts, for all that chance can do. */
export const digestText = (text: string): string => {
  let low = 0x811c9dc5;
  let high = 0x1b873593;
  for (let index = 0; index < text.length; index += 1) {
    const code = text.charCodeAt(index);
    low = Math.imul(low ^ code, 0x01000193);
    high = Math.imul((high ^ code) + (low >>> 7), 0x85ebca6b);
  }
  return `${(high >>> 0).toString(36)}${(low >>> 0).toString(36)}`;
};
