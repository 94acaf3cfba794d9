/** From rows to values. int8 comes as bigint; what Cairn counts stays far below 2^53. */
import { Role, type RoleName } from "@cairn/protocol";

export const toNumber = (value: bigint): number => Number(value);

const roles: ReadonlyMap<number, RoleName> = new Map([
  [Role.owner, "owner"],
  [Role.writer, "writer"],
  [Role.reader, "reader"],
]);

export const toRole = (code: number): RoleName => {
  const role = roles.get(code);
  if (role === undefined) throw new Error(`unknown role ${code} in the database`);
  return role;
};

export const toMillis = (instant: Date): number => instant.getTime();
