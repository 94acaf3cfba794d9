/** Preconditions of writes, checked inside their transaction: a failed one throws `Fenced`, and nothing has happened. */
import type { DeviceId, WorkspaceId } from "@cairn/protocol";
import type { Fence } from "../store-changes.ts";
import { Fenced } from "../LocalStore.ts";
import type { PositionRecord } from "../records.ts";
import type { SqliteDatabase } from "./database.ts";
import { deviceId, number, toPosition } from "./rows.ts";

export type Guard = ReturnType<typeof sqliteGuard>;

export const sqliteGuard = (database: SqliteDatabase) => {
  const epoch = database.prepare("SELECT epoch FROM profile");
  const workspaceRow = database.prepare("SELECT * FROM workspaces WHERE workspace = ?");

  return {
    /** The writer is still the leader (hazard 18). */
    leads: (operation: string, fence: Fence): void => {
      if (number(epoch.get()?.["epoch"]) !== fence) throw new Fenced({ operation });
    },
    /** The workspace is on this device. */
    here: (
      operation: string,
      workspace: WorkspaceId,
    ): { readonly device: DeviceId; readonly position: PositionRecord } => {
      const row = workspaceRow.get(workspace);
      if (row === undefined) throw new Fenced({ operation });
      return { device: deviceId(row["device"]), position: toPosition(row) };
    },
    holds: (operation: string, condition: boolean): void => {
      if (!condition) throw new Fenced({ operation });
    },
  };
};
