/**
 * Live queries of a page: asked again when something that they may show has changed, by this page or elsewhere, and told
 * only what is new.
 */
import { toPageError } from "./page-errors.ts";
import type { CairnError } from "../errors.ts";
import type { Unsubscribe } from "../subscription.ts";

/** Changes that come in quick succession are shown together. */
const GATHER_MILLIS = 25;
/** A question rests this many times as long as its answer took, so that slow ones never fill the engine's time. */
const RESTS = 4;
const LONGEST_REST_MILLIS = 2_000;

interface Question {
  readonly type: string;
  readonly stale: () => void;
}

export class LiveAnswers {
  readonly #questions = new Set<Question>();

  /** Something was stored: documents of these types, or, where that is not known, of any. */
  changed(types: ReadonlySet<string> | undefined): void {
    for (const question of this.#questions) if (types === undefined || types.has(question.type)) question.stale();
  }

  /**
   * Asks at once, and whenever documents of the type have changed. `merge` takes what the last answer and the new one have
   * in common from the last, and gives the last itself where they are the same: then nobody is told.
   */
  ask<A>(
    type: string,
    question: () => Promise<A>,
    merge: (last: A, next: A) => A,
    callback: (answer: A) => void,
    onFailure: ((failure: CairnError) => void) | undefined,
  ): Unsubscribe {
    const state = { ended: false };
    let running = false;
    let stale = false;
    let last: { readonly answer: A } | undefined;

    const answer = async (): Promise<void> => {
      const next = await question();
      const merged = last === undefined ? next : merge(last.answer, next);
      if (state.ended || (last !== undefined && merged === last.answer)) return;
      last = { answer: merged };
      callback(merged);
    };
    const run = async (): Promise<void> => {
      running = true;
      while (stale && !state.ended) {
        stale = false;
        const started = performance.now();
        try {
          await answer();
        } catch (error) {
          if (!state.ended) onFailure?.(toPageError(error));
        }
        const rest = Math.min(LONGEST_REST_MILLIS, (performance.now() - started) * RESTS);
        await new Promise((resolve) => setTimeout(resolve, Math.max(GATHER_MILLIS, rest)));
      }
      running = false;
    };
    const asked: Question = {
      type,
      stale: () => {
        stale = true;
        if (!running) void run();
      },
    };
    this.#questions.add(asked);
    asked.stale();
    return () => {
      state.ended = true;
      this.#questions.delete(asked);
    };
  }
}

/** Whether two JSON values are the same. */
export const sameJson = (left: unknown, right: unknown): boolean => {
  if (left === right) return true;
  if (typeof left !== "object" || typeof right !== "object" || left === null || right === null) return false;
  if (Array.isArray(left) !== Array.isArray(right)) return false;
  const entries = Object.entries(left);
  const others = new Map<string, unknown>(Object.entries(right));
  return (
    entries.length === others.size &&
    entries.every(([key, value]) => others.has(key) && sameJson(value, others.get(key)))
  );
};

/** The next list, with the last one's objects for rows that did not change; the last one itself where nothing did. */
export const mergeRows = <R extends { readonly id: string }>(
  last: ReadonlyArray<R>,
  next: ReadonlyArray<R>,
): ReadonlyArray<R> => {
  const known = new Map(last.map((row) => [row.id, row]));
  const merged = next.map((row) => {
    const before = known.get(row.id);
    return before !== undefined && sameJson(before, row) ? before : row;
  });
  return merged.length === last.length && merged.every((row, index) => row === last[index]) ? last : merged;
};

/** The last answer where the next one says the same. */
export const keepSame = <A>(last: A, next: A): A => (sameJson(last, next) ? last : next);
