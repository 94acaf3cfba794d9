import { createHash } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { HtmlTagDescriptor, IndexHtmlTransformContext, Plugin, Rolldown } from "vite";

/**
 * Two scripts of the app must stand outside the module graph that `index.html` starts:
 *
 * - `boot` runs before anything else in the page: a classic, blocking script at the top of `<head>`, hashed like every
 *   other asset. It takes a join link's secret out of the address bar and sets the theme before the first paint.
 * - `sw.js` is the service worker. It is told the exact list of files of this build, so that a build is cached as a
 *   whole and never mixed with another one.
 */
export const appShell = (): Plugin => {
  let publicDir = "";
  let building = false;
  return {
    name: "cairn:app-shell",
    enforce: "post",
    configResolved(config) {
      publicDir = config.publicDir;
      building = config.command === "build";
    },
    buildStart() {
      if (!building) return;
      this.emitFile({ type: "chunk", id: "/src/boot/boot.ts", name: "boot" });
      this.emitFile({ type: "chunk", id: "/src/offline/service-worker.ts", fileName: "sw.js" });
    },
    transformIndexHtml: {
      order: "post",
      handler(_html, context) {
        const boot = Object.values(context.bundle ?? {}).find((file) => file.type === "chunk" && file.name === "boot");
        const attrs = boot ? { src: `/${boot.fileName}` } : { src: "/src/boot/boot.ts", type: "module" };
        return [{ tag: "script", attrs, injectTo: "head-prepend" }, ...preloads(context)];
      },
    },
    generateBundle: {
      order: "post",
      handler(_options, bundle) {
        const worker = bundle["sw.js"];
        if (worker?.type !== "chunk") return this.error("sw.js was not built");
        for (const file of Object.values(bundle)) {
          const standsAlone = file.type === "chunk" && (file.fileName === "sw.js" || file.name === "boot");
          if (standsAlone && (file.imports.length > 0 || file.exports.length > 0)) {
            this.error(`${file.fileName} must be one classic script; it imports ${file.imports.join(", ")}`);
          }
        }
        const early = loadedWith("open-notebook", bundle).find(({ moduleIds }) => moduleIds.some(isLoro));
        if (early !== undefined) this.error(`${early.fileName} brings Loro's WebAssembly before any list is on screen`);
        const hashed = Object.values(bundle).filter((file) => file.fileName !== "sw.js");
        const files = [
          ...hashed.map((file) => ({
            url: `/${file.fileName}`,
            revision: file.fileName.startsWith("assets/")
              ? null
              : revision(file.type === "chunk" ? file.code : file.source),
          })),
          ...readdirSync(publicDir, { recursive: true, withFileTypes: true })
            .filter((entry) => entry.isFile())
            .map((entry) => join(entry.parentPath, entry.name))
            .map((path) => ({ url: path.slice(publicDir.length), revision: revision(readFileSync(path)) })),
        ].toSorted((a, b) => a.url.localeCompare(b.url));
        if (!files.some((file) => file.url === "/index.html")) this.error("index.html is missing from the app shell");
        worker.code = worker.code.replaceAll("__CAIRN_SHELL_FILES__", JSON.stringify(files));
      },
    },
  };
};

const isLoro = (module: string): boolean => module.includes("/node_modules/loro-crdt/");

/** A chunk and all that it imports. */
const loadedWith = (name: string, bundle: Rolldown.OutputBundle): ReadonlyArray<Rolldown.OutputChunk> => {
  const chunks = Object.values(bundle).filter((file) => file.type === "chunk");
  const loaded = new Set(chunks.filter((chunk) => chunk.name === name));
  for (const { imports } of loaded) {
    for (const chunk of chunks) if (imports.includes(chunk.fileName)) loaded.add(chunk);
  }
  return [...loaded];
};

/**
 * What opens the notebook is loaded after the first paint, and fetched and compiled before it, beside the page's own
 * scripts.
 */
const preloads = ({ bundle = {} }: IndexHtmlTransformContext): Array<HtmlTagDescriptor> => {
  const known = new Set(loadedWith("index", bundle));
  return loadedWith("open-notebook", bundle)
    .filter((chunk) => !known.has(chunk))
    .map(({ fileName }) => ({
      tag: "link",
      attrs: { rel: "modulepreload", crossorigin: true, href: `/${fileName}` },
      injectTo: "head",
    }));
};

const revision = (content: string | Uint8Array): string =>
  createHash("sha256").update(content).digest("hex").slice(0, 16);
