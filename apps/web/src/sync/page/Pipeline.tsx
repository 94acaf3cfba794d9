import { Cloud, HardDrive, Inbox } from "lucide-react";
import type { ReactNode } from "react";

type Tone = "good" | "busy" | "waiting" | "problem";

export interface PipelineProps {
  here: { readonly words: string; readonly tone: Tone };
  waiting: { readonly words: string; readonly tone: Tone };
  server: { readonly name: string; readonly words: string; readonly tone: Tone };
  /** Something is under way between this device and the server. */
  moving: boolean;
}

/** Where edits are: on this device, waiting, on the server. Three stations of one line. */
export const Pipeline = ({ here, moving, server, waiting }: PipelineProps) => (
  <ol
    className="grid gap-x-2 gap-y-3 sm:grid-cols-[1fr_2.5rem_1fr_2.5rem_1fr] sm:items-center"
    aria-label="Where your edits are"
  >
    <Station icon={<HardDrive className="size-5" aria-hidden="true" />} name="This device" {...here} />
    <Link moving={false} />
    <Station icon={<Inbox className="size-5" aria-hidden="true" />} name="Outbox" {...waiting} />
    <Link moving={moving} />
    <Station icon={<Cloud className="size-5" aria-hidden="true" />} {...server} />
  </ol>
);

const ring: Readonly<Record<Tone, string>> = {
  good: "bg-moss-soft text-moss-strong",
  busy: "bg-hover text-ink-soft",
  waiting: "bg-amber-soft text-amber",
  problem: "bg-clay-soft text-clay",
};

const Station = ({ icon, name, tone, words }: { icon: ReactNode; name: string; tone: Tone; words: string }) => (
  <li className="flex min-w-0 items-center gap-3 sm:flex-col sm:gap-2 sm:text-center">
    <span className={`grid size-11 shrink-0 place-items-center rounded-full ${ring[tone]}`}>{icon}</span>
    <span className="min-w-0">
      <span className="block truncate text-[0.9375rem] font-medium">{name}</span>
      <span className="block text-sm leading-snug text-ink-soft">{words}</span>
    </span>
  </li>
);

const Link = ({ moving }: { moving: boolean }) => (
  <li aria-hidden="true" className="relative -mt-9 hidden h-0.5 overflow-hidden rounded bg-line-strong sm:block">
    {moving ? <i className="absolute inset-y-0 w-1/2 animate-flow rounded bg-moss" /> : null}
  </li>
);
