/** All that is wrong with the versions of a schema, and all that should be thought about before the newest is released. */
import type { DocumentSchema } from "../document-type.ts";
import type { Finding } from "./finding.ts";
import { type LawOptions, checkLaws, textOf } from "./laws.ts";
import { type SchemaRecord, compareWithRecord, declaredIn } from "./record.ts";
import { checkKept, checkSafety } from "./safety.ts";
import { formulasOf, versionsOf } from "./versions.ts";

export interface CheckOptions extends LawOptions {
  /** What was released. */
  readonly record: SchemaRecord;
  /** A collision-resistant hash of a text, the same that the record was made with. */
  readonly hash: (text: string) => string;
}

/** Findings, the oldest version first. What is a defect of a released version is a warning: it cannot be mended there. */
export const checkSchema = (schema: DocumentSchema, options: CheckOptions): ReadonlyArray<Finding> => {
  const { record } = options;
  const versions = versionsOf(schema);
  const isReleased = (version: number): boolean => Object.hasOwn(record, String(version));
  const edits = compareWithRecord(schema, record, options.hash);
  const isEdited = (version: number): boolean => edits.some((edit) => edit.version === version);
  const findings = versions.flatMap((version): ReadonlyArray<Finding> => {
    const laws = [
      ...formulasOf(version).flatMap((formula) => checkLaws(formula, options)),
      ...checkKept(version, options),
    ];
    // An edit is what broke it, then, or it will be taken back.
    if (isEdited(version.version)) return [];
    if (isReleased(version.version)) return laws.filter(({ severity }) => severity === "error").map(asReleased);
    return [...laws, ...checkSafety(version, options), ...checkEmpty(version)];
  });
  const unreleased = versions.filter(({ version }) => !isReleased(version));
  return [...edits, ...findings, ...(Object.keys(record).length > 0 ? checkNumber(unreleased) : [])].toSorted(
    (left, right) => left.version - right.version,
  );
};

const asReleased = (finding: Finding): Finding => ({
  ...finding,
  severity: "warning",
  advice: "The version is released, and stays as it is. Mend it by a step of the next version, if it can be.",
});

const checkEmpty = (schema: DocumentSchema): ReadonlyArray<Finding> =>
  schema.older === undefined ||
  (schema.steps ?? []).length > 0 ||
  textOf(declaredIn(schema)) !== textOf(declaredIn(schema.older))
    ? []
    : [
        {
          severity: "note",
          code: "schema/empty-version",
          version: schema.version,
          path: "",
          message: `the version says the same as version ${schema.older.version}`,
          advice: "Nobody needs it yet.",
        },
      ];

const checkNumber = (unreleased: ReadonlyArray<DocumentSchema>): ReadonlyArray<Finding> => {
  const newest = unreleased.at(-1);
  if (newest === undefined || unreleased.length < 2) return [];
  const numbers = unreleased.map(({ version }) => version).join(" and ");
  return [
    {
      severity: "warning",
      code: "schema/several-unreleased",
      version: newest.version,
      path: "",
      message: `versions ${numbers} are all unreleased`,
      advice:
        "Make them one: every version is read through for as long as the app lives. If they went out one by one, record them: cairn schema release.",
    },
  ];
};
