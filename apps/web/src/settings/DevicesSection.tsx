import type { DeviceInfo } from "@cairn/client";
import { useEffect, useState } from "react";
import { explain } from "../notebook/explain.ts";
import type { Notebook } from "../notebook/hooks.ts";
import { useShellActions } from "../shell/shell-actions.ts";
import { Section } from "../shell/Page.tsx";
import { Button } from "../ui/Button.tsx";

const roleNames: Readonly<Record<string, string>> = { owner: "owner", writer: "writes", reader: "reads" };

export const DevicesSection = ({ notebook }: { notebook: Notebook }) => {
  const { share } = useShellActions();
  const [devices, setDevices] = useState<ReadonlyArray<DeviceInfo> | undefined>(undefined);
  const [failure, setFailure] = useState("");
  useEffect(() => {
    let current = true;
    notebook.devices().then(
      (found) => current && setDevices(found),
      (error: unknown) => current && setFailure(explain(error).title),
    );
    return () => {
      current = false;
    };
  }, [notebook]);
  return (
    <Section title="Devices" description="Every device that can open this notebook.">
      {failure ? <p className="text-[0.9375rem] text-ink-soft">{failure}</p> : null}
      <ul className="divide-y divide-line border-y border-line">
        {devices?.map((device) => (
          <li key={device.device} className="flex items-center gap-3 py-2.5 text-[0.9375rem]">
            <span className="min-w-0 flex-1 truncate">
              {device.name || `Device ${device.device.slice(0, 6)}`}
              {device.self ? <span className="text-ink-soft"> (this one)</span> : null}
            </span>
            <span className="text-sm text-ink-soft">
              {device.active ? (roleNames[device.role] ?? device.role) : "removed"}
            </span>
          </li>
        ))}
      </ul>
      <Button size="small" className="mt-4" onClick={share}>
        Add a device by link
      </Button>
    </Section>
  );
};
