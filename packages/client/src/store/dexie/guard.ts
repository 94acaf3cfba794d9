/** Preconditions of writes, checked inside their transaction: a failed one throws `Fenced`, which aborts it. */
import type { WorkspaceId } from "@cairn/protocol";
import type { Fence } from "../store-changes.ts";
import { Fenced } from "../LocalStore.ts";
import type { PositionRecord, WorkspaceRecord } from "../records.ts";
import { readProfile } from "./connection.ts";
import type { CairnDatabase } from "./tables.ts";

export const requireThat = (operation: string, condition: boolean): void => {
  if (!condition) throw new Fenced({ operation });
};

/** The writer is still the leader (hazard 18). */
export const requireLeader = async (database: CairnDatabase, operation: string, fence: Fence): Promise<void> =>
  requireThat(operation, (await readProfile(database)).epoch === fence);

/** The workspace is on this device. */
export const requireWorkspace = async (
  database: CairnDatabase,
  operation: string,
  workspace: WorkspaceId,
): Promise<{ readonly record: WorkspaceRecord; readonly position: PositionRecord }> => {
  const record = await database.workspaces.get(workspace);
  const position = await database.positions.get(workspace);
  if (record === undefined || position === undefined) throw new Fenced({ operation });
  return { record, position };
};
