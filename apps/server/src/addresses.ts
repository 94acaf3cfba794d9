import { networkInterfaces } from "node:os";

export interface Addresses {
  /** Where a browser reaches the server, best first. */
  readonly urls: ReadonlyArray<string>;
  /** Those of them on which browsers offer no encryption. */
  readonly insecure: ReadonlyArray<string>;
}

/** The addresses under which the server can be opened, given what it listens on. */
export const workingAddresses = (options: {
  readonly host: string;
  readonly port: number;
  readonly https: boolean;
  readonly publicUrl: string | undefined;
  /** Addresses of this machine's network interfaces. */
  readonly ownAddresses?: ReadonlyArray<string>;
}): Addresses => {
  const everywhere = options.host === "0.0.0.0" || options.host === "::";
  const hosts = everywhere ? ["localhost", ...(options.ownAddresses ?? lanAddresses())] : [displayHost(options.host)];
  const scheme = options.https ? "https" : "http";
  const local = hosts.map((host) => `${scheme}://${host}:${options.port}`);
  const urls = options.publicUrl === undefined ? local : [options.publicUrl, ...local];
  return { urls, insecure: urls.filter((url) => !isSecureContext(url)) };
};

/** https, or the machine itself: what browsers call a potentially trustworthy origin. */
const isSecureContext = (address: string): boolean => {
  const { hostname, protocol } = new URL(address);
  return (
    protocol === "https:" ||
    hostname === "localhost" ||
    hostname.endsWith(".localhost") ||
    hostname === "[::1]" ||
    /^127(\.\d+){3}$/.test(hostname)
  );
};

/** What to do about addresses that are not secure contexts (rule 29), or nothing. */
export const insecureAdvice = (addresses: Addresses, port: number): string | undefined => {
  const [first] = addresses.insecure;
  if (first === undefined) return undefined;
  return (
    `On ${first} the app will not work: browsers offer encryption only to pages that come over https or from the same machine.\n` +
    "Give Cairn a certificate (CAIRN_TLS_CERT and CAIRN_TLS_KEY), or put a proxy that has one in front, for example:\n" +
    `  caddy reverse-proxy --from notes.example.org --to 127.0.0.1:${port}\n` +
    "and set CAIRN_PUBLIC_URL=https://notes.example.org."
  );
};

const displayHost = (host: string): string => (host === "127.0.0.1" || host === "::1" ? "localhost" : bracketed(host));

const bracketed = (host: string): string => (host.includes(":") ? `[${host}]` : host);

const lanAddresses = (): ReadonlyArray<string> =>
  Object.values(networkInterfaces())
    .flatMap((list) => list ?? [])
    .filter((item) => !item.internal && item.family === "IPv4")
    .map((item) => item.address);
