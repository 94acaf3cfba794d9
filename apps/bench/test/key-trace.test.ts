import { expect, test } from "vitest";
import { costsOfPresses, traceEvents } from "../src/notebook/key-trace.ts";

/** An event of Chrome's trace. The thread works for half of the time that passes. */
const event = (name: string, ts: number, dur: number, type?: string, tid = 1) => ({
  ph: "X",
  name,
  pid: 7,
  tid,
  ts,
  dur,
  tts: ts / 2,
  tdur: dur / 2,
  args: type === undefined ? {} : { data: { type } },
});

test("a press costs what its thread does from its task to the end of the frame's, whatever that is", () => {
  const values = [
    event("RunTask", 0, 900),
    event("RunTask", 1_000, 4_000),
    event("EventDispatch", 1_100, 200, "keydown"),
    event("EventDispatch", 1_400, 3_000, "input"),
    event("RunTask", 6_000, 2_000),
    event("RunTask", 9_000, 3_000),
    event("Commit", 11_000, 900),
    event("RunTask", 14_000, 5_000),
  ];
  expect(costsOfPresses(traceEvents(values))).toEqual([5.5]);
});

test("only what came to a frame counts, on the thread of the press, and before the next press", () => {
  const values = [
    event("RunTask", 1_000, 1_000),
    event("EventDispatch", 1_000, 100, "keydown"),
    event("EventDispatch", 1_100, 100, "input"),
    event("RunTask", 2_500, 1_000, undefined, 2),
    event("Commit", 2_600, 100, undefined, 2),
    event("RunTask", 4_000, 1_000),
    event("EventDispatch", 4_000, 100, "keydown"),
    event("RunTask", 6_000, 1_000),
    event("EventDispatch", 6_000, 100, "keydown"),
    event("EventDispatch", 6_100, 100, "input"),
    event("RunTask", 8_000, 1_000),
    event("Commit", 8_100, 100),
    { ph: "M", name: "thread_name" },
    "rubbish",
  ];
  expect(costsOfPresses(traceEvents(values))).toEqual([1.5]);
});
