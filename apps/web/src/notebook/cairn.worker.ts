import { runCairnWorker } from "@cairn/client/worker";
import { profile } from "./profile.ts";

runCairnWorker({
  schema: async () => (await import("./schema.ts")).schema,
  // While the app is developed, the worker's address says nothing of its build.
  firstLook: import.meta.env.PROD ? profile : undefined,
});
