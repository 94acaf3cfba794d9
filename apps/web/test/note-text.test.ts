import { describe, expect, test } from "vitest";
import { attachmentMarkdown, attachmentsShownIn } from "../src/editor/attachment-references.ts";
import { formatBytes, formatWhen } from "../src/notebook/format.ts";
import { excerptOf, nameOf, tasksIn } from "../src/notebook/note-text.ts";
import { describeDevice } from "../src/notebook/device-name.ts";
import { cleanTag } from "../src/notes/clean-tag.ts";

describe("a note's name and excerpt", () => {
  test("the title is the name, and the text's beginning the excerpt", () => {
    const note = { title: " Alps ", body: "# Plan\n\nStart **early**, at the [hut](https://example.org)." };
    expect(nameOf(note)).toBe("Alps");
    expect(excerptOf(note)).toBe("Plan Start early, at the hut.");
  });

  test("without a title, the first line with words is the name and is not repeated", () => {
    const note = { title: "", body: "\n---\n- [ ] call *Mara*\nabout snake_case_names" };
    expect(nameOf(note)).toBe("call Mara");
    expect(excerptOf(note)).toBe("about snake_case_names");
  });

  test("an empty note is untitled, and code keeps its marks", () => {
    expect(nameOf({ title: "", body: " \n" })).toBe("Untitled");
    expect(excerptOf({ title: "t", body: "```js\nlet a = b ** c\n```" })).toBe("let a = b ** c");
  });
});

describe("tasks", () => {
  test("are counted in every kind of list", () => {
    expect(tasksIn("- [x] a\n  * [ ] b\n1. [X] c\n- [] no\n[x] no", 2000)).toEqual({ done: 2, all: 3 });
  });

  test("are not guessed where there are none or the text is cut", () => {
    expect(tasksIn("words", 2000)).toBeUndefined();
    expect(tasksIn("- [x] a\n", 8)).toBeUndefined();
  });
});

describe("attachments in the text", () => {
  test("what is written for an attachment is found again, whatever its name", () => {
    const picture = { id: "a_B-9", name: "my [best]\\ picture.png", mediaType: "image/png" };
    const file = { id: "z0", name: "map.pdf", mediaType: "application/pdf" };
    expect(attachmentMarkdown(picture)).toMatch(/^!\[/);
    expect(attachmentMarkdown(file)).toBe("[map.pdf](attachment:z0)");
    expect(attachmentsShownIn(`${attachmentMarkdown(picture)} ${attachmentMarkdown(file)}`)).toEqual(
      new Set(["a_B-9", "z0"]),
    );
  });
});

test("tags lose their marks, commas and length", () => {
  expect(cleanTag("##  Trip, north ")).toBe("Trip north");
  expect(cleanTag(" #, ")).toBe("");
  expect(cleanTag("x".repeat(80))).toHaveLength(40);
});

test("bytes are said in decimal units", () => {
  expect([0, 999, 1000, 1500, 9_960, 52_428_800, 2_147_483_648, 999_600].map(formatBytes)).toEqual([
    "0 B",
    "999 B",
    "1 KB",
    "1.5 KB",
    "10 KB",
    "52 MB",
    "2.1 GB",
    "1 MB",
  ]);
});

test("times are said as in a list: the hour today, the day before that", () => {
  const now = new Date(2026, 4, 20, 15, 0).getTime();
  expect(formatWhen(now - 10_000, now, "en-GB")).toBe("now");
  expect(formatWhen(new Date(2026, 4, 20, 9, 5).getTime(), now, "en-GB")).toBe("9:05");
  expect(formatWhen(new Date(2026, 4, 19, 23, 0).getTime(), now, "en-GB")).toBe("yesterday");
  expect(formatWhen(new Date(2026, 4, 16, 1, 0).getTime(), now, "en-GB")).toBe("Saturday");
  expect(formatWhen(new Date(2026, 0, 2).getTime(), now, "en-GB")).toBe("2 Jan");
  expect(formatWhen(new Date(2024, 0, 2).getTime(), now, "en-GB")).toBe("2 Jan 2024");
});

test("a device is named by its browser and system", () => {
  expect(describeDevice("Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0")).toBe(
    "Firefox on Linux",
  );
  expect(
    describeDevice(
      "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.0 Mobile/15E148 Safari/604.1",
    ),
  ).toBe("Safari on iPhone");
  expect(
    describeDevice(
      "Mozilla/5.0 (Windows NT 10.0) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36 Edg/140.0",
    ),
  ).toBe("Edge on Windows");
});
