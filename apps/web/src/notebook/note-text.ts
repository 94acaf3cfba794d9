/** What a list shows of a note, from the fields that every list row carries. Pure. */

export const untitled = "Untitled";

/** A note's name: its title, else its first line without Markdown's marks. */
export const nameOf = (fields: { readonly title: string; readonly body: string }): string => {
  const title = fields.title.trim();
  if (title !== "") return title;
  const first = plainLines(fields.body).next();
  return first.done ? untitled : first.value;
};

/** The words under the name: what follows it in the text. */
export const excerptOf = (fields: { readonly title: string; readonly body: string }, length = 160): string => {
  const lines = plainLines(fields.body);
  if (fields.title.trim() === "") lines.next();
  let excerpt = "";
  for (const line of lines) {
    excerpt = excerpt === "" ? line : `${excerpt} ${line}`;
    if (excerpt.length >= length) break;
  }
  return excerpt.length > length ? `${excerpt.slice(0, length).trimEnd()}…` : excerpt;
};

export interface TaskCount {
  readonly done: number;
  readonly all: number;
}

/** The tasks of a text; undefined where it has none, or where the text was cut and counting would be a guess. */
export const tasksIn = (body: string, cutAt: number): TaskCount | undefined => {
  // Code units are at least as many as code points: this may be too careful, never wrong.
  if (body.length >= cutAt) return undefined;
  const boxes = [...body.matchAll(/^[ \t]*(?:[-*+]|\d{1,9}[.)])[ \t]+\[([ xX])\][ \t]/gm)];
  if (boxes.length === 0) return undefined;
  return { done: boxes.filter((box) => box[1] !== " ").length, all: boxes.length };
};

function* plainLines(body: string): Generator<string, undefined> {
  let inCode = false;
  for (const raw of body.split("\n")) {
    if (/^\s*(```|~~~)/.test(raw)) {
      inCode = !inCode;
      continue;
    }
    const line = inCode ? raw.trim() : withoutMarks(raw);
    if (line !== "") yield line;
  }
  return undefined;
}

const withoutMarks = (line: string): string =>
  line
    .replace(/^\s*(?:>\s?)*(?:#{1,6}\s+|(?:[-*+]|\d{1,9}[.)])\s+(?:\[[ xX]\]\s+)?)?/, "")
    .replace(/^[-*_]{3,}\s*$/, "")
    .replaceAll(/!?\[([^\]]*)\]\([^)]*\)/g, "$1")
    .replaceAll(/(\*\*|__|~~|`)/g, "")
    .replaceAll(/(^|\W)[*_](\S(?:[^*_]*\S)?)[*_](?=\W|$)/g, "$1$2")
    .trim();
