import { useDeadLetters, useOutbox, useStorage, useSync } from "@cairn/react";
import { useCairn, useWorkspace } from "./cairn.ts";

export const Status = () => {
  const state = useCairn();
  const workspace = useWorkspace();
  const sync = useSync(workspace);
  const outbox = useOutbox(workspace);
  const refused = useDeadLetters(workspace);
  const storage = useStorage(state.status === "ready" ? state.cairn : undefined);
  if (state.status === "failed") return <button onClick={state.retry}>Open again</button>;
  if (!workspace || !sync || !outbox) return <p>Opening</p>;
  return (
    <footer>
      <p>{sync.status === "local-only" ? "On this device only" : sync.problem ? sync.problem.message : sync.status}</p>
      <p>
        {outbox.depth} waiting, {outbox.bytes} bytes
      </p>
      {refused?.map(({ document, message }) => (
        <p key={document}>
          {message} <button onClick={() => void workspace.retryDeadLetter(document)}>Try again</button>
        </p>
      ))}
      {storage?.problem && <p role="alert">{storage.problem.message}</p>}
    </footer>
  );
};
