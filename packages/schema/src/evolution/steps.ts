/** The steps from one version of a schema to the next, typed by both. */
import type { DocumentTypes } from "../document-type.ts";
import type { Fields, PlainField, RecordsField, TreeField } from "../field-kinds.ts";
import type { ViewOf, ViewOfField } from "../view-of.ts";
import type { AcceptableFinding, Extracted, ExtractStep, Step } from "./step.ts";

type Names<Fs> = keyof Fs & string;

type RecordsPaths<Fs extends Fields> = {
  [K in Names<Fs>]: Fs[K] extends RecordsField<infer Inner> | TreeField<infer Inner>
    ? K | `${K}.${RecordsPaths<Inner>}`
    : never;
}[Names<Fs>];

/** A document type, or records inside one. */
export type PathsOf<Ds extends DocumentTypes> = {
  [T in keyof Ds & string]: T | `${T}.${RecordsPaths<Ds[T]["fields"]>}`;
}[keyof Ds & string];

type Within<Fs, P extends string> = P extends `${infer Name}.${infer Rest}`
  ? Within<InnerOf<Fs, Name>, Rest>
  : InnerOf<Fs, P>;
type InnerOf<Fs, Name extends string> = Name extends keyof Fs
  ? Fs[Name] extends RecordsField<infer Inner> | TreeField<infer Inner>
    ? Inner
    : never
  : never;

/** The fields at a path. */
export type FieldsAt<Ds extends DocumentTypes, P extends string> = P extends `${infer Type}.${infer Rest}`
  ? Type extends keyof Ds
    ? Within<Ds[Type]["fields"], Rest> extends infer Found extends Fields
      ? Found
      : never
    : never
  : P extends keyof Ds
    ? Ds[P]["fields"]
    : never;

type PlainNames<Fs> = { [K in Names<Fs>]: Fs[K] extends PlainField ? K : never }[Names<Fs>];
type At<Fs extends Fields, K> = K extends keyof Fs ? ViewOfField<Fs[K]> : never;
type Some<Fs extends Fields, Ks extends ReadonlyArray<string>> = {
  readonly [K in Ks[number]]: K extends keyof Fs ? ViewOf<Fs>[K] : never;
};
type Shared<Older extends DocumentTypes, Newer extends DocumentTypes> = PathsOf<Older> & PathsOf<Newer>;

/** Makes the steps of a version. */
export interface Steps<Older extends DocumentTypes, Newer extends DocumentTypes> {
  /** A field that the version before did not have. It reads as its default in documents that nobody wrote it in. */
  readonly add: <P extends PathsOf<Newer>>(path: P, name: Names<FieldsAt<Newer, P>>) => Step;
  /** Another name for a field: what is stored stays where it is. */
  readonly rename: <P extends Shared<Older, Newer>>(
    path: P,
    names: { readonly from: Names<FieldsAt<Older, P>>; readonly to: Names<FieldsAt<Newer, P>> },
  ) => Step;
  /** Hide a field: what is stored stays, older apps go on with it, and nothing else is ever stored in its place. */
  readonly remove: <P extends PathsOf<Older>>(path: P, name: Names<FieldsAt<Older, P>>) => Step;
  /**
   * Another form of a plain value, both ways. Both functions are pure and total, and `down(up(x))` equals `x`; where several
   * newer values have one older form, an app of the version before that writes the same value again does not lose which.
   */
  readonly convert: <
    P extends Shared<Older, Newer>,
    F extends PlainNames<FieldsAt<Older, P>>,
    T extends PlainNames<FieldsAt<Newer, P>>,
  >(
    path: P,
    conversion: {
      readonly from: F;
      readonly to: T;
      readonly up: (older: At<FieldsAt<Older, P>, F>) => At<FieldsAt<Newer, P>, T>;
      readonly down: (newer: At<FieldsAt<Newer, P>, T>) => At<FieldsAt<Older, P>, F>;
    },
  ) => Step;
  /** One plain field becomes several. */
  readonly split: <
    P extends Shared<Older, Newer>,
    F extends PlainNames<FieldsAt<Older, P>>,
    const T extends ReadonlyArray<PlainNames<FieldsAt<Newer, P>>>,
  >(
    path: P,
    conversion: {
      readonly from: F;
      readonly to: T;
      readonly up: (older: At<FieldsAt<Older, P>, F>) => Some<FieldsAt<Newer, P>, T>;
      readonly down: (newer: Some<FieldsAt<Newer, P>, T>) => At<FieldsAt<Older, P>, F>;
    },
  ) => Step;
  /** Several plain fields become one. */
  readonly merge: <
    P extends Shared<Older, Newer>,
    const F extends ReadonlyArray<PlainNames<FieldsAt<Older, P>>>,
    T extends PlainNames<FieldsAt<Newer, P>>,
  >(
    path: P,
    conversion: {
      readonly from: F;
      readonly to: T;
      readonly up: (older: Some<FieldsAt<Older, P>, F>) => At<FieldsAt<Newer, P>, T>;
      readonly down: (newer: At<FieldsAt<Newer, P>, T>) => Some<FieldsAt<Older, P>, F>;
    },
  ) => Step;
  /**
   * Fields of any kind become others of any kind: texts a list, a set records. `up` is pure and total. Older apps keep the
   * older form; what they write there is carried over. What newer apps write does not appear in it.
   */
  readonly change: <
    P extends Shared<Older, Newer>,
    const F extends ReadonlyArray<Names<FieldsAt<Older, P>>>,
    const T extends ReadonlyArray<Names<FieldsAt<Newer, P>>>,
  >(
    path: P,
    change: {
      readonly from: F;
      readonly to: T;
      readonly up: (older: Some<FieldsAt<Older, P>, F>) => Some<FieldsAt<Newer, P>, T>;
      /** What it can double or lose, which the guard refuses unless it is named here. */
      readonly accept?: ReadonlyArray<AcceptableFinding>;
    },
  ) => Step;
  /**
   * Fields leave the documents of a type for documents of another one: a document is split into several, or a field moves to
   * another document. `up` is pure and total. The documents are written in the background by every app of this version that
   * may write, all the same; a key, with the document that it comes from, always means the same new document. What older apps
   * write in the older fields is carried over; what newer apps write does not appear there. The type that is left stays
   * declared: deprecate it instead of removing it.
   */
  readonly extract: <
    P extends keyof Older & keyof Newer & string,
    const F extends ReadonlyArray<Names<FieldsAt<Older, P>>>,
    U extends keyof Newer & string,
    const T extends ReadonlyArray<Names<FieldsAt<Newer, U>>>,
    const R extends ReadonlyArray<Names<FieldsAt<Older, P>>> = [],
  >(
    type: P,
    extraction: {
      readonly from: F;
      readonly reading?: R;
      readonly into: U;
      readonly to: T;
      readonly up: (
        older: Some<FieldsAt<Older, P>, F> & Some<FieldsAt<Older, P>, R>,
        document: string,
      ) => ReadonlyArray<Extracted<Some<FieldsAt<Newer, U>, T>>>;
      readonly combine?: (said: ReadonlyArray<Some<FieldsAt<Newer, U>, T>>) => Some<FieldsAt<Newer, U>, T>;
      /** What it can double or lose, which the guard refuses unless it is named here. */
      readonly accept?: ReadonlyArray<AcceptableFinding>;
    },
  ) => Step;
  /** A type that the version before did not have. */
  readonly addType: (type: keyof Newer & string) => Step;
  /** A type that this version does not show. Its documents stay as they are. */
  readonly removeType: (type: keyof Older & string) => Step;
  /** A type of which no new documents are made: declared with `deprecated: true`. */
  readonly deprecateType: (type: keyof Newer & string) => Step;
}

type Loose = Readonly<Record<string, never>>;

/** The maker of steps. It keeps what it is given; `evolveSchema` checks it. */
export const stepMaker = <Older extends DocumentTypes, Newer extends DocumentTypes>(): Steps<Older, Newer> => {
  const maker = {
    add: (path: string, name: string): Step => ({ step: "add", path, name }),
    remove: (path: string, name: string): Step => ({ step: "remove", path, name }),
    rename: (path: string, { from, to }: { from: string; to: string }): Step => ({ step: "rename", path, from, to }),
    convert: (path: string, given: OneToOne): Step => ({
      step: "convert",
      path,
      from: [given.from],
      to: [given.to],
      accept: [],
      up: (older) => ({ [given.to]: given.up(member(older, given.from)) }),
      down: (newer) => ({ [given.from]: given.down(member(newer, given.to)) }),
    }),
    split: (path: string, given: OneToMany): Step => ({
      step: "split",
      path,
      from: [given.from],
      to: [...given.to],
      accept: [],
      up: (older) => given.up(member(older, given.from)),
      down: (newer) => ({ [given.from]: given.down(newer) }),
    }),
    merge: (path: string, given: ManyToOne): Step => ({
      step: "merge",
      path,
      from: [...given.from],
      to: [given.to],
      accept: [],
      up: (older) => ({ [given.to]: given.up(older) }),
      down: (newer) => given.down(member(newer, given.to)),
    }),
    change: (path: string, given: ManyToMany): Step => ({
      step: "change",
      path,
      from: [...given.from],
      to: [...given.to],
      accept: [...(given.accept ?? [])],
      up: given.up,
      down: undefined,
    }),
    extract: (path: string, given: Extraction): Step => ({
      step: "extract",
      path,
      from: [...given.from],
      reading: [...(given.reading ?? [])],
      into: given.into,
      to: [...given.to],
      up: given.up,
      combine: given.combine,
      accept: [...(given.accept ?? [])],
    }),
    addType: (type: string): Step => ({ step: "addType", type }),
    removeType: (type: string): Step => ({ step: "removeType", type }),
    deprecateType: (type: string): Step => ({ step: "deprecateType", type }),
  };
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the same functions, seen without the schemas' types
  return maker as unknown as Steps<Older, Newer>;
};

const member = (values: Loose, name: string): never => {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the value of the field that the function is declared for
  return values[name] as never;
};

interface OneToOne {
  readonly from: string;
  readonly to: string;
  readonly up: (older: never) => unknown;
  readonly down: (newer: never) => unknown;
}
interface OneToMany {
  readonly from: string;
  readonly to: ReadonlyArray<string>;
  readonly up: (older: never) => unknown;
  readonly down: (newer: Loose) => unknown;
}
interface ManyToOne {
  readonly from: ReadonlyArray<string>;
  readonly to: string;
  readonly up: (older: Loose) => unknown;
  readonly down: (newer: never) => unknown;
}
type Extraction = Pick<ExtractStep, "from" | "into" | "to" | "up"> &
  Partial<Pick<ExtractStep, "reading" | "combine" | "accept">>;
interface ManyToMany {
  readonly from: ReadonlyArray<string>;
  readonly to: ReadonlyArray<string>;
  readonly up: (older: Loose) => unknown;
  readonly accept?: ReadonlyArray<AcceptableFinding>;
}
