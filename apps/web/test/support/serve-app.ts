import { createReadStream } from "node:fs";
import { stat } from "node:fs/promises";
import { createServer } from "node:http";
import { extname, join, normalize } from "node:path";

export interface ServedApp {
  readonly origin: string;
  /** From now on serves another build, as after a deployment. */
  readonly serve: (directory: string) => void;
  readonly close: () => Promise<void>;
}

/**
 * Serves a built app the way a Cairn server does, without one: pages fall back to `index.html`, everything carries the
 * strict content security policy, and the API does not exist. What works here works without a server.
 */
export const serveApp = async (built: string, port = 0): Promise<ServedApp> => {
  let directory = built;
  const server = createServer((request, response) => {
    void (async () => {
      const path = normalize(decodeURIComponent(new URL(request.url ?? "/", "http://localhost").pathname));
      if (/^\/(v\d+|docs|health)(\/|$)/.test(path)) {
        response.writeHead(503).end();
        return;
      }
      const asked = join(directory, path);
      const found = await stat(asked).then(
        (info) => info.isFile(),
        () => false,
      );
      if (!found && path.startsWith("/assets/")) {
        response.writeHead(404).end();
        return;
      }
      const file = found ? asked : join(directory, "index.html");
      response.writeHead(200, {
        "content-type": types[extname(file)] ?? "application/octet-stream",
        "content-security-policy": policy,
        "referrer-policy": "no-referrer",
        "x-content-type-options": "nosniff",
        "cache-control": path.startsWith("/assets/") ? "public, max-age=31536000, immutable" : "no-cache",
      });
      createReadStream(file).pipe(response);
    })();
  });
  await new Promise<void>((resolve) => server.listen(port, "127.0.0.1", resolve));
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("the test server has no port");
  return {
    origin: `http://localhost:${address.port}`,
    serve: (next) => {
      directory = next;
    },
    close: () =>
      new Promise((resolve) => {
        if (!server.listening) resolve();
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
};

/** `style-src` allows inline styles for the editor's own style sheet; scripts are never inline. */
const policy = [
  "default-src 'self'",
  "script-src 'self' 'wasm-unsafe-eval'",
  "style-src 'self' 'unsafe-inline'",
  "img-src 'self' blob: data:",
  "connect-src 'self'",
  "worker-src 'self'",
  "base-uri 'none'",
  "object-src 'none'",
  "frame-ancestors 'none'",
  "form-action 'self'",
].join("; ");

const types: Readonly<Record<string, string>> = {
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript; charset=utf-8",
  ".css": "text/css; charset=utf-8",
  ".svg": "image/svg+xml",
  ".png": "image/png",
  ".woff2": "font/woff2",
  ".wasm": "application/wasm",
  ".webmanifest": "application/manifest+json",
};
