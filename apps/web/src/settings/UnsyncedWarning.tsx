import type { Unsynced } from "@cairn/client";
import { useNow } from "../notebook/clock.ts";
import { formatBytes, formatSince, plural } from "../notebook/format.ts";

/** What a person loses who deletes this device's copy now (hazard 20). */
export const UnsyncedWarning = ({ unsynced }: { unsynced: Unsynced }) => {
  const now = useNow();
  return (
    <>
      <p className="font-medium text-clay">
        {plural(unsynced.edits, "edit")} in {plural(unsynced.documents, "note")} ({formatBytes(unsynced.bytes)}){" "}
        {unsynced.edits === 1 ? "exists" : "exist"} on this device alone
        {unsynced.oldestAt === undefined ? "" : `, the oldest since ${formatSince(unsynced.oldestAt, now)}`}.
      </p>
      <p className="mt-2">
        {unsynced.deadLetters > 0
          ? "Some of them the server does not take. Export a backup first, or look at them on the sync page."
          : "They would be lost. Let them reach the server first, or export a backup."}
      </p>
    </>
  );
};
