/** Writes `docs/openapi.json`, the HTTP API as a running server describes it: `npm run openapi -w @cairn/protocol`. */
import { writeFile } from "node:fs/promises";
import { OpenApi } from "effect/http-api";
import { CairnApi } from "@cairn/protocol";

await writeFile(
  new URL("../../../docs/openapi.json", import.meta.url),
  `${JSON.stringify(OpenApi.fromApi(CairnApi), undefined, 2)}\n`,
);
