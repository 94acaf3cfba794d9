import { readFile } from "node:fs/promises";
import { stripTypeScriptTypes } from "node:module";
import { expect, it, vi } from "vitest";
import * as crypto from "@cairn/crypto";
import * as protocol from "@cairn/protocol";

const IMPORT = /^import \{([^}]*)\} from "(@cairn\/[a-z]+)";$/gmu;
const modules: Readonly<Record<string, object>> = { "@cairn/crypto": crypto, "@cairn/protocol": protocol };

it("the README's example runs and says hello", async () => {
  const readme = await readFile(new URL("../README.md", import.meta.url), "utf8");
  const example = /```ts\n([\s\S]*?)```/u.exec(readme)?.[1] ?? "";
  const used: Array<string> = [];
  const body = stripTypeScriptTypes(
    example.replaceAll(IMPORT, (_match, names: string, module: string) => {
      used.push(module);
      return `const {${names.replaceAll(" as ", ": ")}} = modules["${module}"];`;
    }),
  );
  expect(used).toEqual(["@cairn/crypto", "@cairn/protocol"]);
  const log = vi.fn<(text: string) => void>();
  // The example is this repository's own text: running it is the point of the test.
  // oxlint-disable-next-line no-implied-eval, no-new-func, typescript/no-unsafe-call
  await new Function("modules", "console", `return (async () => { ${body} })();`)(modules, { log });
  expect(log.mock.calls).toEqual([["hello"]]);
});
