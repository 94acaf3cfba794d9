/**
 * What browsers may do with our pages. The app needs WebAssembly and workers; its editor writes style elements; pictures
 * of notes are blobs. Nothing comes from, or goes to, another origin.
 */
const hostPattern = /^[A-Za-z0-9.-]+(:\d+)?$|^\[[0-9A-Fa-f:]+\](:\d+)?$/;

const policy = (host: string | undefined): string => {
  // Older Safari does not count WebSockets of the same origin as 'self'.
  const sockets = host !== undefined && hostPattern.test(host) ? ` ws://${host} wss://${host}` : "";
  return [
    "default-src 'self'",
    "script-src 'self' 'wasm-unsafe-eval'",
    "worker-src 'self' blob:",
    `connect-src 'self'${sockets}`,
    "img-src 'self' blob: data:",
    "media-src 'self' blob:",
    "font-src 'self'",
    "style-src 'self' 'unsafe-inline'",
    "object-src 'none'",
    "base-uri 'none'",
    "form-action 'self'",
    "frame-ancestors 'none'",
  ].join("; ");
};

/** The page of the API's documentation brings its script inside its HTML. */
const documentationPolicy =
  "default-src 'self'; script-src 'self' 'unsafe-inline'; style-src 'self' 'unsafe-inline'; img-src 'self' data: blob:; " +
  "font-src 'self' data:; connect-src 'self'; object-src 'none'; base-uri 'none'; frame-ancestors 'none'";

/** Headers for every response. */
export const securityHeaders = (request: {
  readonly path: string;
  readonly host: string | undefined;
  readonly https: boolean;
}): Readonly<Record<string, string>> => ({
  "content-security-policy": /^\/docs(\/|$)/.test(request.path) ? documentationPolicy : policy(request.host),
  "cross-origin-opener-policy": "same-origin",
  "permissions-policy": "camera=(self), microphone=(), geolocation=(), payment=(), usb=()",
  "referrer-policy": "no-referrer",
  "x-content-type-options": "nosniff",
  "x-frame-options": "DENY",
  ...(request.https ? { "strict-transport-security": "max-age=31536000" } : {}),
});
