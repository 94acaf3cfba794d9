import { useEffect } from "react";
import { useWorkspace } from "../notebook/hooks.ts";
import { outboxHistory } from "./outbox-history.ts";

/** Keeps what the charts of the sync page show, from the moment that the page was opened. */
export const OutboxRecorder = () => {
  const notebook = useWorkspace();
  useEffect(() => (notebook ? outboxHistory.record(notebook) : undefined), [notebook]);
  return null;
};
