import type { DocumentHandle, Row } from "@cairn/client";
import { useDocumentView, useReadOnly, useSaved } from "@cairn/react";
import { useDocument } from "./cairn.ts";
import type { schema } from "./schema.ts";

const Name = ({ handle }: { handle: DocumentHandle<typeof schema, "stone"> }) => {
  const name = useDocumentView(handle, (stone) => stone.name);
  const { saved, failure } = useSaved(handle);
  const readOnly = useReadOnly(handle);
  return (
    <label>
      Name
      <input
        value={name}
        disabled={readOnly !== undefined}
        onChange={({ target }) => handle.edit((stone) => stone.name.set(target.value))}
      />
      <output>{failure ? failure.message : saved ? "Saved" : "Saving"}</output>
    </label>
  );
};

export const Stone = ({ id }: { id: Row<typeof schema, "stone">["id"] }) => {
  const document = useDocument("stone", id);
  if (document.status === "opening") return <p>Opening</p>;
  if (document.status === "failed") return <button onClick={document.retry}>Try again</button>;
  return <Name handle={document.handle} />;
};
