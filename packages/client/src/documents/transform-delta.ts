/**
 * Moving a change of a sequence from one state to another one: what was written behind edits that are given up, as it is
 * without them. Positions are UTF-16 units in texts and items in lists, as in Loro's deltas.
 */

/** One step of a delta: keep, put in, or take out. */
export type Step<Inserted> =
  | { readonly retain: number; readonly attributes?: Readonly<Record<string, unknown>> }
  | { readonly insert: Inserted; readonly attributes?: Readonly<Record<string, unknown>> }
  | { readonly delete: number };

/** What a delta inserts: text, or the items of a list. */
export type Sequence = string | ReadonlyArray<unknown>;

type Span = { readonly kind: "retain" | "delete"; readonly length: number };

const spanOf = <Inserted>(step: Step<Inserted>): Span | undefined => {
  if ("retain" in step) return { kind: "retain", length: step.retain };
  if ("delete" in step) return { kind: "delete", length: step.delete };
  return undefined;
};

/**
 * `change` and `base` both lead away from the same state; the result does to the state behind `base` what `change` does to
 * the common one. What `change` wrote into a part that `base` takes away stays, at the place where that part was.
 */
export const transformDelta = <Inserted extends Sequence>(
  change: ReadonlyArray<Step<Inserted>>,
  base: ReadonlyArray<Step<Sequence>>,
): ReadonlyArray<Step<Inserted>> => {
  const result: Array<Step<Inserted>> = [];
  let at = 0;
  /** Units of the common state that the current step of `base` still covers. */
  let left = 0;
  const current = (): Span => {
    for (; at < base.length; at += 1) {
      const step = base[at];
      if (step === undefined) break;
      if ("insert" in step) {
        result.push({ retain: step.insert.length });
        continue;
      }
      const span = spanOf(step);
      if (span === undefined) continue;
      if (left === 0) left = span.length;
      if (left > 0) return { kind: span.kind, length: left };
    }
    // Behind its last step everything is kept.
    return { kind: "retain", length: Number.POSITIVE_INFINITY };
  };
  const take = (length: number): void => {
    if (at >= base.length) return;
    left -= length;
    if (left === 0) at += 1;
  };
  for (const step of change) {
    if ("insert" in step) {
      result.push(step);
      continue;
    }
    let rest = spanOf(step)?.length ?? 0;
    while (rest > 0) {
      const span = current();
      const length = Math.min(rest, span.length);
      if (span.kind === "retain") result.push("retain" in step ? { ...step, retain: length } : { delete: length });
      take(length);
      rest -= length;
    }
  }
  return result;
};
