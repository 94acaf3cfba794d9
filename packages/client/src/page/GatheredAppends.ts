/**
 * Updates on their way to the engine: those of one turn and one document go there as one, since what each costs to store
 * and to import is nearly all for its being one.
 */
import type { DocumentId } from "@cairn/protocol";
import { joinUpdates } from "../documents/join-updates.ts";
import type { NewEdit } from "../engine/EngineApi.ts";

type Edit = Omit<NewEdit, "row">;

export class GatheredAppends {
  readonly #append: (edits: ReadonlyArray<Edit>) => Promise<void>;
  /** By document and type. */
  #gathered = new Map<string, Pick<Edit, "document" | "type"> & { readonly updates: Array<Uint8Array> }>();
  /** What everything of this turn waits for. */
  #turn: Promise<void> | undefined;
  readonly #underWay = new Set<Promise<void>>();

  constructor(append: (edits: ReadonlyArray<Edit>) => Promise<void>) {
    this.#append = append;
  }

  /** Resolves when the update is durable, or rejects with what stands in the way of all of this turn. */
  add(document: DocumentId, type: string, update: Uint8Array): Promise<void> {
    const key = `${document}/${type}`;
    const gathered = this.#gathered.get(key);
    if (gathered === undefined) this.#gathered.set(key, { document, type, updates: [update] });
    else gathered.updates.push(update);
    this.#turn ??= this.#begin();
    return this.#turn;
  }

  /** Everything that was added so far is durable, or its failure was told to whoever added it. */
  async settled(): Promise<void> {
    await Promise.allSettled(this.#underWay);
  }

  #begin(): Promise<void> {
    const turn = Promise.resolve().then(() => this.#send());
    this.#underWay.add(turn);
    const ended = (): void => void this.#underWay.delete(turn);
    turn.then(ended, ended);
    return turn;
  }

  #send(): Promise<void> {
    const time = Date.now();
    const edits = [...this.#gathered.values()].flatMap(({ document, type, updates }) =>
      joinUpdates(updates).map((update): Edit => ({ document, type, update, time, refs: [] })),
    );
    this.#gathered = new Map();
    this.#turn = undefined;
    return this.#append(edits);
  }
}
