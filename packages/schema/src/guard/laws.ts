/**
 * What a step's functions owe, tried on generated values: `up` and `down` are total, pure and deterministic, what they give
 * fits the fields, and `down(up(x))` is `x`. A counterexample is made as small as it can be.
 */
import { isView } from "../evolution/view-shape.ts";
import type { Fields } from "../field-kinds.ts";
import { canonicalJson, isPlainObject } from "../json.ts";
import type { Finding, FindingCode } from "./finding.ts";
import { randomFrom } from "./random.ts";
import { shrink } from "./shrink.ts";
import { disturb, drawViews, isGenerated, separatorsIn } from "./values.ts";
import { type Formula, type Values, pathOf } from "./versions.ts";

export interface LawOptions {
  readonly seed: number;
  /** Values that each step is tried on. */
  readonly runs: number;
}

interface Broken {
  readonly code: FindingCode;
  readonly message: string;
  readonly advice: string;
}

/** Canonical text, of what is JSON. */
export const textOf = (value: unknown): string => {
  try {
    return canonicalJson(value);
  } catch {
    return String(value);
  }
};

/** Whether values are views of all these fields. */
export const areViews = (fields: Fields, values: unknown): values is Values =>
  isPlainObject(values) &&
  Object.entries(fields).every(([name, field]) => Object.hasOwn(values, name) && isView(field, values[name]));

const MAX_SHOWN = 300;

/** A value for people: of one field alone, its own. */
export const shown = (values: unknown): string => {
  const only = isPlainObject(values) && Object.keys(values).length === 1 ? Object.values(values)[0] : values;
  const text = only === undefined ? "undefined" : textOf(only);
  return text.length > MAX_SHOWN ? `${text.slice(0, MAX_SHOWN)}…` : text;
};

type Outcome = { readonly broken: Broken } | { readonly made: Values };

/** One call, and whether it kept what it owes. */
const call = (
  name: "up" | "down",
  run: (values: Values) => unknown,
  given: Values,
  target: { readonly fields: Fields; readonly version: number },
): Outcome => {
  const before = textOf(given);
  const argument = structuredClone(given);
  let made: unknown;
  try {
    made = run(argument);
  } catch (error) {
    return {
      broken: {
        code: "schema/throws",
        message: `${name} throws for ${shown(given)}: ${error instanceof Error ? error.message : String(error)}`,
        advice: `Let ${name} give a value for everything that the field admits.`,
      },
    };
  }
  if (textOf(argument) !== before) {
    return {
      broken: {
        code: "schema/mutates",
        message: `${name} changes what it is given, ${shown(given)}`,
        advice: "Return new values: map, toSorted, { ...value }.",
      },
    };
  }
  if (!areViews(target.fields, made)) {
    const misfits = Object.entries(target.fields)
      .filter(([field, declared]) => !isPlainObject(made) || !isView(declared, made[field]))
      .map(([field]) => field);
    return {
      broken: {
        code: "schema/misfit",
        message: `${name} makes ${shown(made)} of ${shown(given)}, which ${misfits.join(" and ")} of version ${target.version} refuses`,
        advice: `Let ${name} give what version ${target.version} admits, or let the version admit more.`,
      },
    };
  }
  const picked = Object.fromEntries(Object.keys(target.fields).map((field) => [field, made[field]]));
  let again: unknown;
  try {
    again = run(structuredClone(given));
  } catch {
    again = undefined;
  }
  const second = isPlainObject(again)
    ? Object.fromEntries(Object.keys(target.fields).map((field) => [field, again[field]]))
    : again;
  if (textOf(picked) !== textOf(second)) {
    return {
      broken: {
        code: "schema/not-deterministic",
        message: `${name} makes ${shown(picked)} of ${shown(given)}, and the next time ${shown(second)}`,
        advice: `Every device computes it for itself: no clock, no random ids, nothing remembered. Derive ids from the content.`,
      },
    };
  }
  return { made: picked };
};

/** What older values show to be broken. */
const breaksUp = (formula: Formula, given: Values): Broken | undefined => {
  const { version } = formula;
  const upped = call("up", formula.up, given, { fields: formula.newer, version });
  if ("broken" in upped) return upped.broken;
  if (formula.down === undefined) return undefined;
  const back = call("down", formula.down, upped.made, { fields: formula.older, version: version - 1 });
  if ("broken" in back) return back.broken;
  return textOf(back.made) === textOf(given)
    ? undefined
    : {
        code: "schema/law",
        message: `down(up(x)) is not x: up makes ${shown(upped.made)} of ${shown(given)}, and down makes ${shown(back.made)} of that`,
        advice:
          "An app of the version before would read another value than it wrote. Let the newer form keep what down needs, " +
          "or use step.change(…), which goes one way.",
      };
};

/** What newer values show to be broken. */
const breaksDown = (formula: Formula, given: Values): Broken | undefined => {
  if (formula.down === undefined) return undefined;
  const down = call("down", formula.down, given, { fields: formula.older, version: formula.version - 1 });
  return "broken" in down ? down.broken : undefined;
};

const findingOf = (formula: Formula, { code, message, advice }: Broken): Finding => ({
  severity: "error",
  code,
  version: formula.version,
  path: pathOf(formula),
  message: `${formula.step}: ${message}`,
  advice,
});

const smallest = (
  fields: Fields,
  given: Values,
  broken: Broken,
  breaks: (values: Values) => Broken | undefined,
): Broken => {
  const small = shrink(
    given,
    (candidate): candidate is Values => areViews(fields, candidate) && breaks(candidate)?.code === broken.code,
  );
  return breaks(small) ?? broken;
};

/** Older values to try: generated ones, and variations of what `down` gives, in which its separators occur. */
export const olderValues = ({ older, newer, up, down }: Formula, options: LawOptions): ReadonlyArray<Values> =>
  generated(older, { fields: newer, back: down, there: up }, options);

/** Newer values to try, likewise. */
export const newerValues = ({ older, newer, up, down }: Formula, options: LawOptions): ReadonlyArray<Values> =>
  generated(newer, { fields: older, back: up, there: down }, { ...options, seed: options.seed + 7 });

/** What stands on the other side of a step. */
interface Opposite {
  readonly fields: Fields;
  /** From there to here; undefined where the step goes one way. */
  readonly back: ((values: Values) => unknown) | undefined;
  readonly there: ((values: Values) => unknown) | undefined;
}

const MAX_SEPARATORS = 12;

const generated = (fields: Fields, opposite: Opposite, { seed, runs }: LawOptions): ReadonlyArray<Values> => {
  const random = randomFrom(seed);
  const draw = drawViewsOf(fields, seed);
  const drawOpposite = drawViewsOf(opposite.fields, seed);
  const found = new Map<string, Values>();
  const separators = new Set<string>();
  const attempt = (run: ((values: Values) => unknown) | undefined, values: Values | undefined): unknown => {
    if (run === undefined || values === undefined) return undefined;
    try {
      const made = run(structuredClone(values));
      if (separators.size < MAX_SEPARATORS) for (const text of separatorsIn(made)) separators.add(text);
      return made;
    } catch {
      return undefined;
    }
  };
  const keep = (values: unknown): void => {
    if (!areViews(fields, values)) return;
    const picked = Object.fromEntries(Object.keys(fields).map((name) => [name, values[name]]));
    found.set(textOf(picked), picked);
  };
  for (let index = 0; index < runs; index += 1) {
    const plain = draw(random);
    keep(plain);
    if (index % 4 === 0) attempt(opposite.there, plain);
    if (index % 4 === 1) {
      const made = attempt(opposite.back, drawOpposite(random));
      keep(made);
      keep(disturb(made, random));
    }
    if (index % 4 === 2 && separators.size > 0)
      keep(disturb(plain, random, [...separators, ...separators, "a", "b", "1"]));
  }
  return [...found.values()];
};

const drawn = new WeakMap<Fields, Map<number, ReturnType<typeof drawViews>>>();

const drawViewsOf = (fields: Fields, seed: number): ReturnType<typeof drawViews> => {
  const bySeed = drawn.get(fields) ?? new Map<number, ReturnType<typeof drawViews>>();
  drawn.set(fields, bySeed);
  const made = bySeed.get(seed) ?? drawViews(fields, seed);
  bySeed.set(seed, made);
  return made;
};

/** Everything that one step owes. */
export const checkLaws = (formula: Formula, options: LawOptions): ReadonlyArray<Finding> => {
  const findings: Array<Finding> = [];
  const tryAll = (
    fields: Fields,
    values: ReadonlyArray<Values>,
    breaks: (values: Values) => Broken | undefined,
  ): void => {
    for (const given of values) {
      const broken = breaks(given);
      // One of a kind is enough.
      if (broken === undefined || findings.some(({ code }) => code === broken.code)) continue;
      findings.push(findingOf(formula, smallest(fields, given, broken, breaks)));
    }
  };
  const older = olderValues(formula, options);
  const newer = formula.down === undefined ? [] : newerValues(formula, options);
  tryAll(formula.older, older, (values) => breaksUp(formula, values));
  tryAll(formula.newer, newer, (values) => breaksDown(formula, values));
  return [...findings, ...untested(formula, options.seed)];
};

const untested = (formula: Formula, seed: number): ReadonlyArray<Finding> =>
  [...Object.entries(formula.older), ...(formula.down === undefined ? [] : Object.entries(formula.newer))]
    .filter(([, field]) => !isGenerated(field, seed))
    .map(([name]) => ({
      severity: "warning",
      code: "schema/untested",
      version: formula.version,
      path: `${formula.path}.${name}`,
      message: `${formula.step}: hardly any values of ${name} can be generated, so little was tried`,
      advice:
        "Say what the schema admits by built-in checks (isPattern, isBetween, Literals), and test the step by hand.",
    }));
