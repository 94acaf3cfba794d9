/**
 * What a released version says and does, in a form that is kept: each declared thing under its path, the steps, and what
 * the steps' functions make of some values. Compared with what the code says later, it shows what was edited.
 */
import type { DocumentSchema } from "../document-type.ts";
import { describeField, describeSteps } from "../evolution/describe.ts";
import type { Fields } from "../field-kinds.ts";
import { type Json, canonicalJson, isJsonWithin, isPlainObject } from "../json.ts";
import { slotsOf } from "../slots.ts";
import type { Finding } from "./finding.ts";
import { areViews, newerValues, olderValues, shown, textOf } from "./laws.ts";
import { type Formula, type Values, formulasOf, versionsOf } from "./versions.ts";

/** What a function made of a value, when the version was released. */
export interface Sample {
  readonly given: Json;
  readonly made: Json;
}

export interface VersionRecord {
  /** Of `declarationText`. */
  readonly hash: string;
  readonly declared: Readonly<Record<string, Json>>;
  readonly steps: ReadonlyArray<Json>;
  /** By the step in words, and `up` or `down`. */
  readonly samples: Readonly<Record<string, { readonly [direction: string]: ReadonlyArray<Sample> }>>;
}

/** By version. */
export type SchemaRecord = Readonly<Record<string, VersionRecord>>;

/** Everything that a version declares, by path: types, fields, and fields of records. */
export const declaredIn = (schema: DocumentSchema): Readonly<Record<string, Json>> => {
  const declared: Record<string, Json> = {};
  const add = (path: string, fields: Fields): void => {
    for (const { name, physical, field, origin } of slotsOf(fields)) {
      const at = origin === undefined ? physical : `${origin.key}#${origin.member}`;
      declared[`${path}.${name}`] = { at, ...describeField(field) };
      if (field.kind === "records" || field.kind === "tree") add(`${path}.${name}`, field.fields);
    }
  };
  for (const [name, type] of Object.entries(schema.documents)) {
    declared[name] = { deprecated: type.deprecated ?? false };
    add(name, type.fields);
  }
  return declared;
};

/** The text that a version's hash is of. */
export const declarationText = (
  version: number,
  { declared, steps }: Pick<VersionRecord, "declared" | "steps">,
): string => canonicalJson({ version, declared, steps });

const SAMPLE_SEED = 1;
const SAMPLE_RUNS = 200;
/** So many of the shortest, where limits and special cases are, and so many of the others. */
const SAMPLES = 8;
const SAMPLE_LENGTH = 200;

const samplesOf = (
  values: ReadonlyArray<Values>,
  fields: Fields,
  run: (values: Values) => unknown,
): ReadonlyArray<Sample> => {
  const samples = values.flatMap((given): ReadonlyArray<Sample> => {
    const made = madeOf(fields, run, given);
    return made !== undefined && isJson(given) && textOf(given).length + textOf(made).length <= SAMPLE_LENGTH
      ? [{ given, made }]
      : [];
  });
  const shortest = samples.toSorted((left, right) => textOf(left.given).length - textOf(right.given).length);
  return [...new Set([...shortest.slice(0, SAMPLES), ...samples])].slice(0, 2 * SAMPLES);
};

const isJson = (value: unknown): value is Json => isJsonWithin(value, 1_000_000);

/** What a function makes of a value, cut to the fields; undefined where it throws or gives something else. */
const madeOf = (fields: Fields, run: (values: Values) => unknown, given: Values): Json | undefined => {
  try {
    const made = run(structuredClone(given));
    if (!isPlainObject(made)) return undefined;
    const picked = Object.fromEntries(Object.keys(fields).map((name) => [name, made[name]]));
    return isJson(picked) ? picked : undefined;
  } catch {
    return undefined;
  }
};

/** The record of one version. `hash` is a collision-resistant hash of a text. */
export const recordOf = (schema: DocumentSchema, hash: (text: string) => string): VersionRecord => {
  const described = { declared: declaredIn(schema), steps: describeSteps(schema) };
  const options = { seed: SAMPLE_SEED, runs: SAMPLE_RUNS };
  const samples = formulasOf(schema).map((formula) => {
    const { name, down } = formula;
    return [
      name,
      {
        up: samplesOf(olderValues(formula, options), formula.newer, formula.up),
        ...(down === undefined ? {} : { down: samplesOf(newerValues(formula, options), formula.older, down) }),
      },
    ] as const;
  });
  return { hash: hash(declarationText(schema.version, described)), ...described, samples: Object.fromEntries(samples) };
};

const RESTORE = (version: number): string =>
  `Version ${version} is out there, and what it says never changes. Take the edit back, and make it in the next version: cairn schema new.`;

/** What differs between the versions as they are in the code and as they were released. */
export const compareWithRecord = (
  schema: DocumentSchema,
  record: SchemaRecord,
  hash: (text: string) => string,
): ReadonlyArray<Finding> => {
  const versions = new Map(versionsOf(schema).map((version) => [version.version, version]));
  return Object.entries(record)
    .toSorted(([left], [right]) => Number(left) - Number(right))
    .flatMap(([name, recorded]): ReadonlyArray<Finding> => {
      const version = Number(name);
      const found = versions.get(version);
      if (found === undefined) return [missing(version, schema.version)];
      if (recorded.hash !== hash(declarationText(version, recorded))) {
        return [
          damaged(version, "the record says something else than its hash: it was edited, or merged line by line"),
        ];
      }
      const { older } = found;
      // A release records all versions up to its own.
      const gap =
        older === undefined || Object.hasOwn(record, String(older.version))
          ? []
          : [damaged(older.version, `the record has version ${version}, and not the one before`)];
      return [...gap, ...compareDeclared(found, recorded), ...compareBehaviour(found, recorded)];
    });
};

const damaged = (version: number, message: string): Finding => ({
  severity: "error",
  code: "schema/record-damaged",
  version,
  path: "",
  message,
  advice: "Take the file as it was when the version was released (git log), and let `cairn schema release` add to it.",
});

const missing = (version: number, newest: number): Finding => ({
  severity: "error",
  code: "schema/missing-version",
  version,
  path: "",
  message:
    version > newest
      ? `the version was released, and the newest that the schema exports is ${newest}`
      : "the version was released, and is not among the older ones of the schema",
  advice:
    version > newest
      ? "Export the newest version. A version that was released cannot be taken back."
      : "Keep every version's file, and let each version evolve from the one before: evolveSchema(older, …).",
});

const differing = (before: Readonly<Record<string, unknown>>, after: Readonly<Record<string, unknown>>) =>
  [...new Set([...Object.keys(before), ...Object.keys(after)])].filter(
    (key) =>
      (Object.hasOwn(before, key) ? textOf(before[key]) : "") !== (Object.hasOwn(after, key) ? textOf(after[key]) : ""),
  );

const said = (value: unknown): string => (value === undefined ? "not there" : textOf(value));

const compareDeclared = (schema: DocumentSchema, recorded: VersionRecord): ReadonlyArray<Finding> => {
  const { version } = schema;
  const edited = (path: string, message: string): Finding => ({
    severity: "error",
    code: "schema/edited",
    version,
    path,
    message: `the released version was edited: ${message}`,
    advice: RESTORE(version),
  });
  const declared = declaredIn(schema);
  const findings = differing(recorded.declared, declared).map((path) => {
    const [before, after] = [recorded.declared[path], declared[path]];
    if (before === undefined) return edited(path, "it was not there");
    if (after === undefined) return edited(path, "it is gone");
    const members = isPlainObject(before) && isPlainObject(after) ? differing(before, after) : [];
    const words = members.map(
      (member) =>
        `${member} was ${said(isPlainObject(before) ? before[member] : undefined)} and is ${said(isPlainObject(after) ? after[member] : undefined)}`,
    );
    return edited(path, words.join("; "));
  });
  const steps = describeSteps(schema);
  return textOf(steps) === textOf(recorded.steps)
    ? findings
    : [...findings, edited("", `its steps were ${textOf(recorded.steps)} and are ${textOf(steps)}`)];
};

const compareBehaviour = (schema: DocumentSchema, recorded: VersionRecord): ReadonlyArray<Finding> =>
  formulasOf(schema).flatMap((formula) => {
    const sampled = recorded.samples[formula.name];
    return [
      ...compareSamples(formula, "up", sampled?.["up"] ?? []),
      ...(formula.down === undefined ? [] : compareSamples(formula, "down", sampled?.["down"] ?? [])),
    ];
  });

const compareSamples = (
  formula: Formula,
  direction: "up" | "down",
  samples: ReadonlyArray<Sample>,
): ReadonlyArray<Finding> => {
  const [from, to, run] =
    direction === "up"
      ? [formula.older, formula.newer, formula.up]
      : [formula.newer, formula.older, formula.down ?? formula.up];
  for (const { given, made } of samples) {
    const isStillAdmitted = areViews(from, given);
    const now = isStillAdmitted ? madeOf(to, run, given) : undefined;
    if (isStillAdmitted && textOf(now) === textOf(made)) continue;
    return [
      {
        severity: "error",
        code: "schema/behaviour-edited",
        version: formula.version,
        path: Object.keys(formula.newer)
          .map((name) => `${formula.path}.${name}`)
          .join(", "),
        message: isStillAdmitted
          ? `${formula.step}: ${direction} made ${shown(made)} of ${shown(given)} when the version was released, and makes ${now === undefined ? "nothing" : shown(now)}`
          : `${formula.step}: ${direction} took ${shown(given)} when the version was released, which its field refuses`,
        advice: `Apps with the released step are out there, and devices would disagree. ${RESTORE(formula.version)}`,
      },
    ];
  }
  return [];
};
