/** A device in Node that fills a notebook, lets a browser in, and later writes what the browser receives. */
import { type Cairn, openCairn, type Workspace } from "@cairn/client";
import { type NotebookSchema, notebookSchema } from "./notebook-schema.ts";

export const TAGS = ["garden", "kitchen", "travel", "work"] as const;
/** One note in this many is deleted, so that the list has something to leave out. */
const DELETED_EVERY = 50;

/** Of all seeded notes. */
const TITLE = "Note ";

type NoteId = Parameters<Workspace<NotebookSchema>["delete"]>[0];

export interface Seed {
  readonly notes: number;
  /** Characters of text in each. */
  readonly length: number;
}

const WORDS = "stone path water bread lamp rope cloud field winter window letter morning slope birch kettle".split(" ");

/** Text that differs from note to note, the same in every run. */
export const noteText = (index: number, length: number): string => {
  let text = "";
  for (let step = 0; text.length < length; step += 1) {
    // Sentences of twelve words, paragraphs of five sentences.
    const end = step % 60 === 59 ? ".\n\n" : step % 12 === 11 ? ". " : " ";
    text += `${WORDS[(index * 7 + step * 13 + ((index * step) % 11)) % WORDS.length] ?? ""}${end}`;
  }
  return text.slice(0, length);
};

export class SeedingDevice {
  readonly #cairn: Cairn<NotebookSchema>;
  readonly #workspace: Workspace<NotebookSchema>;
  /** Notes that lists show, oldest first. */
  #notes: ReadonlyArray<NoteId> = [];

  private constructor(cairn: Cairn<NotebookSchema>, workspace: Workspace<NotebookSchema>) {
    this.#cairn = cairn;
    this.#workspace = workspace;
  }

  static async open(options: { readonly origin: string; readonly directory: string }): Promise<SeedingDevice> {
    const cairn = await openCairn({
      schema: notebookSchema,
      server: options.origin,
      directory: options.directory,
      deviceName: "bench",
    });
    const device = new SeedingDevice(cairn, await cairn.workspace());
    await device.#readNotes();
    return device;
  }

  async #readNotes(): Promise<void> {
    const rows = await this.#workspace.query("note", { sort: { by: "$created" } });
    this.#notes = rows.filter(({ fields }) => fields.title.startsWith(TITLE)).map(({ id }) => id);
  }

  async #write(title: string, tag: string, text: string): Promise<NoteId> {
    const note = await this.#workspace.create("note", (edit) => {
      edit.title.set(title);
      edit.body.insert(0, text);
      edit.tags.add(tag);
    });
    await note.close();
    return note.id;
  }

  /** Writes the notes and waits until the server has them. */
  async seed({ length, notes }: Seed, onProgress: (done: number) => void): Promise<void> {
    const written: Array<NoteId> = [];
    for (let from = 0; from < notes; from += 250) {
      const batch = Array.from({ length: Math.min(250, notes - from) }, (_, offset) => from + offset);
      const made = await Promise.all(
        batch.map((index) =>
          this.#write(`${TITLE}${index + 1}`, TAGS[index % TAGS.length] ?? TAGS[0], noteText(index, length)),
        ),
      );
      written.push(...made);
      onProgress(written.length);
    }
    for (const id of written.filter((_, index) => index % DELETED_EVERY === 0)) await this.#workspace.delete(id);
    await this.#workspace.flush({ tier: "server", timeout: 300_000 });
    await this.#readNotes();
  }

  /** The seeded notes that a list shows. */
  get listed(): ReadonlyArray<NoteId> {
    return this.#notes;
  }

  /** A note of its own to type into, newest of all. */
  async writeLongNote(title: string, length: number): Promise<void> {
    await this.#write(title, TAGS[0], noteText(1, length));
    await this.#workspace.flush({ tier: "server", timeout: 60_000 });
  }

  async link(): Promise<string> {
    return (await this.#workspace.createLink({ role: "writer", label: "bench" })).url;
  }

  /** Edits that many notes, one after the other, so that each is an entry of its own. */
  async editNotes(count: number): Promise<void> {
    for (const [index, id] of this.#notes.slice(0, count).entries()) {
      const note = await this.#workspace.open("note", id);
      note.edit((edit) => edit.body.insert(0, `${index} `));
      await note.close();
    }
    await this.#workspace.flush({ tier: "server", timeout: 120_000 });
  }

  close(): Promise<void> {
    return this.#cairn.close();
  }
}
