/** A device in Node that fills a notebook, lets a browser in, and later writes what the browser receives. */
import { type Cairn, openCairn, type Workspace } from "@cairn/client";
import { type NotebookSchema, notebookSchema } from "./notebook-schema.ts";

export const TAGS = ["garden", "kitchen", "travel", "work"] as const;
/** One note in this many is deleted, so that the list has something to leave out. */
const DELETED_EVERY = 50;

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
  readonly #notes: Array<NoteId> = [];

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
    return new SeedingDevice(cairn, await cairn.workspace());
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
    for (let from = 0; from < notes; from += 250) {
      const batch = Array.from({ length: Math.min(250, notes - from) }, (_, offset) => from + offset);
      const made = await Promise.all(
        batch.map((index) =>
          this.#write(`Note ${index + 1}`, TAGS[index % TAGS.length] ?? TAGS[0], noteText(index, length)),
        ),
      );
      this.#notes.push(...made);
      onProgress(this.#notes.length);
    }
    for (const id of this.#notes.filter((_, index) => index % DELETED_EVERY === 0)) await this.#workspace.delete(id);
    await this.#workspace.flush({ tier: "server", timeout: 300_000 });
  }

  /** How many notes a list shows. */
  get listed(): number {
    return this.#notes.filter((_, index) => index % DELETED_EVERY !== 0).length;
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
    const live = this.#notes.filter((_, index) => index % DELETED_EVERY !== 0).slice(0, count);
    for (const [index, id] of live.entries()) {
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
