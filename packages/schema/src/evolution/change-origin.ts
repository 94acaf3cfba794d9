/** Reading and writing a field that a change of containers made: `Origin` over successors. */
import type { LoroText } from "loro-crdt";
import { writerOf } from "../edit.ts";
import type { Field } from "../field-kinds.ts";
import type { Place } from "../place.ts";
import type { RichTextWriter } from "../rich-text.ts";
import { type Origin, type Path, type Slot, slotsOf } from "../slots.ts";
import { bringForm, readForms } from "./bring-form.ts";
import { type Change, isSettled, openSuccessor, readSuccessor, settleSuccessor } from "./successor.ts";

/** What each kind's writer does to the document; everything else only reads. */
const WRITES: Readonly<Record<Exclude<Field["kind"], "text">, ReadonlyArray<string>>> = {
  plain: ["set", "reset"],
  list: ["insert", "push", "delete"],
  movableList: ["insert", "push", "delete", "replace", "move"],
  set: ["add", "remove"],
  map: ["set", "delete"],
  attachments: ["set", "delete"],
  counter: ["add"],
  records: ["ensure", "edit", "remove"],
  richText: ["mark", "unmark"],
  tree: ["create", "move", "delete", "edit"],
};

type Method = (...given: ReadonlyArray<unknown>) => unknown;

const methodOf = (writer: unknown, name: string): Method => {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- `WRITES` names methods of the field's own writer
  const method = (writer as Readonly<Record<string, Method>>)[name];
  if (method === undefined) throw new TypeError(`a writer has no "${name}"`);
  return method;
};

/** The origin of one of the fields that a change makes. */
export const changedOrigin = (change: Change, member: string): Origin => {
  const slot: Slot | undefined = slotsOf(change.newer).find(({ name }) => name === member);
  if (slot === undefined) throw new TypeError(`the step makes no field "${member}"`);
  const { field } = slot;
  const read = (place: Place): unknown => readSuccessor(change, place, [], () => {})[member];
  const open = (place: Place, path: Path): unknown => writerOf(slot, openSuccessor(change, place), path);
  return {
    kind: "change",
    version: change.version,
    key: change.key,
    older: change.older,
    member,
    plan: undefined,
    forget: undefined,
    read: (place, path, report) => readSuccessor(change, place, path.slice(0, -1), report)[member],
    writer: (place, path) => {
      // An editor types into the text itself, so asking for it makes it.
      if (field.kind === "text") return open(place, path);
      const writer: Record<string, unknown> = { get: () => read(place) };
      for (const name of WRITES[field.kind]) {
        writer[name] = (...given: ReadonlyArray<unknown>) => methodOf(open(place, path), name)(...given);
      }
      if (field.kind === "richText") {
        Object.defineProperty(writer, "text", {
          enumerable: true,
          get: () => richTextOf(open(place, path)),
        });
      }
      if (field.kind === "set") writer["has"] = (item: unknown) => list(read(place)).includes(item);
      if (field.kind === "list" || field.kind === "movableList") {
        writer["entries"] = () =>
          isSettled(change, place)
            ? methodOf(open(place, path), "entries")()
            : list(read(place)).map((value, position) => ({ position, value }));
      }
      return writer;
    },
    settle: (place, purpose) => settleSuccessor(change, place, purpose),
    forms: (place) => readForms(change, place),
    bring: (place, before, after) => bringForm(change, place, before, after),
  };
};

const list = (value: unknown): ReadonlyArray<unknown> => (Array.isArray(value) ? value : []);

// oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the writer of a rich text
const richTextOf = (writer: unknown): LoroText => (writer as RichTextWriter<{}>).text;
