import { readFile } from "node:fs/promises";
import { stripTypeScriptTypes } from "node:module";
import { expect, it, vi } from "vitest";
import * as protocol from "@cairn/protocol";

it("the README's example runs and prints what it says", async () => {
  const readme = await readFile(new URL("../README.md", import.meta.url), "utf8");
  const example = /```ts\n([\s\S]*?)```/u.exec(readme)?.[1] ?? "";
  const said = [...example.matchAll(/console\.log\(.*\); \/\/ (.*)$/gmu)].map(([, text]) => text);
  const body = stripTypeScriptTypes(
    example.replace(/^import \{([^}]*)\} from "@cairn\/protocol";$/mu, "const {$1} = protocol;"),
  );
  const log = vi.fn<(...values: ReadonlyArray<unknown>) => void>();
  // The example is this repository's own text: running it is the point of the test.
  // oxlint-disable-next-line no-implied-eval, no-new-func, typescript/no-unsafe-call
  await new Function("protocol", "console", `return (async () => { ${body} })();`)(protocol, { log });
  expect(said).toHaveLength(2);
  expect(log.mock.calls.map((values) => values.join(" "))).toEqual(said);
});
