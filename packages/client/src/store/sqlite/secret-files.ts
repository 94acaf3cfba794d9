/**
 * Secrets as files that only their owner may read. A file is named after the hash of the secret's name, because some file
 * systems do not tell `A` from `a`, and holds `{ name, value }` in the structured clone format. It is replaced as a whole.
 */
import { createHash, randomUUID } from "node:crypto";
import { closeSync, fsyncSync, openSync, readFileSync, renameSync, rmSync, writeSync } from "node:fs";
import { join } from "node:path";
import { deserialize, serialize } from "node:v8";
import type { LocalStoreShape } from "../LocalStore.ts";
import { secretsDirectory, type SqliteDatabase, syncDirectory } from "./database.ts";

const fileOf = (directory: string, name: string): string =>
  join(directory, createHash("sha256").update(name).digest("hex"));

const isNamed = (content: unknown): content is { readonly name: unknown; readonly value: unknown } =>
  typeof content === "object" && content !== null && "name" in content && "value" in content;

const isMissing = (cause: unknown): boolean => cause instanceof Error && "code" in cause && cause.code === "ENOENT";

const readSecret = (directory: string, name: string): unknown => {
  let file: Buffer;
  try {
    file = readFileSync(fileOf(directory, name));
  } catch (cause) {
    if (isMissing(cause)) return undefined;
    throw cause;
  }
  const content: unknown = deserialize(file);
  if (!isNamed(content) || content.name !== name) throw new Error("a secret's file holds something else");
  return content.value;
};

const writeSecret = (directory: string, name: string, value: unknown): void => {
  const bytes = serialize({ name, value });
  const file = fileOf(directory, name);
  const temporary = `${file}.${randomUUID()}`;
  try {
    const descriptor = openSync(temporary, "wx", 0o600);
    try {
      for (let written = 0; written < bytes.length;) written += writeSync(descriptor, bytes, written);
      fsyncSync(descriptor);
    } finally {
      closeSync(descriptor);
    }
    renameSync(temporary, file);
  } catch (cause) {
    rmSync(temporary, { force: true });
    throw cause;
  }
  syncDirectory(directory);
};

const removeSecret = (directory: string, name: string): void => {
  rmSync(fileOf(directory, name), { force: true });
  syncDirectory(directory);
};

/** A secret that is not there is undefined. Writing is durable when it succeeds. */
export const secretOperations = (
  database: SqliteDatabase,
): Pick<LocalStoreShape, "secret" | "putSecret" | "removeSecret"> => {
  const directory = secretsDirectory(database.directory);
  return {
    secret: (name) => database.read("secret", () => readSecret(directory, name)),
    putSecret: (name, value) => database.read("putSecret", () => writeSecret(directory, name, value)),
    removeSecret: (name) => database.read("removeSecret", () => removeSecret(directory, name)),
  };
};
