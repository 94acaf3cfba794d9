/** A line of a checklist that is text. */
export interface ChecklistLine {
  readonly label: string;
  readonly ticked: boolean;
}

/**
 * The items of a checklist that is text: `[ ] milk`, `[x] bread`, also with a bullet in front. A line without a box is an
 * item that is not ticked, and one without words is none. Total: version 3 converts by it.
 */
export const checklistLines = (text: string): ReadonlyArray<ChecklistLine> =>
  text.split("\n").flatMap((line) => {
    const [, mark = " ", words = line] = /^\s*(?:[-*+]\s+)?\[([ xX])\](.*)$/s.exec(line) ?? [];
    const label = words.trim();
    return label === "" ? [] : [{ label, ticked: mark !== " " }];
  });
