/** The import worker's own side of `WorkerImporter`. It brings Loro; the engine, which starts it, does not. */
import type { Endpoint } from "../platform/channel/Endpoint.ts";
import { schemaFingerprint } from "../platform/schema-fingerprint.ts";
import { type ImportCoreOptions, makeImportCore } from "./import-core.ts";
import type { FromThread, ToThread } from "./WorkerImporter.ts";

/** The thread's side: answers requests until the thread ends. */
export const serveImports = (endpoint: Endpoint<ToThread, FromThread>, options: ImportCoreOptions): void => {
  const core = makeImportCore(options);
  endpoint.listen((message) => {
    if (message.type === "evict") return core.evict(message.workspace, message.document);
    if (message.type === "reauthor") return endpoint.post({ type: "answer", answer: core.reauthor(message.request) });
    if (message.type === "together") {
      return endpoint.post({ type: "answer", answer: core.applyTogether(message.requests) });
    }
    const answer = core.apply(message.request);
    const snapshot = answer.type === "applied" ? answer.snapshot?.buffer : undefined;
    endpoint.post({ type: "answer", answer }, snapshot instanceof ArrayBuffer ? [snapshot] : []);
  });
  endpoint.post({ type: "ready", schema: schemaFingerprint(options.schema) });
};
