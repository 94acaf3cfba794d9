/** Whose request it is: the connection's address, or the one that a trusted proxy says it has a request from. */
import { BlockList, isIP, isIPv6 } from "node:net";

/** Whether an address belongs to a proxy whose `X-Forwarded-For` is believed. */
export type IsTrustedProxy = (address: string) => boolean;

/** The reason why a text is neither an address nor a network such as `10.0.0.0/8`; undefined for one that is. */
export const invalidNetwork = (text: string): string | undefined => {
  const [address = "", prefix, ...rest] = text.split("/");
  if (isIP(address) === 0 || rest.length > 0) return "expected an address, or a network such as 10.0.0.0/8";
  if (prefix === undefined) return undefined;
  const most = isIPv6(address) ? 128 : 32;
  return /^\d{1,3}$/.test(prefix) && Number(prefix) <= most ? undefined : `expected a prefix of 0 to ${most} bits`;
};

/** @param networks addresses and networks that `invalidNetwork` finds nothing wrong with. */
export const trustedProxies = (networks: ReadonlyArray<string>): IsTrustedProxy => {
  const list = new BlockList();
  for (const network of networks) {
    const [address = "", prefix] = network.split("/");
    const family = isIPv6(address) ? "ipv6" : "ipv4";
    if (prefix === undefined) list.addAddress(address, family);
    else list.addSubnet(address, Number(prefix), family);
  }
  return (address) => isIP(address) !== 0 && list.check(address, isIPv6(address) ? "ipv6" : "ipv4");
};

/**
 * Walks `X-Forwarded-For` from its end, which the nearest proxy wrote, for as long as whoever wrote it is trusted: the
 * first address that is not a trusted proxy's is the client's. What stands before it, anybody may have sent.
 */
export const clientAddress = (
  connection: string,
  forwardedFor: string | undefined,
  isTrusted: IsTrustedProxy,
): string => {
  let address = connection;
  for (const hop of (forwardedFor ?? "").split(",").toReversed()) {
    if (!isTrusted(address)) return address;
    const named = hop.trim();
    if (isIP(named) === 0) return address;
    address = named;
  }
  return address;
};
