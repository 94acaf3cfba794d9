import type { Cairn, StorageState } from "@cairn/client";
import { useCallback, useEffect, useState } from "react";
import { formatBytes } from "../notebook/format.ts";
import type { NotebookSchema } from "../notebook/schema.ts";
import { Section } from "../shell/Page.tsx";
import { Button } from "../ui/Button.tsx";
import { notify } from "../ui/notices.ts";

export const StorageSection = ({ cairn }: { cairn: Cairn<NotebookSchema> }) => {
  const [storage, setStorage] = useState<StorageState | undefined>(undefined);
  const load = useCallback(
    () =>
      cairn.storage().then(setStorage, () => {
        setStorage(undefined);
      }),
    [cairn],
  );
  useEffect(() => {
    void load();
  }, [load]);
  if (!storage) return null;
  const protect = async (): Promise<void> => {
    const granted = await navigator.storage.persist();
    notify(
      granted
        ? { title: "The browser will keep your notes" }
        : { title: "The browser did not agree yet", detail: "Installing Cairn as an app usually convinces it." },
    );
    await load();
  };
  return (
    <Section
      title="Storage on this device"
      description={
        storage.persisted
          ? "The browser has promised to keep it until you remove it."
          : "The browser may clear it when space runs short. Ask it to keep your notes."
      }
    >
      {storage.usage === undefined ? null : (
        <p className="text-[0.9375rem]">
          {formatBytes(storage.usage)} used
          {storage.quota === undefined ? "" : ` of ${formatBytes(storage.quota)} that the browser offers`}
        </p>
      )}
      {storage.persisted ? null : (
        <Button size="small" className="mt-3" onClick={() => void protect()}>
          Keep my notes
        </Button>
      )}
    </Section>
  );
};
