/**
 * Serves the built web app. All files are read once, at the start: a build that happens meanwhile is never mixed with
 * the one that is being served. Paths are looked up in a list, so none can lead outside the folder.
 */
import { Effect, Layer } from "effect";
import { HttpRouter, type HttpServerRequest, HttpServerResponse } from "effect/http";
import { createHash } from "node:crypto";
import { readdir, readFile } from "node:fs/promises";
import { extname, join, relative, resolve, sep } from "node:path";
import { promisify } from "node:util";
import { brotliCompress, constants } from "node:zlib";
import { ServerConfiguration } from "./configuration.ts";
import { missingAppPage } from "./missing-app-page.ts";

interface ServedFile {
  readonly type: string;
  readonly etag: string;
  readonly cacheControl: string;
  readonly bytes: Uint8Array;
  /** The same, compressed; absent where that gains nothing, or not yet. */
  brotli?: Uint8Array;
}

const defaultFolder = resolve(import.meta.dirname, "../../web/dist");

const mediaTypes: Readonly<Record<string, string>> = {
  ".css": "text/css; charset=utf-8",
  ".html": "text/html; charset=utf-8",
  ".ico": "image/x-icon",
  ".js": "text/javascript; charset=utf-8",
  ".json": "application/json",
  ".map": "application/json",
  ".png": "image/png",
  ".svg": "image/svg+xml",
  ".txt": "text/plain; charset=utf-8",
  ".wasm": "application/wasm",
  ".webmanifest": "application/manifest+json",
  ".webp": "image/webp",
  ".woff2": "font/woff2",
};

const incompressible: ReadonlySet<string> = new Set([".png", ".webp", ".woff2", ".ico"]);

/** Vite puts a hash of the content into the names of these: they may be kept for ever. */
const hashedFolder = "/assets/";

/** Routes for the app's files, and its first page for every other address that a browser opens. */
export const webAppRoutes = Layer.effectDiscard(
  Effect.gen(function* () {
    const router = yield* HttpRouter.HttpRouter;
    const { webFolder } = yield* ServerConfiguration;
    const files = yield* Effect.promise(() => readFiles(webFolder ?? defaultFolder));
    const page = files.get("/index.html");
    yield* Effect.forkScoped(compress(files));
    yield* router.add("GET", "/*", (request) => Effect.succeed(answer(request, files, page)));
  }),
);

const answer = (
  request: HttpServerRequest.HttpServerRequest,
  files: ReadonlyMap<string, ServedFile>,
  page: ServedFile | undefined,
): HttpServerResponse.HttpServerResponse => {
  const path = pathOf(request.url);
  const file = files.get(path === "/" ? "/index.html" : path);
  if (file !== undefined) return respond(request, file);
  const opensPage = extname(path) === "" && (request.headers["accept"] ?? "").includes("text/html");
  if (!opensPage) return HttpServerResponse.text("Not found\n", { status: 404 });
  if (page !== undefined) return respond(request, page);
  return HttpServerResponse.text(missingAppPage, {
    status: 503,
    contentType: "text/html; charset=utf-8",
    headers: { "cache-control": "no-store" },
  });
};

const respond = (request: HttpServerRequest.HttpServerRequest, file: ServedFile) => {
  const headers = { etag: file.etag, "cache-control": file.cacheControl, vary: "accept-encoding" };
  if (request.headers["if-none-match"] === file.etag) return HttpServerResponse.empty({ status: 304, headers });
  const brotli = /\bbr\b/.test(request.headers["accept-encoding"] ?? "") ? file.brotli : undefined;
  return HttpServerResponse.uint8Array(brotli ?? file.bytes, {
    contentType: file.type,
    headers: brotli === undefined ? headers : { ...headers, "content-encoding": "br" },
  });
};

const pathOf = (url: string): string => {
  const path = url.split(/[?#]/, 1)[0] ?? "/";
  try {
    return decodeURIComponent(path);
  } catch {
    return path;
  }
};

/** An empty map when there is no build. */
const readFiles = async (folder: string): Promise<ReadonlyMap<string, ServedFile>> => {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true }).catch(() => []);
  const files = new Map<string, ServedFile>();
  for (const entry of entries) {
    if (!entry.isFile() || entry.name.startsWith(".")) continue;
    const path = join(entry.parentPath, entry.name);
    const address = `/${relative(folder, path).split(sep).join("/")}`;
    const bytes = await readFile(path);
    files.set(address, {
      type: mediaTypes[extname(address)] ?? "application/octet-stream",
      etag: `"${createHash("sha256").update(bytes).digest("base64url").slice(0, 22)}"`,
      cacheControl: address.startsWith(hashedFolder) ? "public, max-age=31536000, immutable" : "no-cache",
      bytes,
    });
  }
  return files;
};

/** After the start, so that nobody waits for it: until then files go out as they are. */
const compress = Effect.fnUntraced(function* (files: ReadonlyMap<string, ServedFile>) {
  const brotli = promisify(brotliCompress);
  for (const [address, file] of files) {
    if (incompressible.has(extname(address)) || file.bytes.byteLength < 1024) continue;
    const compressed = yield* Effect.promise(() =>
      brotli(file.bytes, { params: { [constants.BROTLI_PARAM_QUALITY]: 6 } }),
    );
    if (compressed.byteLength < file.bytes.byteLength) file.brotli = compressed;
  }
});
