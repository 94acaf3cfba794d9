/** The engine's side of a first look: it keeps the questions of this start for the next one. */
import { checkQuery, type DocumentSchema, projectionFingerprint } from "@cairn/schema";
import type { WorkspaceId } from "@cairn/protocol";
import { Effect } from "effect";
import type { RowQuestion } from "../engine/EngineApi.ts";
import { documentTypeOf } from "../engine/engine-schema.ts";
import type { LocalStoreShape, StoreFailure } from "../store/LocalStore.ts";
import { KEPT_QUESTIONS, type KeptQuestion, type KeptQuestions } from "./FirstLook.ts";

/** Questions that are not of the schema, or that look for words, are not kept. */
const toKept = (schema: DocumentSchema, workspace: WorkspaceId, { query, type }: RowQuestion): Array<KeptQuestion> => {
  const declared = documentTypeOf(schema, type);
  if (declared === undefined) return [];
  try {
    const checked = checkQuery(declared, query);
    if (checked.terms.length > 0 || checked.limit === Infinity) return [];
    return [{ type, query, rows: { workspace, type, fingerprint: projectionFingerprint(declared) }, checked }];
  } catch {
    return [];
  }
};

/** What tells one set of kept questions from another. */
const nameOf = ({ build, questions, workspace }: KeptQuestions): string =>
  JSON.stringify([build, workspace, questions.map(({ query, rows, type }) => [type, query, rows.fingerprint])]);

/** Keeps the questions, where others or none were kept before. */
export const keepQuestions = Effect.fnUntraced(function* (
  store: LocalStoreShape,
  schema: DocumentSchema,
  build: string,
  workspace: WorkspaceId,
  asked: ReadonlyArray<RowQuestion>,
): Effect.fn.Return<void, StoreFailure> {
  const questions = asked.flatMap((question) => toKept(schema, workspace, question));
  const next: KeptQuestions = { build, workspace, questions };
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- what stands there was put there below
  const before = (yield* store.secret(KEPT_QUESTIONS)) as KeptQuestions | undefined;
  if (before !== undefined && nameOf(before) === nameOf(next)) return;
  yield* store.putSecret(KEPT_QUESTIONS, next);
});
