/** A document that is open while the engine makes it anew, with edits that nothing has stored (hazard L4). */
import { DeviceId, DocumentId, WorkspaceId } from "@cairn/protocol";
import { LoroDoc } from "loro-crdt";
import { afterEach, expect, test, vi } from "vitest";
import { CairnError } from "../src/errors.ts";
import { type DocumentEngine, openPlainDocument } from "../src/page/PlainDocument.ts";
import { schema } from "./notebook.ts";

afterEach(() => vi.restoreAllMocks());

/** An engine of one document, which takes edits only under its newest peer. */
const engineOfOne = () => {
  const stored = new LoroDoc();
  const device = DeviceId.make("A".repeat(22));
  let peer = 1;
  const engine: DocumentEngine = {
    leasePeer: async () => ({ lease: peer, peer: `${peer}`, device }),
    releasePeer: async () => undefined,
    openDocument: async () => ({
      type: "note",
      snapshot: stored.export({ mode: "snapshot" }),
      updates: [],
      through: 0,
      merging: false,
      rebuilds: 0,
    }),
    updatesAfter: async () => ({ updates: [], through: 0, merging: false }),
    append: async (_, edits, writer) => {
      if (writer !== `${peer}`) throw new CairnError("identity-changed");
      for (const { update } of edits) stored.import(update);
    },
  };
  return { engine, stored, changeIdentity: () => (peer += 1) };
};

const openNote = (engine: DocumentEngine) =>
  openPlainDocument({
    engine,
    schema,
    workspace: WorkspaceId.make("A".repeat(22)),
    id: DocumentId.make("A".repeat(22)),
    type: "note",
    readOnly: undefined,
    onClosed: () => undefined,
  });

test("edits that were refused under the old peer are made again under the new one", async () => {
  const { engine, stored, changeIdentity } = engineOfOne();
  const note = await openNote(engine);
  note.editLoro((doc) => doc.getText("body").insert(0, "first"));
  await note.durable();
  changeIdentity();
  note.editLoro((doc) => doc.getText("body").insert(5, " and second"));
  await note.durable();
  expect(stored.getText("body").toString()).toBe("first and second");
  expect(note.saved()).toBe(true);
});

test("where they cannot be made again, the editor keeps a document that it can write in, and is told", async () => {
  const { engine, stored, changeIdentity } = engineOfOne();
  const note = await openNote(engine);
  const told = vi.fn();
  note.onSaved(told);
  note.editLoro((doc) => doc.getText("body").insert(0, "first"));
  await note.durable();
  changeIdentity();
  vi.spyOn(LoroDoc.prototype, "applyDiff").mockImplementation(() => {
    throw new Error("Loro fails");
  });
  note.editLoro((doc) => doc.getText("body").insert(5, " and second"));
  await expect(note.durable()).rejects.toMatchObject({ code: "edits-lost" });
  expect(told).toHaveBeenLastCalledWith(false, expect.objectContaining({ code: "edits-lost" }));

  vi.restoreAllMocks();
  note.editLoro((doc) => doc.getText("body").insert(5, " and third"));
  await vi.waitFor(() => expect(stored.getText("body").toString()).toBe("first and third"));
  await note.durable();
  // It stays said as long as the document is open.
  expect(note.saved()).toBe(false);
  await note.close();
});

test.each([
  ["its engine does not answer", "lease" as const],
  ["its content cannot be loaded", "load" as const],
])("as long as %s, what is written stays, is told as unsaved, and is stored later", async (_, what) => {
  vi.useFakeTimers();
  try {
    const { engine, stored, changeIdentity } = engineOfOne();
    let isFailing = false;
    const fail = (): void => {
      if (isFailing) throw new Error("not now");
    };
    const { leasePeer } = engine;
    const note = await openNote({
      ...engine,
      leasePeer: async (workspace) => {
        if (what === "lease") fail();
        return leasePeer(workspace);
      },
    });
    note.editLoro((doc) => doc.getText("body").insert(0, "first"));
    await note.durable();
    changeIdentity();
    isFailing = true;
    const loads = vi.spyOn(LoroDoc.prototype, "import");
    if (what === "load")
      loads.mockImplementation(() => {
        throw new Error("not now");
      });
    note.editLoro((doc) => doc.getText("body").insert(5, " second"));
    await expect(note.durable()).rejects.toMatchObject({ code: "internal" });
    note.editLoro((doc) => doc.getText("body").insert(12, " third"));
    expect(note.saved()).toBe(false);
    expect(note.loro.getText("body").toString()).toBe("first second third");
    // Nothing more comes that would make it be opened: it is tried again by itself.
    await vi.advanceTimersByTimeAsync(3_000);
    expect(note.saved()).toBe(false);
    isFailing = false;
    loads.mockRestore();
    await vi.advanceTimersByTimeAsync(3_000);
    await note.durable();
    expect(stored.getText("body").toString()).toBe("first second third");
    expect(note.saved()).toBe(true);
  } finally {
    vi.useRealTimers();
  }
});

test("what a binding has not committed is there when the merged document takes over", async () => {
  const { engine, stored } = engineOfOne();
  let merging = true;
  const note = await openNote({
    ...engine,
    openDocument: async (...asked) => ({ ...(await engine.openDocument(...asked)), merging }),
    updatesAfter: async () => ({ updates: [], through: 0, merging }),
  });
  note.loro.getText("body").insert(0, "typed, and not committed yet");
  merging = false;
  note.refresh();
  await note.refreshed();
  await note.durable();
  expect(note.loro.getText("body").toString()).toBe("typed, and not committed yet");
  expect(stored.getText("body").toString()).toBe("typed, and not committed yet");
});
