import type { SyncState } from "@cairn/client";
import { describe, expect, test } from "vitest";
import { whatWasWritten } from "../src/notebook/app-version.ts";

const state: SyncState = {
  status: "up-to-date",
  server: "https://notes.example",
  pendingDocuments: 0,
  pendingBytes: 0,
  incoming: 0,
  offlineSince: undefined,
  lastSyncedAt: undefined,
  problem: undefined,
  parked: 0,
  preparing: undefined,
  minimumVersion: 2,
  appOutdated: { version: 1, minimum: 2 },
};

describe("what became of earlier edits, when a notebook asks for a newer app", () => {
  test("is never called sent before it is", () => {
    expect(whatWasWritten(state)).toBe("What you wrote here before has been sent.");
    expect(whatWasWritten({ ...state, parked: 1 })).toBe("What you wrote here before is kept.");
    expect(whatWasWritten({ ...state, status: "syncing", pendingDocuments: 1 })).toBe(
      "What you wrote here before is kept: 1 note is still being sent.",
    );
    expect(whatWasWritten({ ...state, status: "offline", pendingDocuments: 3 })).toBe(
      "What you wrote here before is kept: 3 notes go out as soon as the server can be reached.",
    );
  });
});
