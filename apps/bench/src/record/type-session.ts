/** A note typed by keyboard and mouse, the way people write: in bouts, with slips and second thoughts, and with emoji. */
import { seededRandom } from "@cairn/testkit/traces";
import type { Page } from "playwright-core";

/** One thing that the author does. */
type Action =
  | { readonly type: string }
  | { readonly backspace: number }
  | { readonly press: string; readonly times?: number }
  /** Puts the cursor before this text by the mouse. */
  | { readonly before: string }
  /** Marks this text by the mouse and types over it. */
  | { readonly select: string; readonly over: string }
  /** Ticks the task of this line. */
  | { readonly tick: string };

const SESSION: ReadonlyArray<Action> = [
  { type: "# Satruday" },
  { backspace: 7 },
  { type: "aturday, the wall 🪨\n\n" },
  { type: "Started at the gate wth" },
  { backspace: 2 },
  { type: "ith Ada 👩‍🌾. " },
  { type: "Frost has pushed out two courses" },
  { type: ", so we took it down to the footing.\n\n" },
  // The editor begins the next lines of a list.
  { type: "- [ ] sort the stones\nnew footing\nhearting 😀" },
  { select: "😀", over: "(the small stuff) 😅" },
  { before: "Started" },
  { type: "Cold, dry. ☀️ " },
  { tick: "sort the stones" },
  { press: "Control+End" },
  { type: "\n\n" },
  { type: "Two metres done 🎉🎉" },
  { press: "Control+z", times: 2 },
  { press: "Control+y" },
  { select: "(the small stuff) ", over: "" },
  { press: "Control+End" },
  { type: ", ten to go. " },
  { type: "Stopped when the light went; back on Sunday 🌧️ or no" },
  { backspace: 2 },
  { type: "not." },
];

/** Types the session into the editor that is open on the page, in about two minutes. */
export const typeSession = async (page: Page, told: (what: string) => void): Promise<void> => {
  const random = seededRandom(4_780);
  const rest = (millis: number): Promise<void> => page.waitForTimeout(millis + random.below(millis));
  for (const action of SESSION) {
    told(Object.values(action).join(" "));
    await rest(600);
    if ("type" in action) {
      for (const character of graphemesOf(action.type)) {
        await rest(90);
        await typeOne(page, character);
      }
    } else if ("backspace" in action) {
      for (let count = 0; count < action.backspace; count += 1) {
        await rest(70);
        await page.keyboard.press("Backspace");
      }
    } else if ("press" in action) {
      for (let count = 0; count < (action.times ?? 1); count += 1) {
        await rest(200);
        await page.keyboard.press(action.press);
      }
    } else if ("before" in action) {
      const { left, y } = await placeOf(page, action.before);
      await page.mouse.click(left, y);
    } else if ("tick" in action) {
      await page.getByRole("checkbox", { name: action.tick }).click();
    } else {
      const { left, right, y } = await placeOf(page, action.select);
      await page.mouse.move(left, y);
      await page.mouse.down();
      await page.mouse.move(right, y, { steps: 8 });
      await page.mouse.up();
      if (action.over === "") await page.keyboard.press("Delete");
      for (const character of graphemesOf(action.over)) {
        await rest(90);
        await typeOne(page, character);
      }
    }
  }
};

const segmenter = new Intl.Segmenter("en", { granularity: "grapheme" });
const graphemesOf = (text: string): ReadonlyArray<string> => [...segmenter.segment(text)].map(({ segment }) => segment);

/** By its key where it has one; whole otherwise, as from a picker of emoji. */
const typeOne = async (page: Page, character: string): Promise<void> => {
  if (character === "\n") await page.keyboard.press("Enter");
  else if (/^[\u0020-\u007e]$/u.test(character)) await page.keyboard.press(character === " " ? "Space" : character);
  else await page.keyboard.insertText(character);
};

/** Where a text is on the screen. */
const placeOf = async (page: Page, wanted: string) => {
  const found = await page.evaluate((text) => {
    const lines = document.createTreeWalker(
      document.querySelector(".cm-content") ?? document.body,
      NodeFilter.SHOW_TEXT,
    );
    for (let node = lines.nextNode(); node !== null; node = lines.nextNode()) {
      const at = (node.nodeValue ?? "").indexOf(text);
      if (at < 0) continue;
      const range = document.createRange();
      range.setStart(node, at);
      range.setEnd(node, at + text.length);
      const { left, right, top, bottom } = range.getBoundingClientRect();
      return { left: left + 1, right: right + 1, y: (top + bottom) / 2 };
    }
    return undefined;
  }, wanted);
  if (found === undefined) throw new Error(`"${wanted}" is not on the screen`);
  return found;
};
