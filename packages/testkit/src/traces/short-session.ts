/**
 * The short session beside this package, as the typing of which it was made: a note, written in bouts, with slips that
 * are corrected at once, words that are thought better of, and emoji. Typing runs into a trace of one or a few code
 * points per transaction.
 */
import { applyToCodePoints } from "./apply.ts";
import { seededRandom } from "./random.ts";
import type { Patch, SequentialTrace, SequentialTransaction } from "./trace.ts";

/** One thing that the author does. */
type Action =
  | { readonly type: string }
  | { readonly backspace: number }
  /** Put the cursor before the first place where this text stands. */
  | { readonly before: string }
  | { readonly toEnd: true }
  /** Select this text and type over it. */
  | { readonly select: string; readonly over: string }
  | { readonly pause: number };

const SESSION: ReadonlyArray<Action> = [
  { type: "# Satruday" },
  { backspace: 7 },
  { type: "aturday, the wall 🪨\n\n" },
  { pause: 40 },
  { type: "Started at the gate wth" },
  { backspace: 2 },
  { type: "ith Ada 👩‍🌾. " },
  { type: "Frost has pushed out two courses" },
  { pause: 95 },
  { type: ", so we took it down to the footing.\n\n" },
  { type: "- [ ] sort the stones\n- [ ] new footing\n- [ ] hearting 😀" },
  { pause: 300 },
  { select: "😀", over: "(the small stuff) 😅" },
  { before: "Started" },
  { type: "Cold, dry. ☀️ " },
  { pause: 20 },
  { select: "- [ ] sort", over: "- [x] sort" },
  { toEnd: true },
  { type: "\n\nTwo metres done 🎉🎉" },
  { backspace: 1 },
  { pause: 600 },
  { select: "(the small stuff) ", over: "" },
  { toEnd: true },
  { type: ", ten to go. " },
  { pause: 45 },
  { type: "Stopped when the light went; back on Sunday 🌧️ or no" },
  { backspace: 2 },
  { type: "not." },
];

/** Play the session. Always the same trace. */
export const typeShortSession = (): SequentialTrace => {
  const random = seededRandom(4_780);
  const content: Array<string> = [];
  const txns: Array<SequentialTransaction> = [];
  let now = Date.UTC(2026, 1, 14, 16, 5);
  let cursor = 0;
  const record = (patch: Patch): void => {
    now += 90 + random.below(260);
    applyToCodePoints(content, [patch]);
    txns.push({ time: new Date(now).toISOString(), patches: [patch] });
  };
  const find = (text: string): number => {
    const index = content.join("").indexOf(text);
    if (index < 0) throw new RangeError(`"${text}" is not in the note`);
    return Array.from(content.join("").slice(0, index)).length;
  };
  for (const action of SESSION) {
    if ("type" in action) {
      for (const letter of Array.from(action.type)) {
        record([cursor, 0, letter]);
        cursor += 1;
      }
    } else if ("backspace" in action) {
      for (let count = 0; count < action.backspace; count += 1) {
        cursor -= 1;
        record([cursor, 1, ""]);
      }
    } else if ("before" in action) cursor = find(action.before);
    else if ("toEnd" in action) cursor = content.length;
    else if ("pause" in action) now += action.pause * 1_000;
    else {
      cursor = find(action.select);
      record([cursor, Array.from(action.select).length, action.over]);
      cursor += Array.from(action.over).length;
    }
  }
  return { kind: "sequential", startContent: "", endContent: content.join(""), txns };
};
