import { CairnError, type SyncState } from "@cairn/client";
import { describe, expect, test } from "vitest";
import { describeSync } from "../src/sync/describe-sync.ts";

const now = new Date(2026, 4, 20, 15, 0).getTime();
const calm: SyncState = {
  status: "up-to-date",
  server: "https://notes.example",
  pendingDocuments: 0,
  pendingBytes: 0,
  incoming: 0,
  offlineSince: undefined,
  lastSyncedAt: now - 60_000,
  problem: undefined,
  parked: 0,
  preparing: undefined,
  minimumVersion: 1,
  appOutdated: undefined,
};
const say = (change: Partial<SyncState>, saved = true) =>
  describeSync({ ...calm, ...change }, { saved, failure: undefined }, now);

describe("the sync indicator tells the truth", () => {
  test("what an editor wrote after the notebook asked for a newer app is not said to be tried again", () => {
    const late = describeSync(calm, { saved: false, failure: new CairnError("app-outdated") }, now);
    expect(late.here).toContain("not saved");
    expect(late.here).not.toContain("tried again");
  });

  test("only a notebook that is in step is called saved on the server", () => {
    expect(say({}).label).toBe("Saved here and on the server");
    const others: ReadonlyArray<Partial<SyncState>> = [
      { status: "local-only", server: undefined },
      { status: "offline", offlineSince: now - 3_600_000 },
      { status: "connecting" },
      { status: "syncing", pendingDocuments: 1 },
      { status: "problem", problem: { code: "quota-exceeded", message: "full", action: "pause" } },
      { parked: 1 },
    ];
    for (const other of others) expect(say(other).label).not.toMatch(/on the server/);
  });

  test("an edit that is not yet durable on this device is never called saved", () => {
    for (const status of ["local-only", "up-to-date", "connecting", "syncing"] as const) {
      for (const pendingDocuments of [0, 1]) {
        expect(say({ status, pendingDocuments }, false).label).toBe("Saving");
        expect(say({ status, pendingDocuments }, false).here).toMatch(/^Saving/);
        expect(say({ status: "offline", offlineSince: now, pendingDocuments }, false).label).toBe(
          "Offline, saving here",
        );
      }
    }
  });

  test("whoever joins sees how much is still to come", () => {
    const joining = say({ status: "syncing", incoming: 9_400, pendingDocuments: 1 });
    expect(joining.label).toBe(`Fetching, ${(9_400).toLocaleString()} left`);
    expect(joining.server).toMatch(/^1 note waiting to be sent\. 9\D?400 changes of others still to be fetched\./);
    expect(say({ status: "syncing" }).label).toBe("Fetching");
  });

  test("nothing is called complete while rows of the list are still being made, and it says how many", () => {
    const preparing = { done: 600, total: 10_000 };
    for (const status of ["up-to-date", "syncing", "local-only"] as const) {
      const state = say({ status, preparing });
      expect(state.label).toBe(`Completing the list, ${(9_400).toLocaleString()} left`);
      expect(state.tone).toBe("busy");
      expect(state.server).toMatch(/completed: 9\D?400 notes left\./);
      expect(say({ status, preparing }, false).label).toBe("Saving");
    }
    // What others wrote and is not here yet matters more, and so does what nobody else has.
    expect(say({ status: "syncing", incoming: 3, preparing }).label).toBe("Fetching, 3 left");
    expect(say({ status: "syncing", pendingDocuments: 1, preparing }).label).toBe("Saved here, sending");
  });

  test("a store that takes nothing outranks whatever the server says", () => {
    const full = describeSync(calm, { saved: false, failure: new CairnError("storage-full") }, now);
    expect(full.tone).toBe("problem");
    expect(full.label).toMatch(/no room/);
    expect(full.here).toMatch(/not saved/);
  });

  test("offline says since when, and what waits", () => {
    const offline = say({
      status: "offline",
      offlineSince: new Date(2026, 4, 20, 14, 5).getTime(),
      pendingDocuments: 2,
    });
    expect(offline.label).toMatch(/^Offline since .*05.*, saved here$/);
    expect(offline.server).toMatch(/^2 notes waiting/);
    expect(offline.canRetry).toBe(true);
  });

  test("a problem outranks everything and says what to do", () => {
    const full = say({ status: "offline", problem: { code: "quota-exceeded", message: "full", action: "pause" } });
    expect(full.tone).toBe("problem");
    expect(full.remedy).toMatch(/room/);
    const unknown = say({
      status: "problem",
      problem: { code: "internal", message: "Words of the engine.", action: "stop" },
    });
    expect(unknown.remedy).toBe("Words of the engine.");
    expect(unknown.canRetry).toBe(false);
    expect(say({ parked: 2 }).label).toBe("2 edits refused by the server");
  });
});
