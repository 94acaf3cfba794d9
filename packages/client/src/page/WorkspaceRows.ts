/**
 * Lists, counts and searches of a workspace on the page: asked once or live, without opening a document. A query is checked
 * against the declared type before it goes anywhere.
 */
import type { WorkspaceId } from "@cairn/protocol";
import {
  checkQuery,
  type DocumentSchema,
  type DocumentType,
  type Page,
  requirePath,
  type Scalar,
  type ValueCount,
} from "@cairn/schema";
import type { CountQuery, ListQuery, Row } from "../rows-api.ts";
import type { TypeName } from "../type-names.ts";
import type { Unsubscribe } from "../subscription.ts";
import type { Workspace } from "../workspace-api.ts";
import type { EngineApi, PlainRow, RowQuestion } from "../engine/EngineApi.ts";
import { CairnError } from "../errors.ts";
import { keepSame, LiveAnswers, mergeRows, sameJson } from "./LiveAnswers.ts";
import { toPageError } from "./page-errors.ts";

/** A question with its answer of a moment ago. */
export interface FirstAnswer extends RowQuestion {
  readonly page: Page<PlainRow>;
}

type Asked = "query" | "page" | "count" | "countBy" | "liveQuery" | "liveCount" | "liveCountBy";

export class WorkspaceRows<S extends DocumentSchema> implements Pick<Workspace<S>, Asked> {
  readonly #engine: EngineApi;
  readonly #workspace: WorkspaceId;
  readonly #schema: S;
  readonly #defaultFields = new Map<string, PlainRow["fields"]>();
  readonly #live = new LiveAnswers();
  /** For whoever asks them first, as long as nothing has changed since. */
  #first: ReadonlyArray<FirstAnswer> = [];

  constructor(engine: EngineApi, workspace: WorkspaceId, schema: S) {
    this.#engine = engine;
    this.#workspace = workspace;
    this.#schema = schema;
  }

  /** Something was stored: documents of these types, or, where that is not known, of any. */
  changed(types: ReadonlySet<string> | undefined): void {
    this.#first = [];
    this.#live.changed(types);
  }

  /** Something is about to be stored, which shows in what is asked after it. */
  forgetAnswers(): void {
    this.#first = [];
  }

  /** Takes questions that will be asked, with their answers. */
  expect(first: ReadonlyArray<FirstAnswer>): void {
    this.#first = first;
  }

  #askRows(type: string, query: unknown): Promise<Page<PlainRow>> {
    const found = this.#first.find((first) => first.type === type && sameJson(first.query, query));
    if (found === undefined) return this.#engine.query(this.#workspace, type, query);
    this.#first = this.#first.filter((first) => first !== found);
    return Promise.resolve(found.page);
  }

  /** The declared type; a query is checked against it before it goes anywhere. */
  #checked(type: TypeName<S>, check: (declared: DocumentType) => void): void {
    const declared = this.#schema.documents[type];
    if (declared === undefined || !Object.hasOwn(this.#schema.documents, type)) throw new CairnError("type-unknown");
    try {
      check(declared);
    } catch (error) {
      throw toPageError(error);
    }
  }

  async query<T extends TypeName<S>>(type: T, query: ListQuery<S, T> = {}): Promise<ReadonlyArray<Row<S, T>>> {
    return (await this.page(type, query)).rows;
  }

  async page<T extends TypeName<S>>(type: T, query: ListQuery<S, T>): Promise<Page<Row<S, T>>> {
    this.#checked(type, (declared) => void checkQuery(declared, query));
    const { rows, next } = await this.#askRows(type, query);
    if (rows.every(isOpened)) return { rows: rows.map((row) => toRow<S, T>({ ...row, arriving: false })), next };
    const { defaultFields } = await loadStored();
    return { rows: rows.map((row) => toRow<S, T>(this.#filled(row, defaultFields))), next };
  }

  async count<T extends TypeName<S>>(type: T, query: CountQuery<S, T> = {}): Promise<number> {
    this.#checked(type, (declared) => void checkQuery(declared, query));
    return this.#engine.count(this.#workspace, type, query);
  }

  // Properties of the interface's types: the compiler does not compare two declarations of so deep a type parameter.
  readonly countBy: Workspace<S>["countBy"] = (type, path, query) => this.#countBy(type, path, query);

  async #countBy<T extends TypeName<S>, V extends Scalar>(
    type: T,
    path: string,
    query: CountQuery<S, T> = {},
  ): Promise<ReadonlyArray<ValueCount<V>>> {
    this.#checked(type, (declared) => {
      checkQuery(declared, query);
      requirePath(declared, path, []);
    });
    const counts = await this.#engine.countBy(this.#workspace, type, path, query);
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- values that stand at this path of this type
    return counts as ReadonlyArray<ValueCount<V>>;
  }

  /** What arrived and was not applied yet has no projection: it is listed with its type's defaults, never with less. */
  #filled(row: PlainRow, defaultsOf: (type: DocumentType) => PlainRow["fields"]): ShownRow {
    const declared = isOpened(row) ? undefined : this.#schema.documents[row.type];
    if (declared === undefined) return { ...row, arriving: false };
    let defaults = this.#defaultFields.get(row.type);
    if (defaults === undefined) {
      defaults = defaultsOf(declared);
      this.#defaultFields.set(row.type, defaults);
    }
    return { ...row, fields: defaults, arriving: true };
  }

  liveQuery<T extends TypeName<S>>(
    type: T,
    query: ListQuery<S, T>,
    callback: (rows: ReadonlyArray<Row<S, T>>) => void,
    onFailure?: (failure: CairnError) => void,
  ): Unsubscribe {
    return this.#live.ask(type, () => this.query(type, query), mergeRows, callback, onFailure);
  }

  liveCount<T extends TypeName<S>>(
    type: T,
    query: CountQuery<S, T>,
    callback: (count: number) => void,
    onFailure?: (failure: CairnError) => void,
  ): Unsubscribe {
    return this.#live.ask(type, () => this.count(type, query), keepSame, callback, onFailure);
  }

  readonly liveCountBy: Workspace<S>["liveCountBy"] = (type, path, query, callback, onFailure) =>
    this.#liveCountBy(type, path, query, callback, onFailure);

  #liveCountBy<T extends TypeName<S>, V extends Scalar>(
    type: T,
    path: string,
    query: CountQuery<S, T>,
    callback: (counts: ReadonlyArray<ValueCount<V>>) => void,
    onFailure: ((failure: CairnError) => void) | undefined,
  ): Unsubscribe {
    return this.#live.ask(type, () => this.#countBy<T, V>(type, path, query), keepSame, callback, onFailure);
  }
}

/** Brings Loro's WebAssembly, which takes a while to start: only where a row needs its type's defaults. */
const loadStored = () => import("./stored-documents.ts");

const isOpened = (row: PlainRow): boolean => Object.keys(row.fields).length > 0;

type ShownRow = PlainRow & { readonly arriving: boolean };

// oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the engine's rows are what `project` made of this type
const toRow = <S extends DocumentSchema, T extends TypeName<S>>(row: ShownRow): Row<S, T> => row as Row<S, T>;
