import { CircleCheck, CloudOff, LoaderCircle, TriangleAlert } from "lucide-react";
import type { SyncDescription } from "./describe-sync.ts";

const icons: Record<SyncDescription["tone"], typeof CircleCheck> = {
  good: CircleCheck,
  busy: LoaderCircle,
  waiting: CloudOff,
  problem: TriangleAlert,
};

const colours: Record<SyncDescription["tone"], string> = {
  good: "text-moss",
  busy: "text-ink-faint",
  waiting: "text-amber",
  problem: "text-clay",
};

/** Decorates the words beside it; it never stands for them. */
export const SyncIcon = ({ tone }: { tone: SyncDescription["tone"] }) => {
  const Icon = icons[tone];
  return (
    <Icon
      className={`size-4 shrink-0 ${colours[tone]} ${tone === "busy" ? "animate-spin [animation-duration:2s]" : ""}`}
      aria-hidden="true"
    />
  );
};
