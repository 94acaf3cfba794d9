/**
 * The first look: what the lists of the last start show now, read before the engine is there.
 *
 * An engine loads for as long as a person waits for a page. What its page shows first is asked in the same words at every
 * start; so the engine keeps those questions, checked and ready to be run, and at the next start the worker's first lines
 * read their rows, while everything else is on its way. The rows are those that the store holds at that moment, found as
 * every query finds them (`read-rows.ts`). Where anything is not as it was, there is no look, and the engine answers.
 */
import type { CheckedQuery, Page } from "@cairn/schema";
import type { WorkspaceId } from "@cairn/protocol";
import type { PlainRow } from "../engine/EngineApi.ts";
import type { RowsOfType } from "../store/store-changes.ts";

/** A question of the page's start, as it was asked, and as it is run. */
export interface KeptQuestion {
  readonly type: string;
  readonly query: unknown;
  readonly rows: RowsOfType;
  readonly checked: CheckedQuery;
}

/** What the engine keeps for the next start. */
export interface KeptQuestions {
  /** The worker's module: another build may declare its documents in another way. */
  readonly build: string;
  readonly workspace: WorkspaceId;
  readonly questions: ReadonlyArray<KeptQuestion>;
}

/** Under this name, beside the secrets: values by name are all that it takes. */
export const KEPT_QUESTIONS = "first-look";

/** The rows of the kept questions. */
export interface FirstLook {
  readonly workspace: WorkspaceId;
  readonly answers: ReadonlyArray<{
    readonly type: string;
    readonly query: unknown;
    readonly page: Page<PlainRow>;
  }>;
}

/** The worker's first message to its page. */
export interface LookedMessage {
  readonly type: "looked";
  /** Undefined where there is none to be had. */
  readonly look: FirstLook | undefined;
}
