import { openCairn } from "@cairn/client";
import { createCairnHooks } from "@cairn/react";
import { schema } from "./schema.ts";

export const open = () =>
  openCairn({
    schema,
    worker: () => new Worker(new URL("./cairn.worker.ts", import.meta.url), { type: "module" }),
  });

export const { CairnProvider, useCairn, useDocument, useQuery, useSuspenseDocument, useSuspenseQuery, useWorkspace } =
  createCairnHooks<typeof schema>();
