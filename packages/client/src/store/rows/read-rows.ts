/**
 * How a query is answered from indexes: the same for every store, which gives the indexes (`RowIndex`).
 *
 * The conditions that an index can answer give candidates; a list that is to be sorted by an indexed path and cut is walked
 * along that index until it is full; and whatever an index gave is looked at again by the schema's own evaluator, so that
 * an index decides how much is read and never what is found. Rows that were made by another declaration than the one that is
 * asked by are in no index that could be trusted, but for those of their times: filters look at them one by one, until they
 * are made anew. Rows that nobody has made yet, thousands while a workspace is received, are looked at only by filters that
 * they might pass.
 *
 * A reading is a generator of steps, so that a store runs it in one transaction whether its answers are at hand or awaited.
 */
import type { DocumentId } from "@cairn/protocol";
import {
  after,
  type CheckedQuery,
  comparePositions,
  type Condition,
  countValues,
  holdsTerms,
  type IndexRange,
  indexRange,
  isWanted,
  orderKey,
  type Page,
  pageOf,
  type Position,
  positionOf,
  type QueryPath,
  type SearchTerm,
  sortCounts,
  scalarOf,
  type ValueCount,
  wordsOf,
} from "@cairn/schema";
import type { RowsOfType } from "../store-changes.ts";
import type { DocumentRecord } from "../records.ts";

type Ids = ReadonlyArray<DocumentId>;
type Answer<A> = A | PromiseLike<A>;

/** A row, and the text that searches look through where a first version of the store kept it instead of words. */
export interface StoredRow {
  readonly record: DocumentRecord;
  readonly oldText: string | undefined;
}

/** The indexes over the rows of one workspace, as of one moment. */
export interface RowIndex {
  /** Documents by their entries within a range, in the order of entries and ids or the reverse of it; the first `count`. */
  readonly scan: (range: IndexRange, reverse: boolean, count: number) => Answer<Ids>;
  /** The different entries within a range, with the number of documents of each. */
  readonly entries: (range: IndexRange) => Answer<ReadonlyArray<{ readonly entry: string; readonly count: number }>>;
  /** Documents with a word. */
  readonly withWord: (term: SearchTerm) => Answer<Ids>;
  /** Those of these documents that there are, in this order. */
  readonly rows: (ids: Ids) => Answer<ReadonlyArray<StoredRow>>;
  /** All rows of a type. */
  readonly ofType: (type: string) => Answer<ReadonlyArray<StoredRow>>;
  /** Documents of a type whose rows were made by another declaration. */
  readonly stale: (type: string, fingerprint: string) => Answer<Ids>;
  /**
   * Documents of a type whose rows nobody has made yet, as far as they are not among the stale ones: they show nothing and
   * have no words, and are in the indexes of their times alone.
   */
  readonly unmade: (type: string) => Answer<Ids>;
  /** Documents of a type whose rows may not be in the indexes of their times: an upgrade of the store left them so. */
  readonly outside: (type: string) => Answer<Ids>;
}

type Step = (index: RowIndex) => void | PromiseLike<void>;
export type Reading<A> = Generator<Step, A, void>;

function* ask<A>(question: (index: RowIndex) => Answer<A>): Reading<A> {
  const answers: Array<A> = [];
  yield (index) => {
    const answer = question(index);
    if (isPromise(answer)) return answer.then((value) => void answers.push(value));
    answers.push(answer);
    return undefined;
  };
  const [answer] = answers;
  if (answers.length === 0) throw new Error("a step of a reading was not run");
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- there is one, also where it is undefined
  return answer as A;
}

const isPromise = <A>(answer: Answer<A>): answer is PromiseLike<A> =>
  typeof answer === "object" && answer !== null && "then" in answer;

/** Runs a reading over indexes whose answers are at hand. */
export const readNow = <A>(reading: Reading<A>, index: RowIndex): A => {
  let step = reading.next();
  while (step.done !== true) {
    if (step.value(index) !== undefined) throw new Error("an index that answers later");
    step = reading.next();
  }
  return step.value;
};

/** Runs a reading over indexes whose answers are awaited. */
export const readLater = async <A>(reading: Reading<A>, index: RowIndex): Promise<A> => {
  let step = reading.next();
  while (step.done !== true) {
    await step.value(index);
    step = reading.next();
  }
  return step.value;
};

/** Paths by whose indexes rows are found that nobody has made yet. */
const TIMES: ReadonlySet<string> = new Set(["$created", "$updated"]);
/** Values of one `in` that are looked up in an index; more are looked at row by row. */
const MAX_LOOKED_UP = 50;
/** A list is walked along its sorting unless the candidates are at most this many times its length, and some. */
const WALK_FACTOR = 4;
const WALK_LEAST = 100;

/** A row as the schema's evaluator sees it. */
interface Candidate extends Omit<DocumentRecord, "document"> {
  readonly id: DocumentId;
}
const toCandidate = ({ document, ...row }: DocumentRecord): Candidate => ({ ...row, id: document });
const toRecord = ({ id, ...row }: Candidate): DocumentRecord => ({ ...row, document: id });

/** The conditions that must all hold, and that an index may answer. */
const conjuncts = (condition: Condition): ReadonlyArray<Condition> =>
  condition.type === "all" ? condition.parts.flatMap(conjuncts) : [condition];

const scopesOf = ({ workspace, type }: RowsOfType, { deleted }: CheckedQuery) =>
  (deleted === "include" ? [false, true] : [deleted === "only"]).map((bin) => ({ workspace, type, deleted: bin }));

const keysOf = (condition: Extract<Condition, { type: "order" }>) => {
  const key = orderKey(condition.value);
  // Only values of the same type have an order between them.
  const [type = ""] = key;
  const next = String(Number(type) + 1);
  switch (condition.operator) {
    case "gt":
      return { from: after(key), before: next };
    case "gte":
      return { from: key, before: next };
    case "lt":
      return { from: type, before: key };
    case "lte":
      return { from: type, before: after(key) };
  }
};

const intersection = (sets: ReadonlyArray<ReadonlySet<DocumentId>>): ReadonlySet<DocumentId> | undefined => {
  const [smallest, ...others] = sets.toSorted((left, right) => left.size - right.size);
  return smallest === undefined
    ? undefined
    : others.reduce<ReadonlySet<DocumentId>>((common, set) => common.intersection(set), smallest);
};

/** Whether every row of the type, in the bin or not, is wanted. */
const isUnfiltered = ({ terms, where }: CheckedQuery): boolean => terms.length === 0 && conjuncts(where).length === 0;

interface Candidates {
  /** Undefined: all rows. */
  readonly ids: ReadonlySet<DocumentId> | undefined;
  /** Whether every row among them, that is of the type and in the bin or not, is wanted. */
  readonly exact: boolean;
}

function* documentsIn(ranges: ReadonlyArray<IndexRange>): Reading<ReadonlySet<DocumentId>> {
  const found = new Set<DocumentId>();
  for (const range of ranges) for (const id of yield* ask((index) => index.scan(range, false, Infinity))) found.add(id);
  return found;
}

function* candidatesOf(rows: RowsOfType, query: CheckedQuery, ordered: boolean): Reading<Candidates> {
  const scopes = scopesOf(rows, query);
  const sets: Array<ReadonlySet<DocumentId>> = [];
  let exact = true;
  for (const term of query.terms) sets.push(new Set(yield* ask((index) => index.withWord(term))));
  for (const condition of conjuncts(query.where)) {
    if (condition.type === "one-of" && condition.at.indexed && condition.values.length <= MAX_LOOKED_UP) {
      const keys = condition.values.map(orderKey);
      sets.push(
        yield* documentsIn(
          scopes.flatMap((scope) =>
            keys.map((key) => indexRange(scope, condition.at.path, { from: key, before: after(key) })),
          ),
        ),
      );
    } else if (condition.type === "order" && condition.at.indexed && ordered) {
      // A list has entries as well, and no order.
      if (condition.at.shape.items.size > 0) exact = false;
      sets.push(yield* documentsIn(scopes.map((scope) => indexRange(scope, condition.at.path, keysOf(condition)))));
    } else exact = false;
  }
  return { ids: intersection(sets), exact };
}

/** Rows of the type that are wanted, among some. */
const wantedAmong = (
  rows: RowsOfType,
  query: CheckedQuery,
  found: ReadonlyArray<StoredRow>,
  withWords: ReadonlySet<DocumentId> | undefined,
): Array<Candidate> =>
  found.flatMap(({ record, oldText }) => {
    if (record.type !== rows.type) return [];
    if (withWords !== undefined && !withWords.has(record.document)) {
      if (oldText === undefined || !holdsTerms(wordsOf(oldText), query.terms)) return [];
    }
    const candidate = toCandidate(record);
    return isWanted(query, candidate) ? [candidate] : [];
  });

function* withAllTerms(query: CheckedQuery): Reading<ReadonlySet<DocumentId> | undefined> {
  const sets: Array<ReadonlySet<DocumentId>> = [];
  for (const term of query.terms) sets.push(new Set(yield* ask((index) => index.withWord(term))));
  return intersection(sets);
}

/** Rows that no index can be asked for; `byTimes`: none but the index of their times is asked. */
function* outsideIndexes(rows: RowsOfType, query: CheckedQuery, byTimes: boolean): Reading<Ids> {
  if (byTimes) return yield* ask((index) => index.outside(rows.type));
  const stale = yield* ask((index) => index.stale(rows.type, rows.fingerprint));
  // What shows nothing has no words.
  return query.terms.length > 0 ? stale : [...stale, ...(yield* ask((index) => index.unmade(rows.type)))];
}

/** Those of them that are wanted. */
function* staleRows(
  rows: RowsOfType,
  query: CheckedQuery,
  byTimes: boolean,
): Reading<{ ids: ReadonlySet<DocumentId>; wanted: Array<Candidate> }> {
  const ids = yield* outsideIndexes(rows, query, byTimes);
  if (ids.length === 0) return { ids: new Set(), wanted: [] };
  const words = yield* withAllTerms(query);
  const found = yield* ask((index) => index.rows(ids));
  return { ids: new Set(ids), wanted: wantedAmong(rows, query, found, words) };
}

/** All wanted rows, in no order. */
function* allWanted(rows: RowsOfType, query: CheckedQuery, known?: Candidates): Reading<Array<Candidate>> {
  const candidates = known ?? (yield* candidatesOf(rows, query, true));
  if (candidates.ids === undefined) {
    return wantedAmong(rows, query, yield* ask((index) => index.ofType(rows.type)), undefined);
  }
  const stale = yield* staleRows(rows, query, false);
  const ids = [...candidates.ids.difference(stale.ids)];
  const found = yield* ask((index) => index.rows(ids));
  // The candidates have the words.
  return [...wantedAmong(rows, query, found, undefined), ...stale.wanted];
}

/** A page of rows. */
export function* readPage(rows: RowsOfType, query: CheckedQuery): Reading<Page<DocumentRecord>> {
  const [first] = query.sort;
  const walkable = first?.at.indexed === true && query.deleted !== "include" && query.limit < Infinity;
  const candidates = yield* candidatesOf(rows, query, !walkable);
  const few = candidates.ids !== undefined && candidates.ids.size <= query.limit * WALK_FACTOR + WALK_LEAST;
  const wanted =
    walkable && !few ? yield* walk(rows, query, candidates.ids) : yield* allWanted(rows, query, candidates);
  const page = pageOf(query, wanted);
  return { rows: page.rows.map(toRecord), next: page.next };
}

/** The range of a walk along the first sort key: what the filter and the cursor leave of it. */
const walkRange = (rows: RowsOfType, query: CheckedQuery): IndexRange => {
  const [first] = query.sort;
  const [scope] = scopesOf(rows, query);
  if (first === undefined || scope === undefined) throw new Error("a sorting has a first key");
  let { from, before } = indexRange(scope, first.at.path);
  for (const condition of conjuncts(query.where)) {
    if (condition.type !== "order" || condition.at.path !== first.at.path) continue;
    const narrower = indexRange(scope, first.at.path, keysOf(condition));
    if (narrower.from > from) from = narrower.from;
    if (narrower.before < before) before = narrower.before;
  }
  const reached = query.after?.keys[0];
  if (reached !== undefined) {
    const there = indexRange(scope, first.at.path, { from: reached, before: after(reached) });
    if (first.descending) before = there.before < before ? there.before : before;
    else from = there.from > from ? there.from : from;
  }
  return { from, before };
};

/** Wanted rows along the index of the first sort key, until those that the page shows are certainly among them. */
function* walk(
  rows: RowsOfType,
  query: CheckedQuery,
  among: ReadonlySet<DocumentId> | undefined,
): Reading<Array<Candidate>> {
  const { sort, limit } = query;
  // Whatever else is asked, the walk itself comes by rows of other declarations, and those that show nothing, in their place.
  const isByTimes = TIMES.has(sort[0]?.at.path ?? "") && among === undefined;
  const stale = yield* staleRows(rows, query, isByTimes);
  const descending = sort[0]?.descending === true;
  const range = walkRange(rows, query);
  const found: Array<Candidate> = [];
  /** Where the row stands after which no other can be shown: the one behind the page, in the order of the first key. */
  let end: Position | undefined;
  if (range.from >= range.before) return stale.wanted;
  for (let seen = 0, count = limit + 1; ; count *= 2) {
    const ids = yield* ask((index) => index.scan(range, descending, count));
    const fresh = ids.slice(seen).filter((id) => !stale.ids.has(id) && among?.has(id) !== false);
    seen = ids.length;
    for (const candidate of wantedAmong(rows, query, yield* ask((index) => index.rows(fresh)), undefined)) {
      const position = positionOf(sort, candidate);
      if (query.after !== undefined && comparePositions(sort, position, query.after) <= 0) continue;
      // Rows with the same first key are sorted by the others: the whole group has to be known.
      if (end !== undefined && position.keys[0] !== end.keys[0]) return [...found, ...stale.wanted];
      found.push(candidate);
      if (found.length <= limit) continue;
      // The index has them in the order of one key and of their ids.
      if (sort.length === 1) return [...found, ...stale.wanted];
      end = position;
    }
    if (ids.length < count) return [...found, ...stale.wanted];
  }
}

/** How many rows are wanted. */
export function* readCount(rows: RowsOfType, query: CheckedQuery): Reading<number> {
  const candidates = yield* candidatesOf(rows, query, true);
  const stale = yield* outsideIndexes(rows, query, isUnfiltered(query));
  if (!candidates.exact || stale.length > 0) return (yield* allWanted(rows, query, candidates)).length;
  const scopes = scopesOf(rows, query);
  const all = yield* documentsIn(scopes.map((scope) => indexRange(scope, "$created")));
  return candidates.ids === undefined ? all.size : all.intersection(candidates.ids).size;
}

/** How many wanted rows have each value at a path. */
export function* readCounts(rows: RowsOfType, at: QueryPath, query: CheckedQuery): Reading<ReadonlyArray<ValueCount>> {
  const stale = yield* ask((index) => index.stale(rows.type, rows.fingerprint));
  if (!at.indexed || !isUnfiltered(query) || stale.length > 0) return countValues(yield* allWanted(rows, query), at);
  const counts = new Map<string, ValueCount>();
  for (const scope of scopesOf(rows, query)) {
    const range = indexRange(scope, at.path);
    const prefix = indexRange(scope, at.path, { before: "" }).from;
    for (const { entry, count } of yield* ask((index) => index.entries(range))) {
      const key = entry.slice(prefix.length);
      counts.set(key, { value: scalarOf(key), count: (counts.get(key)?.count ?? 0) + count });
    }
  }
  const unmade = TIMES.has(at.path) ? [] : yield* ask((index) => index.unmade(rows.type));
  if (unmade.length > 0) {
    // What shows nothing has null everywhere.
    const all = yield* documentsIn(scopesOf(rows, query).map((scope) => indexRange(scope, "$created")));
    const count = unmade.filter((id) => all.has(id)).length;
    const key = orderKey(null);
    if (count > 0) counts.set(key, { value: null, count: (counts.get(key)?.count ?? 0) + count });
  }
  return sortCounts(counts);
}
