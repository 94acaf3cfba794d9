/**
 * A device in a process of its own that writes marks into a note and says which are durable, until it is killed:
 * `writing-device.ts <directory> <server> <document> <round>`.
 */
import { DocumentId } from "@cairn/protocol";
import { Schema } from "effect";
import { writeSync } from "node:fs";
import { openCairn } from "../../src/node.ts";
import { schema } from "../notebook.ts";

const say = (...words: ReadonlyArray<string | number>): void => void writeSync(1, `${words.join(" ")}\n`);

const [, , directory, server, document, round] = process.argv;
if (directory === undefined || server === undefined || round === undefined) throw new Error("called with too little");

const cairn = await openCairn({ schema, directory, server, deviceName: "writer" });
const workspace = await cairn.workspace();
const note = await workspace.open("note", Schema.decodeUnknownSync(DocumentId)(document));
say("open");
for (let number = 0; ; number += 1) {
  const mark = `<${round}.${number}>`;
  note.edit((edit) => edit.body.insert(note.read().body.length, mark));
  await workspace.flush();
  say("saved", mark);
  // Some edits gather into one entry, some travel alone.
  if (number % 3 === 0) await new Promise((resolve) => setTimeout(resolve, (number * 7) % 23));
}
