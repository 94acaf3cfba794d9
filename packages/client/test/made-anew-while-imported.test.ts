/** Documents that are made anew while the importer is at work on what they were (rule 12, hazard 15). */
import { deviceIdOf, systemRandom } from "@cairn/crypto";
import { EntryKind, hashFromBytes, NO_DOCUMENT } from "@cairn/protocol";
import { freezing, transition } from "@cairn/sync";
import { makeMemoryStore, MemoryStorage } from "@cairn/testkit/memory";
import { Deferred, Effect, Fiber } from "effect";
import { LoroDoc } from "loro-crdt";
import { expect, test } from "vitest";
import { documentView } from "../src/documents/document-view.ts";
import { makeInProcessImporter } from "../src/documents/InProcessImporter.ts";
import { makeDocumentImports } from "../src/engine/DocumentImports.ts";
import * as Secrets from "../src/engine/WorkspaceSecrets.ts";
import { deviceId, documentId, documentOf, replica, textOf, workspace, write } from "./fixtures/devices.ts";
import { addWorkspace } from "./fixtures/stored-workspace.ts";
import { schema } from "./notebook.ts";

const NOTE = documentId(1);
const nothing = hashFromBytes(new Uint8Array(32));
/** So many that a snapshot of them is due. */
const RECEIVED = 500;

/** A store whose note has received updates, and an edit that was refused. */
const makeStore = Effect.gen(function* () {
  const store = makeMemoryStore(new MemoryStorage());
  const device = deviceIdOf(workspace, yield* Secrets.ensureDeviceKeys(store, workspace, "platform", systemRandom));
  yield* addWorkspace(store, workspace, device);
  const fence = yield* store.claimLeadership;
  const theirs = replica(2);
  const received = Array.from({ length: RECEIVED }, (_, index) => ({
    document: NOTE,
    type: "note",
    update: write(theirs, "y".repeat(80)),
    device: deviceId(2),
    counter: index + 1,
    time: 0,
  }));
  yield* store.receive({
    workspace,
    fence,
    from: 0,
    cursor: RECEIVED,
    chain: nothing,
    entries: [],
    updates: received,
    settled: [],
    at: 0,
  });
  const mine = replica(1);
  mine.import(theirs.export({ mode: "update" }));
  const update = write(mine, "GIVEN UP ");
  const [refused = 0] = yield* store.appendUpdates([
    { workspace, document: NOTE, type: "note", update, time: 0, refs: [], row: undefined },
  ]);
  return { store, device, fence, received, refused };
});

type Made = Effect.Success<typeof makeStore>;

const discard = ({ store, device, received, refused }: Made) =>
  Effect.gen(function* () {
    const parked = transition({ state: "PENDING", attempts: 0 }, "unsendable");
    const discarded = transition({ state: "DEAD_LETTER", attempts: 0 }, "discarded");
    if (parked === undefined || discarded === undefined) return expect.unreachable("there are such transitions");
    yield* store.moveStream(workspace, NOTE, { transition: parked, at: 0 });
    const without = documentOf(...received.map(({ update }) => update));
    yield* store.rebuildDocument({
      workspace,
      document: NOTE,
      device,
      discarded,
      pending: [refused],
      through: refused,
      acknowledged: received.map((update) => ({ ...update, own: false })),
      edits: [],
      row: documentView(schema, "note", without, true),
      retire: [],
    });
  });

/** What was refused has other bytes under the successor, and stays. */
const succeed = ({ store, device, fence, received, refused }: Made) =>
  Effect.gen(function* () {
    const to = deviceIdOf(workspace, yield* Secrets.ensureSuccessorKeys(store, workspace, "platform", systemRandom));
    const anew = replica(3);
    for (const { update } of received) anew.import(update);
    yield* store.succeed({
      workspace,
      fence,
      from: device,
      ahead: 0,
      to,
      admission: {
        device: to,
        counter: 1,
        document: NO_DOCUMENT,
        kind: EntryKind.void,
        entry: new Uint8Array(1),
        hash: nothing,
        refs: [],
        frozen: freezing(0),
        frozenAt: 0,
        updates: [],
      },
      documents: [
        {
          document: NOTE,
          acknowledged: received,
          unacknowledged: [{ id: refused, update: write(anew, "ANEW "), refs: [], firstForm: undefined }],
        },
      ],
    });
  });

test.each([
  ["without what was given up", discard, "yyyyy"],
  ["under another identity", succeed, "ANEW yyyyy"],
])("no snapshot of what it was takes the place of a document that is made anew %s", (_, makeAnew, text) =>
  Effect.gen(function* () {
    const made = yield* makeStore;
    const { store } = made;
    const importer = yield* makeInProcessImporter({ schema, now: () => 0 });
    const isAsked = yield* Deferred.make<void>();
    const mayAnswer = yield* Deferred.make<void>();
    const slow: typeof importer = {
      ...importer,
      // As long as other documents are imported.
      apply: (request) =>
        Effect.gen(function* () {
          if (request.want.view === true) {
            yield* Deferred.succeed(isAsked, undefined);
            yield* Deferred.await(mayAnswer);
          }
          return yield* importer.apply(request);
        }),
    };
    const imports = makeDocumentImports(store, slow);
    const { through = 0 } = (yield* store.openDocument(workspace, NOTE)) ?? {};
    const projecting = yield* Effect.forkChild(imports.project(workspace, NOTE, through));
    yield* Deferred.await(isAsked);
    yield* makeAnew(made);
    yield* imports.forget(workspace, NOTE);
    yield* Deferred.succeed(mayAnswer, undefined);
    yield* Fiber.join(projecting);

    const opened = yield* store.openDocument(workspace, NOTE);
    const stored = new LoroDoc();
    if (opened?.snapshot !== undefined) stored.import(opened.snapshot);
    for (const { update } of opened?.updates ?? []) stored.import(update);
    expect(textOf(stored).slice(0, text.length)).toBe(text);
    // Nor has the importer kept it.
    const again = yield* imports.snapshot(workspace, NOTE);
    expect(textOf(documentOf(again?.snapshot ?? new Uint8Array(0))).slice(0, text.length)).toBe(text);
  }).pipe(Effect.scoped, Effect.runPromise),
);
