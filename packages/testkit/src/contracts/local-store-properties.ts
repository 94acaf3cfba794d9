/** Random sequences of operations, against the model. */
import type { LocalStoreShape } from "@cairn/client/effect";
import { EntryKind } from "@cairn/protocol";
import { type EntryEvent, transition } from "@cairn/sync";
import { Effect } from "effect";
import fc from "fast-check";
import { expect, test } from "vitest";
import { LocalStoreModel } from "./local-store-model.ts";
import {
  bytesOf,
  DEVICE,
  documentOf,
  edit,
  FINGERPRINT,
  hashOf,
  logEntry,
  OTHER_WORKSPACE,
  outgoingEntry,
  PEER,
  positionRecord,
  receipt,
  receivedUpdate,
  WORKSPACE,
  workspaceRecord,
} from "./local-store-samples.ts";
import { type ContractSuite, observe, outcomeOf } from "./local-store-suite.ts";

const DOCUMENTS = [1, 2, 3].map(documentOf);
const WORKSPACES = [WORKSPACE, OTHER_WORKSPACE];

const byJson = (left: unknown, right: unknown): number => (JSON.stringify(left) < JSON.stringify(right) ? -1 : 1);
const byCounter = (left: { readonly counter: number }, right: { readonly counter: number }) =>
  left.counter - right.counter;

/** What `observe` should say. */
const observeModel = (model: LocalStoreModel, workspace = WORKSPACE) => {
  const here = (record: { readonly workspace: string }) => record.workspace === workspace;
  const documents = model.documents.filter(({ record }) => here(record));
  const outgoing = model.outgoing.filter(here).toSorted(byCounter);
  const log = model.log
    .filter(here)
    .toSorted((left, right) =>
      left.device === right.device ? byCounter(left, right) : left.device < right.device ? -1 : 1,
    );
  const ofKind = (kind: number) => {
    const entries = log.filter((entry) => entry.kind === kind);
    return [
      ...entries.filter(({ seq }) => seq !== undefined).toSorted((left, right) => (left.seq ?? 0) - (right.seq ?? 0)),
      ...entries.filter(({ seq }) => seq === undefined).toSorted(byCounter),
    ];
  };
  const newer = (document: (typeof DOCUMENTS)[number], afterId: number) => {
    const snapshot = model.find(workspace, document)?.snapshot;
    const updates = model.updates.filter(
      (update) => here(update) && update.document === document && update.id > afterId,
    );
    return {
      snapshot: (snapshot?.through ?? 0) > afterId ? snapshot?.snapshot : undefined,
      updates,
      through: Math.max(afterId, snapshot?.through ?? 0, updates.at(-1)?.id ?? 0),
    };
  };
  const pendingDocuments = documents
    .flatMap(({ record: { document } }) => {
      const [first, ...others] = model.pending(workspace, document);
      if (first === undefined) return [];
      const bytes = [first, ...others].reduce((sum, { update }) => sum + update.length, 0);
      return [{ document, updates: others.length + 1, bytes, oldest: first.time }];
    })
    .toSorted(byJson);
  const outgoingHeaders = outgoing.map(({ device, counter, document, kind, state, attempts, frozenAt, entry }) => ({
    device,
    counter,
    document,
    kind,
    state,
    attempts,
    frozenAt,
    bytes: entry.length,
  }));
  const streams = model.streams.filter(here).toSorted((left, right) => (left.document < right.document ? -1 : 1));
  return {
    workspaces: [...model.workspaces].toSorted(byJson),
    position: model.positions.get(workspace),
    pendingDocuments,
    outgoing: outgoing.map(({ device: _, ...entry }) => entry),
    outgoingHeaders,
    streams,
    unacknowledged: {
      pending: pendingDocuments,
      outgoing: outgoingHeaders,
      streams,
      nextCounter: model.positions.get(workspace)?.nextCounter ?? 1,
    },
    log,
    updates: ofKind(EntryKind.update),
    voids: ofKind(EntryKind.void),
    versions: [...new Map(log.map(({ device, counter }) => [device, counter]))].toSorted(byJson),
    unprojected: documents
      .flatMap(({ record: { document, type, projection }, unprojected, latest }) =>
        type !== "note" || (unprojected === undefined && projection === FINGERPRINT)
          ? []
          : [{ document, type, through: latest }],
      )
      .toSorted(byJson),
    countUnprojected: documents.filter(({ record, unprojected }) => record.type === "note" && unprojected !== undefined)
      .length,
    page: documents.map(({ record }) => record).toSorted((left, right) => (left.document < right.document ? -1 : 1)),
    notes: documents.filter(({ record }) => record.type === "note").length,
    perDocument: DOCUMENTS.map((document) => {
      const record = model.find(workspace, document)?.record;
      return {
        pending: model.pending(workspace, document),
        record,
        opened: record === undefined ? undefined : { record, ...newer(document, 0), rebuilds: 0 },
        newer: { ...newer(document, 3), merging: record?.merging ?? false },
      };
    }),
  };
};

const small = fc.nat({ max: 3 });
const where = {
  workspace: fc.constantFrom(WORKSPACE, WORKSPACE, WORKSPACE, OTHER_WORKSPACE),
  document: fc.constantFrom(...DOCUMENTS),
};
/** Mostly nothing: by how much a precondition is missed. */
const skew = fc.oneof({ weight: 9, arbitrary: fc.constant(0) }, { weight: 1, arbitrary: fc.constantFrom(-1, 1) });
const view = fc.record({
  deleted: fc.boolean(),
  createdAt: fc.nat(),
  projection: fc.option(
    fc.record({
      fingerprint: fc.constantFrom(FINGERPRINT, "another"),
      fields: fc.dictionary(
        fc.constantFrom("title", "done", "tags"),
        fc.oneof(fc.string(), fc.boolean(), fc.array(fc.integer())),
      ),
      indexed: fc.constant([]),
      searchText: fc.option(fc.string(), { nil: undefined }),
    }),
    { nil: undefined, freq: 6 },
  ),
});
const operation = fc.oneof(
  fc.record({ type: fc.constant("add" as const), workspace: where.workspace, first: small }),
  fc.record({
    type: fc.constant("append" as const),
    ...where,
    count: fc.integer({ min: 1, max: 4 }),
    time: fc.nat({ max: 100 }),
    row: fc.option(view, { nil: undefined }),
  }),
  fc.record({
    type: fc.constant("append" as const),
    ...where,
    count: fc.integer({ min: 1, max: 4 }),
    time: fc.nat({ max: 100 }),
    row: fc.constant(undefined),
  }),
  fc.record({
    type: fc.constant("freeze" as const),
    ...where,
    take: small,
    entries: small,
    fence: skew,
    counter: skew,
  }),
  fc.record({
    type: fc.constant("settle" as const),
    ...where,
    pick: fc.array(fc.nat({ max: 8 }), { maxLength: 4 }),
    fence: skew,
    seq: fc.boolean(),
  }),
  fc.record({
    type: fc.constant("receive" as const),
    ...where,
    peerCounters: fc.array(fc.integer({ min: 1, max: 9 }), { maxLength: 3 }),
    fence: skew,
    from: skew,
  }),
  fc.record({
    type: fc.constant("move" as const),
    ...where,
    pick: fc.array(fc.nat({ max: 4 }), { maxLength: 3 }),
    event: fc.constantFrom<EntryEvent>("unanswered", "sent", "refused", "never"),
    fence: skew,
  }),
  fc.record({
    type: fc.constant("replace" as const),
    ...where,
    pick: fc.nat({ max: 4 }),
    event: fc.constantFrom<EntryEvent>("outdated", "no-room", "voided", "voided"),
    fence: skew,
  }),
  fc.record({
    type: fc.constant("stream" as const),
    ...where,
    event: fc.constantFrom<EntryEvent>("unsendable", "retried"),
  }),
  fc.record({ type: fc.constant("split" as const), ...where, pick: small, pieces: small, fence: skew }),
  fc.record({
    type: fc.constant("project" as const),
    ...where,
    back: small,
    view: fc.option(view, { nil: undefined }),
  }),
  fc.record({ type: fc.constant("fold" as const), ...where, back: small, keep: small }),
  fc.record({ type: fc.constant("claim" as const) }),
  fc.record({ type: fc.constant("remove" as const), workspace: fc.constant(OTHER_WORKSPACE) }),
);
type Operation = typeof operation extends fc.Arbitrary<infer A> ? A : never;

/** Does one operation on both sides and compares what they answer. */
const perform = Effect.fnUntraced(function* (
  store: LocalStoreShape,
  model: LocalStoreModel,
  step: Operation,
  index: number,
) {
  switch (step.type) {
    case "add": {
      const record = workspaceRecord(step.workspace);
      const position = { ...positionRecord(step.workspace), cursor: step.first };
      const outcome = yield* outcomeOf(store.addWorkspace(record, position, []));
      expect(outcome).toBe(model.positions.has(step.workspace) ? "fenced" : "done");
      if (outcome === "done") {
        model.workspaces.push(record);
        model.positions.set(step.workspace, position);
      }
      return;
    }
    case "append": {
      const { workspace, document, count, time, row } = step;
      const edits = Array.from({ length: count }, (_, number) =>
        edit({ workspace, document, time: time + number, update: bytesOf(index, number), row }),
      );
      if (model.positions.has(workspace)) {
        expect(yield* store.appendUpdates(edits)).toEqual(model.appendUpdates(edits));
      } else {
        expect(yield* outcomeOf(store.appendUpdates(edits))).toBe("unavailable");
      }
      return;
    }
    case "freeze": {
      const { workspace, document } = step;
      const ids = model.pending(workspace, document).map(({ id }) => id);
      const next = (model.positions.get(workspace)?.nextCounter ?? 1) + step.counter;
      const entries = Array.from({ length: step.entries }, (_, number) =>
        outgoingEntry(next + number, number === 0 ? ids.slice(0, step.take) : [], {
          document,
          refs: step.take > 1 ? [hashOf(index)] : [],
        }),
      );
      const fence = model.epoch + step.fence;
      const outcome = yield* outcomeOf(store.freeze(workspace, fence, entries));
      expect(outcome).toBe(model.freeze(workspace, fence, entries));
      return;
    }
    case "settle": {
      const waiting = model.outgoing.filter(({ workspace }) => workspace === step.workspace);
      const settled = [...new Set(step.pick)].flatMap((at) => {
        const entry = waiting[at];
        return entry === undefined ? [] : [{ counter: entry.counter, seq: step.seq ? index * 10 + at : undefined }];
      });
      const fence = model.epoch + step.fence;
      const outcome = yield* outcomeOf(store.settle(step.workspace, fence, settled, index));
      expect(outcome).toBe(model.settle(step.workspace, fence, settled, index));
      return;
    }
    case "receive": {
      const { workspace, document } = step;
      const own = model.log.find((entry) => entry.workspace === workspace && entry.device === DEVICE);
      const counters = [...new Set(step.peerCounters)];
      const cursor = model.positions.get(workspace)?.cursor ?? 0;
      const step1 = receipt(model.epoch + step.fence, cursor + step.from, {
        workspace,
        entries: [
          ...counters.map((counter, at) => logEntry(PEER, counter, index * 10 + at, document)),
          ...(own === undefined ? [] : [{ ...own, seq: index * 10 + 9 }]),
        ],
        updates: counters.map((counter) => receivedUpdate(PEER, counter, document)),
        settled: own === undefined ? [] : [{ counter: own.counter, seq: index * 10 + 9 }],
        at: index,
      });
      expect(yield* outcomeOf(store.receive(step1))).toBe(model.receive(step1));
      return;
    }
    case "replace": {
      const { workspace } = step;
      const refused = model.outgoing.filter((entry) => entry.workspace === workspace)[step.pick];
      const { updates: _, ...replacement } = outgoingEntry(refused?.counter ?? 1_000, [], {
        document: refused?.document ?? step.document,
        kind: EntryKind.void,
        entry: bytesOf(index),
        hash: hashOf(77, index),
      });
      const decided = transition(refused ?? { state: "IN_FLIGHT", attempts: 0 }, step.event);
      if (decided === undefined) return;
      const change = { transition: decided, at: index, code: "too-large", message: String(index) };
      const fence = model.epoch + step.fence;
      const outcome = yield* outcomeOf(store.replaceOutgoing(workspace, fence, replacement, change));
      expect(outcome).toBe(model.replaceOutgoing(workspace, fence, replacement, change));
      return;
    }
    case "move": {
      const waiting = model.outgoing.filter(({ workspace }) => workspace === step.workspace);
      const moves = [...new Set(step.pick)].flatMap((at) => {
        const entry = waiting[at];
        const decided = entry === undefined ? undefined : transition(entry, step.event, 3);
        return entry === undefined || decided === undefined
          ? []
          : [{ transition: decided, counter: entry.counter, at: index, code: "role", message: "no" }];
      });
      const fence = model.epoch + step.fence;
      const outcome = yield* outcomeOf(store.moveOutgoing(step.workspace, fence, moves));
      expect(outcome).toBe(model.moveOutgoing(step.workspace, fence, moves));
      return;
    }
    case "stream": {
      const { workspace, document } = step;
      const stream = model.stream(workspace, document) ?? { state: "PENDING", attempts: 0 };
      const decided = transition(stream, step.event) ?? transition({ state: "PENDING", attempts: 0 }, "unsendable");
      if (decided === undefined) throw new TypeError("what waits can be parked");
      const change = { transition: decided, at: index, code: "too-large", through: index };
      const outcome = yield* outcomeOf(store.moveStream(workspace, document, change));
      expect(outcome).toBe(model.moveStream(workspace, document, change));
      return;
    }
    case "split": {
      const { workspace, document } = step;
      const id = model.pending(workspace, document)[step.pick]?.id ?? 1_000_000;
      const pieces = Array.from({ length: step.pieces + 1 }, (_, piece) => bytesOf(index, piece));
      const fence = model.epoch + step.fence;
      const outcome = yield* outcomeOf(store.splitPending(workspace, fence, document, id, pieces));
      expect(outcome).toBe(model.splitPending(workspace, fence, document, id, pieces));
      return;
    }
    case "project": {
      const through = Math.max(0, model.lastUpdate - step.back);
      yield* store.putProjections(step.workspace, [{ document: step.document, through, view: step.view }]);
      model.putProjection(step.workspace, step.document, through, step.view);
      return;
    }
    case "fold": {
      const { workspace, document } = step;
      const through = Math.max(0, model.lastUpdate - step.back);
      const replaced = model.updates
        .filter(
          (update) => update.workspace === workspace && update.document === document && update.id % 4 !== step.keep,
        )
        .map(({ id }) => id);
      const snapshot = { workspace, document, through, snapshot: bytesOf(index, through) };
      expect(yield* outcomeOf(store.fold(snapshot, replaced))).toBe(model.fold(snapshot, replaced));
      return;
    }
    case "claim":
      model.epoch += 1;
      expect(yield* store.claimLeadership).toBe(model.epoch);
      return;
    case "remove":
      yield* store.removeWorkspace(step.workspace);
      model.removeWorkspace(step.workspace);
  }
});

const compare = Effect.fnUntraced(function* (store: LocalStoreShape, model: LocalStoreModel) {
  for (const workspace of WORKSPACES) {
    expect(yield* observe(store, workspace, DOCUMENTS)).toEqual(observeModel(model, workspace));
  }
});

export const registerPropertyContract = (suite: ContractSuite): void => {
  test("random sequences of operations leave what the model says, also after reopening", async () => {
    expect.hasAssertions();
    const half = fc.array(operation, { minLength: 10, maxLength: 40, size: "max" });
    await fc.assert(
      fc.asyncProperty(half, half, (first, second) => {
        const model = new LocalStoreModel();
        const play = (operations: ReadonlyArray<Operation>, from: number) =>
          Effect.fnUntraced(function* (store: LocalStoreShape) {
            for (const [index, step] of operations.entries()) yield* perform(store, model, step, from + index);
            yield* compare(store, model);
          });
        return suite.run((session) =>
          Effect.gen(function* () {
            yield* session((store) =>
              Effect.gen(function* () {
                yield* perform(store, model, { type: "add", workspace: WORKSPACE, first: 0 }, 0);
                yield* play(first, 1)(store);
              }),
            );
            yield* session((store) => compare(store, model));
            yield* session(play(second, 100));
          }),
        );
      }),
      { numRuns: suite.sequences },
    );
  });
};
