import { openCairn } from "@cairn/client";
import { defineDocument, defineSchema, field } from "@cairn/schema";

const note = defineDocument({
  fields: { title: field.string({ list: true, search: true }), body: field.text() },
});
const schema = defineSchema({ version: 1, documents: { note } });

/** Writes a note into the profile in `directory`, and finds it in a list. Works without any server. */
export const writeAndFind = async (directory: string): Promise<ReadonlyArray<string>> => {
  const cairn = await openCairn({ schema, directory });
  const notebook = await cairn.workspace();
  const handle = await notebook.create("note", (edit) => edit.title.set("Dry stone walls"));
  handle.edit((edit) => edit.body.insert(0, "Two faces, filled with rubble."));
  await notebook.flush(); // what was written is durable on this device; { tier: "server" } waits for the server
  const rows = await notebook.query("note", { search: "stone" });
  await cairn.close();
  return rows.map(({ fields }) => fields.title);
};
