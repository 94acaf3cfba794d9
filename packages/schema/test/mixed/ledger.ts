/**
 * Who did what to which item, and who knew of it: what each version of the app must show in the end.
 *
 * An item is whatever a list or records hold under a name that nobody gives twice. An app shows what apps of its version and
 * of earlier ones did. Left open by design, and excluded here:
 *
 * - Of concurrent writes of one value any one stays. What an older app writes without seeing the newer form is concurrent with
 *   what was written there, whatever its device has received.
 * - Version 2 replaces whole items. So one that changes the label says the `done` it saw again, and takes back what another device
 *   wrote at the same time. It takes back nothing where no other device of version 2 wrote.
 *
 * Deleting wins over all of that: an item that anybody deleted is away, because nobody adds an item of the same name again. Only
 * where another app of the same version moves it at the same moment it may stay: within one container Loro's rule holds.
 */
export type AppVersion = 1 | 2 | 3;

/** Who did something, and the version of the document afterwards, as counts of operations by peer. */
export interface Author {
  readonly version: AppVersion;
  readonly after: ReadonlyMap<`${number}`, number>;
}

interface Said {
  readonly value: unknown;
  readonly author: Author;
  /** It only says again what its author saw. */
  readonly isRepeated: boolean;
}

interface Item {
  readonly added: Author;
  readonly values: Map<string, Array<Said>>;
  readonly letters: Array<readonly [letter: string, version: AppVersion]>;
  readonly deleted: Array<Author>;
  readonly moved: Array<Author>;
}

/**
 * Whether the author of the later one knew the earlier one, and all that its author knew: who says again what is there makes no
 * operation, and can be known by nothing else.
 */
export const knew = ({ after }: Pick<Author, "after">, earlier: Pick<Author, "after">): boolean =>
  [...earlier.after].every(([peer, end]) => (after.get(peer) ?? 0) >= end);

export class Ledger {
  readonly #items = new Map<string, Item>();

  added(name: string, author: Author, values: Readonly<Record<string, unknown>> = {}): void {
    this.#items.set(name, { added: author, values: new Map(), letters: [], deleted: [], moved: [] });
    for (const [member, value] of Object.entries(values)) this.wrote(name, member, value, author);
  }

  deleted(name: string, author: Author): void {
    this.#items.get(name)?.deleted.push(author);
  }

  moved(name: string, author: Author): void {
    this.#items.get(name)?.moved.push(author);
  }

  wrote(name: string, member: string, value: unknown, author: Author, isRepeated = false): void {
    const item = this.#items.get(name);
    if (item === undefined) return;
    item.values.set(member, [...(item.values.get(member) ?? []), { value, author, isRepeated }]);
  }

  /** A letter that stands in one text only. */
  typed(name: string, letter: string, { version }: Author): void {
    this.#items.get(name)?.letters.push([letter, version]);
  }

  /** What does not hold in what an app of a version shows: the items' names, and what is in them. */
  problems(version: AppVersion, shown: ReadonlyArray<readonly [string, Readonly<Record<string, unknown>>]>) {
    const problems: Array<string> = [];
    const found = new Map(shown);
    if (found.size < shown.length) {
      const names = shown.map(([name]) => name).filter((name, index, all) => all.indexOf(name) < index);
      problems.push(`version ${version}: ${names.join(", ")} twice`);
    }
    for (const name of found.keys())
      if (!this.#items.has(name)) problems.push(`version ${version}: nobody added ${name}`);
    for (const [name, item] of this.#items) {
      if (item.added.version > version) continue;
      const deleted = item.deleted.filter((author) => author.version <= version);
      const view = found.get(name);
      if (view === undefined) {
        if (deleted.length === 0) problems.push(`version ${version}: lost ${name}`);
        continue;
      }
      if (deleted.some((deletion) => !wasMovedBeside(item, deletion))) {
        problems.push(`version ${version}: ${name} is back, which somebody deleted`);
        continue;
      }
      for (const [member, said] of item.values) {
        if (!Object.hasOwn(view, member)) continue;
        const open = latest(said.filter(({ author }) => author.version <= version));
        if (!open.includes(view[member]))
          problems.push(
            `version ${version}: ${member} of ${name} is ${String(view[member])} instead of ${open.join(" or ")}`,
          );
      }
      const text = view["notes"];
      if (typeof text !== "string") continue;
      for (const [letter, typedBy] of item.letters) {
        const count = text.split(letter).length - 1;
        if (typedBy <= version && count !== 1)
          problems.push(`version ${version}: a letter is ${count} times in ${name}`);
      }
    }
    return problems;
  }
}

/** Whether an app of the same version moved an item at the moment in which it was deleted, neither knowing of the other. */
const wasMovedBeside = ({ moved }: Item, deletion: Author): boolean =>
  moved.some((move) => move.version === deletion.version && !knew(deletion, move));

/** The values of which one is to be seen. */
const latest = (said: ReadonlyArray<Said>): ReadonlyArray<unknown> => {
  const replaces = (later: Said, earlier: Said): boolean =>
    later !== earlier && later.author.version >= earlier.author.version && knew(later.author, earlier.author);
  const takesBack = (one: Said): boolean =>
    !one.isRepeated ||
    said.some(
      (other) =>
        !other.isRepeated &&
        other.author.version === one.author.version &&
        !knew(other.author, one.author) &&
        !knew(one.author, other.author),
    );
  const counting = said.filter(takesBack);
  return counting.filter((one) => !counting.some((later) => replaces(later, one))).map(({ value }) => value);
};
