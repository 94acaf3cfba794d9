import type { LinkInfo } from "@cairn/client";
import { useState } from "react";
import { useNow } from "../notebook/clock.ts";
import { explain } from "../notebook/explain.ts";
import { formatSince } from "../notebook/format.ts";
import type { Notebook } from "../notebook/hooks.ts";
import { Button } from "../ui/Button.tsx";
import { Confirm } from "../ui/Confirm.tsx";
import { notify } from "../ui/notices.ts";

export interface LiveLinksProps {
  workspace: Notebook;
  links: ReadonlyArray<LinkInfo> | undefined;
  onChanged: () => void;
}

export const LiveLinks = ({ workspace, links, onChanged }: LiveLinksProps) => {
  const now = useNow();
  const [revoking, setRevoking] = useState<LinkInfo | undefined>(undefined);
  const [asking, setAsking] = useState(false);
  const live = links?.filter((link) => link.status === "live") ?? [];
  if (live.length === 0) return null;

  const revoke = async (link: LinkInfo): Promise<void> => {
    try {
      await workspace.revokeLink(link.link);
      notify({ title: "Link withdrawn", detail: "It lets nobody in any more. Devices that joined stay." });
    } catch (error) {
      notify({ ...explain(error), tone: "problem" });
    }
    onChanged();
  };

  return (
    <section className="mt-7">
      <h3 className="mb-1 text-sm font-semibold text-ink-soft">Links that work now</h3>
      <ul className="divide-y divide-line border-y border-line">
        {live.map((link) => (
          <li key={link.link} className="flex items-center gap-3 py-2">
            <span className="min-w-0 flex-1">
              <span className="block truncate text-[0.9375rem] font-medium">{nameOfLink(link)}</span>
              <span className="block text-sm text-ink-soft">{describeLink(link, now)}</span>
            </span>
            <Button
              size="small"
              aria-label={`Withdraw ${nameOfLink(link)}`}
              onClick={() => {
                setRevoking(link);
                setAsking(true);
              }}
            >
              Withdraw
            </Button>
          </li>
        ))}
      </ul>
      <Confirm
        open={asking}
        onOpenChange={setAsking}
        title="Withdraw this link?"
        action="Withdraw"
        onConfirm={() => revoking && void revoke(revoking)}
      >
        {revoking && revoking.uses > 0
          ? "It lets nobody else in. Devices that already joined with it keep their access."
          : "It lets nobody in any more. Nobody has joined with it so far."}
      </Confirm>
    </section>
  );
};

const nameOfLink = (link: LinkInfo): string =>
  link.label.trim() || (link.role === "reader" ? "Link for reading" : "Link for writing");

const describeLink = (link: LinkInfo, now: number): string =>
  [
    link.role === "reader" ? "reads" : "writes",
    link.maxUses > 0 ? `${link.uses} of ${link.maxUses} devices joined` : `${link.uses} joined`,
    link.expiresAt === undefined ? "no end" : `until ${formatSince(link.expiresAt, now)}`,
  ].join(", ");
