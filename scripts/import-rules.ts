/**
 * Who may import whom. The arrows point down: apps -> react -> client -> sync -> protocol, client -> schema, crypto ->
 * protocol, server -> protocol. The server is blind, and this is what proves it: nothing that could open, read or merge
 * a document is within its reach (promise 6).
 */
import { builtinModules } from "node:module";
import { dirname, join, normalize } from "node:path/posix";
import { parseSync } from "oxc-parser";

/** The workspaces that a workspace's own code may import. Whatever is absent here may import none. */
const allowed: Readonly<Record<string, ReadonlyArray<string>>> = {
  "packages/protocol": [],
  "packages/schema": ["protocol"],
  "packages/crypto": ["protocol"],
  "packages/sync": ["protocol"],
  "packages/client": ["sync", "schema", "crypto", "protocol"],
  "packages/react": ["client", "schema"],
  "packages/server": ["protocol"],
  "packages/testkit": ["client", "crypto", "protocol", "schema", "server", "sync", "react"],
  "apps/server": ["server", "protocol"],
  "apps/web": ["client", "react", "schema"],
  "apps/cli": ["client", "schema"],
  "apps/bench": ["client", "crypto", "protocol", "schema", "server", "sync", "testkit"],
};

/** Packages without input, output, clock or randomness of their own. */
const pure: ReadonlySet<string> = new Set(["packages/protocol", "packages/schema", "packages/crypto", "packages/sync"]);

/**
 * The server and what it imports are blind: besides Node's own modules they get these packages, none of which opens a seal or
 * a document, and no other.
 */
const blind: Readonly<Record<string, ReadonlyArray<string>>> = {
  "packages/protocol": ["effect", "@noble/hashes"],
  "packages/server": ["effect", "@effect/platform-node", "@effect/sql-pg", "drizzle-orm", "jsonwebtoken"],
  "apps/server": ["effect", "@effect/platform-node", "@effect/sql-pg"],
};

/** Storage and network, which these reach through the client alone. */
const throughClient: ReadonlySet<string> = new Set(["apps/web", "apps/cli", "packages/react"]);
const storageAndNetwork = /^(dexie|ws|undici|node:(http|https|http2|net|tls|dgram|sqlite))(\/|$)/;

const builtins: ReadonlySet<string> = new Set(builtinModules);

/**
 * The violations in one file, as sentences; none for a file that keeps the rules.
 *
 * @param path the file's path from the repository's top, with forward slashes
 * @param source its text
 */
export const violations = (path: string, source: string): ReadonlyArray<string> => {
  const owner = /^(packages|apps)\/[^/]+/.exec(path)?.[0];
  if (owner === undefined) return [];
  const isTest = path.startsWith(`${owner}/test/`);
  const isOwnCode = path.startsWith(`${owner}/src/`);
  return specifiersOf(path, source).flatMap((specifier) => {
    const problem =
      reachesInto(owner, path, specifier) ??
      (isTest ? undefined : testkitOutsideTests(owner, specifier)) ??
      (isOwnCode ? forbidden(owner, specifier) : undefined);
    return problem === undefined ? [] : [`${path}: imports "${specifier}", but ${problem}`];
  });
};

/** Every module that a file names in imports, exports and dynamic imports, whether for values or for types. */
const specifiersOf = (path: string, source: string): ReadonlyArray<string> => {
  const { errors, module } = parseSync(path, source);
  const [error] = errors;
  if (error !== undefined) throw new Error(`${path}: ${error.message}`);
  const reexported = module.staticExports.flatMap(({ entries }) =>
    entries.flatMap(({ moduleRequest }) => (moduleRequest === null ? [] : [moduleRequest.value])),
  );
  const dynamic = module.dynamicImports.map(({ moduleRequest }) =>
    source.slice(moduleRequest.start, moduleRequest.end).replaceAll(/^["'`]|["'`]$/g, ""),
  );
  return [
    ...new Set([...module.staticImports.map(({ moduleRequest }) => moduleRequest.value), ...reexported, ...dynamic]),
  ];
};

const reachesInto = (owner: string, path: string, specifier: string): string | undefined => {
  if (specifier.startsWith(".")) {
    const target = normalize(join(dirname(path), specifier));
    return target === owner || target.startsWith(`${owner}/`)
      ? undefined
      : "a package is reached by its name, through its exports, and never by a path into it";
  }
  return /^@cairn\/[^/]+\/(src|dist|test)(\/|$)/.test(specifier)
    ? "what a package offers is in its exports, and its folders are not"
    : undefined;
};

const testkitOutsideTests = (owner: string, specifier: string): string | undefined =>
  workspaceOf(specifier) === "testkit" && owner !== "packages/testkit" && owner !== "apps/bench"
    ? "only tests and apps/bench may see the testkit"
    : undefined;

const forbidden = (owner: string, specifier: string): string | undefined => {
  const workspace = workspaceOf(specifier);
  if (workspace !== undefined) {
    const self = owner.endsWith(`/${workspace}`) && owner.startsWith("packages/");
    return self || allowed[owner]?.includes(workspace) === true
      ? undefined
      : `${owner} may import ${allowed[owner]?.join(", ") || "no other workspace"}`;
  }
  if (pure.has(owner) && isBuiltin(specifier)) return `${owner} is pure: it runs everywhere and does no I/O`;
  const visible = blind[owner];
  if (
    visible !== undefined &&
    !specifier.startsWith(".") &&
    !isBuiltin(specifier) &&
    !visible.includes(packageOf(specifier))
  ) {
    return `${owner} is blind: it may import ${visible.join(", ")}, and nothing that could read content`;
  }
  if (throughClient.has(owner) && storageAndNetwork.test(specifier)) {
    return `${owner} reaches storage and network through @cairn/client alone`;
  }
  return undefined;
};

const workspaceOf = (specifier: string): string | undefined => /^@cairn\/([^/]+)/.exec(specifier)?.[1];

const packageOf = (specifier: string): string => /^(@[^/]+\/)?[^/]+/.exec(specifier)?.[0] ?? specifier;

const isBuiltin = (specifier: string): boolean => specifier.startsWith("node:") || builtins.has(specifier);
