import { formatDuration } from "../describe-outbox.ts";
import { type OutboxSample, historyMs } from "../outbox-history.ts";

export interface HistoryChartProps {
  title: string;
  /** The value of this moment, in words. */
  value: string;
  samples: ReadonlyArray<OutboxSample>;
  of: (sample: OutboxSample) => number;
  format: (value: number) => string;
  /** Counts jump from one value to the next; ages run. */
  steps: boolean;
  now: number;
}

const leastMs = 2 * 60_000;
const width = 320;
const height = 72;

/** One number over the last minutes, drawn by hand. What it shows is said in words too. */
export const HistoryChart = ({ format, now, of, samples, steps, title, value }: HistoryChartProps) => {
  // A page that was just opened shows its few minutes in full width.
  const span = Math.min(historyMs, Math.max(leastMs, now - (samples[0]?.at ?? now)));
  const from = now - span;
  const shown = samples.filter(({ at }) => at >= from);
  const since = formatDuration(span);
  const peak = Math.max(0, ...shown.map(of));
  const x = (at: number): number => Math.min(1, (at - from) / span) * width;
  const y = (amount: number): number => height - 1 - (peak === 0 ? 0 : (amount / peak) * (height - 8));
  const line = shown
    .map((sample, index) => {
      const [left, top] = [x(sample.at).toFixed(1), y(of(sample)).toFixed(1)];
      return index === 0 ? `M${left} ${top}` : steps ? `H${left}V${top}` : `L${left} ${top}`;
    })
    .join("");
  const [first, last] = [shown[0], shown.at(-1)];
  const whole = last === undefined ? "" : `${line}H${width}`;
  const trend = peak === 0 ? `none in the last ${since}` : `now ${value}, at most ${format(peak)} in the last ${since}`;
  return (
    <figure className="min-w-0 rounded-2xl border border-line bg-raised p-4 sm:p-5">
      <figcaption className="flex items-baseline justify-between gap-3">
        <span className="text-sm text-ink-soft">{title}</span>
        <span className="text-[0.8125rem] text-ink-faint">{peak === 0 ? "" : `most ${format(peak)}`}</span>
      </figcaption>
      <p className="mt-0.5 font-serif text-[1.625rem] leading-tight font-semibold tabular-nums">{value}</p>
      <svg
        viewBox={`0 0 ${width} ${height}`}
        preserveAspectRatio="none"
        role="img"
        aria-label={`${title}: ${trend}`}
        className="mt-3 block h-18 w-full overflow-visible"
      >
        <line
          x1="0"
          x2={width}
          y1={height - 1}
          y2={height - 1}
          className="stroke-line"
          vectorEffect="non-scaling-stroke"
        />
        {first && peak > 0 ? (
          <>
            <path d={`${whole}V${height - 1}H${x(first.at).toFixed(1)}Z`} className="fill-moss/14" />
            <path
              d={whole}
              fill="none"
              strokeWidth="1.75"
              strokeLinejoin="round"
              vectorEffect="non-scaling-stroke"
              className="stroke-moss"
            />
          </>
        ) : null}
      </svg>
      <p className="mt-1.5 flex justify-between text-[0.8125rem] text-ink-faint" aria-hidden="true">
        <span>{since} ago</span>
        <span>now</span>
      </p>
    </figure>
  );
};
