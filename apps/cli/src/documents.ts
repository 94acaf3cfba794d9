/** `cairn list` and `cairn show`: documents of any app, read as what they are. */
import type { AnyRow } from "@cairn/client";
import { Effect } from "effect";
import { attempt, type CommandFailure } from "./failures.ts";
import { type Output, printable } from "./output.ts";
import { type AnyWorkspace, only } from "./profile.ts";

const TITLES = ["title", "name", "subject", "label"];
const MAX_TITLE = 80;

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/** The first text that calls itself a title, else the first text there is. */
export const titleOf = (content: unknown): string => {
  const parts = isObject(content) ? [content["fields"], content].filter(isObject) : [];
  for (const part of parts) {
    for (const name of TITLES) {
      const value = part[name];
      if (typeof value === "string" && value.trim() !== "") return shortened(value);
    }
  }
  const first = isObject(content) ? Object.values(content).find((value) => typeof value === "string") : undefined;
  return typeof first === "string" ? shortened(first) : "";
};

const shortened = (text: string): string => {
  const [line = ""] = text.trim().split("\n");
  const title = printable(line).trim();
  if (title.length <= MAX_TITLE) return title;
  const characters = Array.from(new Intl.Segmenter().segment(title.slice(0, MAX_TITLE * 20)), ({ segment }) => segment);
  return characters.length > MAX_TITLE ? `${characters.slice(0, MAX_TITLE - 1).join("")}…` : title;
};

/** Whether all words occur somewhere in a content's texts. */
export const isFound = (content: unknown, search: string): boolean => {
  const words = search.toLowerCase().normalize("NFKC").split(/\s+/u).filter(Boolean);
  const text = textsOf(content).join("\n").toLowerCase().normalize("NFKC");
  return words.every((word) => text.includes(word));
};

const textsOf = (value: unknown): ReadonlyArray<string> => {
  if (typeof value === "string") return [value];
  if (Array.isArray(value)) return value.flatMap(textsOf);
  return isObject(value) ? Object.values(value).flatMap(textsOf) : [];
};

interface Listed extends Pick<AnyRow, "id" | "type" | "createdAt" | "updatedAt" | "deleted"> {
  readonly title: string;
}

const rowsOf = async (workspace: AnyWorkspace): Promise<ReadonlyArray<AnyRow>> => {
  const rows: Array<AnyRow> = [];
  for await (const row of workspace.documents()) rows.push(row);
  return rows;
};

export const list = (
  workspace: AnyWorkspace,
  options: { readonly search: string; readonly deleted: boolean },
  output: Output,
): Effect.Effect<void, CommandFailure> =>
  Effect.gen(function* () {
    const listed = yield* attempt(async () => {
      const found: Array<Listed> = [];
      for (const { fields: _, ...row } of await rowsOf(workspace)) {
        if (row.deleted !== options.deleted) continue;
        const { content } = await workspace.contentOf(row.id);
        if (isFound(content, options.search)) found.push({ ...row, title: titleOf(content) });
      }
      return found.toSorted((left, right) => right.updatedAt - left.updatedAt);
    });
    yield* output.result(listed, () =>
      listed.map(({ id, type, updatedAt, title }) =>
        [id, new Date(updatedAt).toISOString().slice(0, 16).replace("T", " "), printable(type), title].join("  "),
      ),
    );
  });

export const show = (workspace: AnyWorkspace, wanted: string, output: Output): Effect.Effect<void, CommandFailure> =>
  Effect.gen(function* () {
    const rows = yield* attempt(() => rowsOf(workspace));
    const row = yield* only(rows, wanted, "document", "document-unknown");
    const { content } = yield* attempt(() => workspace.contentOf(row.id));
    const { id, type, createdAt, updatedAt, deleted } = row;
    yield* output.result({ id, type, createdAt, updatedAt, deleted, content }, () => [
      JSON.stringify(content, null, 2),
    ]);
  });
