/**
 * What key presses take of a page's thread, read from Chrome's trace: the processor's time from the task in which a press
 * arrives to the end of the task that hands the frame with it to the compositor. So also of whatever else the page does in
 * between, and neither of the wait for the frame nor of other programs.
 */

/** Of Chrome's trace event format, what is read here. Microseconds: `ts` and `dur` by the clock, `tts` and `tdur` of the thread. */
export interface TraceEvent {
  readonly name: string;
  readonly thread: string;
  readonly type: string;
  readonly ts: number;
  readonly dur: number;
  readonly tts: number;
  readonly tdur: number;
}

/** Categories that a trace needs. */
export const KEY_TRACE_CATEGORIES: ReadonlyArray<string> = [
  "devtools.timeline",
  "disabled-by-default-devtools.timeline",
];

const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === "object" && value !== null;
const numberOf = (value: unknown): number => (typeof value === "number" ? value : 0);
const textOf = (value: unknown): string => (typeof value === "string" ? value : "");

/** The events with a beginning and an end. */
export const traceEvents = (values: ReadonlyArray<unknown>): ReadonlyArray<TraceEvent> =>
  values.filter(isRecord).flatMap((value): ReadonlyArray<TraceEvent> => {
    if (value["ph"] !== "X") return [];
    const data = isRecord(value["args"]) ? value["args"]["data"] : undefined;
    return [
      {
        name: textOf(value["name"]),
        thread: `${numberOf(value["pid"])}/${numberOf(value["tid"])}`,
        type: isRecord(data) ? textOf(data["type"]) : "",
        ts: numberOf(value["ts"]),
        dur: numberOf(value["dur"]),
        tts: numberOf(value["tts"]),
        tdur: numberOf(value["tdur"]),
      },
    ];
  });

const isPress = ({ name, type }: TraceEvent): boolean => name === "EventDispatch" && type === "keydown";
const isInput = ({ name, type }: TraceEvent): boolean => name === "EventDispatch" && type === "input";

/** Milliseconds for each press that changed something and came to a frame before the next one, in their order. */
export const costsOfPresses = (events: ReadonlyArray<TraceEvent>): ReadonlyArray<number> => {
  const inOrder = events.toSorted((left, right) => left.ts - right.ts);
  const presses = inOrder.filter(isPress);
  return presses.flatMap((press, index) => {
    const until = presses[index + 1]?.ts ?? Number.POSITIVE_INFINITY;
    const ofThread = inOrder.filter(({ thread }) => thread === press.thread);
    const taskOf = ({ ts }: TraceEvent): TraceEvent | undefined =>
      ofThread.findLast((event) => event.name === "RunTask" && event.ts <= ts && ts <= event.ts + event.dur);
    const input = ofThread.find((event) => isInput(event) && event.ts >= press.ts && event.ts < until);
    if (input === undefined) return [];
    const commit = ofThread.find(({ name, ts }) => name === "Commit" && ts >= input.ts + input.dur && ts < until);
    if (commit === undefined) return [];
    const [first, last] = [taskOf(press), taskOf(commit)];
    return first === undefined || last === undefined ? [] : [(last.tts + last.tdur - first.tts) / 1000];
  });
};
