/** A copy of the built app in which every thread keeps count of its WebAssembly memories: no browser tells about them. */
import { cp, readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";

const HOOK = `globalThis.cairnWebAssembly ??= (() => {
  const memories = [];
  const keep = (instance) => {
    for (const part of Object.values(instance.exports)) if (part instanceof WebAssembly.Memory) memories.push(part);
    return instance;
  };
  for (const name of ["instantiate", "instantiateStreaming"]) {
    const native = WebAssembly[name];
    WebAssembly[name] = async (...given) => {
      const made = await native.apply(WebAssembly, given);
      keep(made.instance ?? made);
      return made;
    };
  }
  WebAssembly.Instance = new Proxy(WebAssembly.Instance, {
    construct: (native, given) => keep(Reflect.construct(native, given)),
  });
  return memories;
})();
`;

/** What a thread of such a build answers with: bytes. */
export const WEB_ASSEMBLY_BYTES =
  "(globalThis.cairnWebAssembly ?? []).reduce((sum, memory) => sum + memory.buffer.byteLength, 0)";

export const makeWatchedBuild = async (built: string, folder: string): Promise<void> => {
  await cp(built, folder, { recursive: true });
  const assets = join(folder, "assets");
  for (const name of await readdir(assets)) {
    if (!name.endsWith(".js")) continue;
    const text = await readFile(join(assets, name), "utf8");
    if (/WebAssembly\.(?:instantiate|Instance)/u.test(text)) await writeFile(join(assets, name), HOOK + text);
  }
};
