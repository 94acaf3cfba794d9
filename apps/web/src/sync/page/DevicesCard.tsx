import type { DeviceInfo } from "@cairn/client";
import { useEffect, useState } from "react";
import { explain } from "../../notebook/explain.ts";
import { formatWhen } from "../../notebook/format.ts";
import type { Notebook } from "../../notebook/hooks.ts";
import { Badge, Card } from "./Card.tsx";

export interface DevicesCardProps {
  notebook: Notebook;
  lastSyncedAt: number | undefined;
  now: number;
}

/** Who is in the notebook, and when the server last heard of each. */
export const DevicesCard = ({ lastSyncedAt, notebook, now }: DevicesCardProps) => {
  const [devices, setDevices] = useState<ReadonlyArray<DeviceInfo> | undefined>(undefined);
  const [seen, setSeen] = useState<ReadonlyMap<string, number>>(new Map());
  const [failure, setFailure] = useState("");
  useEffect(() => {
    let current = true;
    notebook.devices().then(
      (found) => current && setDevices(found),
      (error: unknown) => current && setFailure(explain(error).title),
    );
    // Only an owner's device is told, and only while the server can be asked: the list stands without it.
    notebook.lastSeen().then(
      (found) => current && setSeen(new Map(found.map(({ at, device }) => [device, at]))),
      () => undefined,
    );
    return () => {
      current = false;
    };
  }, [notebook]);
  const active = devices?.filter((device) => device.active) ?? [];
  return (
    <Card title="Devices" aside={devices ? `${active.length} in this notebook` : undefined}>
      {failure ? <p className="text-[0.9375rem] text-ink-soft">{failure}</p> : null}
      {devices || failure ? null : (
        <output className="block space-y-2" aria-label="Looking for devices">
          <span className="skeleton block h-5 w-3/5" />
          <span className="skeleton block h-5 w-2/5" />
        </output>
      )}
      <ul className="divide-y divide-line">
        {active.map((device) => {
          const at = device.self ? (lastSyncedAt ?? seen.get(device.device)) : seen.get(device.device);
          return (
            <li key={device.device} className="flex items-center gap-3 py-2 text-[0.9375rem]">
              <span className="min-w-0 flex-1">
                <span className="block truncate font-medium">
                  {device.name || `Device ${device.device.slice(0, 6)}`}
                </span>
                <span className="block text-sm text-ink-soft">
                  {at === undefined
                    ? device.self
                      ? "Not in step yet"
                      : "Last sync not known here"
                    : `Last sync ${lastWords(at, now)}`}
                </span>
              </span>
              {device.self ? <Badge tone="good">This one</Badge> : null}
              {device.role === "reader" ? <Badge tone="busy">Reads</Badge> : null}
            </li>
          );
        })}
      </ul>
    </Card>
  );
};

const lastWords = (at: number, now: number): string => {
  const when = formatWhen(at, now);
  return when === "now" ? "just now" : when;
};
