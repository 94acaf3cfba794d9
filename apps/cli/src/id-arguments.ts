/**
 * Ids on the command line. One id in 64 begins with a hyphen, as base64url has it, and an argument that does is read as
 * flags: what `cairn list` prints could not be given to `cairn show`.
 */

/** An id, or three characters of its beginning at least: no command has a group of flags that looks like it. */
const ID_WITH_HYPHEN = /^-[A-Za-z0-9_][\w-]{1,20}$/u;
/** An id that begins with two hyphens has to be whole: its beginning could be a flag. */
const ID_WITH_HYPHENS = /^--[\w-]{19}[AQgw]$/u;

const isId = (argument: string): boolean => ID_WITH_HYPHEN.test(argument) || ID_WITH_HYPHENS.test(argument);

/** The arguments, with the ids among them marked as values: joined to their flag, or behind the `--` that ends flags. */
export const withIdsAsValues = (given: ReadonlyArray<string>): ReadonlyArray<string> => {
  const end = given.indexOf("--");
  const [flags, operands] = end === -1 ? [given, []] : [given.slice(0, end), given.slice(end + 1)];
  const before: Array<string> = [];
  const ids: Array<string> = [];
  for (const argument of flags) {
    const last = before.at(-1);
    if (!isId(argument)) before.push(argument);
    else if (last === "--workspace" || last === "-w") before.splice(-1, 1, `${last}=${argument}`);
    else if (before.includes("show")) ids.push(argument);
    else before.push(argument);
  }
  return ids.length + operands.length === 0 ? before : [...before, "--", ...ids, ...operands];
};
