/**
 * PostgreSQL refuses to run as root. As root we therefore start it under an unprivileged numeric identity, which needs
 * no entry in `/etc/passwd`; everybody else runs it as themselves.
 */
import { mkdir, stat } from "node:fs/promises";
import { dirname, resolve } from "node:path";

export interface DatabaseUser {
  readonly uid: number;
  readonly gid: number;
}

/** The identity to switch to, or `undefined` when the database runs as the current user. */
export const databaseUser: DatabaseUser | undefined = process.getuid?.() === 0 ? { uid: 65534, gid: 65534 } : undefined;

/** Spawn options that switch to `user`. */
export const asUser = (user: DatabaseUser | undefined) => (user === undefined ? {} : { uid: user.uid, gid: user.gid });

/**
 * The topmost folder on the way to `path` that `user` may not pass through, or `undefined` when the way is free.
 * Folders that do not exist yet are not in the way. Access control lists are not looked at.
 */
export const firstImpassable = async (path: string, user: DatabaseUser | undefined): Promise<string | undefined> => {
  if (user === undefined) return undefined;
  for (const folder of [...parentsOf(resolve(path)), resolve(path)]) {
    const found = await stat(folder).catch(() => undefined);
    if (found === undefined) return undefined;
    if (!found.isDirectory()) continue;
    const shift = found.uid === user.uid ? 6 : found.gid === user.gid ? 3 : 0;
    if (((found.mode >> shift) & 1) === 0) return folder;
  }
  return undefined;
};

/** Makes the folder and those above it; the ones made can be passed through by everybody and listed by the owner only. */
export const makeFolder = async (path: string): Promise<void> => {
  // Step by step: where a file system takes no folders, such as /proc, Node's `recursive` never comes back.
  for (const folder of [...parentsOf(path), path]) {
    await mkdir(folder, { mode: databaseUser === undefined ? 0o700 : 0o711 }).catch(async (cause: unknown) => {
      const known = await stat(folder).catch(() => undefined);
      if (known === undefined || !known.isDirectory()) throw cause;
    });
  }
};

const parentsOf = (path: string): ReadonlyArray<string> => {
  const parents: Array<string> = [];
  for (let folder = dirname(path); ; folder = dirname(folder)) {
    parents.unshift(folder);
    if (folder === dirname(folder)) return parents;
  }
};
