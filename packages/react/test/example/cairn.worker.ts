import { runCairnWorker } from "@cairn/client/worker";
import { schema } from "./schema.ts";

runCairnWorker({ schema });
